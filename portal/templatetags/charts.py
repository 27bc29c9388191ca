"""Turns what applications below the portal know of a series of days into the portal's drawings."""

from __future__ import annotations

from collections.abc import Sequence
from decimal import Decimal
from typing import Protocol

from django import template

from portal.drawing import Chart, Series

register = template.Library()


class DailySeries(Protocol):
    """A cloud's values a day (None: not known) with the days that are not final; ``colour`` as in ``Series``."""

    label: str
    colour: int
    values: Sequence[Decimal | None]
    unfinished: frozenset[int]
    hrefs: Sequence[str]


class Daily(Protocol):
    id: str
    title: str
    unit: str
    labels: Sequence[str]
    series: Sequence[DailySeries]


@register.filter
def chart(daily: Daily) -> Chart:
    """For parts/usage_chart.html: `{% with chart=daily|chart %}`."""
    series = tuple(Series(each.label, each.colour, each.values, each.unfinished, each.hrefs) for each in daily.series)
    return Chart(daily.id, daily.title, daily.unit, daily.labels, series)
