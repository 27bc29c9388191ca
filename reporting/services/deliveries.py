"""Storing a delivery: it replaces what the ledger holds in its window, in one transaction, with the daily totals."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping
from dataclasses import dataclass

from django.db import transaction
from django.db.models import OuterRef, Subquery

from config import clock
from connectors.types import Accuracy, Delivery
from connectors.types import Thing as DeliveredThing
from reporting import ledger
from reporting.errors import LeaseLost
from reporting.ledger import Cover, Piece, Series
from reporting.models import (
    CollectionLease,
    CollectionRun,
    Coverage,
    DeliveryRow,
    Holder,
    Meter,
    Span,
    Thing,
)
from reporting.services.rows import Row, delete_series, upsert
from reporting.services.totals import totals_recompute
from tenancy.models import Cloud, Tenancy

BATCH = 500  # things stored at a time: keeps statements small and a transaction short

Key = tuple[int, int]  # ids of a thing and a meter


@dataclass(frozen=True, slots=True)
class Stored:
    """How many things a delivery spoke of, and how many spans it brought."""

    things: int
    spans: int


def delivery_store(*, cloud: Cloud, delivery: Delivery, run: CollectionRun | None = None, lease: str = "") -> Stored:
    """Replace what the ledger holds of the delivery's things and meters in its window; all of it or nothing.

    ``lease``: name under which the caller collects the cloud; it is renewed. Raises LedgerError for a delivery that
    contradicts itself and LeaseLost if another worker collects the cloud by now.
    """
    ledger.delivery_check(delivery)
    with transaction.atomic():
        _queue_up(cloud, lease)
        row = DeliveryRow.objects.create(
            cloud=cloud,
            run=run,
            source=delivery.source,
            start=delivery.start,
            end=delivery.end,
            observed_at=delivery.observed_at,
            stored_at=clock.now(),
            things=len(delivery.things),
            spans=len(delivery.spans),
        )
        meters = _meters(delivery)
        changed: set[tuple[int, int]] = set()
        for first in range(0, len(delivery.things), BATCH):
            changed |= _store_batch(cloud, delivery, delivery.things[first : first + BATCH], meters, row)
        totals_recompute(
            holders={holder for holder, _ in changed},
            meters={meter for _, meter in changed},
            days=ledger.days_between(delivery.start, delivery.end),
        )
    return Stored(len(delivery.things), len(delivery.spans))


def _queue_up(cloud: Cloud, lease: str) -> None:
    """Stores of one cloud go one after the other: each reads what it replaces before it writes."""
    CollectionLease.objects.get_or_create(cloud=cloud)
    found = CollectionLease.objects.select_for_update().get(cloud=cloud)
    if lease and found.holder != lease:
        raise LeaseLost(f"The usage of {cloud} is collected by {found.holder or 'nobody'} by now, not by {lease}.")


def _meters(delivery: Delivery) -> dict[str, int]:
    Meter.objects.bulk_create([Meter(key=key) for key in delivery.meters], ignore_conflicts=True)
    return dict(Meter.objects.filter(key__in=delivery.meters).values_list("key", "id"))


def _store_batch(
    cloud: Cloud, delivery: Delivery, listed: tuple[DeliveredThing, ...], meters: Mapping[str, int], row: DeliveryRow
) -> set[tuple[int, int]]:
    """Holders and meters whose amounts changed."""
    observed = int(delivery.observed_at.timestamp())
    target = _things(cloud, delivery, listed, observed)
    others = _in_other_hands(cloud, target)
    window = Cover(delivery.start, delivery.end, observed)
    pieces: dict[Key, list[Piece]] = defaultdict(list)
    for span in delivery.spans:
        if span.thing in target:
            key = (target[span.thing].id, meters[span.meter])
            accuracy = Accuracy(span.accuracy)
            pieces[key].append(Piece(span.start, span.end, span.quantity, span.state, accuracy, span.reason, row.id))
    things = {thing.id: thing for thing in (*target.values(), *others)}
    held = _held(things, list(meters.values()), window)
    changed = {
        key: (old, new)
        for key in ((thing, meter) for thing in things for meter in meters.values())
        if (new := ledger.series_replace(old := held.get(key, Series()), window, pieces.get(key, ()))) != old
    }
    touched = _write_spans(changed)
    _write_covers(changed)
    return {(things[thing].holder_id, meter) for thing, meter in touched}


# --- things and holders -----------------------------------------------------------------------------------------


def holders_link(*, cloud: Cloud) -> int:
    """Map holders to tenancies that got their native id, or were adopted, since; the number that was mapped."""
    match = Tenancy.objects.filter(cloud=cloud, native_id=OuterRef("native_id")).exclude(native_id="")
    return (
        Holder.objects.filter(cloud=cloud, tenancy=None, native_id__in=Subquery(match.order_by().values("native_id")))
        .update(tenancy=Subquery(match.values("id")[:1]))
    )  # fmt: skip


def _holders(cloud: Cloud, native_ids: set[str]) -> dict[str, int]:
    found = dict(Holder.objects.filter(cloud=cloud, native_id__in=native_ids).values_list("native_id", "id"))
    if missing := native_ids - found.keys():
        known = dict(Tenancy.objects.filter(cloud=cloud, native_id__in=missing).values_list("native_id", "id"))
        Holder.objects.bulk_create(
            [Holder(cloud=cloud, native_id=each, tenancy_id=known.get(each)) for each in sorted(missing)]
        )
        found |= dict(Holder.objects.filter(cloud=cloud, native_id__in=missing).values_list("native_id", "id"))
    return found


def _things(cloud: Cloud, delivery: Delivery, listed: tuple[DeliveredThing, ...], observed: int) -> dict[str, Thing]:
    """The row of each listed thing under its present holder, made or renamed where needed, by native id."""
    holders = _holders(cloud, {each.tenancy for each in listed})
    wanted = {(each.native_id, each.kind, holders[each.tenancy]): each for each in listed}
    found = _rows(cloud, wanted)
    fresh = [_thing(cloud, key, each, found.get(key), observed) for key, each in wanted.items()]
    if news := [thing for thing in fresh if thing is not None]:
        Thing.objects.bulk_create(
            news,
            update_conflicts=True,
            unique_fields=["cloud", "native_id", "kind", "holder"],
            update_fields=["name", "detail", "born", "observed"],
        )
        found = _rows(cloud, wanted)
    return {native_id: thing for (native_id, _, _), thing in found.items()}


def _thing(
    cloud: Cloud, key: tuple[str, str, int], said: DeliveredThing, row: Thing | None, observed: int
) -> Thing | None:
    """The thing as it is to be written; None if nothing new was said. What was left empty is known from before."""
    native_id, kind, holder = key
    name, detail, born = said.name[:255], said.detail[:255], said.born
    if row is not None:
        name, detail, born = name or row.name, detail or row.detail, row.born if born is None else born
        if row.observed > observed or (name, detail, born) == (row.name, row.detail, row.born):
            return None
    return Thing(
        cloud=cloud, holder_id=holder, kind=kind, native_id=native_id,
        name=name, detail=detail, born=born, observed=observed,
    )  # fmt: skip


def _rows(cloud: Cloud, wanted: Mapping[tuple[str, str, int], DeliveredThing]) -> dict[tuple[str, str, int], Thing]:
    rows = Thing.objects.filter(cloud=cloud, native_id__in={native_id for native_id, _, _ in wanted})
    return {key: row for row in rows if (key := (row.native_id, row.kind, row.holder_id)) in wanted}


def _in_other_hands(cloud: Cloud, target: Mapping[str, Thing]) -> list[Thing]:
    """Rows of the same things under holders they had before: the window is no longer theirs."""
    rows = Thing.objects.filter(cloud=cloud, native_id__in=target)
    return [row for row in rows if row.kind == target[row.native_id].kind and row.id != target[row.native_id].id]


# --- series -----------------------------------------------------------------------------------------------------


def _held(things: Mapping[int, Thing], meters: list[int], window: Cover) -> dict[Key, Series]:
    """What is held of these things and meters: pieces that touch the window, and all covers."""
    pieces: dict[Key, list[Piece]] = defaultdict(list)
    covers: dict[Key, list[Cover]] = defaultdict(list)
    rows = (
        Span.objects.filter(thing__in=things, meter__in=meters, end__gte=window.start, start__lte=window.end)
        .order_by("start")
        .values_list("thing_id", "meter_id", "start", "end", "quantity", "state", "accuracy", "reason", "delivery_id")
    )
    for thing, meter, start, end, quantity, state, accuracy, reason, delivery in rows.iterator(chunk_size=5000):
        pieces[thing, meter].append(Piece(start, end, quantity, state, Accuracy(accuracy), reason, delivery))
    observations = (
        Coverage.objects.filter(thing__in=things, meter__in=meters)
        .order_by("start")
        .values_list("thing_id", "meter_id", "start", "end", "observed")
    )
    for thing, meter, start, end, observed in observations.iterator(chunk_size=5000):
        covers[thing, meter].append(Cover(start, end, observed))
    return {
        key: Series(tuple(pieces.get(key, ())), tuple(covers.get(key, ()))) for key in pieces.keys() | covers.keys()
    }


_SPAN = ("thing", "meter", "start", "end", "quantity", "state", "accuracy", "reason", "delivery")
_COVERAGE = ("thing", "meter", "start", "end", "observed")
_SERIES = ("thing", "meter", "start")


def _write_spans(changed: Mapping[Key, tuple[Series, Series]]) -> set[Key]:
    """Write what differs; the series whose amounts or times changed (a newer origin alone is no change)."""
    gone: list[tuple[int, int, int]] = []
    fresh: list[Row] = []
    touched: set[Key] = set()
    for (thing, meter), (old, new) in changed.items():
        before = {piece.start: piece for piece in old.pieces}
        after = {piece.start: piece for piece in new.pieces}
        gone += [(thing, meter, start) for start in before.keys() - after.keys()]
        fresh += [
            (thing, meter, *_bare(piece), piece.delivery) for piece in new.pieces if before.get(piece.start) != piece
        ]
        if [_bare(piece) for piece in old.pieces] != [_bare(piece) for piece in new.pieces]:
            touched.add((thing, meter))
    delete_series(Span, gone)
    upsert(Span, _SPAN, fresh, unique=_SERIES)
    return touched


def _bare(piece: Piece) -> tuple[int, int, int, str, str, str]:
    """Its columns but the delivery, in the order of _SPAN."""
    return (piece.start, piece.end, piece.quantity, piece.state, piece.accuracy.value, piece.reason)


def _write_covers(changed: Mapping[Key, tuple[Series, Series]]) -> None:
    gone: list[tuple[int, int, int]] = []
    fresh: list[Row] = []
    for (thing, meter), (old, new) in changed.items():
        before = {cover.start: cover for cover in old.covers}
        gone += [(thing, meter, start) for start in before.keys() - {cover.start for cover in new.covers}]
        fresh += [
            (thing, meter, cover.start, cover.end, cover.observed)
            for cover in new.covers
            if before.get(cover.start) != cover
        ]
    delete_series(Coverage, gone)
    upsert(Coverage, _COVERAGE, fresh, unique=_SERIES)
