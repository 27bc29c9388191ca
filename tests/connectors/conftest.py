"""The cloud a contract test runs on: always the emulator in process, with --live the real servers as well."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.connectors.sites import EmulatedSite, Hands, LabSite, Site
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
