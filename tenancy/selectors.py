"""Reads of the shared records, each in a constant number of queries."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime, timedelta
from uuid import UUID

from django.conf import settings
from django.db.models import Count, Exists, OuterRef, Q, QuerySet, Subquery

from config import clock
from tenancy import access
from tenancy.models import (
    Account,
    Cloud,
    Condition,
    DriftLine,
    Membership,
    Person,
    PlanLine,
    Project,
    Reading,
    SiteSwitch,
    Step,
    SurveyRun,
    Tenancy,
)

SURVEYS_MISSED = 4
STALE = timedelta(hours=2)


def stale_before() -> datetime:
    """What was read earlier than this is unknown now: four full surveys were missed, and two hours are over."""
    return clock.now() - max(STALE, SURVEYS_MISSED * timedelta(seconds=settings.SURVEY_INTERVAL))


def projects_list(who: access.Who) -> QuerySet[Project]:
    """Projects this person may open, with member count, owner and the worst condition's neighbourhood prefetched."""
    people = Count("memberships", filter=Q(memberships__ended_at__isnull=True), distinct=True)
    owner = Membership.objects.current().filter(project=OuterRef("pk"), role=Membership.Role.OWNER)
    return (
        access.visible_projects(who)
        .exclude(purpose=Project.Purpose.CANARY)
        .select_related("institution")
        .annotate(
            people=people,
            owner_name=Subquery(owner.order_by("added_at").values("person__name")[:1]),
        )
        .prefetch_related("tenancies__cloud", "tenancies__conditions")
    )


def members_of(project: Project) -> QuerySet[Membership]:
    return Membership.objects.current().filter(project=project).select_related("person", "person__institution")


def tenancies_of(project: Project) -> QuerySet[Tenancy]:
    rows = Tenancy.objects.filter(project=project).select_related("cloud", "project")
    return rows.prefetch_related("conditions").order_by("cloud__title")


def latest_readings(tenancies: Iterable[Tenancy]) -> dict[tuple[UUID, str], Reading]:
    """The newest reading of every resource of these tenancies: two queries."""
    ids = [tenancy.pk for tenancy in tenancies]
    newest = Reading.objects.filter(tenancy=OuterRef("tenancy"), resource=OuterRef("resource")).order_by("-day")
    rows = Reading.objects.filter(tenancy__in=ids, pk=Subquery(newest.values("pk")[:1]))
    return {(row.tenancy_id, row.resource): row for row in rows}


def accounts_of(people: Iterable[UUID]) -> QuerySet[Account]:
    return Account.objects.filter(person__in=list(people)).select_related("cloud")


def steps_of(tenancy: Tenancy) -> QuerySet[Step]:
    """The journal of a tenancy, newest plan first."""
    rows = Step.objects.filter(tenancy=tenancy).select_related("account__person", "cloud")
    return rows.order_by("-version", "-planned_at", "position")


def steps_of_cloud(cloud: Cloud) -> QuerySet[Step]:
    """The journal of a cloud, newest first."""
    rows = Step.objects.filter(cloud=cloud).select_related("account__person", "cloud", "tenancy__project")
    return rows.order_by("-planned_at", "-position", "id")


def steps_now(tenancies: Iterable[Tenancy]) -> QuerySet[Step]:
    """Steps of the versions now wanted, in the order of their plan: what a progress display shows."""
    wanted = Q(pk__in=[])
    for tenancy in tenancies:
        wanted |= Q(tenancy=tenancy, version=tenancy.wanted_version)
    rows = Step.objects.filter(wanted).exclude(state=Step.State.SUPERSEDED)
    return rows.select_related("account__person", "cloud").order_by("cloud__title", "planned_at", "position")


def clouds_list() -> QuerySet[Cloud]:
    """Clouds with their tenancies counted and the age of the last full survey."""
    full = SurveyRun.objects.filter(cloud=OuterRef("pk"), tenancy=None, state=SurveyRun.State.DONE)
    return Cloud.objects.annotate(
        tenancy_count=Count("tenancies", distinct=True),
        unsettled_count=Count(
            "tenancies",
            filter=Q(tenancies__conditions__state__in=_ATTENTION),
            distinct=True,
        ),
        surveyed_at=Subquery(full.order_by("-started_at").values("finished_at")[:1]),
    ).order_by("title")


_ATTENTION = (Condition.State.NEEDS_YOU, Condition.State.CONTESTED, Condition.State.TRYING, Condition.State.UNKNOWN)


def tenancies_list() -> QuerySet[Tenancy]:
    """Every tenancy with its project, cloud and conditions; for operators."""
    return Tenancy.objects.select_related("project", "cloud").prefetch_related("conditions")


def needing_attention(tenancies: QuerySet[Tenancy]) -> QuerySet[Tenancy]:
    """Those of which a section is not as wanted and not merely held, paused or ending."""
    return tenancies.filter(Exists(Condition.objects.filter(tenancy=OuterRef("pk"), state__in=_ATTENTION)))


def surveys_of(cloud: Cloud) -> QuerySet[SurveyRun]:
    """Full surveys of a cloud, newest first, with their sections."""
    return SurveyRun.objects.filter(cloud=cloud, tenancy=None).prefetch_related("sections")


def people_list(words: str = "") -> QuerySet[Person]:
    """People with the number of their projects; all of ``words`` must be in name, user name or e-mail address."""
    rows = Person.objects.select_related("institution")
    for word in words.split():
        rows = rows.filter(Q(name__icontains=word) | Q(username__icontains=word) | Q(email__icontains=word))
    now = Count("memberships", filter=Q(memberships__ended_at__isnull=True))
    return rows.annotate(project_count=now).order_by("name", "username")


def last_survey(cloud: Cloud) -> SurveyRun | None:
    """The newest full survey that was finished or failed, with its sections."""
    runs = SurveyRun.objects.filter(cloud=cloud, tenancy=None).exclude(state=SurveyRun.State.RUNNING)
    return runs.prefetch_related("sections").first()


def plan_lines(cloud: Cloud) -> QuerySet[PlanLine]:
    rows = PlanLine.objects.filter(cloud=cloud)
    return rows.select_related(
        "cloud", "tenancy", "tenancy__project", "tenancy__project__institution", "account__person"
    )


def drift_lines(cloud: Cloud) -> QuerySet[DriftLine]:
    rows = DriftLine.objects.filter(cloud=cloud, gone_at__isnull=True)
    return rows.select_related("tenancy", "tenancy__project")


def site_switch() -> SiteSwitch | None:
    """The switch, if all writes are paused."""
    return SiteSwitch.objects.filter(pk=1, paused_at__isnull=False).select_related("paused_by").first()
