"""An emulated OpenStack of its own for each test, small and with a standing clock."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import pytest

from connectors.contract import Connector
from connectors.types import Role
from tests.connectors.sites import EmulatedSite
from tests.connectors.stories import Tenancy, small

Worlds = Callable[..., EmulatedSite]


@pytest.fixture
def world() -> Iterator[Worlds]:
    made: list[EmulatedSite] = []

    def make(**config: Any) -> EmulatedSite:
        made.append(EmulatedSite(**config))
        return made[-1]

    yield make
    for site in made:
        for connector in site.discards:
            if getattr(connector, "__name__", "") == "close":
                connector()


@pytest.fixture
def site(world: Worlds) -> EmulatedSite:
    return world()


@pytest.fixture
def connector(site: EmulatedSite) -> Connector:
    return site.connect()


@pytest.fixture
def tenancy(site: EmulatedSite, connector: Connector) -> Tenancy:
    """A settled tenancy with an owner; nothing of its making is left in the counters."""
    made = Tenancy(site, connector, title="A title", limits=small(connector))
    made.want(members=(made.person(Role.OWNER),))
    made.settle()
    site.emulated.forget()
    return made
