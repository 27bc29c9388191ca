"""Kinds of clouds by name. A connector joins by an entry point of the group ``tenantry.connectors``.

The entry point names a ``ConnectorKind``; ours are registered in ``pyproject.toml`` like anybody else's.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import cache
from importlib.metadata import entry_points
from typing import Any

from connectors.contract import Connector
from connectors.errors import Misconfigured
from connectors.types import Endpoint, NativeResource, Role

GROUP = "tenantry.connectors"


@dataclass(frozen=True, slots=True)
class ConnectorKind:
    """What can be known of a kind without connecting.

    ``parse`` turns what a person pasted into settings and raises ``Misconfigured`` with a plain sentence;
    ``secrets`` are the paths in the settings that hold secrets (``("auth", "password")``).
    """

    kind: str
    title: str
    connect: Callable[[Endpoint], Connector]
    parse: Callable[[str, str], Mapping[str, Any]]
    resources: tuple[NativeResource, ...]
    default_roles: Mapping[Role, str]
    secrets: tuple[tuple[str, ...], ...]
    settings_hint: str = ""


@cache
def kinds() -> Mapping[str, ConnectorKind]:
    found: dict[str, ConnectorKind] = {}
    for point in entry_points(group=GROUP):
        kind = point.load()
        found[kind.kind] = kind
    return found


def kind(name: str) -> ConnectorKind:
    try:
        return kinds()[name]
    except KeyError:
        known = ", ".join(sorted(kinds())) or "none"
        raise Misconfigured(f"There is no connector of the kind “{name}”; installed are: {known}.") from None


def connect(endpoint: Endpoint) -> Connector:
    """A connector for this endpoint. No call is made yet."""
    return kind(endpoint.kind).connect(endpoint)
