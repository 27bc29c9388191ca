"""A month of usage as a chart: what each cloud counted of one meter, day by day."""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from decimal import Decimal

from config import clock
from portal import parts
from portal.drawing import Chart, Series
from quotas.catalog import METERS
from reporting.months import Month
from reporting.selectors.coverage import Coverage, Known, coverage
from reporting.selectors.usage import MonthUsage, month_usage, totals_of
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


def month_now() -> str:
    """The running month as addresses name it: YYYY-MM."""
    return Month.of(clock.now()).key


def days_left(day: dt.date) -> int:
    return (day - clock.now().date()).days
