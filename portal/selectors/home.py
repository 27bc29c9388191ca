"""The start page: what waits for the reader, their projects, the state of the clouds, what happened."""

from __future__ import annotations

from typing import Any

from django.db.models import Exists, OuterRef

from portal import links, parts
from portal.selectors import activity
from portal.selectors.projects import my_projects, project_rows, roles_of
from portal.selectors.tenancies import cloud_of
from portal.selectors.usage import usage_card
from portal.selectors.waiting import waiting
from portal.states import Badge
from reporting.selectors.usage import totals_visible
from tenancy import access
from tenancy.models import Cloud, Person, PlanLine, Tenancy
from tenancy.selectors import clouds_list, stale_before

SHOWN = 10
"""Projects on the start page; the list has all of them."""

"""A cloud that was not read for so long, or for so many surveys, is not known to be in step."""


def home_page(who: Person) -> dict[str, Any]:
    """The context of templates/portal/home.html."""
    found = list(my_projects(who)[: SHOWN + 1])
    mine = found[:SHOWN]
    roles = roles_of(who, mine)
    columns, rows = project_rows(mine, roles)
    operator = access.is_operator(who)
    return {
        "heading": "Today" if operator else "My projects",
        "says": _says(len(mine), len(found) > SHOWN),
        "waiting": waiting(who, mine, roles),
        "columns": columns,
        "rows": rows,
        "empty": _no_projects(),
        "all_href": links.projects() if len(found) > SHOWN else "",
        "new_href": links.request_new(),
        "clouds": _clouds() if operator else None,
        "connect": _no_cloud(),
        "clouds_href": links.clouds(),
        "usage": usage_card(totals_visible(who)) if mine or access.sees_site_usage(who) else None,
        "activity": activity.of_site() if operator else activity.of_projects(mine),
        "audit_href": links.audit() if operator else "",
    }


def _says(count: int, more: bool) -> str:
    if more:
        return f"More than {count} projects"
    return f"{count} project{'' if count == 1 else 's'} of mine" if count else "None of the projects is mine"


def _no_projects() -> parts.Empty:
    return parts.Empty(
        "You are in no project yet",
        "Ask for one, or have its owner add you: they need your e-mail address or user name.",
        parts.Link("Ask for a project", links.request_new()),
    )


def _no_cloud() -> parts.Empty:
    connect = parts.Link("Connect a cloud", links.cloud_connect())
    return parts.Empty("No cloud yet", "Nothing can be given to anybody before one is connected.", connect)


def _clouds() -> list[dict[str, Any]]:
    """Each cloud with its mode, how old its survey is, and how much is not as wanted. One query."""
    held = PlanLine.objects.filter(cloud=OuterRef("pk"), hold=PlanLine.HoldChoice.GUARD)
    pending = Tenancy.objects.unsettled().filter(cloud=OuterRef("pk"))
    return [
        {
            "cloud": cloud_of(cloud),
            "href": links.cloud(cloud),
            "badge": _standing(cloud),
            "mode": cloud.get_mode_display(),
            "surveyed_at": getattr(cloud, "surveyed_at", None),
            "tenancies": getattr(cloud, "tenancy_count", 0),
            "unsettled": getattr(cloud, "unsettled_count", 0),
            "plan": links.plan(cloud),
        }
        for cloud in clouds_list().annotate(holds=Exists(held), pending=Exists(pending))
    ]


def _standing(cloud: Cloud) -> Badge:
    """Whether Tenantry reaches the cloud and may write to it; never read is not known."""
    if cloud.paused_at is not None:
        return Badge("off", "writes paused")
    if cloud.breaker_until is not None:
        return Badge("over", "not reached")
    if getattr(cloud, "holds", False):
        return Badge("warn", "removals held")
    surveyed_at = getattr(cloud, "surveyed_at", None)
    if surveyed_at is None:
        return Badge("none", "not read yet")
    if surveyed_at < stale_before():
        return Badge("none", "not read lately")
    if getattr(cloud, "unsettled_count", 0):
        return Badge("warn", "not all in step")
    if getattr(cloud, "pending", False):
        # Held by the mode, for one: nobody needs to act, and yet the cloud is not as wanted.
        return Badge("wait", "changes wait")
    return Badge("ok", "in step")
