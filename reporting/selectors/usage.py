"""Totals of usage: by meter, day and cloud, and by project, institution or cloud. A few queries, at any size."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, timedelta
from typing import Any
from uuid import UUID

from django.db.models import Case, F, FloatField, Q, QuerySet, Sum, Value, When
from django.db.models.functions import Cast

from reporting.exact import exact_sum, exact_value
from reporting.models import DailyTotal
from reporting.months import Month
from reporting.quantities import Amount, change, meter_of
from tenancy import access
from tenancy.access import Who
from tenancy.models import Project

Totals = QuerySet[DailyTotal]
Rows = QuerySet[DailyTotal, Any]  # of .values()

# What a row of a table stands for, and the column of the ledger that tells them apart.
GROUPS: Mapping[str, str] = {
    "project": "holder__tenancy__project",
    "institution": "holder__tenancy__project__institution",
    "cloud": "holder__cloud",
}
_TITLES = {
    "project": ("holder__tenancy__project__title", "holder__tenancy__project__slug"),
    "institution": ("holder__tenancy__project__institution__name", "holder__tenancy__project__institution__slug"),
    "cloud": ("holder__cloud__title", "holder__cloud__slug"),
}


def totals_real() -> Totals:
    """All totals but those of canaries; with those of tenancies that nobody has mapped to a project."""
    return DailyTotal.objects.exclude(holder__tenancy__project__purpose=Project.Purpose.CANARY)


def totals_visible(who: Who) -> Totals:
    """Totals this person may read: finance and operators those of the whole site, others those of their projects."""
    totals = totals_real()
    if access.sees_site_usage(who):
        return totals
    return totals.filter(holder__tenancy__project__in=access.visible_projects(who))


def totals_of(project: Project) -> Totals:
    return DailyTotal.objects.filter(holder__tenancy__project=project)


def in_month(totals: Totals, month: Month) -> Totals:
    return totals.filter(day__gte=month.first, day__lte=month.last)


def _parts() -> dict[str, Sum]:
    return {
        **exact_sum("whole", "quantity_seconds"),
        **exact_sum("sampled", "sampled"),
        **exact_sum("estimated", "estimated"),
    }


def _amount(row: Mapping[str, Any]) -> Amount:
    meter = meter_of(row["meter__key"])
    return Amount(meter, exact_value(row, "whole"), exact_value(row, "sampled"), exact_value(row, "estimated"))


@dataclass(frozen=True, slots=True)
class MonthUsage:
    """A month of some totals, by cloud, meter and day."""

    month: Month
    cells: Mapping[tuple[UUID, str], Mapping[date, Amount]]

    def by_meter(self, *, cloud: UUID | None = None) -> dict[str, Amount]:
        """The month's amount of each meter that was used, on one cloud or on all."""
        found: dict[str, Amount] = {}
        for (where, key), days in self.cells.items():
            if cloud in (None, where):
                for amount in days.values():
                    found[key] = found[key] + amount if key in found else amount
        return found

    def amount(self, key: str, *, cloud: UUID | None = None) -> Amount:
        """The month's amount of one meter; nothing used is an amount of 0."""
        return self.by_meter(cloud=cloud).get(key, Amount(meter_of(key)))

    def day(self, key: str, cloud: UUID, day: date) -> Amount:
        return self.cells.get((cloud, key), {}).get(day, Amount(meter_of(key)))

    def clouds(self) -> set[UUID]:
        return {cloud for cloud, _ in self.cells}


def month_usage(totals: Totals, month: Month) -> MonthUsage:
    """One query; at most clouds x meters x days rows."""
    rows = in_month(totals, month).order_by().values("holder__cloud", "meter__key", "day").annotate(**_parts())
    cells: dict[tuple[UUID, str], dict[date, Amount]] = defaultdict(dict)
    for row in rows:
        cells[row["holder__cloud"], row["meter__key"]][row["day"]] = _amount(row)
    return MonthUsage(month, cells)


