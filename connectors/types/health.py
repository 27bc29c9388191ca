"""Connection tests, proofs, and the way in."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime

from connectors.errors import ErrorInfo


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
