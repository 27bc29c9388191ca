"""What a plan says: changes, what is held and why, drift."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from connectors.types import (
    Change,
)


class Hold(StrEnum):
    """Why a change is not made although found and wanted differ."""

    MODE = "mode"
    UNTOUCHABLE = "untouchable"
    LAST_OWNER = "last-owner"
    CONTESTED = "contested"
    INEFFECTIVE = "ineffective"
    REFUSED = "refused"
    SUSPECT = "suspect"
    MISSING = "missing"
    NAME_TAKEN = "name-taken"
    DUPLICATE = "duplicate"
    NO_ACCOUNT = "no-account"
    GUARD = "guard"


class DriftKind(StrEnum):
    UNMANAGED = "unmanaged"
    MISSING = "missing"
    CHANGED = "changed"


@dataclass(frozen=True, slots=True)
class HeldChange:
    change: Change
    hold: Hold
    why: str


@dataclass(frozen=True, slots=True)
class Drift:
    """A difference we did not cause. ``native_id`` is the object's; ``tenancy`` is our ref or empty."""

    kind: DriftKind
    tenancy: str
    native_id: str
    object: str
    found: str
    wanted: str
    note: str


@dataclass(frozen=True, slots=True)
class TenancyPlan:
    """The plan of one tenancy. ``unknown`` are the sections that could not be compared."""

    ref: str
    version: int
    native_id: str
    changes: tuple[Change, ...] = ()
    held: tuple[HeldChange, ...] = ()
    drift: tuple[Drift, ...] = ()
    unknown: tuple[str, ...] = ()

    @property
    def settled(self) -> bool:
        """Nothing to do, nothing held, nothing unknown: found is as wanted."""
        return not (self.changes or self.held or self.unknown)


@dataclass(frozen=True, slots=True)
class CloudPlan:
    tenancies: tuple[TenancyPlan, ...]
    drift: tuple[Drift, ...]

    @property
    def changes(self) -> tuple[Change, ...]:
        return tuple(change for tenancy in self.tenancies for change in tenancy.changes)
