"""What a survey and a change may cost: calls, connections, and nothing that grows with strangers."""

from __future__ import annotations

import threading
from collections import Counter
from dataclasses import replace
from typing import Any

import pytest

from connectors.contract import Connector
from connectors.openstack.transport import template
from connectors.types import ChangeKind, Role, Scope, Wanted, WantedTenancy
from tests.connectors.openstack.conftest import Worlds
from tests.connectors.sites import EmulatedSite
from tests.connectors.stories import Tenancy, total
from tests.support.emulated import WsgiTransport

LISTS = ("/projects", "/users", "/networks", "/routers", "/ports", "/floatingips", "/security-groups")


def list_pages(connector: Connector) -> int:
    return sum(n for call, n in connector.calls().items() if call.startswith("GET") and call.endswith(LISTS))


@pytest.mark.parametrize("size", [3, 40])
def test_a_full_survey_costs_two_calls_a_project_and_a_few(world: Worlds, size: int) -> None:
    site = world(projects=size)
    every = frozenset(one.native_id for one in site.connect().survey(Scope()).tenancies)
    connector = site.connect()
    found = connector.survey(Scope(recorded=every))
    assert {row.tenancy for row in found.limits} == every
    assert total(connector) <= 2 * len(every) + 15 + list_pages(connector)
    assert sum(found.calls.values()) == total(connector)


def test_strangers_cost_nothing(world: Worlds) -> None:
    few, many = world(projects=3).connect(), world(projects=60).connect()
    few.survey(Scope())
    many.survey(Scope())
    assert total(few) == total(many)


def test_a_scoped_survey_costs_at_most_ten_calls_the_token_included(site: EmulatedSite, tenancy: Tenancy) -> None:
    by_id, closed = tenancy.wanted, replace(tenancy.wanted, state=Wanted.SUSPENDED)
    by_tag = replace(tenancy.wanted, native_id="")
    new = WantedTenancy("nowhere", "nowhere", 1)
    costs = {}
    for name, wanted in {"id": by_id, "closed": closed, "tag": by_tag, "new": new}.items():
        connector = site.connect()
        found = connector.survey(Scope(wanted))
        assert all(section.complete for section in found.sections.values()), name
        costs[name] = total(connector)
    assert max(costs.values()) <= 10, costs


@pytest.mark.parametrize(
    ("kind", "most"),
    [(ChangeKind.LIMIT_RAISE, 5), (ChangeKind.MEMBER_ADD, 4), (ChangeKind.TENANCY_DISABLE, 3)],
)
def test_a_change_costs_a_look_a_write_and_a_look(
    site: EmulatedSite, tenancy: Tenancy, kind: ChangeKind, most: int
) -> None:
    connector = site.connect()
    connector.survey(Scope(tenancy.wanted))
    before = total(connector)
    account = tenancy.wanted.members[0].account
    connector.apply(tenancy.change(kind, resource="compute.vcpu", amount=5000, account=account, role="reader"))
    assert total(connector) - before <= most


def test_no_more_connections_than_allowed(world: Worlds) -> None:
    site = world(projects=40)
    every = frozenset(one.native_id for one in site.connect().survey(Scope()).tenancies)
    gate = threading.Lock()
    now: Counter[str] = Counter()

    class Watched(WsgiTransport):
        def send(self, *args: Any, **kwargs: Any) -> Any:
            with gate:
                now["open"] += 1
                now["most"] = max(now["most"], now["open"])
            try:
                return super().send(*args, **kwargs)
            finally:
                with gate:
                    now["open"] -= 1

    for allowed in (1, 4):
        now.clear()
        connector = site.connect(connections=allowed, transport=Watched(site.emulated.app))
        connector.survey(Scope(recorded=every))
        assert now["most"] <= allowed


def test_every_request_is_counted_once_by_its_endpoint(site: EmulatedSite, tenancy: Tenancy) -> None:
    connector = site.connect()
    site.emulated.transport.sent.clear()
    connector.survey(Scope(tenancy.wanted))
    person = tenancy.person(Role.VIEWER)
    connector.apply(tenancy.change(ChangeKind.ACCOUNT_CREATE, account=person.account))
    assert total(connector) == len(site.emulated.transport.sent)
    native = tenancy.wanted.native_id
    assert not [call for call in connector.calls() if native in call]


@pytest.mark.parametrize(
    ("url", "expected"),
    [
        ("http://h/identity/v3/projects/" + "a" * 32, "/projects/{id}"),
        ("http://h/v3/projects/p/tags/tenantry%3Aabc", "/projects/{id}/tags/{id}"),
        ("http://h/v3/projects/x/users/y/roles/z", "/projects/{id}/users/{id}/roles/{id}"),
        ("http://h:8774/v2.1/os-quota-sets/" + "0" * 32 + "/detail", "/os-quota-sets/{id}/detail"),
        ("http://h/v2.1/servers/0b0e4c5e-0000-4000-8000-000000000000/os-instance-actions/req-1",
         "/servers/{id}/os-instance-actions/{id}"),
        ("http://h/volume/v3/" + "b" * 32 + "/volumes/detail?limit=3", "/{id}/volumes/detail"),
        ("http://h/v3", "/"),
        ("http://h:8774/", "/"),
        ("http://h/compute/", "/"),
    ],
)  # fmt: skip
def test_an_endpoint_is_named_without_ids(url: str, expected: str) -> None:
    assert template(url) == expected
