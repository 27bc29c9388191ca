"""What is to be done on a cloud, and what became of it."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from connectors.types.wanted import AccountRef


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


@dataclass(frozen=True, slots=True)
class NativeResource:
    """How a catalog resource is called on this kind of cloud; ``factor`` base units make one native unit."""

    key: str
    native: str
    section: str
    factor: int
    maximum: int = 2**31 - 1
