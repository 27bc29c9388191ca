"""The shared records. Import from here: ``from tenancy.models import Project``."""

from tenancy.models.clouds import (
    Capability,
    Cloud,
    CloudRight,
    CloudRole,
    CloudVersion,
    SiteSwitch,
)
from tenancy.models.people import Institution, Membership, Person, Project, SiteRole
from tenancy.models.tenancies import Account, Condition, Limit, Proof, Reading, Tenancy
from tenancy.models.work import (
    Confirmation,
    ConfirmedChange,
    DriftLine,
    GuardDay,
    PlanLine,
    Step,
    SurveyRun,
    SurveySection,
)

__all__ = [
    "Account",
    "Capability",
    "Cloud",
    "CloudRight",
    "CloudRole",
    "CloudVersion",
    "Condition",
    "Confirmation",
    "ConfirmedChange",
    "DriftLine",
    "GuardDay",
    "Institution",
    "Limit",
    "Membership",
    "Person",
    "PlanLine",
    "Project",
    "Proof",
    "Reading",
    "SiteRole",
    "SiteSwitch",
    "Step",
    "SurveyRun",
    "SurveySection",
    "Tenancy",
]
