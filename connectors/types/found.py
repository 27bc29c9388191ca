"""What a survey found."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from types import MappingProxyType

from connectors.errors import ErrorInfo
from connectors.types.wanted import WantedTenancy


@dataclass(frozen=True, slots=True)
class FoundTenancy:
    """``ref`` is our id read from the cloud's tag, empty if the object does not carry one of ours."""

    native_id: str
    name: str
    ref: str = ""
    enabled: bool = True
    title: str = ""


@dataclass(frozen=True, slots=True)
class FoundAccount:
    native_id: str
    name: str
    ref: str = ""
    enabled: bool = True
    email: str = ""


@dataclass(frozen=True, slots=True)
class FoundMember:
    """One account with one of the cloud's roles on one tenancy. ``group`` is set if it comes by a group."""

    tenancy: str
    account: str
    role: str
    group: str = ""
    inherited: bool = False


@dataclass(frozen=True, slots=True)
class FoundLimit:
    """``in_use`` is None if the survey could not tell; ``section`` names the service that enforces it.

    ``floor`` is the lowest amount the cloud would take now, if it refuses to go below what is in use.
    """

    tenancy: str
    resource: str
    amount: int
    in_use: int | None
    section: str
    floor: int | None = None


@dataclass(frozen=True, slots=True)
class FoundWork:
    """Something that runs and can be stopped without losing data (a server)."""

    tenancy: str
    native_id: str
    name: str
    running: bool


@dataclass(frozen=True, slots=True)
class SectionState:
    """``complete`` is true only if every page was read and our rights did not hide anything."""

    name: str
    complete: bool
    count: int = 0
    error: ErrorInfo | None = None


@dataclass(frozen=True, slots=True)
class Scope:
    """All of a cloud, or one tenancy (looked up by native id, else by our tag, else by name).

    ``recorded`` are the native ids we have on record, so that an adopted tenancy without our tag is read too.
    """

    tenancy: WantedTenancy | None = None
    recorded: frozenset[str] = frozenset()

    @property
    def full(self) -> bool:
        return self.tenancy is None


@dataclass(frozen=True, slots=True)
class Survey:
    taken_at: datetime
    scope: Scope
    sections: Mapping[str, SectionState]
    tenancies: tuple[FoundTenancy, ...] = ()
    accounts: tuple[FoundAccount, ...] = ()
    members: tuple[FoundMember, ...] = ()
    limits: tuple[FoundLimit, ...] = ()
    work: tuple[FoundWork, ...] = ()
    calls: Mapping[str, int] = field(default_factory=lambda: MappingProxyType({}))

    def complete(self, section: str) -> bool:
        state = self.sections.get(section)
        return state is not None and state.complete
