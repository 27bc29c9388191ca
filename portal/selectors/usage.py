"""A month of usage as a chart: what each cloud counted of one meter, day by day."""

from __future__ import annotations

from collections.abc import Sequence
from decimal import Decimal

from config import clock
from portal import links, parts
from portal.drawing import Chart, Series
from quotas.catalog import METERS
from reporting.months import Month
from reporting.quantities import Amount, figure, in_catalog_order
from reporting.selectors.coverage import Coverage, Known, coverage
from reporting.selectors.usage import MonthUsage, Totals, month_usage, totals_of
from tenancy.models import Cloud, Project

METER = "compute.vcpu"
"""What the chart of the project page counts; the usage page shows the others."""


def project_chart(project: Project, clouds: Sequence[Cloud], href: str) -> dict[str, object]:
    """The context of parts/usage_chart.html for the running month. Four queries."""
    month, known = Month.of(clock.now()), coverage()
    usage = month_usage(totals_of(project), month)
    meter = METERS[METER]
    chart = Chart(
        id="usage",
        title=f"{meter.time_unit.symbol} a day, {month.name}",
        unit=meter.time_unit.symbol,
        labels=[str(day.day) for day in month.days()],
        series=[_series(usage, known, each, month, href) for each in clouds if known.measures(each.pk, METER)],
    )
    return {
        "chart": chart,
        "until": known.until([each.pk for each in clouds]),
        "usage_empty": parts.Empty("No usage yet", "What the project uses is counted as soon as it is on a cloud."),
    }


def _series(usage: MonthUsage, known: Coverage, cloud: Cloud, month: Month, href: str) -> Series:
    """Days until today; a day nobody has looked at is not known, never 0."""
    today = clock.now().date()
    days = [day for day in month.days() if day <= today]
    seen = known.of_meter(cloud.pk, METER)
    values: list[Decimal | None] = []
    estimated = set()
    for slot, day in enumerate(days):
        if seen is None or seen.day(day) is Known.NOTHING:
            values.append(None)
            continue
        amount = usage.day(METER, cloud.pk, day)
        values.append(amount.hours)
        if amount.estimated:
            estimated.add(slot)
    return Series(cloud.title, cloud.color, values, frozenset(estimated), [href] * len(values))


def usage_card(totals: Totals) -> parts.UsageCard:
    """The running month of these totals: each meter that was used, and the days of one of them. Four queries."""
    month, known = Month.of(clock.now()), coverage()
    usage = month_usage(totals, month)
    today = clock.now().date()
    over = [day for day in month.days() if day < today]
    days = [sum((usage.day(METER, cloud, day).hours for cloud in usage.clouds()), Decimal(0)) for day in over]
    unit = METERS[METER].time_unit.symbol
    return parts.UsageCard(
        title=f"Usage in {month.name}",
        until=known.until(usage.clouds() or None),
        facts=[(f"{each.meter.label}, {each.unit}", each.text, links.usage()) for each in _amounts(usage)],
        empty=parts.Empty("Nothing used yet", "It is counted as soon as something runs on a cloud."),
        trend=days,
        says=f"{unit} a day, between {figure(min(days))} and {figure(max(days))}" if days else "",
        first=f"{unit} a day, 1 {month.first:%b}",
        last=f"{over[-1].day} {month.first:%b}" if over else "",
        links=[parts.Link("Explore usage", links.usage()), parts.Link("Reports", links.reports())],
    )


def _amounts(usage: MonthUsage) -> list[Amount]:
    return [each for each in in_catalog_order(usage.by_meter()) if each.whole and each.meter.billable]


def month_now() -> str:
    """The running month as addresses name it: YYYY-MM."""
    return Month.of(clock.now()).key
