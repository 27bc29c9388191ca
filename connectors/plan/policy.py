"""What a plan may do on a cloud."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from types import MappingProxyType

from connectors.plan.results import Hold
from connectors.types import (
    Mode,
    Role,
)


@dataclass(frozen=True, slots=True)
class Policy:
    """What a plan may do on this cloud.

    ``sections`` tells which section each resource's limit belongs to. ``stopped`` are changes, by tenancy ref and
    target, that were tried and must not be tried again by themselves: contested, ineffective or refused.
    """

    mode: Mode
    roles: Mapping[Role, str]
    sections: Mapping[str, str] = field(default_factory=lambda: MappingProxyType({}))
    own_account: str = ""
    own_tenancy: str = ""
    stopped: Mapping[tuple[str, str], tuple[Hold, str]] = field(default_factory=lambda: MappingProxyType({}))
    suspect: frozenset[str] = frozenset()


def suspect_sections(now: Mapping[str, int], before: Mapping[str, int]) -> frozenset[str]:
    """Sections of a full survey that are empty or halved against the last complete one, at any size."""
    return frozenset(name for name, count in now.items() if before.get(name, 0) > 0 and 2 * count <= before[name])
