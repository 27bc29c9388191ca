"""The rows behind a number: spans of a project in a time, with their thing and the delivery they came from."""

from __future__ import annotations

from datetime import UTC, datetime

from django.db.models import Q, QuerySet

from reporting.ledger import DAY, day_start
from reporting.models import Holder, Span
from reporting.months import Month
from reporting.quantities import Amount, figure, meter_of, rounded
from tenancy import access
from tenancy.access import Who
from tenancy.models import Project


def spans_visible(who: Who) -> QuerySet[Span]:
    """Spans this person may read, without canaries; as for totals."""
    holders = Holder.objects.exclude(tenancy__project__purpose=Project.Purpose.CANARY)
    if not access.sees_site_usage(who):
        holders = holders.filter(tenancy__project__in=access.visible_projects(who))
    return _with_origin(Span.objects.filter(thing__holder__in=holders))


def spans_of(project: Project) -> QuerySet[Span]:
    return _with_origin(Span.objects.filter(thing__holder__tenancy__project=project))


def _with_origin(spans: QuerySet[Span]) -> QuerySet[Span]:
    related = spans.select_related("thing__cloud", "thing__holder__tenancy__project", "meter", "delivery")
    return related.defer("thing__cloud__credential").order_by("-end", "start", "id")


def spans_between(spans: QuerySet[Span], start: int, end: int) -> QuerySet[Span]:
    """Those that touch [start, end)."""
    return spans.filter(start__lt=end, end__gt=start)


def window_of(month: Month, day: int | None) -> tuple[int, int]:
    """Epoch seconds of a month, or of one day of it (1..31); a day it does not have is the month."""
    if day is None or not 1 <= day <= month.last.day:
        return month.start, month.end
    start = day_start(month.first) + (day - 1) * DAY
    return start, start + DAY


def named(spans: QuerySet[Span], text: str) -> QuerySet[Span]:
    """Those whose thing has this in its name, or is called so by the cloud."""
    return spans.filter(Q(thing__name__icontains=text) | Q(thing__native_id=text))


def span_amount(span: Span, start: int, end: int) -> Amount:
    """What the span used inside [start, end)."""
    seconds = max(min(span.end, end) - max(span.start, start), 0)
    product = span.quantity * seconds
    return Amount(
        meter_of(span.meter.key),
        product,
        product if span.accuracy == "sampled" else 0,
        product if span.accuracy == "estimated" else 0,
    )


def span_size(span: Span) -> str:
    """ "16 vCPU": the quantity at any moment of the span."""
    unit = meter_of(span.meter.key).unit
    return f"{figure(rounded(span.quantity, unit.base))} {unit.symbol}".strip()


def moment(seconds: int) -> datetime:
    return datetime.fromtimestamp(seconds, UTC)
