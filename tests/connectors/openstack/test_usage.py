"""Usage of a living world against the world's own accounting, which is computed without any API."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from datetime import datetime
from itertools import pairwise
from typing import Any

import pytest
import requests

from connectors.contract import Usage
from connectors.openstack import pages
from connectors.types import Accuracy, Delivery, KnownThing, SourceResult, UsageSpan
from tests.connectors.openstack.conftest import Worlds
from tests.connectors.sites import EmulatedSite, Hands
from tests.support.emulated import WsgiTransport

HOUR = 3600
STATES = {
    "ACTIVE": "running",
    "SHUTOFF": "stopped",
    "BUILD": "building",
    "VERIFY_RESIZE": "running",
    "RESIZE": "running",
    "REBOOT": "running",
    "PAUSED": "paused",
    "SUSPENDED": "suspended",
    "SHELVED": "shelved",
    "SHELVED_OFFLOADED": "shelved",
    "ERROR": "error",
}


class Book:
    """The least of a ledger: spans of consecutive windows, and what is known at the end of the last one."""

    def __init__(self, site: EmulatedSite) -> None:
        self.site = site
        self.spans: list[UsageSpan] = []
        self.known: dict[str, KnownThing] = {}
        self.deliveries: list[Delivery] = []

    def collect(self, start: int, end: int) -> None:
        connector = self.site.connect()
        assert isinstance(connector, Usage)
        deliveries = list(connector.collect(start, end, dict(self.known)))
        incomplete = [one for one in deliveries if isinstance(one, SourceResult) and not one.complete]
        assert incomplete == []
        self.known = {}
        for one in deliveries:
            if isinstance(one, Delivery):
                self.deliveries.append(one)
                self.spans.extend(one.spans)
                self._remember(one, end)

    def _remember(self, delivery: Delivery, end: int) -> None:
        things = {thing.native_id: thing for thing in delivery.things}
        last: dict[str, dict[str, int]] = {}
        states: dict[str, str] = {}
        for span in delivery.spans:
            if span.end == end:
                last.setdefault(span.thing, {})[span.meter] = span.quantity
                states[span.thing] = span.state
        for native_id, quantities in last.items():
            thing = things[native_id]
            known = KnownThing(native_id, thing.kind, thing.tenancy, states[native_id], end, quantities)
            self.known[native_id] = known

    def live(self, hours: int, step: int) -> tuple[int, int]:
        """Let the world go on, collecting every ``step`` hours."""
        begin = self.site.now()
        for _ in range(hours // step):
            start = self.site.now()
            self.site.emulated.advance(step * HOUR)
            self.collect(start, self.site.now())
        return begin, self.site.now()

    def seconds(self, meter: str) -> Counter[tuple[str, str, int]]:
        """Seconds for each thing, state and quantity."""
        told: Counter[tuple[str, str, int]] = Counter()
        for span in self.spans:
            if span.meter == meter:
                told[span.thing, span.state, span.quantity] += span.end - span.start
        return told


def accounting(site: EmulatedSite, start: int, end: int) -> dict[str, Any]:
    def text(moment: int) -> str:
        return datetime.fromtimestamp(moment).astimezone().isoformat()

    return site.emulated.control("GET", "/accounting", **{"from": text(start), "to": text(end)})  # type: ignore[no-any-return]


def servers(truth: dict[str, Any], quantity: str, factor: int) -> Counter[tuple[str, str, int]]:
    told: Counter[tuple[str, str, int]] = Counter()
    for server in truth["servers"]:
        for interval in server["intervals"]:
            if interval["seconds"]:
                key = (server["id"], STATES[interval["status"]], interval[quantity] * factor)
                told[key] += interval["seconds"]
    return told


def guesses(book: Book) -> set[str]:
    """Servers of which something had to be estimated."""
    return {s.thing for s in book.spans if s.meter == "compute.vcpu" and s.accuracy is Accuracy.ESTIMATED}


@pytest.fixture(params=[1, 2])
def lively(request: pytest.FixtureRequest, world: Worlds) -> EmulatedSite:
    return world(seed=request.param, servers=25, volumes=10)


@pytest.mark.parametrize(("step", "days"), [(1, 1), (6, 5), (24, 14)])
def test_weeks_of_servers_equals_the_clouds_own_accounting_to_the_second(
    lively: EmulatedSite, step: int, days: int
) -> None:
    book = Book(lively)
    # Sizes are known only from the second window on: the first shows what stands.
    book.collect(lively.now() - HOUR, lively.now())
    book.spans.clear()
    start, end = book.live(days * 24, step)
    truth = accounting(lively, start, end)
    guessed = guesses(book)
    for meter, quantity, factor in (("compute.vcpu", "vcpus", 1000), ("compute.memory", "ram", 1)):
        mine, theirs = book.seconds(meter), servers(truth, quantity, factor)
        assert {k: v for k, v in mine.items() if k[0] not in guessed} == {
            k: v for k, v in theirs.items() if k[0] not in guessed
        }
    # Only what was made and resized, or resized twice, within one window.
    assert len(guessed) <= (4 if step == 24 else 1)


def test_nothing_overlaps_and_no_second_is_told_twice(lively: EmulatedSite) -> None:
    book = Book(lively)
    book.live(48, 6)
    by_thing: dict[tuple[str, str], list[UsageSpan]] = {}
    for span in book.spans:
        by_thing.setdefault((span.thing, span.meter), []).append(span)
    for spans in by_thing.values():
        ordered = sorted(spans, key=lambda span: span.start)
        assert all(a.end <= b.start for a, b in pairwise(ordered))


def test_a_window_of_long_ago_is_told_from_what_nova_remembers(lively: EmulatedSite) -> None:
    """An outage of ours: three days, fetched three days later in one go."""
    book = Book(lively)
    book.collect(lively.now() - HOUR, lively.now())
    book.spans.clear()
    start = lively.now()
    lively.emulated.advance(72 * HOUR)
    end = lively.now()
    lively.emulated.advance(72 * HOUR)
    book.collect(start, end)
    theirs = servers(accounting(lively, start, end), "vcpus", 1000)
    guessed = guesses(book)
    mine = book.seconds("compute.vcpu")
    assert {k: v for k, v in mine.items() if k[0] not in guessed} == {
        k: v for k, v in theirs.items() if k[0] not in guessed
    }
    volumes = [span for span in book.spans if span.meter == "storage.volume"]
    assert {span.accuracy for span in volumes} == {Accuracy.ESTIMATED}
    assert all("two hours" in span.reason for span in volumes)


def test_hourly_volumes_are_within_one_interval_of_the_truth(lively: EmulatedSite) -> None:
    book = Book(lively)
    start, end = book.live(24, 1)
    truth = accounting(lively, start, end)
    mine: Counter[str] = Counter()
    for span in book.spans:
        if span.meter == "storage.volume":
            assert span.accuracy is Accuracy.SAMPLED
            mine[span.thing] += span.end - span.start
    theirs = {row["id"]: sum(i["seconds"] for i in row["intervals"]) for row in truth["volumes"]}
    assert mine
    for volume, seconds in theirs.items():
        assert abs(mine[volume] - seconds) <= HOUR, volume
    assert set(mine) <= set(theirs)


def test_floating_ips_and_snapshots_are_told_with_their_size(lively: EmulatedSite) -> None:
    book = Book(lively)
    now = lively.now()
    book.collect(now - HOUR, now)
    truth = accounting(lively, now - 1, now)
    for meter, rows in (("storage.snapshot", truth["snapshots"]), ("network.floating_ip", truth["floating_ips"])):
        mine = {span.thing: span.quantity for span in book.spans if span.meter == meter}
        theirs = {row["id"]: row["intervals"][0].get("size", 0) * 1024 or 1 for row in rows}
        assert mine == theirs


def test_images_belong_to_their_owner_in_whole_mebibytes(lively: EmulatedSite) -> None:
    book = Book(lively)
    now = lively.now()
    book.collect(now - HOUR, now)
    images = lively.emulated.request("GET", "/image/v2/images")["images"]
    mine = {span.thing: span.quantity for span in book.spans if span.meter == "storage.image"}
    assert mine == {image["id"]: -(-image["size"] // 2**20) for image in images if image["size"]}


def test_pages_come_one_by_one_and_the_next_is_not_asked_before_it_is_wanted(
    world: Worlds, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(pages, "PAGE", 5)
    site = world(servers=40)
    connector = site.connect()
    assert isinstance(connector, Usage)
    end = site.now()
    stream: Iterator[Delivery | SourceResult] = iter(connector.collect(end - HOUR, end, {}))
    first = next(stream)
    assert isinstance(first, Delivery)
    assert len(first.things) <= 5
    assert connector.calls()["GET compute /servers/detail"] <= 2
    rest = [one for one in stream if isinstance(one, Delivery) and one.source == "servers"]
    told = [thing.native_id for one in (first, *rest) for thing in one.things]
    assert len(told) == len(set(told)) >= 40


def test_what_vanished_used_nothing_since_it_was_last_seen(lively: EmulatedSite) -> None:
    now = lively.now()
    book = Book(lively)
    book.known = {
        "gone-volume": KnownThing("gone-volume", "volume", "p", "in-use", now - 900, {"storage.volume": 1024}),
        "gone-server": KnownThing("gone-server", "server", "p", "running", now - HOUR, {"compute.vcpu": 1000}),
        "later-server": KnownThing("later-server", "server", "p", "running", now + 60, {"compute.vcpu": 1000}),
    }
    book.collect(now - HOUR, now)
    assert {span.thing for span in book.spans} & {"gone-volume", "gone-server", "later-server"} == set()
    windows = {thing.native_id: (one.start, one.end) for one in book.deliveries for thing in one.things}
    assert windows["gone-volume"] == (now - 900, now)
    assert windows["gone-server"] == (now - HOUR, now)
    assert "later-server" not in windows


def test_a_server_deleted_between_the_two_lists_is_not_called_gone(lively: EmulatedSite) -> None:
    standing = lively.emulated.request("GET", "/compute/v2.1/servers", all_tenants="1", status="ACTIVE")["servers"]
    victim = standing[0]["id"]
    now = lively.now()
    known = {victim: KnownThing(victim, "server", "p", "running", now - HOUR, {"compute.vcpu": 1000})}

    class Deletes(WsgiTransport):
        """Somebody deletes the server after the first list and before the second."""

        lists = 0

        def send(self, request: requests.PreparedRequest, *args: Any, **kwargs: Any) -> requests.Response:
            answer = super().send(request, *args, **kwargs)
            if "changes-since" in str(request.url):
                self.lists += 1
            if self.lists == 1:
                self.lists += 1
                lively.emulated.request("DELETE", f"/compute/v2.1/servers/{victim}")
                lively.emulated.advance(30)
            return answer

    connector = lively.connect(transport=Deletes(lively.emulated.app))
    assert isinstance(connector, Usage)
    told = [one for one in connector.collect(now - HOUR, now, known) if isinstance(one, Delivery)]
    mine = [span for one in told for span in one.spans if span.thing == victim and span.meter == "compute.vcpu"]
    assert mine
    assert mine[-1].end == now


def test_a_size_that_was_guessed_is_never_told_as_exact_later(world: Worlds) -> None:
    site = world()
    hands = Hands(site)
    project = site.emulated.request("GET", "/identity/v3/auth/projects")["projects"][0]["id"]
    begin = site.now()
    server = hands.boot(project)
    hands.resize(server.id)
    site.pause(60)
    book = Book(site)
    middle = site.now()
    book.collect(begin, middle)
    first = [s.accuracy for s in book.spans if s.thing == server.id and s.meter == "compute.vcpu"]
    assert first[0] is Accuracy.ESTIMATED
    guessed = KnownThing(server.id, "server", project, "running", middle, {"compute.vcpu": 9}, Accuracy.ESTIMATED)
    book.known = {server.id: guessed}
    book.spans.clear()
    book.collect(begin + 10, middle)
    again = [s.accuracy for s in book.spans if s.thing == server.id and s.meter == "compute.vcpu"]
    assert again[0] is Accuracy.ESTIMATED
    assert again[-1] is Accuracy.EXACT


def test_nothing_is_told_beyond_the_clouds_own_time(lively: EmulatedSite) -> None:
    now = lively.now()
    connector = lively.connect()
    assert isinstance(connector, Usage)
    told = [one for one in connector.collect(now - HOUR, now + 10 * HOUR, {}) if isinstance(one, Delivery)]
    assert {one.end for one in told} == {now}
    late = list(lively.connect().collect(now + HOUR, now + 2 * HOUR, {}))  # type: ignore[attr-defined]
    assert [one.complete for one in late if isinstance(one, SourceResult)] == [False] * 5
