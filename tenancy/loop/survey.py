"""A full survey of a cloud: read all, plan all, write nothing on the cloud, and make due what differs."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from uuid import UUID

from django.conf import settings

from config import clock
from connectors.errors import ConnectorError, Forbidden, Unauthorized
from connectors.plan import CloudPlan, Found, HeldChange, TenancyPlan, plan_cloud, suspect_sections
from connectors.types import Change, Scope, Survey
from tenancy.clouds import SURVEY_CONNECTIONS, connect
from tenancy.loop import breaker, claims, guard, lease, policy, record
from tenancy.models import Cloud, SurveyRun, Tenancy
from tenancy.wanted import accounts_ensure, wanted_tenancies


@dataclass(frozen=True, slots=True)
class Outlook:
    """A full survey and the plan made of it. ``waiting`` are changes the guard holds."""

    run: SurveyRun
    survey: Survey
    plan: CloudPlan
    waiting: tuple[HeldChange, ...]

    @property
    def pending(self) -> bool:
        return bool(self.plan.changes or self.waiting or any(t.held for t in self.plan.tenancies))

    @property
    def complete(self) -> bool:
        return all(state.complete for state in self.survey.sections.values())


def run(cloud_id: UUID, holder: str) -> Outlook | None:
    """Survey one cloud under its lease; None if another worker does. Raises ``ConnectorError``."""
    if not lease.take_survey(cloud_id, holder):
        return None
    cloud = Cloud.objects.get(pk=cloud_id)
    again = clock.now() + timedelta(seconds=settings.SURVEY_INTERVAL)
    try:
        outlook = look(cloud)
        wake_differing(cloud, outlook.plan)
        return outlook
    finally:
        lease.release_survey(cloud_id, holder, survey_due_at=again)


def look(cloud: Cloud) -> Outlook:
    """Survey and plan without a lease and without making anything due (``manage.py plan``)."""
    tenancies = list(Tenancy.objects.filter(cloud=cloud).select_related("project"))
    accounts_ensure(cloud, tenancies)
    survey, run, suspect = _survey(cloud, tenancies)
    rules = policy.policy_for(cloud, tenancies, suspect)
    plan = plan_cloud(wanted_tenancies(cloud, tenancies), survey, rules)
    passed, waiting = guard.guard(cloud, plan.changes)
    allowed = set(map(id, passed))
    shown = [_shown(one, allowed, waiting) for one in plan.tenancies]
    record.lines_save(cloud, shown, survey.taken_at)
    unread = [state.name for state in survey.sections.values() if not state.complete]
    record.drift_save(cloud, [*plan.drift, *(d for one in shown for d in one.drift)], None, survey.taken_at, unread)
    record.looked_at([one for one in shown if not one.unknown], survey.taken_at)
    found = Found(survey)
    record.readings_save(survey.limits, _native(tenancies, found), survey.taken_at)
    return Outlook(run, survey, CloudPlan(tuple(shown), plan.drift), waiting)


def _survey(cloud: Cloud, tenancies: list[Tenancy]) -> tuple[Survey, SurveyRun, frozenset[str]]:
    before = record.last_counts(cloud)
    run = record.run_start(cloud)
    recorded = frozenset(tenancy.native_id for tenancy in tenancies if tenancy.native_id)
    try:
        with connect(cloud, connections=SURVEY_CONNECTIONS) as connector:
            survey = connector.survey(Scope(recorded=recorded))
    except ConnectorError as error:
        record.run_failed(run, error)
        if isinstance(error, (Unauthorized, Forbidden)):
            breaker.trip(cloud, error)
        raise
    now = {state.name: state.count for state in survey.sections.values() if state.complete}
    suspect = suspect_sections(now, before)
    record.run_done(run, survey, suspect)
    breaker.note(cloud, survey)
    return survey, run, suspect


def _shown(plan: TenancyPlan, allowed: set[int], waiting: tuple[HeldChange, ...]) -> TenancyPlan:
    held = tuple(one for one in waiting if one.change.tenancy == plan.ref)
    changes: tuple[Change, ...] = tuple(change for change in plan.changes if id(change) in allowed)
    return TenancyPlan(plan.ref, plan.version, plan.native_id, changes, (*plan.held, *held), plan.drift, plan.unknown)


def _native(tenancies: list[Tenancy], found: Found) -> dict[str, UUID]:
    native: dict[str, UUID] = {}
    for tenancy in tenancies:
        here = tenancy.native_id or next((t.native_id for t in found.by_ref.get(tenancy.ref, [])), "")
        if here:
            native[here] = tenancy.pk
    return native


def wake_differing(cloud: Cloud, plan: CloudPlan) -> int:
    """Make due what differs and may be changed; a scoped slice will look again and do it."""
    refs = [UUID(hex=one.ref) for one in plan.tenancies if one.changes]
    return claims.look_again(Tenancy.objects.filter(pk__in=refs, parked_at__isnull=True, cloud=cloud))
