"""The rules of the ledger as pure functions: no database, no clock.

A *series* is what is held of one thing and one meter: pieces (what was used) and covers (what was observed when).
A delivery replaces a series in its window, except where a newer observation covers it. The result depends only on
the set of deliveries, not on their order, as long as none comes later than SETTLED after a newer one.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime, timedelta
from itertools import pairwise
from typing import TypeVar

from connectors.types import Accuracy, Delivery, UsageSpan
from reporting.errors import LedgerError

DAY = 86_400
MOST = 2**63 - 1
SETTLED = 3600  # seconds: far longer than a worker with a lapsed claim goes on; older observations become one


@dataclass(frozen=True, slots=True)
class Piece:
    """A span without its thing and meter; ``delivery`` is the row it came from last."""

    start: int
    end: int
    quantity: int
    state: str
    accuracy: Accuracy
    reason: str = ""
    delivery: int = 0

    def same(self, other: Piece) -> bool:
        """Whether the two differ only in time and origin, so that neighbours become one."""
        return (self.quantity, self.state, self.accuracy, self.reason) == (
            other.quantity,
            other.state,
            other.accuracy,
            other.reason,
        )


@dataclass(frozen=True, slots=True)
class Cover:
    """[start, end) was last observed at ``observed`` (epoch seconds)."""

    start: int
    end: int
    observed: int


@dataclass(frozen=True, slots=True)
class Series:
    pieces: tuple[Piece, ...] = ()
    covers: tuple[Cover, ...] = ()


def series_replace(old: Series, window: Cover, pieces: Iterable[Piece]) -> Series:
    """The series after a delivery of ``pieces`` for ``window``. Pieces lie inside the window and do not overlap.

    Where ``old`` was observed later than the window it stays as it is.
    """
    open_parts = list(_uncovered(old.covers, window))
    kept: list[Piece] = list(old.pieces)
    covers: list[Cover] = list(old.covers)
    added = list(pieces)
    for start, end in open_parts:
        kept = [part for piece in kept for part in _outside(piece, start, end)]
        covers = [part for cover in covers for part in _outside(cover, start, end)]
    for start, end in open_parts:
        kept += [part for piece in added if (part := _inside(piece, start, end)) is not None]
        covers.append(Cover(start, end, window.observed))
    return Series(_merged_pieces(kept), _merged_covers(covers))


def _uncovered(covers: Sequence[Cover], window: Cover) -> Iterator[tuple[int, int]]:
    """The parts of the window that no newer observation covers, in time order."""
    at = window.start
    for cover in sorted(covers, key=lambda each: each.start):
        if cover.observed <= window.observed or cover.end <= at or cover.start >= window.end:
            continue
        if cover.start > at:
            yield at, cover.start
        at = cover.end
    if at < window.end:
        yield at, window.end


Stretch = TypeVar("Stretch", Piece, Cover)


def _outside(each: Stretch, start: int, end: int) -> Iterator[Stretch]:
    if each.end <= start or each.start >= end:
        yield each
        return
    if each.start < start:
        yield replace(each, end=start)
    if each.end > end:
        yield replace(each, start=end)


def _inside(piece: Piece, start: int, end: int) -> Piece | None:
    low, high = max(piece.start, start), min(piece.end, end)
    return replace(piece, start=low, end=high) if low < high else None


def _merged_pieces(pieces: Iterable[Piece]) -> tuple[Piece, ...]:
    merged: list[Piece] = []
    for piece in sorted(pieces, key=lambda each: each.start):
        last = merged[-1] if merged else None
        if last is not None and last.end == piece.start and last.same(piece):
            merged[-1] = replace(last, end=piece.end, delivery=max(last.delivery, piece.delivery))
        else:
            merged.append(piece)
    return tuple(merged)


def _merged_covers(covers: Iterable[Cover]) -> tuple[Cover, ...]:
    ordered = sorted(covers, key=lambda each: each.start)
    settled = max((each.observed for each in ordered), default=0) - SETTLED
    merged: list[Cover] = []
    for cover in ordered:
        last = merged[-1] if merged else None
        if last is not None and last.end == cover.start and _one_row(last, cover, settled):
            merged[-1] = Cover(last.start, cover.end, max(last.observed, cover.observed))
        else:
            merged.append(cover)
    return tuple(merged)


def _one_row(before: Cover, after: Cover, settled: int) -> bool:
    return before.observed == after.observed or max(before.observed, after.observed) < settled


# --- the door ---------------------------------------------------------------------------------------------------


def delivery_check(delivery: Delivery) -> None:
    """Raises LedgerError for a delivery that contradicts itself or whose products do not fit 2^63."""
    if delivery.observed_at.tzinfo is None:
        raise LedgerError(f"The delivery of {delivery.source} was observed at a time without a zone.")
    if not 0 <= delivery.start < delivery.end:
        raise LedgerError(
            f"The delivery of {delivery.source} covers [{delivery.start}, {delivery.end}), which is no window."
        )
    listed = [thing.native_id for thing in delivery.things]
    things = set(listed)
    if len(things) != len(listed):
        raise LedgerError(f"The delivery of {delivery.source} lists a thing twice.")
    for span in delivery.spans:
        _span_check(delivery, span, things)
    _overlap_check(delivery)


def _span_check(delivery: Delivery, span: UsageSpan, things: set[str]) -> None:
    where = f"{span.meter} of {span.thing} from {span.start} to {span.end}"
    if span.thing not in things:
        raise LedgerError(f"A span speaks of a thing its delivery does not list: {where}.")
    if span.meter not in delivery.meters:
        raise LedgerError(f"A span speaks of a meter its delivery does not name: {where}.")
    if not delivery.start <= span.start < span.end <= delivery.end:
        raise LedgerError(f"A span lies outside its delivery's window: {where}.")
    if span.quantity < 0:
        raise LedgerError(f"A quantity is negative ({span.quantity}): {where}.")
    if span.quantity * max(span.end - span.start, DAY) > MOST:
        raise LedgerError(f"A quantity over a day or its time does not fit 63 bits ({span.quantity}): {where}.")


def _overlap_check(delivery: Delivery) -> None:
    series: dict[tuple[str, str], list[UsageSpan]] = defaultdict(list)
    for span in delivery.spans:
        series[span.thing, span.meter].append(span)
    for (thing, meter), spans in series.items():
        spans.sort(key=lambda each: each.start)
        for before, after in pairwise(spans):
            if after.start < before.end:
                raise LedgerError(f"Two spans of {meter} of {thing} overlap at {after.start}.")


# --- days -------------------------------------------------------------------------------------------------------


def day_start(day: date) -> int:
    """Epoch second at which a UTC day begins."""
    return int(datetime(day.year, day.month, day.day, tzinfo=UTC).timestamp())


def days_between(start: int, end: int) -> list[date]:
    """The UTC days that [start, end) touches, in order."""
    if end <= start:
        return []
    first, last = (datetime.fromtimestamp(each, UTC).date() for each in (start, end - 1))
    return [first + timedelta(days=number) for number in range((last - first).days + 1)]


def slices(start: int, end: int, longest: int = DAY) -> list[tuple[int, int]]:
    """[start, end) cut at UTC midnights, so that no part is longer than a day (or ``longest`` seconds)."""
    parts: list[tuple[int, int]] = []
    at = start
    while at < end:
        stop = min(end, at - at % DAY + DAY, at + longest)
        parts.append((at, stop))
        at = stop
    return parts
