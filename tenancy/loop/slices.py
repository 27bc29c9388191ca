"""One slice of work on one tenancy: the single path of provisioning, repair, quota change and goodbye."""

from __future__ import annotations

import logging
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from django.db.models import F, Q

from config import clock
from connectors.contract import Connector
from connectors.contract import Proof as ProofOfCloud
from connectors.errors import ConnectorError, Forbidden, Unauthorized
from connectors.plan import Found, HeldChange, TenancyPlan, plan_tenancy
from connectors.types import ChangeKind, Scope, Survey, WantedTenancy
from tenancy.clouds import connect
from tenancy.errors import LeaseLost
from tenancy.loop import breaker, guard, journal, lease, policy, record, settle
from tenancy.loop.apply import Applier, Result
from tenancy.models import Cloud, Condition, Tenancy
from tenancy.wanted import accounts_ensure, wanted_tenancies

logger = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Report:
    """What a slice did, for a command or a test."""

    tenancy: UUID
    settled: bool
    applied: int
    held: int
    failed: int
    note: str = ""


def run(tenancy_id: UUID, holder: str) -> Report | None:
    """Work on one tenancy under a lease; None if another worker has it.

    An error of the cloud ends in the tenancy's conditions and a later try. Anything else is a bug and goes up to the
    task boundary, with the lease left to expire: the next holder surveys before it acts.
    """
    held = lease.take(tenancy_id, holder)
    if held is None:
        return None
    tenancy = Tenancy.objects.select_related("cloud", "project").get(pk=tenancy_id)
    why = policy.paused_because(tenancy.cloud)
    if why:
        settle.all_conditions(tenancy, Condition.State.PAUSED, why)
        held.release(attempts=0)
        _schedule(tenancy, tenancy.wanted_version, None)
        return Report(tenancy_id, False, 0, 0, 0, why)
    try:
        with connect(tenancy.cloud) as connector:
            return Slice(tenancy, held, connector).work()
    except ConnectorError as error:
        return _unreadable(tenancy, held, error)
    except LeaseLost:
        logger.warning("%s: the lease was lost; whoever has it now looks again before acting", tenancy)
        return None


