"""The contract of a connector: a few small Protocols.

A connector has a capability if it implements its Protocol (``isinstance(connector, Usage)``); nothing asks for
its kind. Every method may raise any ``connectors.errors.ConnectorError`` and nothing else; a *survey* does not
raise for what it could not read, it says so in its sections. One suite, ``tests/connectors/``, holds every
connector to this file, on the emulator and on real servers.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Protocol, runtime_checkable

from connectors.types import (
    AccountRef,
    Applied,
    Change,
    Deliveries,
    Endpoint,
    EntryFile,
    FoundTenancy,
    IssuedSecret,
    KnownThing,
    Meter,
    NativeResource,
    Probe,
    ProofFact,
    Scope,
    Survey,
)


@runtime_checkable
class Connector(Protocol):
    """What every connector can do. Instances are cheap, made for one slice of work, used by one thread."""

    kind: str
    endpoint: Endpoint

    def survey(self, scope: Scope) -> Survey:
        """Read what the cloud holds. Full: at most 2N + 15 calls and list pages; scoped: at most 10 calls."""
        ...

    def apply(self, change: Change) -> Applied:
        """Make one change and read it back. Safe to repeat: a second call finds it ALREADY true.

        An unclear attempt inside it, even if a later one succeeded, is told: ``Applied.doubt``, ``error.doubt``.
        Raises ``Conflict`` if an object that is not ours has the name, and every other error as it comes;
        ``error.maybe_applied`` tells whether the write may have happened all the same.
        """
        ...

    def calls(self) -> Mapping[str, int]:
        """Requests sent so far per ``METHOD service /endpoint/{template}``, retries included."""
        ...

    def close(self) -> None: ...


@runtime_checkable
class Identity(Protocol):
    """Accounts of people and the way in."""

    def entry_files(self, tenancy: FoundTenancy, account: AccountRef) -> tuple[EntryFile, ...]:
        """Files with which this person gets into this tenancy; no call, no secret."""
        ...

    def secret_issue(self, account: AccountRef) -> IssuedSecret:
        """Give a local account a new random secret. Raises ``Refused`` for a federated one."""
        ...


@runtime_checkable
class Limits(Protocol):
    """Which resources this kind of cloud enforces."""

    def resources(self) -> tuple[NativeResource, ...]: ...


@runtime_checkable
class Usage(Protocol):
    """What was used, as deliveries of spans."""

    def meters(self) -> tuple[Meter, ...]: ...

    def collect(self, start: int, end: int, known: Mapping[str, KnownThing]) -> Deliveries:
        """Stream what was used in [start, end), source by source, each closed by a ``SourceResult``.

        ``known`` is what the ledger holds of things that may still live, by native id. An error in one source
        ends that source with an incomplete result; the others go on.
        """
        ...


@runtime_checkable
class Health(Protocol):
    def probe(self) -> Probe:
        """Test the connection: versions, each right we need, our own identity, the clock. Writes nothing.

        Raises ``Misconfigured``, ``Unreachable``, ``Unauthorized`` or ``Unsupported`` if it cannot even start.
        """
        ...


@runtime_checkable
class Proof(Protocol):
    def prove_gone(self, tenancy: str, accounts: Sequence[str]) -> tuple[ProofFact, ...]:
        """Check that none of these accounts (native ids) can act on this tenancy (native id) any more."""
        ...
