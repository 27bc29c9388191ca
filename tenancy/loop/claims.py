"""Who is next. Work is due rows; a claim is the conditional UPDATE that takes the lease.

Urgent rows (access removals) come first, yet one slot in five goes to the oldest row, so that nothing starves. At
most ``SLICES`` slices run per cloud.
"""

from __future__ import annotations

import os
import socket
import uuid
from collections.abc import Iterator
from uuid import UUID

from django.db.models import Count, F, Q, QuerySet

from config import clock
from tenancy.loop import breaker, lease
from tenancy.models import Cloud, Tenancy

SLICES = 4
FAIR = 5
CANDIDATES = 20


def holder_name() -> str:
    """Names this worker in leases: host, process, and one random word, since process numbers come again."""
    return f"{socket.gethostname()[:40]}:{os.getpid()}:{uuid.uuid4().hex[:8]}"


def due() -> QuerySet[Tenancy]:
    """Tenancies whose turn it is and that nobody holds."""
    busy = (
        Tenancy.objects.exclude(lease.free())
        .values("cloud")
        .annotate(running=Count("id"))
        .filter(running__gte=SLICES)
        .values("cloud")
    )
    return Tenancy.objects.filter(
        lease.free(),
        breaker.closed("cloud__"),
        next_attempt_at__lte=clock.now(),
        parked_at__isnull=True,
    ).exclude(cloud__in=busy)


def candidates(turn: int) -> Iterator[UUID]:
    """Ids to try in this order. Another worker may be quicker; then its lease says so."""
    order = ("next_attempt_at", "id") if turn % FAIR == FAIR - 1 else ("-urgent", "next_attempt_at", "id")
    yield from due().order_by(*order).values_list("id", flat=True)[:CANDIDATES]


def surveys_due() -> QuerySet[Cloud]:
    free = Q(survey_lease_until__isnull=True) | Q(survey_lease_until__lte=lease.moment())
    return Cloud.objects.filter(free, breaker.closed(), survey_due_at__lte=clock.now())


def bump(tenancies: QuerySet[Tenancy], *, urgent: bool = False) -> int:
    """Something else is wanted of these: a new version, due now. Releases parked ones."""
    fields: dict[str, object] = {
        "wanted_version": F("wanted_version") + 1,
        "next_attempt_at": clock.now(),
        "parked_at": None,
        "attempts": 0,
    }
    if urgent:
        fields["urgent"] = True
    return tenancies.update(**fields)


def look_again(tenancies: QuerySet[Tenancy]) -> int:
    """The same is wanted, but found may differ: due now, without a new version."""
    return tenancies.update(next_attempt_at=clock.now())
