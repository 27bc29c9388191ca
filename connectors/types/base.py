"""Words that all parts of the contract share, and how to reach a cloud."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from types import MappingProxyType
from typing import Any

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
