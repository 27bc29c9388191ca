"""What goes into a connector and what comes out: plain frozen data, no behaviour, no Django.

Amounts are integers in base units of the catalog (milli-vCPU, MiB, pieces); ``UNLIMITED`` is -1 and never
the same as 0. Times are aware UTC datetimes, except in spans: there they are whole epoch seconds.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from types import MappingProxyType
from typing import Any

from connectors.errors import ErrorInfo

UNLIMITED = -1


class Role(StrEnum):
    """A person's role in a project, strongest first."""

    OWNER = "owner"
    MANAGER = "manager"
    MEMBER = "member"
    VIEWER = "viewer"


class Mode(StrEnum):
    OBSERVE = "observe"
    ADD_ONLY = "add-only"
    ENFORCE = "enforce"


class Section(StrEnum):
    """Parts of a survey that are complete or not on their own. Limits have one a service: ``limits.compute``."""

    TENANCIES = "tenancies"
    ACCOUNTS = "accounts"
    MEMBERS = "members"
    WORK = "work"


class Wanted(StrEnum):
    """What a tenancy should be: open to its members, or shut with its data kept."""

    OPEN = "open"
    SUSPENDED = "suspended"


@dataclass(frozen=True, slots=True)
class Endpoint:
    """How to reach one cloud.

    ``settings`` is the connector's own configuration with its secrets in clear (for OpenStack one entry of
    ``clouds.yaml``); it is never logged, so it has no place in the representation. ``roles`` maps our roles to
    the cloud's. ``site`` marks our objects among those of other installations. ``transport`` replaces the
    network in tests and simulations: a ``requests`` adapter for every URL.
    """

    kind: str
    name: str
    settings: Mapping[str, Any] = field(repr=False)
    roles: Mapping[Role, str] = field(default_factory=lambda: MappingProxyType({}))
    site: str = "tenantry"
    now: Callable[[], datetime] | None = field(default=None, repr=False)
    sleep: Callable[[float], None] | None = field(default=None, repr=False)
    transport: Any = field(default=None, repr=False)
    timeout: float = 60.0
    connections: int = 16
    attempts: int = 3


# --- what is wanted -----------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Federated:
    """A person as an identity provider of the cloud knows them."""

    provider: str
    protocol: str
    subject: str


@dataclass(frozen=True, slots=True)
class AccountRef:
    """A person on the cloud. ``ref`` is our id; ``native_id`` the cloud's, once known.

    With ``federated`` the account is that identity, otherwise a local one called ``name``. Only if ``manage``
    is true may a missing account be created; with ``link`` an existing one of that name is taken as it is.
    """

    ref: str
    name: str
    native_id: str = ""
    email: str = ""
    title: str = ""
    federated: Federated | None = None
    manage: bool = True
    link: bool = False


@dataclass(frozen=True, slots=True)
class WantedMember:
    account: AccountRef
    role: Role
    reason: str = ""


@dataclass(frozen=True, slots=True)
class EndedMember:
    """Somebody who was a member. ``decided`` tells whether a person decided the end (an import did not)."""

    account: AccountRef
    role: Role
    decided: bool
    reason: str = ""


@dataclass(frozen=True, slots=True)
class WantedLimit:
    resource: str
    amount: int
    decided: bool = True
    reason: str = ""


@dataclass(frozen=True, slots=True)
class WantedTenancy:
    """One project on one cloud as it should be. Limits that are not named are neither compared nor written."""

    ref: str
    name: str
    version: int
    title: str = ""
    native_id: str = ""
    state: Wanted = Wanted.OPEN
    members: tuple[WantedMember, ...] = ()
    ended: tuple[EndedMember, ...] = ()
    limits: tuple[WantedLimit, ...] = ()
    restart: tuple[str, ...] = ()
    reason: str = ""


# --- what was found -----------------------------------------------------------------------------------------


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
    """``in_use`` is None if the survey could not tell; ``section`` names the service that enforces it."""

    tenancy: str
    resource: str
    amount: int
    in_use: int | None
    section: str


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


# --- what is to be done -------------------------------------------------------------------------------------


class ChangeKind(StrEnum):
    """In the order in which one plan carries them out: additions first, access before data."""

    ACCOUNT_CREATE = "account-create"
    TENANCY_CREATE = "tenancy-create"
    TENANCY_TAG = "tenancy-tag"
    LIMIT_RAISE = "limit-raise"
    TENANCY_ENABLE = "tenancy-enable"
    MEMBER_ADD = "member-add"
    WORK_START = "work-start"
    MEMBER_REMOVE = "member-remove"
    TENANCY_DISABLE = "tenancy-disable"
    WORK_STOP = "work-stop"
    LIMIT_CUT = "limit-cut"


class Takes(StrEnum):
    """What a change takes away from somebody."""

    NOTHING = "nothing"
    ACCESS = "access"
    WORK = "work"
    LIMIT = "limit"


