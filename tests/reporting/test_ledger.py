"""The rules of the ledger against a model so simple that it cannot be wrong: one cell a second."""

from __future__ import annotations

import itertools
from dataclasses import dataclass, replace
from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from connectors.types import Accuracy, Delivery, Thing, UsageSpan
from reporting import ledger
from reporting.errors import LedgerError
from reporting.ledger import Cover, Piece, Series, series_replace

LENGTH = 40


@dataclass(frozen=True)
class Said:
    """A delivery about one series: its window and pieces."""

    window: Cover
    pieces: tuple[Piece, ...]


@st.composite
def said(draw, observed) -> Said:
    start = draw(st.integers(0, LENGTH - 1))
    end = draw(st.integers(start + 1, LENGTH))
    cuts = sorted(draw(st.sets(st.integers(start, end), max_size=6)) | {start, end})
    pieces = [
        Piece(
            a,
            b,
            draw(st.integers(0, 2)),
            draw(st.sampled_from(["running", "stopped"])),
            draw(st.sampled_from(Accuracy)),
        )
        for a, b in itertools.pairwise(cuts)
        if draw(st.booleans())
    ]
    return Said(Cover(start, end, draw(observed)), tuple(pieces))


@st.composite
def many(draw) -> list[Said]:
    """Deliveries of different observations, all within SETTLED of each other."""
    moments = draw(st.lists(st.integers(0, 1000), unique=True, min_size=1, max_size=7))
    return [draw(said(st.just(moment))) for moment in moments]


def store(deliveries: list[Said]) -> Series:
    series = Series()
    for each in deliveries:
        series = series_replace(series, each.window, each.pieces)
    return series


def cells(deliveries: list[Said]) -> list[tuple[int, str, Accuracy] | None]:
    """Each second is what the newest observation of that second said."""
    found: list[tuple[int, str, Accuracy] | None] = [None] * LENGTH
    for each in sorted(deliveries, key=lambda one: one.window.observed):
        for second in range(each.window.start, each.window.end):
            found[second] = next(
                ((p.quantity, p.state, p.accuracy) for p in each.pieces if p.start <= second < p.end), None
            )
    return found


def cells_of(series: Series) -> list[tuple[int, str, Accuracy] | None]:
    found: list[tuple[int, str, Accuracy] | None] = [None] * LENGTH
    for piece in series.pieces:
        for second in range(piece.start, piece.end):
            assert found[second] is None, "two pieces overlap"
            found[second] = (piece.quantity, piece.state, piece.accuracy)
    return found


@given(many(), st.randoms())
def test_any_order_and_repetition_gives_what_the_newest_said(deliveries, random):
    shuffled = deliveries * 2
    random.shuffle(shuffled)

    assert cells_of(store(shuffled)) == cells(deliveries)
    assert store(shuffled) == store(deliveries)


@given(many(), st.integers(1, LENGTH - 1), st.randoms())
def test_a_delivery_may_come_in_parts(deliveries, cut, random):
    parts = []
    for each in deliveries:
        for start, end in ((0, cut), (cut, LENGTH)):
            low, high = max(each.window.start, start), min(each.window.end, end)
            if low < high:
                inside = tuple(
                    replace(p, start=max(p.start, low), end=min(p.end, high))
                    for p in each.pieces
                    if p.start < high and p.end > low
                )
                parts.append(Said(replace(each.window, start=low, end=high), inside))
    random.shuffle(parts)

    assert store(parts) == store(deliveries)


@given(many())
def test_pieces_never_overlap_and_equal_neighbours_are_one(deliveries):
    series = store(deliveries)

    for before, after in itertools.pairwise(series.pieces):
        assert before.end <= after.start
        assert before.end < after.start or not before.same(after)
    for before, after in itertools.pairwise(series.covers):
        assert before.end <= after.start
    covered = {second for cover in series.covers for second in range(cover.start, cover.end)}
    assert covered == {s for each in deliveries for s in range(each.window.start, each.window.end)}


