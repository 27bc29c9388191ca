"""The monthly report of a project and of the site, as plain frozen data for templates, CSV and JSON."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from uuid import UUID

from django.db.models import Count, Exists, OuterRef, Q, QuerySet

from config import clock
from reporting.models import DailyTotal, Span
from reporting.months import Month
from reporting.quantities import Amount, in_catalog_order
from reporting.selectors.coverage import Coverage, Stretch, coverage
from reporting.selectors.usage import (
    in_month,
    month_usage,
    totals_of,
    totals_real,
    totals_visible,
    usage_line_amount,
    usage_lines,
)
from tenancy import access
from tenancy.access import Who
from tenancy.models import Membership, Project

UNKNOWN = "unknown"


@dataclass(frozen=True, slots=True)
class Line:
    """What was used of one resource, on one cloud or (``cloud`` empty) on all.

    The ``*_seconds`` are integers in base units x seconds; ``quantity`` is their sum in ``unit``, rounded once.
    ``known`` is how well its worst part is known, ``known_text`` says the parts.
    ``things`` is how many servers, volumes and so on it was; None where that was not counted.
    """

    resource: str
    label: str
    unit: str
    quantity: Decimal
    known: str
    total_seconds: int
    exact_seconds: int
    sampled_seconds: int
    estimated_seconds: int
    base: int
    cloud: str = ""
    things: int | None = None
    known_text: str = ""


@dataclass(frozen=True, slots=True)
class Reach:
    """How far one cloud was collected; None: not all of its sources. ``gap`` says what of the month is unknown."""

    cloud: str
    since: datetime | None
    until: datetime | None
    gap: str


@dataclass(frozen=True, slots=True)
class Period:
    """The month a report is about; ``so_far`` while it runs."""

    key: str
    label: str
    so_far: bool
    made_at: datetime
    collected_until: datetime | None
    reach: tuple[Reach, ...]

    @property
    def complete(self) -> bool:
        """Whether the month is over and every cloud was collected for all of it."""
        return bool(self.reach) and not self.so_far and not any(each.gap for each in self.reach)


@dataclass(frozen=True, slots=True)
class ProjectFacts:
    """Who a report is about, as of the time it is made."""

    title: str
    slug: str
    owner: str
    institution: str
    purpose: str


@dataclass(frozen=True, slots=True)
class ProjectReport:
    period: Period
    project: ProjectFacts
    lines: tuple[Line, ...]
    by_cloud: tuple[Line, ...]


@dataclass(frozen=True, slots=True)
class ProjectLines:
    """One project inside the report of the site; ``slug`` is empty for what no project is mapped to."""

    project: ProjectFacts
    lines: tuple[Line, ...]

    def line(self, resource: str) -> Line | None:
        return next((line for line in self.lines if line.resource == resource), None)


@dataclass(frozen=True, slots=True)
class SiteReport:
    period: Period
    lines: tuple[Line, ...]
    projects: tuple[ProjectLines, ...]

    @property
    def count(self) -> int:
        """Projects with usage; what no project is mapped to is a row, and no project."""
        return sum(1 for each in self.projects if each.project.slug)


def project_report(project: Project, month: Month) -> ProjectReport:
    """Six queries."""
    known = coverage()
    usage = month_usage(totals_of(project), month)
    things = _things(project, month)
    titles = {cloud: known.clouds[cloud].title for cloud in usage.clouds()}
    by_cloud = [
        _line(amount, cloud=titles[cloud], things=things.get((cloud, amount.meter.key)))
        for cloud in sorted(titles, key=lambda each: titles[each])
        for amount in in_catalog_order(usage.by_meter(cloud=cloud))
    ]
    lines = [
        _line(amount, things=sum(number for (_, key), number in things.items() if key == amount.meter.key))
        for amount in in_catalog_order(usage.by_meter())
    ]
    clouds = usage.clouds() | set(project.tenancies.values_list("cloud_id", flat=True))
    return ProjectReport(_period(month, known, clouds), _facts([project])[project.pk], tuple(lines), tuple(by_cloud))


def site_report(month: Month) -> SiteReport:
    """All projects but canaries, and what no project is mapped to. Seven queries, at any number of projects."""
    known = coverage()
    totals = totals_real()
    lines = [_line(amount) for amount in in_catalog_order(month_usage(totals, month).by_meter())]
    found: dict[str | None, dict[str, Amount]] = {}
    for row in usage_lines(totals, month):
        amounts, amount = found.setdefault(row["project"], {}), usage_line_amount(row)
        key = amount.meter.key
        amounts[key] = amounts[key] + amount if key in amounts else amount
    projects = Project.objects.filter(slug__in=[slug for slug in found if slug]).select_related("institution")
    facts = {each.slug: each for each in _facts(projects).values()}
    rows = [
        ProjectLines(facts[slug] if slug else _NOT_MAPPED, tuple(_line(each) for each in in_catalog_order(amounts)))
        for slug, amounts in found.items()
    ]
    rows.sort(key=lambda each: (not each.project.slug, each.project.title.casefold(), each.project.slug))
    return SiteReport(_period(month, known, set(known.clouds)), tuple(lines), tuple(rows))


_NOT_MAPPED = ProjectFacts("Not mapped to a project", "", UNKNOWN, UNKNOWN, "")


def projects_reported(who: Who, month: Month) -> QuerySet[Project]:
    """Projects this person may open whose time touches the month, or that used something in it all the same.

    Those go on past their last day, or were adopted after their first. Canaries are left out; institutions are joined.
    """
    projects = access.visible_projects(who).exclude(purpose=Project.Purpose.CANARY)
    lasts = Q(ends_on__isnull=True) | Q(ends_on__gte=month.first)
    used = in_month(DailyTotal.objects.filter(holder__tenancy__project=OuterRef("pk")), month)
    return (
        projects.filter((Q(starts_on__lte=month.last) & lasts) | Exists(used))
        .select_related("institution")
        .order_by("title", "slug")
    )


def report_amounts(who: Who, projects: Iterable[Project], month: Month) -> Mapping[UUID, Mapping[str, Amount]]:
    """Amounts by meter of some projects. One query."""
    totals = totals_visible(who).filter(holder__tenancy__project__in=list(projects))
    found: dict[UUID, dict[str, Amount]] = {}
    slugs = {project.slug: project.pk for project in projects}
    for row in usage_lines(totals, month):
        amounts, amount = found.setdefault(slugs[row["project"]], {}), usage_line_amount(row)
        key = amount.meter.key
        amounts[key] = amounts[key] + amount if key in amounts else amount
    return found


def _line(amount: Amount, *, cloud: str = "", things: int | None = None) -> Line:
    return Line(
        resource=amount.meter.key,
        label=amount.meter.label,
        unit=amount.unit,
        quantity=amount.hours,
        known=amount.known,
        total_seconds=amount.whole,
        exact_seconds=amount.exact,
        sampled_seconds=amount.sampled,
        estimated_seconds=amount.estimated,
        base=amount.meter.time_unit.base,
        cloud=cloud,
        things=things,
        known_text=amount.known_text,
    )


def _things(project: Project, month: Month) -> dict[tuple[UUID, str], int]:
    """How many things had usage in the month, by cloud and meter."""
    spans = Span.objects.filter(thing__holder__tenancy__project=project, start__lt=month.end, end__gt=month.start)
    rows = (
        spans.order_by()
        .values_list("thing__cloud", "meter__key")
        .annotate(number=Count("thing__native_id", distinct=True))
    )
    return {(cloud, key): number for cloud, key, number in rows}


def _period(month: Month, known: Coverage, clouds: set[UUID]) -> Period:
    now = clock.now()
    reach = [
        _reach(known.clouds[cloud].title, known.of_cloud(cloud), month, runs=month.runs(now))
        for cloud in sorted(clouds, key=lambda each: known.clouds[each].title)
    ]
    return Period(month.key, month.label, month.runs(now), now, known.until(clouds), tuple(reach))


def _reach(cloud: str, stretch: Stretch | None, month: Month, *, runs: bool) -> Reach:
    if stretch is None or stretch.until <= month.start or stretch.since >= month.end:
        since, until = (stretch.since_at, stretch.until_at) if stretch else (None, None)
        return Reach(cloud, since, until, f"Usage of {cloud} in this month is unknown: it was not collected whole.")
    gap = ""
    if stretch.since > month.start:
        gap = f"Usage of {cloud} before {stretch.since_at:%Y-%m-%d %H:%M} UTC is unknown."
    if not runs and stretch.until < month.end:
        gap = f"{gap} Usage of {cloud} after {stretch.until_at:%Y-%m-%d %H:%M} UTC is unknown.".strip()
    return Reach(cloud, stretch.since_at, stretch.until_at, gap)


def _facts(projects: Iterable[Project]) -> dict[UUID, ProjectFacts]:
    """One query: the owners of all of them. Without one: unknown."""
    listed = list(projects)
    owners: dict[UUID, list[str]] = {}
    rows = Membership.objects.current().filter(project__in=listed, role=Membership.Role.OWNER).select_related("person")
    for row in rows.order_by("added_at", "id"):
        owners.setdefault(row.project_id, []).append(str(row.person))
    return {
        project.pk: ProjectFacts(
            title=project.title,
            slug=project.slug,
            owner=", ".join(owners.get(project.pk, [UNKNOWN])),
            institution=project.institution.name if project.institution else UNKNOWN,
            purpose=project.get_purpose_display(),
        )
        for project in listed
    }