@dataclass(frozen=True, slots=True)
class Change:
    """One write on one cloud, safe to repeat.

    ``target`` is stable for the same intent (``member:<account ref>:<cloud's role>``, ``limit:compute.vcpu``),
    so a retry after a crash is the same change. ``before`` and ``after`` are what a person reads.
    """

    kind: ChangeKind
    section: str
    tenancy: str
    target: str
    reason: str
    before: str = ""
    after: str = ""
    takes: Takes = Takes.NOTHING
    decided: bool = True
    tenancy_native_id: str = ""
    name: str = ""
    title: str = ""
    account: AccountRef | None = None
    role: str = ""
    resource: str = ""
    amount: int | None = None
    native_id: str = ""


class Outcome(StrEnum):
    """DONE: written and read back. ALREADY: nothing to write. INEFFECTIVE: accepted, yet nothing changed."""

    DONE = "done"
    ALREADY = "already"
    INEFFECTIVE = "ineffective"


@dataclass(frozen=True, slots=True)
class Applied:
    """What is now true, read back from the cloud. ``native_id`` is that of the tenancy, account or work.

    ``doubt``: an earlier attempt of the same write ended unclear and may still land, over what was read back.
    """

    outcome: Outcome
    native_id: str = ""
    now: str = ""
    detail: str = ""
    doubt: bool = False


# --- resources, usage, health, proof -------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class NativeResource:
    """How a catalog resource is called on this kind of cloud; ``factor`` base units make one native unit."""

    key: str
    native: str
    section: str
    factor: int
    maximum: int = 2**31 - 1


class Accuracy(StrEnum):
    """EXACT: from life times the cloud remembers. SAMPLED: seen every so often. ESTIMATED: filled, with a reason."""

    EXACT = "exact"
    SAMPLED = "sampled"
    ESTIMATED = "estimated"


@dataclass(frozen=True, slots=True)
class Meter:
    """What is measured of which kind of thing, and how well."""

    key: str
    source: str
    thing_kind: str
    accuracy: Accuracy


@dataclass(frozen=True, slots=True)
class UsageSpan:
    """This thing had this quantity in this state from ``start`` to ``end`` (epoch seconds, half-open)."""

    thing: str
    meter: str
    quantity: int
    state: str
    start: int
    end: int
    accuracy: Accuracy
    reason: str = ""


@dataclass(frozen=True, slots=True)
class Thing:
    """What a span is about: a server, a volume. ``born`` is the cloud's creation time, epoch seconds."""

    native_id: str
    kind: str
    tenancy: str
    name: str = ""
    detail: str = ""
    born: int | None = None


@dataclass(frozen=True, slots=True)
class KnownThing:
    """What the ledger last held of a thing: quantity a meter, state, and until when (epoch seconds)."""

    native_id: str
    kind: str
    tenancy: str
    state: str
    until: int
    quantities: Mapping[str, int] = field(default_factory=lambda: MappingProxyType({}))


@dataclass(frozen=True, slots=True)
class Delivery:
    """What one source says about some things in [start, end): it replaces what the ledger holds there.

    ``things`` are all that it speaks of, with or without spans: a thing without a span used nothing.
    """

    source: str
    meters: tuple[str, ...]
    start: int
    end: int
    observed_at: datetime
    things: tuple[Thing, ...]
    spans: tuple[UsageSpan, ...]


@dataclass(frozen=True, slots=True)
class SourceResult:
    """How the reading of one source ended, told after its last delivery."""

    source: str
    complete: bool
    things: int
    error: ErrorInfo | None = None


@dataclass(frozen=True, slots=True)
class Right:
    """Something we must be able to do, tried without writing. ``ok`` is None if it could not be tried."""

    name: str
    needed_for: str
    ok: bool | None
    error: ErrorInfo | None = None


@dataclass(frozen=True, slots=True)
class ServiceVersion:
    service: str
    found: str
    used: str
    supported: str
    ok: bool


@dataclass(frozen=True, slots=True)
class Probe:
    """What a connection test found. ``own_account`` and ``own_tenancy`` are never to be touched by a plan."""

    at: datetime
    versions: tuple[ServiceVersion, ...]
    rights: tuple[Right, ...]
    capabilities: Mapping[str, str]
    own_account: str
    own_tenancy: str
    roles: tuple[str, ...]
    skew_seconds: float | None

    @property
    def ok(self) -> bool:
        return all(v.ok for v in self.versions) and all(r.ok for r in self.rights)


@dataclass(frozen=True, slots=True)
class ProofFact:
    """One promise checked on the cloud: ``ok`` is None if it could not be checked."""

    name: str
    ok: bool | None
    detail: str = ""


@dataclass(frozen=True, slots=True)
class EntryFile:
    """A file that lets a member in, without any secret."""

    name: str
    media_type: str
    text: str
    hint: str = ""


@dataclass(frozen=True, slots=True)
class IssuedSecret:
    """A secret made for an account. It is shown once and stored nowhere."""

    name: str
    secret: str = field(repr=False)


Deliveries = Iterable["Delivery | SourceResult"]
