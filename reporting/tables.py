"""What the templates of usage pages are given: rows, series and words made from amounts. No queries.

The fields are those that templates/parts/ name in their first line.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime
from decimal import Decimal
from uuid import UUID

from reporting.ledger import day_start
from reporting.models import Span
from reporting.months import Month
from reporting.quantities import Amount, change, in_catalog_order, meter_of
from reporting.selectors.coverage import Coverage, Known
from reporting.selectors.spans import moment, span_amount, span_size
from reporting.selectors.usage import GroupRow, MonthUsage
from tenancy.models import Cloud

# The columns of a table over projects; every meter is in its file.
COLUMNS = ("compute.vcpu", "compute.memory", "storage.volume")


@dataclass(frozen=True, slots=True)
class Link:
    text: str
    href: str


@dataclass(frozen=True, slots=True)
class Empty:
    """`kind` is "none" where nothing is known, as against nothing there."""

    headline: str
    text: str = ""
    act: Link | None = None
    kind: str = ""


@dataclass(frozen=True, slots=True)
class CloudSeries:
    """A cloud's hours a day, None where nothing was looked at; `unfinished` are days seen in part or estimated."""

    label: str
    colour: int
    values: Sequence[Decimal | None]
    unfinished: frozenset[int]
    hrefs: Sequence[str]


@dataclass(frozen=True, slots=True)
class Daily:
    id: str
    title: str
    unit: str
    labels: Sequence[str]
    series: Sequence[CloudSeries]


@dataclass(frozen=True, slots=True)
class Share:
    colour: int
    limit: int
    used: int | None


@dataclass(frozen=True, slots=True)
class TableRow:
    """A row of parts/breakdown.html."""

    title: str
    href: str
    cells: Sequence[tuple[str, str]]
    shares: Sequence[Share] = ()
    whole: int = 0
    change: str = ""
    current: bool = False


@dataclass(frozen=True, slots=True)
class ResourceRow:
    """A resource in a month: how much, how well known, and against the month before."""

    label: str
    amount: Amount
    href: str
    change: str = ""
    current: bool = False


@dataclass(frozen=True, slots=True)
class SpanRow:
    """A row of parts/spans.html; `span` is there for where it comes from."""

    thing: str
    sub: str
    start: datetime
    end: datetime | None
    quantity: str
    known: str
    known_text: str
    href: str
    span: Span = field(repr=False)

    @property
    def window_start(self) -> datetime:
        """Of the delivery that said it last."""
        return moment(self.span.delivery.start)

    @property
    def window_end(self) -> datetime:
        return moment(self.span.delivery.end)


def daily(
    usage: MonthUsage, known: Coverage, key: str, *, title: str, now: datetime, href: Callable[[int], str]
) -> Daily:
    """Hours of one meter a day and cloud; `href` gives the address of a day's rows. Days ahead are left out."""
    days = [day for day in usage.month.days() if day_start(day) < now.timestamp()]
    series = [_series(usage, known, key, known.clouds[pk], days, href) for pk in clouds_shown(usage, known, key)]
    labels = [str(day.day) for day in usage.month.days()]
    return Daily("days", title, meter_of(key).time_unit.symbol, labels, series)


def clouds_shown(usage: MonthUsage, known: Coverage, key: str) -> list[UUID]:
    """Clouds with usage in the month that measure this meter, in the site's order."""
    used = usage.clouds()
    return [pk for pk in known.clouds if pk in used and ((pk, key) in usage.cells or known.measures(pk, key))]


def meter_until(usage: MonthUsage, known: Coverage, key: str) -> datetime | None:
    """Until when one meter is complete on all clouds that are shown."""
    stretches = [known.of_meter(pk, key) for pk in clouds_shown(usage, known, key)]
    whole = [each.until_at for each in stretches if each is not None]
    return min(whole) if whole and len(whole) == len(stretches) else None


def _series(
    usage: MonthUsage, known: Coverage, key: str, cloud: Cloud, days: Sequence[date], href: Callable[[int], str]
) -> CloudSeries:
    stretch = known.of_meter(cloud.pk, key)
    values: list[Decimal | None] = []
    unfinished = set()
    for slot, day in enumerate(days):
        amount = usage.day(key, cloud.pk, day)
        seen = stretch.day(day) if stretch else Known.NOTHING
        if seen is not Known.WHOLE or amount.estimated:
            unfinished.add(slot)
        values.append(None if seen is Known.NOTHING and not amount.whole else amount.hours)
    hrefs = ["" if value is None else href(day.day) for day, value in zip(days, values, strict=True)]
    return CloudSeries(cloud.title, cloud.color, values, frozenset(unfinished), hrefs)


def columns(key: str) -> list[str]:
    """The meters that are columns: the usual ones, with the chosen one among them."""
    return list(COLUMNS) if key in COLUMNS else [key, *COLUMNS[:-1]]


def heads(keys: Sequence[str]) -> list[tuple[str, str]]:
    """Names to sort by and texts: ("compute.vcpu", "vCPU h"), ("storage.volume", "Volumes, GiB h")."""
    found = []
    for key in keys:
        meter = meter_of(key)
        unit = meter.time_unit.symbol.replace("-hours", " h")
        found.append((key, unit if unit.startswith(meter.label) else f"{meter.label}, {unit}"))
    return found


def group_table(
    rows: Sequence[GroupRow],
    keys: Sequence[str],
    key: str,
    *,
    clouds: Mapping[UUID, Cloud],
    href: Callable[[GroupRow], str],
) -> list[TableRow]:
    """Rows of parts/breakdown.html; the bar is each cloud's part of the largest row's chosen meter."""
    whole = max((row.amount(key).whole for row in rows), default=0)
    table = []
    for row in rows:
        where = href(row)
        shares = [
            Share(cloud.color, row.by_cloud[pk, key].whole, row.by_cloud[pk, key].whole)
            for pk, cloud in clouds.items()
            if (pk, key) in row.by_cloud
        ]
        cells = [(row.amount(each).text, where) for each in keys]
        table.append(TableRow(row.title, where, cells, shares, whole, row.change(key)))
    return table


def resource_rows(
    amounts: Mapping[str, Amount], before: Mapping[str, Amount], *, key: str, href: Callable[[str], str]
) -> list[ResourceRow]:
    return [
        ResourceRow(
            each.meter.label,
            each,
            href(each.meter.key),
            change(each.whole, before[each.meter.key].whole) if each.meter.key in before else "",
            each.meter.key == key,
        )
        for each in in_catalog_order(amounts)
    ]


def span_rows(
    spans: Sequence[Span], start: int, end: int, known: Coverage, *, href: Callable[[Span], str]
) -> list[SpanRow]:
    """Rows of parts/spans.html; quantities are those inside [start, end), times those of the span."""
    return [_span_row(span, start, end, known, href(span)) for span in spans]


def _span_row(span: Span, start: int, end: int, known: Coverage, href: str) -> SpanRow:
    amount = span_amount(span, start, end)
    until = known.source_until(span.thing.cloud_id, span.delivery.source)
    parts = [span.thing.cloud.title, span.thing.detail, span_size(span), span.state]
    return SpanRow(
        thing=str(span.thing),
        sub=" · ".join(part for part in parts if part),
        start=moment(span.start),
        end=None if until is not None and span.end >= until else moment(span.end),
        quantity=f"{amount.text} {amount.unit}",
        known=span.accuracy,
        known_text=f"{span.accuracy}: {span.reason}" if span.reason else span.accuracy,
        href=href,
        span=span,
    )


def month_title(month: Month, now: datetime) -> str:
    return f"{month.label} so far" if month.runs(now) else month.label
