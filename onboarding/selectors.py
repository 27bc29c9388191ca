"""Reads of requests. Lists answer with a constant number of queries."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from statistics import median
from uuid import UUID

from django.db.models import Count, Max, Min, Prefetch, Q, QuerySet, Value

from config import clock
from onboarding.models import Request, RequestCloud, RequestLine, RequestQuerySet
from quotas import catalog
from quotas.catalog import Resource
from quotas.selectors import limits_wanted, tenancies_of
from tenancy import access
from tenancy.models import Cloud, Institution, Membership, Person, Project, Reading, SiteRole, Tenancy

DECISIONS_LOOKED_AT = 30
"""How many of the latest decisions tell people how long one takes."""


def requests_visible(who: access.Who) -> RequestQuerySet:
    """Requests this person may open: their own, those of projects they may ask for, all for who reviews.

    Institution admins see those of their institutions. The asker, project and institution are joined.
    """
    rows = Request.objects.select_related("requested_by", "decided_by", "project", "institution")
    if not isinstance(who, Person) or not who.is_active:
        return rows.none()
    if access.can_review(who):
        return rows
    leads = Membership.objects.current().filter(person=who, role__in=access.MANAGING).values("project_id")
    theirs = Q(requested_by=who) | Q(project_id__in=leads)
    institutions = access.administered_institutions(who)
    if institutions:
        theirs |= Q(institution_id__in=institutions)
    return rows.filter(theirs)


def with_lines(rows: QuerySet[Request]) -> QuerySet[Request]:
    """Also what they ask for: two more queries for any number of them."""
    return rows.prefetch_related(
        Prefetch("lines", RequestLine.objects.select_related("cloud").order_by("cloud__title", "pk")),
        Prefetch("wanted_clouds", RequestCloud.objects.select_related("cloud")),
    )


@dataclass(frozen=True)
class QueueFigures:
    """What the head of the queue says. `oldest` is the time of the oldest waiting request."""

    waiting: int
    decided: int
    oldest: dt.datetime | None


def queue_figures(rows: QuerySet[Request]) -> QueueFigures:
    """One query."""
    waiting, decided = Q(state=Request.State.SUBMITTED), Q(state__in=(Request.State.APPROVED, Request.State.REFUSED))
    found = rows.order_by().aggregate(
        waiting=Count("pk", filter=waiting),
        decided=Count("pk", filter=decided),
        oldest=Min("created_at", filter=waiting),
    )
    return QueueFigures(found["waiting"], found["decided"], found["oldest"])


@dataclass(frozen=True)
class Pace:
    """How long the last `count` decisions took in the middle; `median` None if there was none yet."""

    count: int
    median: dt.timedelta | None


def decision_pace() -> Pace:
    """One query over the last decisions."""
    rows = Request.objects.decided().order_by("-decided_at").values_list("created_at", "decided_at")
    took = [(decided - created).total_seconds() for created, decided in rows[:DECISIONS_LOOKED_AT] if decided]
    return Pace(len(took), dt.timedelta(seconds=median(took)) if took else None)


def reviewers() -> QuerySet[Person]:
    """Who may decide requests and can be written to."""
    roles = (SiteRole.Role.REVIEWER, SiteRole.Role.OPERATOR)
    ids = SiteRole.objects.filter(role__in=roles, institution__isnull=True).values("person_id")
    return Person.objects.filter(pk__in=ids, is_active=True).exclude(email="")


def filter_options() -> dict[str, list[tuple[str, str]]]:
    """Clouds and institutions by slug and name, to filter by. One query for both."""
    found: dict[str, list[tuple[str, str]]] = {"cloud": [], "institution": []}
    clouds = Cloud.objects.order_by().values_list(Value("cloud"), "slug", "title")
    institutions = Institution.objects.order_by().values_list(Value("institution"), "slug", "name")
    for name, slug, title in clouds.union(institutions, all=True):
        found[name].append((slug, title))
    return {name: sorted(options, key=lambda option: option[1].casefold()) for name, options in found.items()}


def clouds_on_offer() -> list[Cloud]:
    """Clouds one may ask for: those on which Tenantry may write. In observe mode nothing could be set up."""
    return list(Cloud.objects.exclude(mode=Cloud.Mode.OBSERVE).order_by("title", "pk"))


@dataclass(frozen=True)
class Asked:
    """What may be asked of one resource on one cloud: `before` is the limit now, None where there is no tenancy yet."""

    cloud: Cloud
    resource: Resource
    before: int | None

    @property
    def floor(self) -> int:
        """What there is without asking: the limit now, or the default every tenancy gets."""
        return self.resource.default if self.before is None else self.before


def askable(clouds: Iterable[Cloud], project: Project | None = None) -> list[Asked]:
    """Every resource of every cloud in order, with the project's limits now. Two queries."""
    tenancies = {tenancy.cloud_id: tenancy for tenancy in tenancies_of(project)} if project else {}
    limits = limits_wanted(list(tenancies.values()))
    return [
        Asked(cloud, resource, _before(tenancies.get(cloud.pk), resource, limits))
        for cloud in clouds
        for resource in catalog.enforced(cloud.kind)
    ]


def _before(tenancy: Tenancy | None, resource: Resource, limits: dict[tuple[UUID, str], int]) -> int | None:
    return None if tenancy is None else limits.get((tenancy.pk, resource.key), resource.default)


def clouds_for(project: Project) -> list[Cloud]:
    """Clouds the project is on, then those it could be on as well."""
    held = [tenancy.cloud for tenancy in tenancies_of(project)]
    return held + [cloud for cloud in clouds_on_offer() if cloud not in held]


def peaks(tenancies: Sequence[Tenancy], days: int = 30) -> dict[tuple[UUID, str], int]:
    """Highest use of the last days by (tenancy id, resource), as far as it was read. One query."""
    since = clock.now().date() - dt.timedelta(days=days)
    rows = Reading.objects.filter(tenancy__in=tenancies, day__gte=since, peak__isnull=False)
    found = rows.order_by().values("tenancy_id", "resource").annotate(most=Max("peak"))
    return {(row["tenancy_id"], row["resource"]): row["most"] for row in found}
