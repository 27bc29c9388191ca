"""A server's life told from what Nova says of it: the recording of a real Nova, and the cases it did not meet."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from connectors.openstack import timeline
from connectors.openstack.timeline import NO_ACTIONS, NO_SIZE, NO_TIME, Turn
from connectors.openstack.times import epoch, iso
from connectors.types import Accuracy, KnownThing, UsageSpan

RECORDED = Path(__file__).parents[2] / "live" / "recorded"
BORN = 1_800_000_000
SMALL = {"vcpus": 2, "ram": 1024, "disk": 10, "ephemeral": 0, "swap": 0, "original_name": "m1.test"}
BIG = {"vcpus": 8, "ram": 16384, "disk": 80, "ephemeral": 0, "swap": 0, "original_name": "m1.big"}


def stamp(moment: int | None) -> str | None:
    return None if moment is None else datetime.fromtimestamp(moment, UTC).strftime("%Y-%m-%dT%H:%M:%S.000000")


def server(state: str = "active", flavor: dict[str, Any] = SMALL, **more: Any) -> dict[str, Any]:
    ended = more.pop("ended", None)
    base = {
        "id": "s1",
        "status": "DELETED" if ended else state.upper(),
        "created": iso(BORN),
        "updated": iso(more.pop("updated", BORN)),
        "flavor": flavor,
        "OS-EXT-STS:vm_state": "deleted" if ended else state,
        "OS-SRV-USG:terminated_at": stamp(ended),
    }
    return base | more


def action(name: str, begun: int, *events: tuple[str, int | None, str]) -> tuple[dict[str, Any], list[dict[str, Any]]]:
    rows = [{"event": e, "finish_time": stamp(at), "result": result or None} for e, at, result in events]
    times = [at for _, at, _ in events if at]
    head = {"action": name, "start_time": stamp(begun), "updated_at": stamp(max(times, default=begun)), "message": None}
    return head, rows


def turns(of: dict[str, Any], *actions: tuple[dict[str, Any], list[dict[str, Any]]]) -> list[Turn]:
    return [turn for head, rows in actions if (turn := timeline.turn_of(of, head, rows))]


def lines(spans: tuple[UsageSpan, ...], meter: str = "compute.vcpu") -> list[tuple[int, int, str, int]]:
    """Beginning and end after birth, state, and vCPUs."""
    return [(s.start - BORN, s.end - BORN, s.state, s.quantity // 1000) for s in spans if s.meter == meter]


CREATE = action("create", BORN, ("compute__do_build_and_run_instance", BORN + 8, "Success"))


# --- a real life ---


def recorded(name: str) -> Any:
    return json.loads((RECORDED / f"{name}.json").read_text())["response"]["body"]


def a_real_life() -> tuple[dict[str, Any], list[Turn], dict[str, int]]:
    life = recorded("nova_servers_changes_since_deleted")["servers"][0]
    details = {}
    for file in RECORDED.glob("nova_instance_action_*.json"):
        one = json.loads(file.read_text())["response"]["body"]["instanceAction"]
        details[one["request_id"]] = one
    told, times = [], {}
    for head in recorded("nova_instance_actions_deleted_server")["instanceActions"]:
        turn = timeline.turn_of(life, head, details[head["request_id"]]["events"])
        if turn:
            told.append(turn)
            number = sum(name.startswith(head["action"]) for name in times)
            times[f"{head['action']}{-number or ''}"] = turn.at
    return life, told, times


def test_a_recorded_life_is_told_with_its_states() -> None:
    life, told, at = a_real_life()
    born, ended = epoch(life["created"]), epoch(life["OS-SRV-USG:terminated_at"])
    assert born
    assert ended
    spans = timeline.spans(life, told, born - 100, ended + 100, None)
    states = [(s.state, s.start, s.end) for s in spans if s.meter == "compute.instances"]
    merged: list[tuple[str, int, int]] = []
    for state, start, end in states:
        if merged and merged[-1][0] == state:
            merged[-1] = (state, merged[-1][1], end)
        else:
            merged.append((state, start, end))
    # Newest first in the recording, so the first “stop” is the last one of the life.
    assert merged == [
        ("building", born, at["create"]),
        ("running", at["create"], at["stop-1"]),
        ("stopped", at["stop-1"], at["start"]),
        ("running", at["start"], at["shelve"]),
        ("shelved", at["shelve"], at["unshelve"]),
        ("running", at["unshelve"], at["stop"]),
        ("stopped", at["stop"], ended),
    ]


def test_a_recorded_life_is_told_with_what_is_known_of_its_sizes() -> None:
    life, told, at = a_real_life()
    born, ended = epoch(life["created"]) or 0, epoch(life["OS-SRV-USG:terminated_at"]) or 0
    spans = [s for s in timeline.spans(life, told, born, ended, None) if s.meter == "compute.vcpu"]

    def accuracy(moment: int) -> Accuracy:
        return next(s.accuracy for s in spans if s.start <= moment < s.end)

    first, second, back = at["resize-1"], at["resize"], at["revertResize"]
    assert accuracy(first - 1) is Accuracy.ESTIMATED, "nobody knows the size before the first resize"
    assert accuracy(first) is Accuracy.EXACT, "the second resize was reverted, so it ended as it began"
    assert accuracy(second) is Accuracy.ESTIMATED
    assert accuracy(back) is Accuracy.EXACT
    known = KnownThing("s", "server", "t", "running", first + 5, timeline.quantities_of({"flavor": SMALL}))
    with_ledger = [s for s in timeline.spans(life, told, born, ended, known) if s.meter == "compute.vcpu"]
    assert {s.quantity for s in with_ledger if s.end <= first} == {2000}
    assert {s.accuracy for s in with_ledger if s.end <= first} == {Accuracy.EXACT}


# --- sizes ---


def test_a_window_without_a_change_is_one_span_for_each_meter() -> None:
    spans = timeline.spans(server(), None, BORN + 100, BORN + 200, None)
    assert {s.meter: s.quantity for s in spans} == {
        "compute.vcpu": 2000,
        "compute.memory": 1024,
        "compute.disk": 10240,
        "compute.instances": 1,
    }
    assert {(s.start, s.end, s.state, s.accuracy) for s in spans} == {
        (BORN + 100, BORN + 200, "running", Accuracy.EXACT)
    }


def test_what_has_no_local_disk_has_no_span_of_it() -> None:
    spans = timeline.spans(server(flavor=SMALL | {"disk": 0}), None, BORN, BORN + 10, None)
    assert "compute.disk" not in {s.meter for s in spans}


def test_ephemeral_disk_and_swap_count_as_disk() -> None:
    flavor = SMALL | {"ephemeral": 5, "swap": 512}
    assert timeline.quantities_of({"flavor": flavor})["compute.disk"] == 15 * 1024 + 512


def test_a_resize_counts_from_the_finish_of_its_own_event() -> None:
    now = server(flavor=BIG)
    resize = action(
        "resize",
        BORN + 50,
        ("compute_resize_instance", BORN + 55, "Success"),
        ("compute_finish_resize", BORN + 60, "Success"),
    )
    known = KnownThing("s1", "server", "t", "running", BORN + 20, timeline.quantities_of({"flavor": SMALL}))
    spans = timeline.spans(now, turns(now, CREATE, resize), BORN + 20, BORN + 100, known)
    assert lines(spans) == [(20, 60, "running", 2), (60, 100, "running", 8)]
    assert {s.accuracy for s in spans} == {Accuracy.EXACT}


def test_without_the_ledger_the_size_before_is_estimated_and_says_so() -> None:
    now = server(flavor=BIG)
    resize = action("resize", BORN + 50, ("compute_finish_resize", BORN + 60, "Success"))
    spans = timeline.spans(now, turns(now, CREATE, resize), BORN + 20, BORN + 100, None)
    assert [(s.accuracy, s.reason) for s in spans if s.meter == "compute.vcpu"] == [
        (Accuracy.ESTIMATED, NO_SIZE),
        (Accuracy.EXACT, ""),
    ]


def test_a_failed_resize_changes_nothing() -> None:
    resize = action("resize", BORN + 50, ("compute_prep_resize", BORN + 60, "Error"))
    spans = timeline.spans(server(), turns(server(), CREATE, resize), BORN + 20, BORN + 100, None)
    assert lines(spans) == [(20, 100, "running", 2)]
    assert {s.accuracy for s in spans} == {Accuracy.EXACT}


def test_a_later_resize_makes_the_size_of_a_window_of_long_ago_a_guess() -> None:
    now = server(flavor=BIG)
    resize = action("resize", BORN + 500, ("compute_finish_resize", BORN + 510, "Success"))
    assert timeline.matters(resize[0], BORN + 20, BORN + 100)
    spans = timeline.spans(now, turns(now, CREATE, resize), BORN + 20, BORN + 100, None)
    assert {s.accuracy for s in spans} == {Accuracy.ESTIMATED}


# --- states ---


def test_a_build_that_failed_on_one_host_counts_from_the_host_that_took_it() -> None:
    event = "compute__do_build_and_run_instance"
    create = action("create", BORN, (event, BORN + 5, "Error"), (event, BORN + 9, "Success"))
    assert lines(timeline.spans(server(), turns(server(), create), BORN, BORN + 20, None)) == [
        (0, 9, "building", 2),
        (9, 20, "running", 2),
    ]


def test_an_event_that_is_not_finished_yet_is_taken_from_what_is_seen() -> None:
    stopped = server("stopped", updated=BORN + 40)
    stop = action("stop", BORN + 38, ("compute_stop_instance", None, ""))
    spans = timeline.spans(stopped, turns(stopped, CREATE, stop), BORN, BORN + 60, None)
    assert lines(spans) == [(0, 8, "building", 2), (8, 40, "running", 2), (40, 60, "stopped", 2)]
    assert {s.accuracy for s in spans} == {Accuracy.EXACT}


def test_an_order_under_way_has_no_effect_yet() -> None:
    running = server(updated=BORN + 40, **{"OS-EXT-STS:task_state": "powering-off"})
    stop = action("stop", BORN + 38, ("compute_stop_instance", None, ""))
    assert lines(timeline.spans(running, turns(running, CREATE, stop), BORN + 30, BORN + 60, None)) == [
        (30, 60, "running", 2)
    ]


def test_a_build_that_failed_is_in_error_since_its_fault() -> None:
    failed = server("error", fault={"code": 413, "created": iso(BORN + 4)}, updated=BORN + 5)
    create = action("create", BORN, ("compute__do_build_and_run_instance", BORN + 4, "Error"))
    spans = timeline.spans(failed, turns(failed, create), BORN, BORN + 60, None)
    assert lines(spans) == [(0, 4, "building", 2), (4, 60, "error", 2)]


def test_a_state_without_an_action_is_a_guess_that_says_why() -> None:
    odd = server("paused", updated=BORN + 40)
    spans = timeline.spans(odd, turns(odd, CREATE), BORN + 20, BORN + 60, None)
    assert lines(spans) == [(20, 40, "running", 2), (40, 60, "paused", 2)]
    assert {(s.accuracy, s.reason) for s in spans} == {(Accuracy.ESTIMATED, NO_TIME)}


def test_no_record_at_all_is_a_guess_that_says_why() -> None:
    spans = timeline.spans(server(), [], BORN + 20, BORN + 60, None)
    assert lines(spans) == [(20, 60, "running", 2)]
    assert {(s.accuracy, s.reason) for s in spans} == {(Accuracy.ESTIMATED, NO_ACTIONS)}


def test_a_deleted_server_ends_when_it_was_terminated() -> None:
    gone = server(ended=BORN + 50, updated=BORN + 52)
    delete = action("delete", BORN + 49, ("compute_terminate_instance", None, ""))
    assert lines(timeline.spans(gone, turns(gone, CREATE, delete), BORN + 20, BORN + 90, None)) == [
        (20, 50, "running", 2)
    ]
    assert timeline.spans(gone, turns(gone, CREATE, delete), BORN + 60, BORN + 90, None) == ()


def test_a_server_deleted_before_it_was_launched_ends_when_it_was_last_touched() -> None:
    gone = server(ended=None, updated=BORN + 6, status="DELETED", **{"OS-EXT-STS:vm_state": "deleted"})
    create = action("create", BORN)
    assert lines(timeline.spans(gone, turns(gone, create), BORN, BORN + 90, None)) == [(0, 6, "building", 2)]


@pytest.mark.parametrize(
    ("vm_state", "power", "expected"),
    [
        ("active", 1, "running"),
        ("stopped", 4, "stopped"),
        ("resized", 1, "running"),
        ("resized", 4, "stopped"),
        ("shelved_offloaded", 4, "shelved"),
        ("rescued", 1, "running"),
        ("soft-delete", 4, "soft-deleted"),
        ("brand_new_state", 1, "unknown:brand_new_state"),
    ],
)
def test_every_state_has_a_word_and_a_new_one_stays_visible(vm_state: str, power: int, expected: str) -> None:
    assert timeline.state_of(server(vm_state, **{"OS-EXT-STS:power_state": power})) == expected


# --- always ---


@given(
    st.lists(
        st.tuples(st.integers(-50, 200), st.sampled_from(["running", "stopped", "shelved", None]), st.booleans()),
        max_size=8,
    ),
    st.integers(-20, 150),
    st.integers(1, 100),
    st.none() | st.integers(1, 150),
    st.booleans(),
)
@settings(deadline=None)
def test_spans_cover_the_window_without_a_hole_or_an_overlap(
    given_turns: list[tuple[int, str | None, bool]], start: int, length: int, ended: int | None, known: bool
) -> None:
    told = [Turn(BORN + at, state, resized) for at, state, resized in given_turns]
    ledger = KnownThing("s1", "server", "t", "running", BORN + start, timeline.quantities_of({"flavor": BIG}))
    life = server(ended=BORN + ended if ended else None, updated=BORN + 30)
    begin, end = BORN + start, BORN + start + length
    spans = timeline.spans(life, told, begin, end, ledger if known else None)
    for meter in ("compute.vcpu", "compute.memory", "compute.disk", "compute.instances"):
        mine = [s for s in spans if s.meter == meter]
        expected = (max(begin, BORN), min(end, BORN + ended if ended else end))
        if expected[0] >= expected[1]:
            assert mine == []
            continue
        assert (mine[0].start, mine[-1].end) == expected
        assert all(a.end == b.start for a, b in pairwise(mine))
        assert all(s.reason for s in mine if s.accuracy is Accuracy.ESTIMATED)
