"""From grants to the limits of tenancies, and back: which grant is missing for limits that are wanted."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from uuid import UUID

from django.db.models import QuerySet

from connectors.errors import ConnectorError
from connectors.types import UNLIMITED
from quotas import catalog, division
from quotas.catalog import Resource
from quotas.selectors import limits_wanted, promises, shares_of
from tenancy.models import Project, Tenancy

_CHUNK = 1000


def limits_derive(project: Project, tenancies: Sequence[Tenancy]) -> dict[UUID, dict[str, int]]:
    """What every tenancy of the project is to be limited to today, by resource. Suspended ones to 0."""
    return _derive(project.pk, tenancies, promises([project]), shares_of(tenancies))


def out_of_step() -> tuple[list[UUID], list[str]]:
    """Ids of projects whose tenancies are not wanted with the limits that their grants give today.

    Also what could not be told, in sentences: a cloud whose connector is not installed. Four queries for every
    thousand tenancies, so that it can be asked every minute.
    """
    rows = Tenancy.objects.filter(project__isnull=False).select_related("cloud").order_by("project_id", "pk")
    projects: list[UUID] = []
    unknown: list[str] = []
    for chunk in _chunks(rows):
        promised, shares, now = promises(chunk), shares_of(_all(chunk)), limits_wanted(_all(chunk))
        for project_id, tenancies in chunk.items():
            try:
                wanted = _derive(project_id, tenancies, promised, shares)
            except ConnectorError as error:
                unknown.append(f"{tenancies[0].name}: {error}")
                continue
            if wanted != _by_tenancy(now, tenancies):
                projects.append(project_id)
    return projects, unknown


def _chunks(rows: QuerySet[Tenancy]) -> Iterator[dict[UUID, list[Tenancy]]]:
    """About a thousand tenancies at a time, by project; those of one project are never torn apart."""
    chunk: dict[UUID, list[Tenancy]] = {}
    count = 0
    for tenancy in rows.iterator(chunk_size=_CHUNK):
        if tenancy.project_id is None:
            continue
        if count >= _CHUNK and tenancy.project_id not in chunk:
            yield chunk
            chunk, count = {}, 0
        chunk.setdefault(tenancy.project_id, []).append(tenancy)
        count += 1
    if chunk:
        yield chunk


def _all(chunk: Mapping[UUID, Sequence[Tenancy]]) -> list[Tenancy]:
    return [tenancy for tenancies in chunk.values() for tenancy in tenancies]


def _by_tenancy(limits: Mapping[tuple[UUID, str], int], tenancies: Sequence[Tenancy]) -> dict[UUID, dict[str, int]]:
    keys = catalog.RESOURCES
    return {
        tenancy.pk: {key: limits[tenancy.pk, key] for key in keys if (tenancy.pk, key) in limits}
        for tenancy in tenancies
    }


def _derive(
    project_id: UUID,
    tenancies: Sequence[Tenancy],
    promised: Mapping[tuple[UUID, str], int],
    shares: Mapping[tuple[UUID, str], int],
) -> dict[UUID, dict[str, int]]:
    limits: dict[UUID, dict[str, int]] = {tenancy.pk: {} for tenancy in tenancies}
    for each, holders in holders_of(tenancies):
        divided = division.divide(
            promised.get((project_id, each.key)),
            each.default,
            each.step,
            {tenancy.pk: shares.get((tenancy.pk, each.key)) for tenancy in holders},
        )
        for tenancy in holders:
            suspended = tenancy.wanted == Tenancy.Wanted.SUSPENDED
            limits[tenancy.pk][each.key] = 0 if suspended else divided[tenancy.pk]
    return limits


def holders_of(tenancies: Sequence[Tenancy]) -> Iterator[tuple[Resource, list[Tenancy]]]:
    """Each resource with the tenancies whose cloud enforces it."""
    enforced = {tenancy.pk: catalog.enforced_keys(tenancy.cloud.kind) for tenancy in tenancies}
    for each in catalog.RESOURCES.values():
        holders = [tenancy for tenancy in tenancies if each.key in enforced[tenancy.pk]]
        if holders:
            yield each, holders


def grant_missing(each: Resource, promised: int | None, limits: Mapping[UUID, int]) -> int | None:
    """The grant that is needed so that the promise covers these limits; None if it does."""
    if UNLIMITED in limits.values():
        return None if promised == UNLIMITED else UNLIMITED
    total = sum(limits.values())
    if promised is None:
        return None if all(amount == each.default for amount in limits.values()) else total
    return total - promised if promised != UNLIMITED and total > promised else None
