"""What only real servers can show: a Nova that takes its limits from Keystone, and an application credential."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from connectors.contract import Connector, Health
from connectors.types import Outcome, Role, Scope
from tests.connectors.sites import LabSite
from tests.connectors.stories import Tenancy
from tests.live.servers import OpenStackLab, openstack_lab

__all__ = ["openstack_lab"]

pytestmark = pytest.mark.live


@pytest.fixture
def unified(openstack_lab: OpenStackLab) -> Iterator[LabSite]:
    site = LabSite(openstack_lab, openstack_lab.unified_cloud)
    yield site
    site.discard()


@pytest.fixture
def by_credential(openstack_lab: OpenStackLab) -> Iterator[LabSite]:
    site = LabSite(openstack_lab, openstack_lab.application_credential_cloud)
    yield site
    site.discard()


def test_a_real_unified_nova_is_recognised_and_its_limits_are_set(unified: LabSite) -> None:
    connector = unified.connect()
    assert isinstance(connector, Health)
    assert connector.probe().capabilities["nova.limits"] == "unified"
    tenancy = Tenancy(unified, connector)
    tenancy.turn()
    for resource, amount in (("compute.vcpu", 7000), ("compute.vcpu", 2000), ("compute.memory", 4096)):
        applied = connector.apply(tenancy.limit(resource, amount))
        assert applied.outcome is Outcome.DONE
        assert "Keystone" in applied.detail
    found = {row.resource: row.amount for row in tenancy.survey().limits}
    assert (found["compute.vcpu"], found["compute.memory"]) == (2000, 4096)


def test_a_real_application_credential_does_all_of_it(by_credential: LabSite) -> None:
    connector: Connector = by_credential.connect()
    assert isinstance(connector, Health)
    assert connector.probe().ok
    tenancy = Tenancy(by_credential, connector)
    tenancy.want(members=(tenancy.person(Role.OWNER),))
    tenancy.settle()
    assert connector.survey(Scope()).complete("members")
