"""Carry out the steps of one plan, one by one, each read back by the connector."""

from __future__ import annotations

import logging
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from uuid import UUID

from config import clock
from connectors.contract import Connector
from connectors.errors import ConnectorError, Forbidden, Unauthorized
from connectors.types import Applied, Change, ChangeKind, Outcome
from tenancy.loop import journal, policy, record
from tenancy.loop.lease import Lease
from tenancy.models import Account, Cloud, Step, Tenancy

logger = logging.getLogger(__name__)

SLICE = timedelta(seconds=100)
"""No new step is started later than this; the rest of a big plan is the next slice's."""


@dataclass
class Result:
    """How far a plan got. ``locked_out`` is set when the cloud refuses our own credential."""

    failed: list[tuple[Step, ConnectorError]] = field(default_factory=list)
    ineffective: list[Step] = field(default_factory=list)
    unfinished: bool = False
    locked_out: ConnectorError | None = None
    retried_unclear: bool = False

    @property
    def clean(self) -> bool:
        return not (self.failed or self.ineffective or self.unfinished)

    @property
    def doubt(self) -> bool:
        """A write may land later than we know."""
        return self.retried_unclear or any(error.maybe_applied for _, error in self.failed)


class Applier:
    """Applies the steps of one tenancy under a lease. A step that fails does not stop those that can do without it."""

    def __init__(self, connector: Connector, lease: Lease, tenancy: Tenancy) -> None:
        self.connector = connector
        self.lease = lease
        self.tenancy = tenancy
        self.accounts: dict[str, str] = {}
        self.blocked: set[str] = set()
        self.result = Result()

    def run(self, steps: Sequence[tuple[Step, Change]]) -> Result:
        deadline = clock.now() + SLICE
        for step, change in steps:
            if self.result.locked_out or not self._possible(change):
                self.result.unfinished = True
            elif self._late(deadline) or self._called_off():
                self.result.unfinished = True
                break
            else:
                self._one(step, self._resolved(change))
        return self.result

    def _late(self, deadline: datetime) -> bool:
        return clock.now() > deadline

    def _called_off(self) -> bool:
        """Whether somebody paused writes or changed the mode since: they do not wait for the end of a slice."""
        cloud = Cloud.objects.get(pk=self.tenancy.cloud_id)
        return cloud.mode != self.tenancy.cloud.mode or bool(policy.paused_because(cloud))

    def _possible(self, change: Change) -> bool:
        """Whether what this change needs was made: its tenancy, and the account of its member."""
        if "tenancy" in self.blocked and change.kind is not ChangeKind.ACCOUNT_CREATE:
            return False
        return change.account is None or change.account.ref not in self.blocked

    def _resolved(self, change: Change) -> Change:
        """Fill in ids that the cloud gave to objects made earlier in this plan."""
        if not change.tenancy_native_id and self.tenancy.native_id:
            change = replace(change, tenancy_native_id=self.tenancy.native_id)
        account = change.account
        if account is not None and not account.native_id and account.ref in self.accounts:
            change = replace(change, account=replace(account, native_id=self.accounts[account.ref]))
        return change

    def _one(self, step: Step, change: Change) -> None:
        self.lease.renew()
        journal.step_sent(step, self.lease)
        try:
            applied = self.connector.apply(change)
        except ConnectorError as error:
            self._failed(step, change, error)
            return
        self.lease.renew()
        self._remember(change, applied)
        journal.step_applied(step, applied)
        self.result.retried_unclear = self.result.retried_unclear or applied.doubt
        if applied.outcome is Outcome.INEFFECTIVE:
            self.result.ineffective.append(step)

    def _failed(self, step: Step, change: Change, error: ConnectorError) -> None:
        logger.warning("%s: %s failed: %s [%s]", self.tenancy, change.target, error.message, error.request_id)
        journal.step_failed(step, error)
        self.result.failed.append((step, error))
        if change.kind is ChangeKind.TENANCY_CREATE:
            self.blocked.add("tenancy")
        elif change.kind is ChangeKind.ACCOUNT_CREATE and change.account:
            self.blocked.add(change.account.ref)
        if isinstance(error, (Unauthorized, Forbidden)):
            self.result.locked_out = error

    def _remember(self, change: Change, applied: Applied) -> None:
        """Record ids given by the cloud before the step is settled: a crash in between finds them by mark or name."""
        if change.kind is ChangeKind.TENANCY_CREATE:
            self.lease.write(native_id=applied.native_id)
            self.tenancy.native_id = applied.native_id
        elif change.kind is ChangeKind.ACCOUNT_CREATE and change.account:
            self.accounts[change.account.ref] = applied.native_id
            Account.objects.filter(pk=UUID(change.account.ref)).update(native_id=applied.native_id)
        elif change.amount is not None and applied.outcome is not Outcome.INEFFECTIVE:
            record.limit_read_back(self.tenancy, change.resource, change.amount)
