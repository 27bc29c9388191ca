"""The journal: a step is a row before its call is sent, and it is settled after it.

A retry after a crash finds its row by a deterministic key. What an older holder of the lease learns too late is
discarded by the fence on the row.
"""

from __future__ import annotations

from collections.abc import Sequence
from uuid import UUID

from django.db import transaction

from config import clock
from connectors.errors import ConnectorError, Unauthorized
from connectors.plan import TenancyPlan
from connectors.types import Applied, Change, Outcome
from tenancy.errors import LeaseLost
from tenancy.loop import guard
from tenancy.loop.lease import Lease
from tenancy.models import Step, Tenancy

OPEN = (Step.State.PLANNED, Step.State.SENT, Step.State.UNCLEAR, Step.State.FAILED)
CLOSED = (Step.State.DONE, Step.State.INEFFECTIVE)
VERBATIM = 4000


def steps_save(tenancy: Tenancy, plan: TenancyPlan, changes: Sequence[Change]) -> list[tuple[Step, Change]]:
    """One row per change, in the plan's order; a change that was tried before gets its old row again."""
    rows = Step.objects.filter(tenancy=tenancy, version=plan.version)
    open_rows = {(row.kind, row.target): row for row in rows if row.state in OPEN}
    rounds: dict[str, int] = {}
    for row in rows:
        if row.state in CLOSED or row.state == Step.State.SUPERSEDED:
            rounds[row.target] = max(rounds.get(row.target, 0), row.round + 1)
    saved: list[tuple[Step, Change]] = []
    with transaction.atomic():
        for position, change in enumerate(changes):
            where = (str(change.kind), change.target)
            here = open_rows.get(where)
            if here is None:
                here = _new(tenancy, plan.version, position, change, rounds.get(change.target, 0))
                here.save(force_insert=True)
            else:
                here.position, here.before, here.native_id = position, change.before, change.native_id
                here.confirmed = _confirmed(tenancy, plan.version, change)
                here.save(update_fields=("position", "before", "native_id", "confirmed"))
            saved.append((here, change))
    return saved


def _new(tenancy: Tenancy, version: int, position: int, change: Change, number: int) -> Step:
    return Step(
        key=f"{tenancy.ref}:{version}:{change.kind}:{change.target}:{number}",
        tenancy=tenancy,
        cloud_id=tenancy.cloud_id,
        account_id=UUID(change.account.ref) if change.account else None,
        version=version,
        round=number,
        position=position,
        kind=change.kind.value,
        section=change.section,
        target=change.target,
        native_id=change.native_id,
        before=change.before,
        after=change.after,
        reason=change.reason,
        takes=change.takes.value,
        decided=change.decided,
        confirmed=_confirmed(tenancy, version, change),
        planned_at=clock.now(),
    )


def _confirmed(tenancy: Tenancy, version: int, change: Change) -> bool:
    return not change.decided and guard.is_confirmed(tenancy, version, change)


def step_sent(step: Step, lease: Lease) -> None:
    """Say that the call is about to leave. Raises ``LeaseLost`` if a newer holder has the row by now."""
    step.state, step.fence, step.attempts = Step.State.SENT, lease.fence, step.attempts + 1
    step.sent_at = clock.now()
    rows = Step.objects.filter(pk=step.pk, fence__lte=lease.fence)
    if not rows.update(state=step.state, fence=step.fence, attempts=step.attempts, sent_at=step.sent_at):
        raise LeaseLost


def step_applied(step: Step, applied: Applied) -> None:
    """Settle a step with what was read back; nothing happens if a newer holder has the row by now."""
    state = Step.State.INEFFECTIVE if applied.outcome is Outcome.INEFFECTIVE else Step.State.DONE
    _settle(
        step,
        state=state,
        wrote=applied.outcome is Outcome.DONE,
        now=applied.now[:255],
        native_id=applied.native_id or step.native_id,
        detail=applied.detail,
        settled_at=clock.now(),
        error="",
        error_kind="",
    )
    if state is Step.State.DONE and step.confirmed:
        guard.confirmed_use(step)


def step_failed(step: Step, error: ConnectorError) -> None:
    """Keep the error; the step stays open if a retry may help."""
    info = error.info()
    if error.maybe_applied:
        state = Step.State.UNCLEAR
    elif error.retry or isinstance(error, Unauthorized):
        # A refused credential says nothing about the change: the breaker waits, and then it is tried again.
        state = Step.State.PLANNED
    else:
        state = Step.State.FAILED
    _settle(
        step,
        state=state,
        error_kind=info.kind,
        error=info.message,
        remedy=info.remedy,
        verbatim=info.verbatim[:VERBATIM],
        request_id=info.request_id[:100],
        http_status=info.status,
        call=info.call[:200],
        settled_at=clock.now() if state is Step.State.FAILED else None,
    )


def _settle(step: Step, **fields: object) -> None:
    for name, value in fields.items():
        setattr(step, name, value)
    Step.objects.filter(pk=step.pk, fence=step.fence, state=Step.State.SENT).update(**fields)


def steps_reconcile(tenancy: Tenancy, plan: TenancyPlan) -> bool:
    """Settle open steps that the new plan no longer contains. True if one of them had been sent.

    What was sent and is not planned any more was found to be true; what never left is superseded. A step whose
    section could not be read stays as it is.
    """
    planned = {(str(c.kind), c.target) for c in plan.changes}
    planned |= {(str(h.change.kind), h.change.target) for h in plan.held}
    doubt = False
    for step in Step.objects.filter(tenancy=tenancy, state__in=OPEN):
        doubt = doubt or step.state in (Step.State.SENT, Step.State.UNCLEAR)
        same_version = step.version == plan.version
        if step.section in plan.unknown or (same_version and (step.kind, step.target) in planned):
            continue
        found = step.state in (Step.State.SENT, Step.State.UNCLEAR) and same_version
        step.state = Step.State.DONE if found else Step.State.SUPERSEDED
        step.detail = "Found as wanted by the next survey." if found else "No longer wanted."
        step.wrote = found
        step.settled_at = clock.now()
        step.save(update_fields=("state", "detail", "wrote", "settled_at"))
    return doubt
