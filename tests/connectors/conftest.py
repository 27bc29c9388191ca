"""The cloud a contract test runs on: always the emulator in process, with --live the real servers as well."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from connectors.contract import Connector
from connectors.types import Role
from tests.connectors.sites import EmulatedSite, Hands, LabSite, Site
from tests.connectors.stories import Tenancy, small
from tests.live.servers import openstack_lab

__all__ = ["openstack_lab"]


@pytest.fixture(params=["emulated", pytest.param("lab", marks=pytest.mark.live)])
def site(request: pytest.FixtureRequest) -> Iterator[Site]:
    made = EmulatedSite() if request.param == "emulated" else LabSite(request.getfixturevalue("openstack_lab"))
    yield made
    made.discard()


@pytest.fixture
def hands(site: Site) -> Hands:
    return Hands(site)


@pytest.fixture
def connector(site: Site) -> Connector:
    return site.connect()


@pytest.fixture
def tenancy(site: Site, connector: Connector) -> Tenancy:
    """A settled tenancy with an owner and a limit in every service."""
    made = Tenancy(site, connector, title="A title", limits=small(connector))
    made.want(members=(made.person(Role.OWNER),))
    made.settle()
    return made
