"""What a survey and its plan leave as rows: run and sections, readings, plan lines, drift."""

from __future__ import annotations

from collections.abc import Container, Iterable, Mapping, Sequence
from datetime import datetime
from uuid import UUID

from django.db import transaction

from config import clock
from connectors.errors import ConnectorError
from connectors.plan import Drift, Hold, TenancyPlan
from connectors.types import Change, FoundLimit, ProofFact, Section, Survey
from tenancy.loop.lease import SURVEY_LEASE
from tenancy.models import (
    Account,
    Cloud,
    Condition,
    DriftLine,
    Membership,
    PlanLine,
    Proof,
    Reading,
    SurveyRun,
    SurveySection,
    Tenancy,
)


def run_start(cloud: Cloud, tenancy: Tenancy | None = None) -> SurveyRun:
    """Say that a survey begins. One whose worker was killed is ended here, or it would seem to run for ever."""
    moment = clock.now()
    SurveyRun.objects.filter(
        cloud=cloud, tenancy=tenancy, state=SurveyRun.State.RUNNING, started_at__lt=moment - SURVEY_LEASE
    ).update(state=SurveyRun.State.FAILED, finished_at=moment, error="Its worker ended before the survey did.")
    return SurveyRun.objects.create(cloud=cloud, tenancy=tenancy, started_at=moment)


def run_failed(run: SurveyRun, error: ConnectorError) -> None:
    run.state, run.finished_at = SurveyRun.State.FAILED, clock.now()
    run.error, run.verbatim = error.message, error.verbatim
    run.save(update_fields=("state", "finished_at", "error", "verbatim"))


def run_done(run: SurveyRun, survey: Survey, suspect: frozenset[str] = frozenset()) -> None:
    run.state, run.finished_at = SurveyRun.State.DONE, clock.now()
    run.calls = sum(survey.calls.values())
    with transaction.atomic():
        run.save(update_fields=("state", "finished_at", "calls"))
        SurveySection.objects.bulk_create(
            SurveySection(
                run=run,
                name=state.name,
                complete=state.complete,
                suspect=state.name in suspect,
                count=state.count,
                error=state.error.message if state.error else "",
                verbatim=state.error.verbatim if state.error else "",
                request_id=state.error.request_id[:100] if state.error else "",
            )
            for state in survey.sections.values()
        )


def last_counts(cloud: Cloud) -> dict[str, int]:
    """What each section held when a full survey last read all of it and nothing about it was suspect."""
    counts: dict[str, int] = {}
    runs = SurveyRun.objects.filter(cloud=cloud, tenancy=None, state=SurveyRun.State.DONE)[:10]
    for run in runs.prefetch_related("sections"):
        for section in run.sections.all():
            if section.complete and not section.suspect:
                counts.setdefault(section.name, section.count)
    return counts


def looked_at(plans: Iterable[TenancyPlan], at: datetime) -> None:
    """Say of these tenancies when all of them was last read, and that what was in step is so still."""
    plans = list(plans)
    for start in range(0, len(plans), 500):
        part = plans[start : start + 500]
        Tenancy.objects.filter(pk__in=[UUID(hex=one.ref) for one in part]).update(surveyed_at=at)
        settled = [UUID(hex=one.ref) for one in part if one.settled]
        Condition.objects.filter(tenancy__in=settled, state=Condition.State.READY).update(seen_at=at)


def readings_save(limits: Iterable[FoundLimit], tenancies: Mapping[str, UUID], at: datetime) -> None:
    """Keep limit and use as last seen today, with the day's peak. ``tenancies`` maps native ids to ours."""
    day = at.date()
    rows = [(tenancies[row.tenancy], row) for row in limits if row.tenancy in tenancies]
    before = Reading.objects.filter(tenancy__in={pk for pk, _ in rows}, day=day)
    peaks = {(pk, resource): peak for pk, resource, peak in before.values_list("tenancy_id", "resource", "peak")}
    Reading.objects.bulk_create(
        (
            Reading(
                tenancy_id=pk,
                resource=row.resource,
                day=day,
                at=at,
                limit=row.amount,
                in_use=row.in_use,
                peak=_peak(peaks.get((pk, row.resource)), row.in_use),
            )
            for pk, row in rows
        ),
        update_conflicts=True,
        unique_fields=("tenancy", "resource", "day"),
        update_fields=("at", "limit", "in_use", "peak"),
        batch_size=500,
    )


def limit_read_back(tenancy: Tenancy, resource: str, amount: int) -> None:
    """Keep a limit that was just written and read back; use stays as the last survey saw it, with that age."""
    moment = clock.now()
    last = Reading.objects.filter(tenancy=tenancy, resource=resource).order_by("-day").first()
    Reading.objects.update_or_create(
        tenancy=tenancy,
        resource=resource,
        day=moment.date(),
        defaults={"limit": amount},
        create_defaults={
            "limit": amount,
            "at": last.at if last else moment,
            "in_use": last.in_use if last else None,
            "peak": last.in_use if last else None,
        },
    )