@dataclass(slots=True)
class GroupRow:
    """One project, institution or cloud in a month: amounts by meter, and by cloud and meter.

    ``so_far`` and ``before`` compare like with like: the whole days of this month, and the same days of the one before.
    Without ``id`` it is what no project is mapped to; only those who see the whole site get it.
    """

    id: UUID | None
    title: str
    slug: str
    amounts: dict[str, Amount] = field(default_factory=dict)
    so_far: dict[str, int] = field(default_factory=dict)
    before: dict[str, int] = field(default_factory=dict)
    by_cloud: dict[tuple[UUID, str], Amount] = field(default_factory=dict)

    def amount(self, key: str) -> Amount:
        return self.amounts.get(key, Amount(meter_of(key)))

    def change(self, key: str) -> str:
        """Against the same days of the month before, in words."""
        return change(self.so_far.get(key, 0), self.before.get(key, 0))


def groups(totals: Totals, month: Month, by: str, *, sort: str) -> Rows:
    """Groups with usage in the month, to be paged; ``sort`` is "title" or a meter, with "-" in front descending."""
    title, slug = _TITLES[by]
    column = sort.lstrip("-")
    weight = Cast(F("quantity_seconds"), FloatField())  # only an order: the exact sums are read for the page's rows
    rows = (
        in_month(totals, month)
        .order_by()
        .values(group=F(GROUPS[by]), title=F(title), slug=F(slug))
        .annotate(weight=Sum(weight, filter=Q(meter__key=column), default=0.0))
    )
    order = F("title" if column == "title" else "weight")
    return rows.order_by(
        order.desc(nulls_last=True) if sort.startswith("-") else order.asc(nulls_last=True), "title", "group"
    )


def group_rows(
    totals: Totals, month: Month, by: str, page: Sequence[Mapping[str, Any]], *, today: date
) -> list[GroupRow]:
    """Exact amounts of the groups of one page, of this month and the one before, in the page's order. One query."""
    group = GROUPS[by]
    found = {row["group"]: GroupRow(row["group"], row["title"] or NOT_MAPPED[by], row["slug"] or "") for row in page}
    which = Q(**{f"{group}__in": [each for each in found if each is not None]})
    if None in found:
        which |= Q(**{f"{group}__isnull": True})
    both = totals.filter(which, day__gte=month.before().first, day__lte=month.last)
    rows = both.order_by().values("meter__key", "holder__cloud", group=F(group), part=_part(month, today))
    for row in rows.annotate(**_parts()):
        _put(found[row["group"]], row)
    return list(found.values())


_BEFORE, _BEFORE_REST, _WHOLE_DAYS, _TODAY = range(4)


def _part(month: Month, today: date) -> Case:
    """Which part of the two months a day is in: a month that runs is compared with as many days of the one before."""
    runs = month.first <= today <= month.last
    same = month.before().first + timedelta(days=(today - month.first).days if runs else 31)
    return Case(
        When(day__gte=today, then=Value(_TODAY)),
        When(day__gte=month.first, then=Value(_WHOLE_DAYS)),
        When(day__lt=same, then=Value(_BEFORE)),
        default=Value(_BEFORE_REST),
    )


NOT_MAPPED = {"project": "Not mapped to a project", "institution": "No institution", "cloud": "Unknown cloud"}


def _put(into: GroupRow, row: Mapping[str, Any]) -> None:
    key, amount, part = row["meter__key"], _amount(row), row["part"]
    if part == _BEFORE:
        into.before[key] = into.before.get(key, 0) + amount.whole
    elif part in (_WHOLE_DAYS, _TODAY):
        into.amounts[key] = into.amounts[key] + amount if key in into.amounts else amount
        place = (row["holder__cloud"], key)
        into.by_cloud[place] = into.by_cloud[place] + amount if place in into.by_cloud else amount
        if part == _WHOLE_DAYS:
            into.so_far[key] = into.so_far.get(key, 0) + amount.whole


def usage_lines(totals: Totals, month: Month, *, by_day: bool = False) -> Rows:
    """One row a project, cloud and meter (and day), for exports and the API; see ``usage_line_amount``."""
    columns = ["meter__key"] + (["day"] if by_day else [])
    names = {
        "project": F("holder__tenancy__project__slug"),
        "title": F("holder__tenancy__project__title"),
        "institution": F("holder__tenancy__project__institution__name"),
        "cloud": F("holder__cloud__slug"),
    }
    rows: Rows = in_month(totals, month).order_by().values(*columns, **names).annotate(**_parts())
    return rows.order_by(F("project").asc(nulls_last=True), F("cloud"), *columns)


def usage_line_amount(row: Mapping[str, Any]) -> Amount:
    return _amount(row)
