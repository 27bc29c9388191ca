"""What the pages of quotas say, in the shapes that templates/parts/ take."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from django.urls import reverse

from connectors import registry
from quotas import catalog
from quotas.catalog import METERS, RESOURCES, Meter, Resource, Treatment, amount_format
from quotas.models import Grant
from quotas.selectors import LimitsTable, project_limits, promises, tenancies_of
from tenancy import access
from tenancy.models import Cloud, Project
from tenancy.shown.parts import Badge, CloudKey, Empty, Link

STATES = {
    Grant.State.AHEAD: "draft",
    Grant.State.IN_FORCE: "ok",
    Grant.State.OVER: "off",
    Grant.State.ENDED: "off",
}


def limits_part(project: Project, who: access.Who, *, usage_href: str = "") -> dict[str, Any]:
    """The context of parts/limits.html: promise, division and use of a project, with the ways on for this person."""
    grants = reverse("quotas:grant_list", args=[project.slug])
    table = project_limits(project, grants_href=grants, usage_href=usage_href)
    return {
        "clouds": [CloudKey(str(tenancy.cloud), tenancy.cloud.color) for tenancy in table.tenancies],
        "limits": table.rows if table.tenancies else [],
        "read_at": table.read_at,
        "links": _limit_links(project, who, table),
        "empty": Empty("On no cloud yet", "Limits appear when the project has its first tenancy."),
    }


def _limit_links(project: Project, who: access.Who, table: LimitsTable) -> list[Link]:
    links = [
        Link("Grants behind these promises", reverse("quotas:grant_list", args=[project.slug])),
        Link("CSV", reverse("quotas:limits", args=[project.slug]) + "?format=csv"),
    ]
    if len(table.tenancies) > 1 and access.can_own(who, project):
        links.append(Link("Divide anew", reverse("quotas:division", args=[project.slug])))
    return links


LIMITS_HEAD = ("resource", "unit", "promise", "by default", "not divided", "cloud", "wanted", "limit", "in use", "read")


def limits_csv(table: LimitsTable) -> Iterator[list[object]]:
    """A line for every resource on every cloud, amounts in units; an empty cell is not known."""
    for row in table.rows:
        head: list[object] = [row.catalog.key, row.unit.symbol, amount_cell(row.catalog, row.promise), row.by_default]
        for tenancy, cell in zip(table.tenancies, row.cells, strict=True):
            if cell is not None:
                amounts = [amount_cell(row.catalog, amount) for amount in (cell.wanted, cell.limit, cell.used)]
                read = cell.read_at.isoformat(timespec="seconds") if cell.read_at else None
                yield [*head, amount_cell(row.catalog, row.undivided), tenancy.cloud.slug, *amounts, read]


def amount_cell(each: Resource, amount: int | None) -> str | None:
    """An amount in units as spreadsheets read it: "1024", "no limit"."""
    return None if amount is None else amount_format(each, amount).replace(",", "")


CATALOG_HEAD = ("key", "label", "unit", "base units", "default", "at most", "on the bill", "description")


def catalog_csv() -> Iterator[list[object]]:
    """A line for every resource, amounts in units."""
    for each in RESOURCES.values():
        amounts = [amount_cell(each, each.default), amount_cell(each, each.maximum)]
        yield [each.key, each.label, each.unit.symbol, each.factor, *amounts, each.billable, each.description]


@dataclass(frozen=True)
class GrantRow:
    grant: Grant
    state: Badge
    may_end: bool


def grant_row(grant: Grant, day: Any, *, operator: bool) -> GrantRow:
    state = grant.state_on(day)
    may_end = operator and state in (Grant.State.AHEAD, Grant.State.IN_FORCE)
    return GrantRow(grant, Badge(STATES[state], state.label), may_end)


def divisible(project: Project) -> list[Resource]:
    """Resources with a grant that at least two of the project's clouds enforce."""
    promised = promises([project])
    kinds = [catalog.enforced_keys(tenancy.cloud.kind) for tenancy in tenancies_of(project)]
    return [
        each
        for each in RESOURCES.values()
        if (project.pk, each.key) in promised and sum(each.key in keys for keys in kinds) > 1
    ]


# the catalog


TREATMENTS = {
    Treatment.ENFORCED: Badge("ok", "enforced"),
    Treatment.COUNTED: Badge("draft", "counted only"),
    Treatment.ACCESS: Badge("off", "by access only"),
}


@dataclass(frozen=True)
class CatalogRow:
    """A resource or a meter, and how each connected kind of cloud treats it."""

    entry: Resource | Meter
    treatments: Sequence[Badge]


def catalog_part() -> dict[str, Any]:
    """Kinds of connected clouds (all installed ones if there is none), resources by group, and meters. One query."""
    used = set(Cloud.objects.values_list("kind", flat=True).distinct()) & set(registry.kinds())
    names = sorted(used or registry.kinds())
    return {
        "kinds": [registry.kind(name).title for name in names],
        "resources": [_catalog_row(each, names) for each in RESOURCES.values()],
        "meters": [_catalog_row(each, names) for each in METERS.values() if each.key not in RESOURCES],
        "counted": METERS.values(),
    }


def _catalog_row(entry: Resource | Meter, kinds: Sequence[str]) -> CatalogRow:
    return CatalogRow(entry, [TREATMENTS[catalog.treatment(entry.key, name)] for name in kinds])
