"""The one door through which apps reach a cloud.

``use_seams`` replaces network and waiting in tests and simulations; nothing else in the project touches the world.
"""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

from config import clock, crypto
from connectors import registry
from connectors.contract import Connector
from connectors.types import Endpoint, Role
from tenancy.models import Cloud

SLICE_CONNECTIONS = 2
SURVEY_CONNECTIONS = 8


@dataclass(frozen=True, slots=True)
class Seams:
    """``transport`` gives a ``requests`` adapter for a cloud's slug, or None for the real network."""

    transport: Callable[[str], Any] | None = None
    sleep: Callable[[float], None] = time.sleep


_seams = Seams()


def use_seams(seams: Seams | None) -> None:
    """Replace network and waiting for this process; None puts the real ones back."""
    global _seams
    _seams = seams or Seams()


def endpoint(
    *,
    kind: str,
    name: str,
    settings: Mapping[str, Any],
    roles: Mapping[Role, str],
    connections: int = SLICE_CONNECTIONS,
) -> Endpoint:
    """An endpoint with this process's clock and seams; for a connection test of a cloud that is not saved yet."""
    return Endpoint(
        kind=kind,
        name=name,
        settings=settings,
        roles=roles,
        now=clock.now,
        sleep=_seams.sleep,
        transport=_seams.transport(name) if _seams.transport else None,
        connections=connections,
    )


@contextmanager
def connect(cloud: Cloud, *, connections: int = SLICE_CONNECTIONS) -> Iterator[Connector]:
    """A connector for a saved cloud, closed afterwards. No call is made by opening it.

    Raises ``config.crypto.UndecipherableError`` if no key reads the credential.
    """
    settings = json.loads(crypto.decrypt(cloud.credential))
    connector = registry.connect(
        endpoint(
            kind=cloud.kind,
            name=cloud.slug,
            settings=settings,
            roles=role_map(cloud),
            connections=connections,
        )
    )
    try:
        yield connector
    finally:
        connector.close()


def seal(settings: Mapping[str, Any]) -> str:
    """Connection settings as ciphertext for ``Cloud.credential``."""
    return crypto.encrypt(json.dumps(settings))


def role_map(cloud: Cloud) -> dict[Role, str]:
    return {Role(row.role): row.native for row in cloud.roles.all()}
