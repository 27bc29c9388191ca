"""Leases with fences. One worker at a time applies to a tenancy; a late one cannot write our rows.

The fence protects our rows, not the cloud: an effect may land after a takeover. So a takeover looks again before it
acts, and the tenancy is verified later (``tenancy.loop.settle``).
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from django.db.models import DateTimeField, ExpressionWrapper, F, Q, Value
from django.db.models.expressions import Combinable
from django.db.models.functions import Now

from config import clock
from tenancy.errors import LeaseLost
from tenancy.models import Cloud, Tenancy

LEASE = timedelta(seconds=180)
SURVEY_LEASE = timedelta(minutes=15)


def moment(offset: timedelta = timedelta()) -> Combinable:
    """Now by the database's clock, which all workers share; by ``config.clock`` where that was set by hand."""
    if clock.is_set():
        fixed: datetime = clock.now() + offset
        return Value(fixed, output_field=DateTimeField())
    return ExpressionWrapper(Now() + offset, output_field=DateTimeField())


def free() -> Q:
    return Q(lease_until__isnull=True) | Q(lease_until__lte=moment())


@dataclass(frozen=True, slots=True)
class Lease:
    """Held on one tenancy. ``takeover`` is true if the holder before never gave it back."""

    tenancy: UUID
    holder: str
    fence: int
    takeover: bool

    def _rows(self) -> Any:
        return Tenancy.objects.filter(pk=self.tenancy, lease_holder=self.holder, lease_fence=self.fence)

    def renew(self) -> None:
        """Raises ``LeaseLost`` if it ran out, even if nobody took it yet."""
        if not self._rows().filter(lease_until__gt=moment()).update(lease_until=moment(LEASE)):
            raise LeaseLost

    def write(self, **fields: Any) -> None:
        """Update the tenancy only while the fence is ours. Raises ``LeaseLost``."""
        if not self._rows().update(**fields):
            raise LeaseLost

    def release(self, **fields: Any) -> None:
        """Give it back together with the last words on the tenancy. Raises ``LeaseLost``."""
        self.write(lease_holder="", lease_until=None, **fields)


def take(tenancy: UUID, holder: str) -> Lease | None:
    """Take the lease by one conditional UPDATE; None if another worker has it."""
    before = Tenancy.objects.filter(pk=tenancy).values_list("lease_fence", "lease_holder").first()
    if before is None:
        return None
    fence, last_holder = before
    taken = Tenancy.objects.filter(free(), pk=tenancy, lease_fence=fence).update(
        lease_holder=holder,
        lease_fence=F("lease_fence") + 1,
        lease_until=moment(LEASE),
        attempts=F("attempts") + 1,
    )
    return Lease(tenancy, holder, fence + 1, takeover=bool(last_holder)) if taken else None


def take_survey(cloud: UUID, holder: str) -> bool:
    """The lease on a full survey of a cloud."""
    free_now = Q(survey_lease_until__isnull=True) | Q(survey_lease_until__lte=moment())
    rows = Cloud.objects.filter(free_now, pk=cloud)
    return rows.update(survey_lease_holder=holder, survey_lease_until=moment(SURVEY_LEASE)) == 1


def release_survey(cloud: UUID, holder: str, **fields: Any) -> None:
    rows = Cloud.objects.filter(pk=cloud, survey_lease_holder=holder)
    rows.update(survey_lease_holder="", survey_lease_until=None, **fields)
