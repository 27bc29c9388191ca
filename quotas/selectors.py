"""Reads of grants, divisions and limits. Each answers with a constant number of queries."""

from __future__ import annotations

import datetime as dt
from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from uuid import UUID

from django.db.models import QuerySet

from config import clock
from connectors.types import UNLIMITED
from quotas import catalog, division
from quotas.catalog import RESOURCES, Resource, Unit
from quotas.models import Grant, Share
from tenancy.models import Limit, Project, Reading, Tenancy
from tenancy.selectors import latest_readings


def today() -> dt.date:
    """The day that counts for grants: the present one in UTC."""
    return clock.now().date()


def grants_of(project: Project) -> QuerySet[Grant]:
    """Every grant the project ever had, newest first."""
    return Grant.objects.filter(project=project).select_related("by", "ended_by", "project")


def promises(projects: Iterable[Project | UUID], day: dt.date | None = None) -> dict[tuple[UUID, str], int]:
    """What grants in force promise, by (project id, resource); a resource without a grant is not in it. One query."""
    ids = [each.pk if isinstance(each, Project) else each for each in projects]
    rows = Grant.objects.in_force(day or today()).filter(project_id__in=ids)
    amounts: dict[tuple[UUID, str], list[int]] = defaultdict(list)
    for project_id, resource, amount in rows.order_by().values_list("project_id", "resource", "amount"):
        amounts[project_id, resource].append(amount)
    return {key: promised for key, given in amounts.items() if (promised := division.promise(given)) is not None}


def shares_of(tenancies: Sequence[Tenancy]) -> dict[tuple[UUID, str], int]:
    """Shares by (tenancy id, resource). One query."""
    rows = Share.objects.filter(tenancy__in=tenancies).values_list("tenancy_id", "resource", "amount")
    return {(tenancy_id, resource): amount for tenancy_id, resource, amount in rows}


def limits_wanted(tenancies: Sequence[Tenancy]) -> dict[tuple[UUID, str], int]:
    """Limits in force as Tenantry wants them, by (tenancy id, resource). One query."""
    rows = Limit.objects.filter(tenancy__in=tenancies).values_list("tenancy_id", "resource", "amount")
    return {(tenancy_id, resource): amount for tenancy_id, resource, amount in rows}


def tenancies_of(project: Project) -> list[Tenancy]:
    """With their clouds, in the order clouds are shown everywhere."""
    return list(project.tenancies.select_related("cloud").order_by("cloud__title", "cloud_id"))


@dataclass(frozen=True)
class LimitCell:
    """One resource on one tenancy: the limit wanted, and what the cloud was last read to have.

    `limit` is what the cloud enforces as far as we know: the reading's, else the wanted one. `used` None: not known.
    """

    used: int | None
    limit: int | None
    unit: Unit
    wanted: int | None
    read_at: dt.datetime | None
    href: str = ""

    @property
    def pending(self) -> bool:
        """The cloud does not have the wanted limit yet, or is not known to."""
        return self.wanted is not None and (self.read_at is None or self.limit != self.wanted)


@dataclass(frozen=True)
class CloudShare:
    """A piece of the bar of a promise: the colour of the cloud, its limit and use in base units."""

    colour: int
    limit: int
    used: int | None


@dataclass(frozen=True)
class LimitRow:
    """A resource of a project. `cells` are as many as the tenancies; None where the cloud does not enforce it.

    `by_default` tells that no grant stands behind it: each tenancy has what the catalog gives to everybody.
    """

    catalog: Resource
    promise: int
    promise_href: str
    by_default: bool
    cells: Sequence[LimitCell | None]
    shares: Sequence[CloudShare]
    undivided: int | None

    @property
    def resource(self) -> str:
        return self.catalog.label

    @property
    def unit(self) -> Unit:
        return self.catalog.unit

    @property
    def sub(self) -> str:
        return ", ".join(filter(None, (self.catalog.unit_beside.symbol, "default" if self.by_default else "")))


@dataclass(frozen=True)
class LimitsTable:
    """The limits of a project over its tenancies, in the catalog's order; `read_at` is the oldest of the readings."""

    tenancies: Sequence[Tenancy]
    rows: Sequence[LimitRow]
    read_at: dt.datetime | None


def project_limits(project: Project, *, grants_href: str = "", usage_href: str = "") -> LimitsTable:
    """Promise, division, limit and use of every resource of the project. Four queries, whatever its size."""
    tenancies = tenancies_of(project)
    promised = promises([project])
    wanted = limits_wanted(tenancies)
    readings = latest_readings(tenancies)
    enforced = {tenancy.pk: catalog.enforced_keys(tenancy.cloud.kind) for tenancy in tenancies}
    rows = []
    for resource in RESOURCES.values():
        cells = [
            _cell(
                resource, wanted.get((tenancy.pk, resource.key)), readings.get((tenancy.pk, resource.key)), usage_href
            )
            if resource.key in enforced[tenancy.pk]
            else None
            for tenancy in tenancies
        ]
        promise = promised.get((project.pk, resource.key))
        if promise is not None or any(cells):
            rows.append(_row(resource, promise, tenancies, cells, grants_href))
    ages = [reading.at for reading in readings.values()]
    return LimitsTable(tenancies, rows, min(ages, default=None))


def _cell(resource: Resource, wanted: int | None, reading: Reading | None, href: str) -> LimitCell:
    return LimitCell(
        used=reading.in_use if reading else None,
        limit=reading.limit if reading else wanted,
        unit=resource.unit,
        wanted=wanted,
        read_at=reading.at if reading else None,
        href=href if reading else "",
    )


def _row(
    resource: Resource,
    promised: int | None,
    tenancies: Sequence[Tenancy],
    cells: Sequence[LimitCell | None],
    grants_href: str,
) -> LimitRow:
    limits = [cell.wanted for cell in cells if cell is not None and cell.wanted is not None]
    promise = resource.default * sum(cell is not None for cell in cells) if promised is None else promised
    shares = [
        CloudShare(tenancy.cloud.color, cell.limit, cell.used)
        for tenancy, cell in zip(tenancies, cells, strict=True)
        if cell is not None and cell.limit is not None and cell.limit != UNLIMITED
    ]
    return LimitRow(
        catalog=resource,
        promise=promise,
        promise_href=grants_href if promised is not None else "",
        by_default=promised is None,
        cells=cells,
        shares=shares,
        undivided=division.undivided(promised, limits),
    )
