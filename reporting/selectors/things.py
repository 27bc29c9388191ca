"""What the ledger last held of the things of a cloud: told to a connector when it collects."""

from __future__ import annotations

from dataclasses import dataclass, field

from connectors.types import Accuracy, KnownThing
from reporting.models import Span
from tenancy.models import Cloud


@dataclass(slots=True)
class _Last:
    kind: str
    tenancy: str
    state: str
    until: int
    quantities: dict[str, int] = field(default_factory=dict)
    guessed: dict[str, bool] = field(default_factory=dict)


def known_things(cloud: Cloud, start: int, end: int) -> dict[str, KnownThing]:
    """Things with usage at or after ``start`` and before ``end`` (epoch seconds), by native id.

    Quantities and state are those at ``start`` (or the first after it); ``until`` is the end of the last span.
    ``accuracy`` says whether a quantity was estimated, so that it is never told as exact later.
    """
    rows = (
        Span.objects.filter(thing__cloud=cloud, end__gte=start, start__lt=end)
        .order_by("start", "end")
        .values_list(
            "thing__native_id",
            "thing__kind",
            "thing__holder__native_id",
            "meter__key",
            "start",
            "end",
            "quantity",
            "state",
            "accuracy",
        )
    )
    found: dict[str, _Last] = {}
    for native_id, kind, tenancy, meter, begin, stop, quantity, state, accuracy in rows.iterator(chunk_size=5000):
        last = found.setdefault(native_id, _Last(kind, tenancy, state, stop))
        if begin <= start or meter not in last.quantities:
            last.quantities[meter] = quantity
            last.guessed[meter] = accuracy == Accuracy.ESTIMATED
        if begin <= start:
            last.state = state
        if stop > last.until:
            last.until, last.tenancy = stop, tenancy
    return {
        native_id: KnownThing(
            native_id,
            last.kind,
            last.tenancy,
            last.state,
            last.until,
            last.quantities,
            Accuracy.ESTIMATED if any(last.guessed.values()) else Accuracy.EXACT,
        )
        for native_id, last in found.items()
    }
