"""Verbs on the shared records: keyword-only arguments, one transaction each, every one audited.

``actor`` is the person who does it, or None for Tenantry itself (a schedule, an import). Rules raise
``tenancy.errors.RuleError``; a missing right raises ``NotAllowed``.
"""

from tenancy.services.accounts import account_secret_issue
from tenancy.services.clouds import (
    cloud_connect,
    cloud_credential_change,
    cloud_mode_set,
    cloud_pause,
    cloud_probe,
    cloud_resume,
    cloud_survey_ask,
    site_pause,
    site_resume,
)
from tenancy.services.credentials import credentials_rotate
from tenancy.services.members import (
    member_add,
    member_remove,
    member_role_change,
    members_import,
)
from tenancy.services.people import institution_create, person_activate, person_create, person_deactivate
from tenancy.services.plans import batch_confirm, batch_keep
from tenancy.services.projects import project_archive, project_change, project_create, project_restore
from tenancy.services.tenancies import limits_set, tenancy_adopt, tenancy_create, tenancy_retry

__all__ = [
    "account_secret_issue",
    "batch_confirm",
    "batch_keep",
    "cloud_connect",
    "cloud_credential_change",
    "cloud_mode_set",
    "cloud_pause",
    "cloud_probe",
    "cloud_resume",
    "cloud_survey_ask",
    "credentials_rotate",
    "institution_create",
    "limits_set",
    "member_add",
    "member_remove",
    "member_role_change",
    "members_import",
    "person_activate",
    "person_create",
    "person_deactivate",
    "project_archive",
    "project_change",
    "project_create",
    "project_restore",
    "site_pause",
    "site_resume",
    "tenancy_adopt",
    "tenancy_create",
    "tenancy_retry",
]
