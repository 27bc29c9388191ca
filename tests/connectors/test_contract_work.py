"""What every connector promises of closing, of running work and of usage: the same test code everywhere."""

from __future__ import annotations

from dataclasses import replace

import pytest

from connectors.contract import Connector, Identity, Usage
from connectors.errors import Refused
from connectors.plan import Found
from connectors.types import (
    ChangeKind,
    Delivery,
    KnownThing,
    Outcome,
    SourceResult,
    UsageSpan,
    Wanted,
    WantedLimit,
)
from tests.connectors.sites import BIG, SMALL, Hands, LabSite, Site
from tests.connectors.stories import Tenancy


def test_a_closed_project_lets_nobody_in_and_opens_again(site: Site, connector: Connector, tenancy: Tenancy) -> None:
    assert isinstance(connector, Identity)
    account = tenancy.wanted.members[0].account
    issued = connector.secret_issue(account)
    tenancy.want(state=Wanted.SUSPENDED)
    kinds = [change.kind for change, _ in tenancy.turn()]
    assert kinds == [ChangeKind.MEMBER_REMOVE, ChangeKind.TENANCY_DISABLE]
    assert not site.gets_in(issued.name, issued.secret, tenancy.wanted.native_id)
    tenancy.want(state=Wanted.OPEN)
    tenancy.settle()
    assert site.gets_in(issued.name, issued.secret, tenancy.wanted.native_id)


def test_running_work_is_stopped_and_started_again(
    site: Site, connector: Connector, tenancy: Tenancy, hands: Hands
) -> None:
    _roomy(tenancy)
    server = hands.boot(tenancy.wanted.native_id)
    tenancy.want(state=Wanted.SUSPENDED)
    tenancy.settle()
    assert hands.status(server.id) == "SHUTOFF"
    again = tenancy.change(ChangeKind.WORK_STOP, native_id=server.id)
    assert connector.apply(again).outcome is Outcome.ALREADY
    tenancy.want(state=Wanted.OPEN, restart=(server.id,))
    tenancy.settle()
    assert hands.status(server.id) == "ACTIVE"
    assert connector.apply(replace(again, native_id="00000000-0000-4000-8000-000000000000")).now == "gone"


def test_a_cut_below_what_is_in_use_is_made_or_refused_with_the_numbers(
    connector: Connector, tenancy: Tenancy, hands: Hands
) -> None:
    _roomy(tenancy)
    hands.boot(tenancy.wanted.native_id)
    hands.volume(tenancy.wanted.native_id, 2)
    assert connector.apply(tenancy.limit("compute.vcpu", 0)).outcome is Outcome.DONE
    with pytest.raises(Refused) as caught:
        connector.apply(tenancy.limit("storage.volume", 1024))
    assert "Current usage is 2 and the requested limit is 1" in caught.value.verbatim
    assert "in use" in caught.value.remedy
    rows = {row.resource: row for row in tenancy.survey().limits}
    assert (rows["compute.vcpu"].amount, rows["compute.vcpu"].in_use) == (0, hands.flavors()[SMALL].vcpus * 1000)
    assert (rows["storage.volume"].amount, rows["storage.volume"].in_use) == (102400, 2048)


def _roomy(tenancy: Tenancy) -> None:
    amounts = {"compute.vcpu": 64000, "compute.memory": 262144, "storage.volume": 102400}
    limits = tuple(WantedLimit(one.resource, amounts.get(one.resource, one.amount)) for one in tenancy.wanted.limits)
    tenancy.want(limits=limits)
    tenancy.settle()


def test_a_whole_life_is_told_with_the_right_sizes_states_and_times(site: Site, tenancy: Tenancy, hands: Hands) -> None:
    _roomy(tenancy)
    begin = site.now()
    flavors = hands.flavors()
    server = hands.boot(tenancy.wanted.native_id)
    hands.volume(tenancy.wanted.native_id, 3)
    middle = site.now()
    first = collected(site.connect(), begin, middle, {})
    sizes = {span.meter: span.quantity for span in first if span.thing == server.id}
    assert sizes == {
        "compute.vcpu": flavors[SMALL].vcpus * 1000,
        "compute.memory": flavors[SMALL].ram,
        "compute.disk": flavors[SMALL].disk * 1024,
        "compute.instances": 1,
    }
    known = {server.id: KnownThing(server.id, "server", tenancy.wanted.native_id, "running", middle, sizes)}

    hands.resize(server.id)
    hands.cloud.compute.stop_server(server.id)
    hands.await_status(server.id, "SHUTOFF")
    hands.delete(server.id)
    site.pause(5.0)
    end = site.now()
    told = [s for s in collected(site.connect(), middle, end, known) if s.thing == server.id]
    vcpus = sorted((s for s in told if s.meter == "compute.vcpu"), key=lambda s: s.start)
    assert [(s.state, s.quantity) for s in vcpus] == [
        ("running", flavors[SMALL].vcpus * 1000),
        ("running", flavors[BIG].vcpus * 1000),
        ("stopped", flavors[BIG].vcpus * 1000),
    ]
    assert vcpus[0].start == middle
    assert [a.end for a in vcpus[:-1]] == [b.start for b in vcpus[1:]]
    assert vcpus[-1].end < end
    assert {s.accuracy for s in vcpus} == {"exact"}
    held = [s for s in collected(site.connect(), middle, end, known) if s.meter == "storage.volume"]
    assert 3 * 1024 in [s.quantity for s in held]


def test_every_source_ends_with_its_result_and_the_same_window_tells_the_same(site: Site, connector: Connector) -> None:
    assert isinstance(connector, Usage)
    end = site.now()
    deliveries = list(connector.collect(end - 3600, end, {}))
    results = [one for one in deliveries if isinstance(one, SourceResult)]
    assert {one.source for one in results} == {meter.source for meter in connector.meters()}
    assert [one.error for one in results if not one.complete] == []
    for one in deliveries:
        if isinstance(one, Delivery):
            assert {span.thing for span in one.spans} <= {thing.native_id for thing in one.things}
            assert {span.meter for span in one.spans} <= set(one.meters)
            assert all(one.start <= span.start < span.end <= one.end for span in one.spans)
    if not isinstance(site, LabSite):
        assert collected(connector, end - 3600, end, {}) == collected(site.connect(), end - 3600, end, {})


def collected(connector: Connector, start: int, end: int, known: dict[str, KnownThing]) -> list[UsageSpan]:
    assert isinstance(connector, Usage)
    return [s for one in connector.collect(start, end, known) if isinstance(one, Delivery) for s in one.spans]


def test_a_plan_against_a_survey_finds_what_hands_changed(site: Site, connector: Connector, tenancy: Tenancy) -> None:
    cloud = site.hands()
    cloud.identity.update_project(tenancy.wanted.native_id, is_enabled=False)
    kinds = [change.kind for change in tenancy.plan().changes]
    assert kinds == [ChangeKind.TENANCY_ENABLE]
    assert Found(tenancy.survey()).by_id[tenancy.wanted.native_id].enabled is False