def _peak(before: int | None, now: int | None) -> int | None:
    known = [value for value in (before, now) if value is not None]
    return max(known) if known else None


def accounts_once_in(tenancy: Tenancy) -> list[str]:
    """Native ids of everybody who is or was a member of the tenancy's project."""
    people = Membership.objects.filter(project=tenancy.project_id).values("person")
    rows = Account.objects.filter(cloud=tenancy.cloud_id, person__in=people).exclude(native_id="")
    return list(rows.order_by("native_id").values_list("native_id", flat=True))


def proofs_save(tenancy: Tenancy, version: int, facts: Iterable[ProofFact]) -> None:
    moment = clock.now()
    Proof.objects.bulk_create(
        Proof(tenancy=tenancy, version=version, at=moment, name=fact.name[:200], ok=fact.ok, detail=fact.detail)
        for fact in facts
    )


def lines_save(cloud: Cloud, plans: Sequence[TenancyPlan], at: datetime) -> None:
    """Replace the plan lines of these tenancies. Those of a section that could not be read now stay."""
    ids = {plan.ref: UUID(hex=plan.ref) for plan in plans}
    with transaction.atomic():
        stale = PlanLine.objects.filter(tenancy__in=ids.values())
        for unknown in {plan.unknown for plan in plans if plan.unknown}:
            refs = [ids[plan.ref] for plan in plans if plan.unknown == unknown]
            stale = stale.exclude(tenancy__in=refs, section__in=unknown)
        stale.delete()
        PlanLine.objects.bulk_create(
            (line for plan in plans for line in _lines(cloud, plan, at)), ignore_conflicts=True, batch_size=500
        )


def _lines(cloud: Cloud, plan: TenancyPlan, at: datetime) -> Iterable[PlanLine]:
    for position, change in enumerate(plan.changes):
        yield _line(cloud, plan, change, position, None, "", at)
    for position, held in enumerate(plan.held, start=len(plan.changes)):
        yield _line(cloud, plan, held.change, position, held.hold, held.why, at)


def _line(
    cloud: Cloud, plan: TenancyPlan, change: Change, position: int, hold: Hold | None, why: str, at: datetime
) -> PlanLine:
    return PlanLine(
        cloud=cloud,
        tenancy_id=UUID(hex=plan.ref),
        version=plan.version,
        position=position,
        kind=change.kind.value,
        section=change.section,
        target=change.target,
        account_id=UUID(change.account.ref) if change.account else None,
        before=change.before[:255],
        after=change.after[:255],
        reason=change.reason,
        takes=change.takes.value,
        decided=change.decided,
        hold=hold.value if hold else "",
        why=why,
        planned_at=at,
    )


def drift_save(
    cloud: Cloud, drift: Iterable[Drift], tenancies: set[UUID] | None, at: datetime, unread: Container[str] = ()
) -> None:
    """Keep drift while it lasts. ``tenancies`` limits what counts as gone; None means the whole cloud was looked at.

    What belongs to a section that is ``unread`` is neither there nor gone.
    """
    known = DriftLine.objects.filter(cloud=cloud, gone_at__isnull=True)
    if tenancies is not None:
        known = known.filter(tenancy__in=tenancies)
    if Section.TENANCIES in unread:
        known = known.exclude(tenancy=None)
    if Section.MEMBERS in unread:
        known = known.filter(tenancy=None)
    old = {(row.tenancy_id, row.kind, row.native_id, row.object, row.found): row for row in known}
    seen: list[int] = []
    new: list[DriftLine] = []
    for one in drift:
        tenancy = UUID(hex=one.tenancy) if one.tenancy else None
        row = old.get((tenancy, one.kind.value, one.native_id, one.object, one.found))
        if row is not None:
            seen.append(row.pk)
        else:
            new.append(_drift(cloud, tenancy, one, at))
    gone = [row.pk for row in old.values() if row.pk not in set(seen)]
    with transaction.atomic():
        for pks, fields in ((seen, {"last_seen_at": at}), (gone, {"gone_at": at})):
            for start in range(0, len(pks), 500):
                DriftLine.objects.filter(pk__in=pks[start : start + 500]).update(**fields)
        DriftLine.objects.bulk_create(new, batch_size=500)


def _drift(cloud: Cloud, tenancy: UUID | None, one: Drift, at: datetime) -> DriftLine:
    return DriftLine(
        cloud=cloud,
        tenancy_id=tenancy,
        kind=one.kind.value,
        native_id=one.native_id[:255],
        object=one.object[:255],
        found=one.found[:255],
        wanted=one.wanted[:255],
        note=one.note,
        first_seen_at=at,
        last_seen_at=at,
    )