@given(st.lists(said(st.integers(0, 100).map(lambda n: n * ledger.SETTLED // 4)), max_size=8), said(st.just(0)))
def test_an_older_observation_changes_nothing_newer_however_late_it_comes(deliveries, oldest):
    series = store(deliveries)
    later = series_replace(series, oldest.window, oldest.pieces)

    newer = {s for each in deliveries if each.window.observed > 0 for s in range(each.window.start, each.window.end)}
    before, after = cells_of(series), cells_of(later)
    assert all(before[second] == after[second] for second in newer)
    assert store([*deliveries, oldest, oldest]) == later


def test_settled_observations_are_kept_as_one_row():
    hour = 3600
    series = Series()
    for number in range(1, 200):
        end = number * hour
        piece = Piece(max(end - hour - 900, 0), end, 2, "running", Accuracy.EXACT)
        series = series_replace(series, Cover(piece.start, end, end), [piece])

    assert series.pieces == (Piece(0, 199 * hour, 2, "running", Accuracy.EXACT),)
    assert len(series.covers) <= ledger.SETTLED // hour + 2


def test_a_merged_window_delivered_again_counts_once():
    hours = [Piece(n * 3600, (n + 1) * 3600, 1, "running", Accuracy.SAMPLED) for n in range(3)]
    series = Series()
    for piece in hours:
        series = series_replace(series, Cover(piece.start, piece.end, piece.end), [piece])
    again = series_replace(series, Cover(0, 10_800, 10_900), [Piece(0, 10_800, 1, "running", Accuracy.SAMPLED)])

    assert series.pieces == again.pieces == (Piece(0, 10_800, 1, "running", Accuracy.SAMPLED),)


def test_a_thing_that_used_nothing_empties_its_window():
    old = store([Said(Cover(0, 30, 1), (Piece(0, 30, 5, "running", Accuracy.EXACT),))])

    emptied = series_replace(old, Cover(10, 20, 2), [])

    assert [(piece.start, piece.end) for piece in emptied.pieces] == [(0, 10), (20, 30)]


# --- the door


def delivery(*spans: UsageSpan, start: int = 0, end: int = 100, things: tuple[str, ...] = ("a",)) -> Delivery:
    listed = tuple(Thing(each, "server", "p1") for each in things)
    return Delivery("servers", ("compute.vcpu",), start, end, datetime(2026, 11, 1, tzinfo=UTC), listed, spans)


def span(start: int = 0, end: int = 100, quantity: int = 1, thing: str = "a", meter: str = "compute.vcpu") -> UsageSpan:
    return UsageSpan(thing, meter, quantity, "running", start, end, Accuracy.EXACT)


@pytest.mark.parametrize(
    ("wrong", "says"),
    [
        (delivery(span(thing="b")), "does not list"),
        (delivery(span(meter="storage.volume")), "does not name"),
        (delivery(span(end=101)), "outside"),
        (delivery(span(start=5, end=5)), "outside"),
        (delivery(span(start=-5, end=5)), "outside"),
        (delivery(span(quantity=-1)), "negative"),
        (delivery(span(quantity=2**63 // 86_400 + 1)), "does not fit"),
        (delivery(span(0, 50), span(49, 100)), "overlap"),
        (delivery(things=("a", "a")), "twice"),
        (delivery(start=100, end=100), "no window"),
        (delivery(start=-1, end=100), "no window"),
        (replace(delivery(), observed_at=datetime(2026, 11, 1)), "without a zone"),
    ],
)
def test_what_cannot_be_is_refused_at_the_door(wrong, says):
    with pytest.raises(LedgerError, match=says):
        ledger.delivery_check(wrong)


def test_the_largest_product_that_fits_is_taken():
    ledger.delivery_check(delivery(span(quantity=2**63 // 86_400)))


# --- days


@given(st.integers(0, 2**33), st.integers(1, 5 * ledger.DAY))
def test_slices_follow_each_other_and_none_crosses_midnight(start, length):
    parts = ledger.slices(start, start + length)

    assert parts[0][0] == start
    assert parts[-1][1] == start + length
    assert all(before[1] == after[0] for before, after in itertools.pairwise(parts))
    assert all(len(ledger.days_between(*part)) == 1 for part in parts)
    assert [day for part in parts for day in ledger.days_between(*part)] == ledger.days_between(start, start + length)


def test_no_time_has_no_slice_and_no_day():
    assert ledger.slices(5, 5) == []
    assert ledger.days_between(5, 5) == []
