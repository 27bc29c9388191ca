"""From grants to the limits of tenancies, and back: which grant is missing for limits that are wanted."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from uuid import UUID

from connectors.types import UNLIMITED
from quotas import catalog, division
from quotas.catalog import Resource
from quotas.selectors import promises, shares_of
from tenancy.models import Project, Tenancy


def limits_derive(project: Project, tenancies: Sequence[Tenancy]) -> dict[UUID, dict[str, int]]:
    """What every tenancy of the project is to be limited to today, by resource. Suspended ones to 0."""
    promised = promises([project])
    shares = shares_of(tenancies)
    limits: dict[UUID, dict[str, int]] = {tenancy.pk: {} for tenancy in tenancies}
    for each, holders in holders_of(tenancies):
        divided = division.divide(
            promised.get((project.pk, each.key)),
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
