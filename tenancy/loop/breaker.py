"""The circuit breaker of a cloud: a refused credential of ours stops all calls, first hourly, then daily."""

from __future__ import annotations

from datetime import datetime, timedelta

from django.db.models import F, Q

from config import clock
from connectors.errors import ConnectorError, Unauthorized
from connectors.types import Survey
from tenancy.models import Cloud

FIRST = timedelta(hours=1)
LATER = timedelta(days=1)
PATIENCE = 3


def trip(cloud: Cloud, error: ConnectorError) -> None:
    """Open it. ``breaker_trips`` counts in a row; a success closes it."""
    pause = FIRST if cloud.breaker_trips < PATIENCE else LATER
    Cloud.objects.filter(pk=cloud.pk).update(
        breaker_until=clock.now() + pause, breaker_reason=error.message, breaker_trips=F("breaker_trips") + 1
    )


def reset(cloud: Cloud) -> None:
    Cloud.objects.filter(pk=cloud.pk).exclude(breaker_until=None, breaker_trips=0).update(
        breaker_until=None, breaker_reason="", breaker_trips=0
    )


def note(cloud: Cloud, survey: Survey) -> None:
    """A survey that was let in closes the breaker; one that met 401 in any section opens it."""
    refused = [s.error for s in survey.sections.values() if s.error and s.error.kind == Unauthorized.__name__]
    if refused:
        trip(cloud, Unauthorized(refused[0].message))
    else:
        reset(cloud)


def open_until(cloud: Cloud) -> datetime | None:
    """Until when no call is made, or None."""
    if cloud.breaker_until is not None and cloud.breaker_until > clock.now():
        return cloud.breaker_until
    return None


def closed(prefix: str = "") -> Q:
    """Clouds that may be called, as a filter; ``prefix`` such as ``cloud__``."""
    until = f"{prefix}breaker_until"
    return Q(**{f"{until}__isnull": True}) | Q(**{f"{until}__lte": clock.now()})
