"""Projects in a table: state per cloud, last day, and use against the limits in force."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping, Sequence
from uuid import UUID

from django.db.models import F, OuterRef, Prefetch, Q, QuerySet, Subquery

from connectors.types import UNLIMITED
from portal import links, parts
from portal.selectors.tenancies import cloud_states, project_badge
from quotas.catalog import RESOURCES, Resource, enforced_keys
from tenancy import access
from tenancy.models import Institution, Membership, Project, Reading, Tenancy
from tenancy.selectors import latest_readings, projects_list

SHOWN = ("compute.vcpu", "compute.memory", "storage.volume")
"""Resources that a table of projects has columns for."""

OLDER = dt.timedelta(hours=2)
"""A reading that is so much older than the newest of its column says its own age."""

_ORDERS = {
    "title": ("title", "pk"),
    "-title": ("-title", "-pk"),
    "ends": (F("ends_on").asc(nulls_last=True), "title", "pk"),
    "-ends": (F("ends_on").desc(nulls_last=True), "title", "pk"),
}


def projects_found(
    who: access.Who, *, words: str = "", state: str = "", institution: str = "", sort: str = ""
) -> QuerySet[Project]:
    """The projects this person may open that match, with what a table of them needs."""
    rows = projects_list(who)
    for word in words.split():
        rows = rows.filter(Q(title__icontains=word) | Q(slug__icontains=word))
    if state:
        rows = rows.filter(state=state)
    if institution:
        rows = rows.filter(institution_id=institution)
    return with_tenancies(rows).order_by(*_ORDERS.get(sort, _ORDERS["title"]))


def projects_open(who: access.Who) -> QuerySet[Project]:
    """Projects this person may open one by one: canaries too, which no list has."""
    owner = Membership.objects.current().filter(project=OuterRef("pk"), role=Membership.Role.OWNER)
    name = Subquery(owner.order_by("added_at").values("person__name")[:1])
    return access.visible_projects(who).select_related("institution", "archived_by").annotate(owner_name=name)


def my_projects(who: access.Who) -> QuerySet[Project]:
    """Open projects this person is a member of, the one that ends first on top."""
    mine = Membership.objects.current().filter(person=who.pk).values("project_id")
    rows = projects_list(who).filter(pk__in=mine, state=Project.State.OPEN)
    return with_tenancies(rows).order_by(*_ORDERS["ends"])


def with_tenancies(rows: QuerySet[Project]) -> QuerySet[Project]:
    """Tenancies with their clouds and conditions: two more queries for any number of projects."""
    tenancies = Tenancy.objects.select_related("cloud").prefetch_related("conditions").order_by("cloud__title")
    return rows.prefetch_related(None).prefetch_related(Prefetch("tenancies", tenancies))


def institutions_of(who: access.Who) -> QuerySet[Institution]:
    """Institutions that have a project this person may open."""
    return Institution.objects.filter(pk__in=access.visible_projects(who).values("institution_id"))


def project_rows(
    projects: Sequence[Project], roles: Mapping[UUID, str] | None = None
) -> tuple[list[parts.Column], list[parts.ProjectRow]]:
    """The columns and rows of parts/project_table.html: two more queries. `roles` are the reader's, by project."""
    tenancies = [each for project in projects for each in project.tenancies.all()]
    readings = latest_readings(tenancies)
    resources = [RESOURCES[key] for key in SHOWN]
    newest = {key: max((row.at for (_, name), row in readings.items() if name == key), default=None) for key in SHOWN}
    columns = [parts.Column(each.full_label, newest[each.key]) for each in resources]
    rows = [
        parts.ProjectRow(
            title=project.title,
            href=links.project(project),
            sub=_sub(project, (roles or {}).get(project.pk, "")),
            states=[] if project.state == Project.State.ARCHIVED else cloud_states(project.tenancies.all()),
            state=project_badge(project, list(project.tenancies.all())),
            ends_on=project.ends_on,
            cells=[_cell(project, each, readings, newest[each.key]) for each in resources],
        )
        for project in projects
    ]
    return columns, rows


def _sub(project: Project, role: str) -> str:
    people: int = getattr(project, "people", 0)
    whose = role or getattr(project, "owner_name", None) or "nobody owns it"
    said = [str(whose), "1 person" if people == 1 else f"{people} people"]
    if project.institution is not None and not role:
        said.append(project.institution.name)
    return " · ".join(said)


def _cell(
    project: Project,
    resource: Resource,
    readings: Mapping[tuple[UUID, str], Reading],
    newest: dt.datetime | None,
) -> parts.Reading | None:
    """Use and limit over all clouds. Where one of them has not been read, the sum is not known either."""
    tenancies = [each for each in project.tenancies.all() if resource.key in enforced_keys(each.cloud.kind)]
    if not tenancies:
        return None
    found = [readings.get((each.pk, resource.key)) for each in tenancies]
    known = [row for row in found if row is not None]
    if not known:
        return parts.Reading(None, None, resource.unit)
    complete = len(known) == len(found)
    uses = [row.in_use for row in known]
    oldest = min(row.at for row in known)
    return parts.Reading(
        used=sum(use for use in uses if use is not None) if complete and None not in uses else None,
        limit=_limit([row.limit for row in known]) if complete else None,
        unit=resource.unit,
        href=links.project_limits(project),
        read_at=oldest if newest is not None and newest - oldest > OLDER else None,
    )


def _limit(limits: Sequence[int]) -> int:
    return UNLIMITED if UNLIMITED in limits else sum(limits)


def roles_of(who: access.Who, projects: Sequence[Project]) -> dict[UUID, str]:
    """The person's role in each of these projects. One query."""
    rows = Membership.objects.current().filter(person=who.pk, project__in=projects)
    return {row.project_id: row.get_role_display() for row in rows}
