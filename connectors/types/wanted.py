"""What is wanted of a cloud."""

from __future__ import annotations

from dataclasses import dataclass

from connectors.types.base import Role, Wanted


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
