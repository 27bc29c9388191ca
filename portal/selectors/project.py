"""One project on one page: limits, people, clouds, what happens now, usage and the log."""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from django.core.paginator import Page

from config import clock
from onboarding.models import Request
from portal import links, parts, wording
from portal.selectors import activity
from portal.selectors.tenancies import project_badge, tenancy_rows
from portal.selectors.usage import month_now, project_chart
from portal.selectors.waiting import ENDS_SOON
from portal.states import Badge
from quotas.pages import limits_part
from tenancy import access
from tenancy.models import Membership, Project, Tenancy
from tenancy.selectors import tenancies_of
from tenancy.shown.progress import progress
from tenancy.shown.roster import members_shown


@dataclass(frozen=True)
class Rights:
    """What the reader may do here: acts that would be refused are not offered."""

    operator: bool
    role: Membership.Role | None
    is_open: bool

    @property
    def manages(self) -> bool:
        """Adds and removes members, asks for more."""
        return self.is_open and (self.operator or self.role in access.MANAGING)

    @property
    def owns(self) -> bool:
        return self.is_open and (self.operator or self.role is Membership.Role.OWNER)

    @property
    def gets_in(self) -> bool:
        return self.is_open and self.role is not None


def rights(who: access.Who, project: Project) -> Rights:
    """One query."""
    return Rights(access.is_operator(who), access.project_role(who, project), project.state == Project.State.OPEN)


def project_page(who: access.Who, project: Project, members: Page[Membership]) -> dict[str, Any]:
    """The context of templates/portal/project.html; `members` is the page of members to show."""
    may = rights(who, project)
    tenancies = list(tenancies_of(project))
    clouds, people = members_shown(project, list(members), who, tenancies)
    steps = progress(tenancies, verbatim=may.operator)
    return {
        "project": project,
        "may": may,
        "head": _head(project),
        "badge": project_badge(project, tenancies),
        "acts": _acts(project, may),
        "note": _note(project, tenancies, may),
        "asked": _asked(project, may),
        "limits_part": limits_part(project, who, usage_href=links.project_usage(project)),
        "members": people,
        "member_clouds": clouds,
        "count": members.paginator.count,
        "page_obj": members,
        "csv_href": f"{links.members(project)}?format=csv",
        "members_href": links.members(project),
        "limits_href": links.limits(project),
        "clouds_href": links.project_clouds(project),
        "add_href": links.member_add(project) if may.manages else "",
        "progress": steps,
        "refresh_href": links.progress(project),
        "clouds_part": _clouds_part(project, tenancies, may),
        "activity": activity.of_project(project),
        "archive_href": links.project_archive(project) if may.owns else "",
        "usage_links": [
            parts.Link("Explore usage", links.project_usage(project)),
            parts.Link("Report of this month", links.project_report(project, month_now())),
        ],
    } | project_chart(project)


def clouds_part(who: access.Who, project: Project) -> dict[str, Any]:
    """The context of templates/parts/tenancies.html."""
    return _clouds_part(project, list(tenancies_of(project)), rights(who, project))


def _clouds_part(project: Project, tenancies: Sequence[Tenancy], may: Rights) -> dict[str, Any]:
    return {
        "tenancies": tenancy_rows(tenancies, operator=may.operator),
        "links": [parts.Link("How do I get in", links.project_entry(project))] if may.gets_in else [],
        "empty": parts.Empty("On no cloud yet", "A request that names a cloud puts the project there."),
    }


def _head(project: Project) -> dict[str, Any]:
    return {
        "institution": project.institution.name if project.institution else "",
        "owner": getattr(project, "owner_name", None),
        "since": project.starts_on,
        "ends": _ends(project, clock.now().date()),
    }


def _ends(project: Project, today: dt.date) -> Badge | None:
    """The last day as a badge once it is near; None: far away, or no end."""
    if project.ends_on is None or project.state == Project.State.ARCHIVED:
        return None
    left = project.ends_on - today
    if left < dt.timedelta():
        return Badge("over", f"was to end on {wording.day(project.ends_on)}")
    if left > ENDS_SOON:
        return None
    said = "today" if not left else f"in {wording.span(left)}"
    return Badge("warn", f"ends {said}, {wording.day(project.ends_on)}")


def _acts(project: Project, may: Rights) -> list[parts.Link]:
    """What the head of the page offers; the first is the main one."""
    acts = []
    if may.gets_in:
        acts.append(parts.Link("How do I get in", links.project_entry(project)))
    if may.manages:
        acts.append(parts.Link("Ask for more", links.project_ask(project)))
    return acts


def _note(project: Project, tenancies: Sequence[Tenancy], may: Rights) -> parts.Note | None:
    """An archived project says so, by whom and why, and promises only what was found to be true."""
    if project.state != Project.State.ARCHIVED:
        return None
    by = f" by {project.archived_by}" if project.archived_by else ""
    pending = ", ".join(each.cloud.title for each in tenancies if not each.settled)
    text = (
        f"Access is not known to have ended yet on {pending}; see below. No data was deleted."
        if pending
        else "Nobody gets in on any cloud, running work was stopped, and no data was deleted."
    )
    return parts.Note(
        kind="warn" if pending else "info",
        headline=f"Archived on {wording.day(project.archived_at)}{by}.",
        text=text,
        sub=f"Reason: {project.archive_reason}",
        acts=[parts.Link("Open it again", links.project_restore(project))] if may.operator else [],
    )


def _asked(project: Project, may: Rights) -> parts.Note | None:
    """A request of this project that waits for a decision. One query."""
    if not (may.role or may.operator):
        return None
    request = Request.objects.waiting().filter(project=project).select_related("requested_by").first()
    if request is None:
        return None
    what = "a longer life" if request.kind == Request.Kind.RENEWAL else "more"
    return parts.Note(
        kind="info",
        headline=f"{request.requested_by} asked for {what}.",
        text=f"Sent {wording.age(request.created_at, now=clock.now())}; it waits for a reviewer.",
        acts=[parts.Link("Look at the request", links.request(request.pk))] if may.manages else [],
    )
