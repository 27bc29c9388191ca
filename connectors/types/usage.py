"""What was used: things, spans, deliveries."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from types import MappingProxyType

from connectors.errors import ErrorInfo


class Accuracy(StrEnum):
    """EXACT: from life times the cloud remembers. SAMPLED: seen every so often. ESTIMATED: filled, with a reason."""

    EXACT = "exact"
    SAMPLED = "sampled"
    ESTIMATED = "estimated"


@dataclass(frozen=True, slots=True)
class Meter:
    """What is measured of which kind of thing, and how well."""

    key: str
    source: str
    thing_kind: str
    accuracy: Accuracy


@dataclass(frozen=True, slots=True)
class UsageSpan:
    """This thing had this quantity in this state from ``start`` to ``end`` (epoch seconds, half-open)."""

    thing: str
    meter: str
    quantity: int
    state: str
    start: int
    end: int
    accuracy: Accuracy
    reason: str = ""


@dataclass(frozen=True, slots=True)
class Thing:
    """What a span is about: a server, a volume. ``born`` is the cloud's creation time, epoch seconds."""

    native_id: str
    kind: str
    tenancy: str
    name: str = ""
    detail: str = ""
    born: int | None = None


@dataclass(frozen=True, slots=True)
class KnownThing:
    """What the ledger holds of a thing: quantity a meter and state at the start of what is collected.

    ``until`` is the end of its last span (epoch seconds); ``accuracy`` that of the quantities.
    """

    native_id: str
    kind: str
    tenancy: str
    state: str
    until: int
    quantities: Mapping[str, int] = field(default_factory=lambda: MappingProxyType({}))
    accuracy: Accuracy = Accuracy.EXACT


@dataclass(frozen=True, slots=True)
class Delivery:
    """What one source says about some things in [start, end): it replaces what the ledger holds there.

    ``things`` are all that it speaks of, with or without spans: a thing without a span used nothing.
    """

    source: str
    meters: tuple[str, ...]
    start: int
    end: int
    observed_at: datetime
    things: tuple[Thing, ...]
    spans: tuple[UsageSpan, ...]


@dataclass(frozen=True, slots=True)
class SourceResult:
    """How the reading of one source ended, told after its last delivery."""

    source: str
    complete: bool
    things: int
    error: ErrorInfo | None = None


Deliveries = Iterable["Delivery | SourceResult"]
