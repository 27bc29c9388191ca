"""How projects stand on their clouds: one badge for many sections."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from portal import links, parts
from portal.states import Badge, badge
from tenancy.models import Cloud, Condition, Project, Tenancy
from tenancy.selectors import stale_before

# What a person should know first. Unknown stands above what merely waits: nothing else can be told about it.
_FIRST = (
    Condition.State.NEEDS_YOU,
    Condition.State.CONTESTED,
    Condition.State.UNKNOWN,
    Condition.State.PAUSED,
    Condition.State.HELD,
    Condition.State.TRYING,
    Condition.State.ENDING,
)

SECTIONS = {"tenancies": "Project", "accounts": "Accounts", "members": "Members", "work": "Running work"}


def cloud_of(each: Cloud) -> parts.Cloud:
    return parts.Cloud(each.title, each.color)


def tenancy_badge(tenancy: Tenancy) -> Badge:
    """The state of a tenancy as one word. Its conditions are prefetched."""
    if tenancy.parked_at is not None:
        return badge(Condition.State.NEEDS_YOU, Condition.State.NEEDS_YOU.label)
    found = {condition.state for condition in tenancy.conditions.all()}
    worst = next((state for state in _FIRST if state in found), None)
    if worst is not None:
        return badge(worst, worst.label)
    if not found:
        return Badge("work", "being set up")
    if not tenancy.settled:
        return Badge("work", "changing")
    if tenancy.wanted == Tenancy.Wanted.SUSPENDED:
        return Badge("off", "ended")
    if tenancy.surveyed_at is None or tenancy.surveyed_at < stale_before():
        return badge(Condition.State.UNKNOWN, Condition.State.UNKNOWN.label)
    return badge(Condition.State.READY, Condition.State.READY.label)


def cloud_states(tenancies: Iterable[Tenancy]) -> list[parts.CloudState]:
    """One a cloud; clouds and conditions are prefetched."""
    return [parts.CloudState(cloud_of(each.cloud), tenancy_badge(each)) for each in tenancies]


def tenancy_rows(tenancies: Sequence[Tenancy], *, operator: bool) -> list[parts.TenancyRow]:
    """Each tenancy with the sections that are not simply fine. Operators get the way to its journal."""
    return [
        parts.TenancyRow(
            cloud=cloud_of(each.cloud),
            badge=tenancy_badge(each),
            name=each.name,
            surveyed_at=each.surveyed_at,
            sections=[_section(one) for one in each.conditions.all() if one.state != Condition.State.READY],
            href=links.tenancy(each) if operator else "",
        )
        for each in tenancies
    ]


def _section(condition: Condition) -> parts.SectionState:
    return parts.SectionState(
        name=section_name(condition.section),
        badge=badge(condition.state, condition.get_state_display()),
        reason=condition.reason,
        since=condition.since,
    )


def section_name(section: str) -> str:
    """ "Members", "Limits of compute"."""
    family, _, service = section.partition(".")
    return f"Limits of {service}" if family == "limits" and service else SECTIONS.get(section, section.capitalize())


def project_badge(project: Project, tenancies: Sequence[Tenancy]) -> Badge | None:
    """What is to be said of the project as a whole; None where its clouds say it better."""
    if project.state == Project.State.ARCHIVED:
        return badge(project.state, project.get_state_display())
    return None if tenancies else Badge("draft", "on no cloud")