class Slice:
    """One survey, one plan, one pass over its steps."""

    def __init__(self, tenancy: Tenancy, held: lease.Lease, connector: Connector) -> None:
        self.tenancy = tenancy
        self.lease = held
        self.connector = connector

    def work(self) -> Report:
        cloud = self.tenancy.cloud
        accounts_ensure(cloud, [self.tenancy])
        wanted = wanted_tenancies(cloud, [self.tenancy])[0]
        survey = self._survey(wanted)
        plan = plan_tenancy(wanted, Found(survey), policy.policy_for(cloud, [self.tenancy]))
        self._found(plan, survey)
        changes, guarded = guard.guard(cloud, plan.changes)
        held = (*plan.held, *guarded)
        # The fence is checked before the journal is touched: a late holder must not rewrite a newer one's steps.
        self.lease.renew()
        doubt = journal.steps_reconcile(self.tenancy, plan)
        steps = journal.steps_save(self.tenancy, plan, changes)
        self._lines(cloud, plan, changes, held, survey.taken_at)
        result = Applier(self.connector, self.lease, self.tenancy).run(steps)
        return self._end(plan, held, result, doubt, survey.taken_at)

    def _survey(self, wanted: WantedTenancy) -> Survey:
        run = record.run_start(self.tenancy.cloud, self.tenancy)
        try:
            survey = self.connector.survey(Scope(tenancy=wanted))
        except ConnectorError as error:
            record.run_failed(run, error)
            raise
        record.run_done(run, survey)
        breaker.note(self.tenancy.cloud, survey)
        return survey

    def _found(self, plan: TenancyPlan, survey: Survey) -> None:
        """Record an id that an earlier, interrupted run made without being able to say so; keep the readings."""
        if plan.native_id and plan.native_id != self.tenancy.native_id:
            self.lease.write(native_id=plan.native_id)
            self.tenancy.native_id = plan.native_id
        if self.tenancy.native_id:
            record.readings_save(survey.limits, {self.tenancy.native_id: self.tenancy.pk}, survey.taken_at)

    def _prove(self, plan: TenancyPlan, result: Result) -> bool:
        """What was promised gone is looked at once more, by another way than the one that took it away.

        False while a fact of it is not good or cannot be had: then there is another look. It takes nothing from the
        rest of the slice.
        """
        closed = self.tenancy.wanted == Tenancy.Wanted.SUSPENDED and result.clean and not plan.unknown
        if not closed or not self.tenancy.native_id or not isinstance(self.connector, ProofOfCloud):
            return True
        known = self.tenancy.proofs.filter(version=plan.version)
        if known.exists() and not known.exclude(ok=True).exists():
            return True
        accounts = record.accounts_once_in(self.tenancy)
        try:
            facts = self.connector.prove_gone(self.tenancy.native_id, accounts)
        except ConnectorError as error:
            logger.warning("%s: nothing could be proven: %s [%s]", self.tenancy, error.message, error.request_id)
            return False
        known.delete()
        record.proofs_save(self.tenancy, plan.version, facts)
        return all(fact.ok for fact in facts)

    def _lines(
        self,
        cloud: Cloud,
        plan: TenancyPlan,
        changes: tuple[object, ...],
        held: tuple[HeldChange, ...],
        at: datetime,
    ) -> None:
        shown = TenancyPlan(
            plan.ref,
            plan.version,
            plan.native_id,
            tuple(change for change in plan.changes if change in changes),
            held,
            plan.drift,
            plan.unknown,
        )
        record.lines_save(cloud, [shown], at)
        record.drift_save(cloud, plan.drift, {self.tenancy.pk}, at, plan.unknown)

    def _end(
        self, plan: TenancyPlan, held: tuple[HeldChange, ...], result: Result, doubt: bool, taken_at: datetime
    ) -> Report:
        if result.locked_out is not None:
            breaker.trip(self.tenancy.cloud, result.locked_out)
        self.tenancy.refresh_from_db(fields=("verify_at", "attempts"))
        proven = self._prove(plan, result)
        end = settle.ending(self.tenancy, plan, held, result, doubt or self.lease.takeover, taken_at)
        settle.conditions_save(self.tenancy, plan, held, result, end.next_try)
        if result.clean:
            self.tenancy.plan_lines.filter(hold="").delete()
        self.lease.release(**end.fields)
        made = end.settled and any(change.kind is ChangeKind.TENANCY_CREATE for change in plan.changes)
        # What was made now has not been read yet: one more look tells people what is in use there.
        next_try = clock.now() if made else end.next_try
        if not proven and next_try is None:
            next_try = clock.now() + settle.LOOK_AGAIN
        _schedule(self.tenancy, plan.version, next_try, **({"urgent": False} if end.settled else {}))
        applied = self.tenancy.steps.filter(fence=self.lease.fence, wrote=True).count()
        return Report(self.tenancy.pk, end.settled, applied, len(held), len(result.failed))


def _schedule(tenancy: Tenancy, version: int, next_try: datetime | None, **more: bool) -> None:
    """Plan the next try, unless somebody asked for something new or for another look meanwhile: then it is due."""
    same = Q(next_attempt_at=tenancy.next_attempt_at) if tenancy.next_attempt_at else Q(next_attempt_at__isnull=True)
    Tenancy.objects.filter(same, pk=tenancy.pk, wanted_version=version).update(next_attempt_at=next_try, **more)


def _unreadable(tenancy: Tenancy, held: lease.Lease, error: ConnectorError) -> Report:
    """The cloud could not even be asked. A refused credential opens the breaker for all of it."""
    if isinstance(error, (Unauthorized, Forbidden)):
        breaker.trip(tenancy.cloud, error)
    tenancy.refresh_from_db(fields=("attempts",))
    next_try = clock.now() + settle.backoff(tenancy.attempts)
    state = Condition.State.TRYING if error.retry else Condition.State.NEEDS_YOU
    settle.all_conditions(tenancy, state, error.message, next_try)
    held.release()
    _schedule(tenancy, tenancy.wanted_version, next_try)
    logger.warning("%s: %s [%s]", tenancy, error.message, error.request_id)
    return Report(tenancy.pk, False, 0, 0, 1, error.message)


def park(tenancy_id: UUID, reason: str) -> None:
    """Take a poison row out of the queue and show it; a person releases it."""
    tenancy = Tenancy.objects.select_related("cloud").get(pk=tenancy_id)
    settle.all_conditions(tenancy, Condition.State.NEEDS_YOU, reason)
    Tenancy.objects.filter(pk=tenancy_id).update(
        parked_at=clock.now(), lease_fence=F("lease_fence") + 1, lease_holder="", lease_until=None
    )
