"""A month of usage as a chart: what each cloud counted of one meter, day by day."""

from __future__ import annotations

from datetime import date
from decimal import Decimal

from config import clock
from portal import links, parts
from quotas.catalog import METERS
from reporting.months import Month
from reporting.quantities import Amount, figure, in_catalog_order
from reporting.selectors.coverage import Coverage, Known, coverage
from reporting.selectors.usage import MonthUsage, Totals, month_usage, totals_of
from reporting.tables import daily, meter_until
from tenancy.models import Project

METER = "compute.vcpu"
"""What the chart of the project page counts; the usage page shows the others."""


def project_chart(project: Project) -> dict[str, object]:
    """The running month as the filter `chart` takes it, and until when it is known. Four queries."""
    month, known = Month.of(clock.now()), coverage()
    usage = month_usage(totals_of(project), month)
    rows = links.project_usage(project)
    shown = daily(
        usage,
        known,
        METER,
        title=f"{METERS[METER].time_unit.symbol} a day, {month.name}",
        now=clock.now(),
        href=lambda day: f"{rows}?meter={METER}&month={month.key}&day={day}#spans",
    )
    return {
        "daily": shown,
        "until": meter_until(usage, known, METER),
        "usage_empty": parts.Empty("No usage yet", "What the project uses is counted as soon as it is on a cloud."),
    }


def usage_card(totals: Totals) -> parts.UsageCard:
    """The running month of these totals: each meter that was used, and the days of one of them. Four queries."""
    month, known = Month.of(clock.now()), coverage()
    usage = month_usage(totals, month)
    over = _days_known(usage, known)
    days = [sum((usage.day(METER, cloud, day).hours for cloud in usage.clouds()), Decimal(0)) for day in over]
    unit = METERS[METER].time_unit.symbol
    until = known.until(usage.clouds() or None)
    return parts.UsageCard(
        title=f"Usage in {month.name}",
        until=until,
        facts=[(f"{each.meter.label}, {each.unit}", each.text, links.usage()) for each in _amounts(usage)],
        empty=parts.Empty("Nothing used yet", "It is counted as soon as something runs on a cloud.")
        if until is not None
        else parts.Empty("Not known yet", "At least one cloud was never read whole.", kind="none"),
        trend=days,
        says=f"{unit} a day, between {figure(min(days))} and {figure(max(days))}" if days else "",
        first=f"{unit} a day, {over[0].day} {month.first:%b}" if over else "",
        last=f"{over[-1].day} {month.first:%b}" if over else "",
        links=[parts.Link("Explore usage", links.usage()), parts.Link("Reports", links.reports())],
    )


def _days_known(usage: MonthUsage, known: Coverage) -> list[date]:
    """The latest run of days that were looked at whole on every cloud: a day nobody looked at is no day of 0."""
    stretches = [known.of_meter(each, METER) for each in usage.clouds() if known.measures(each, METER)]
    whole = [each for each in stretches if each is not None]
    if len(whole) < len(stretches):
        return []
    return [day for day in usage.month.days() if all(each.day(day) is Known.WHOLE for each in whole) and whole]


def _amounts(usage: MonthUsage) -> list[Amount]:
    return [each for each in in_catalog_order(usage.by_meter()) if each.whole and each.meter.billable]


def month_now() -> str:
    """The running month as addresses name it: YYYY-MM."""
    return Month.of(clock.now()).key
