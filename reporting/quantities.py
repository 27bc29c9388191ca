"""Quantities over time in the units of the catalog. Pure; integers until the one rounding for display.

The ledger counts base units x seconds. For people that is divided by the meter's time unit (GiB-hours: MiB x seconds /
3,686,400) and rounded once, half to even, to PLACES decimals. A total is rounded from the exact sum, so it may differ
in the last digit from the sum of rounded lines.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal
from fractions import Fraction

from quotas.catalog import HOUR, METERS, Meter, Unit

PLACES = 2


def meter_of(key: str) -> Meter:
    """The catalog's meter; one that the catalog does not have is counted in plain units, under its own key."""
    return METERS.get(key) or Meter(
        key, key, Unit("units", 1), Unit("unit-hours", HOUR), "Not in the catalog.", billable=False
    )


def rounded(quantity: int, base: int) -> Decimal:
    """``quantity / base`` to PLACES decimals, half to even."""
    return Decimal(round(Fraction(quantity * 10**PLACES, base))).scaleb(-PLACES)


def figure(value: Decimal) -> str:
    """1,204 or 2.5: thousands separated, trailing zeros left out."""
    text = f"{value:,f}"
    return text.rstrip("0").rstrip(".") if "." in text else text


@dataclass(frozen=True, slots=True)
class Amount:
    """What was used of a meter, in base units x seconds; ``sampled`` and ``estimated`` are contained in ``whole``."""

    meter: Meter
    whole: int = 0
    sampled: int = 0
    estimated: int = 0

    def __add__(self, other: Amount) -> Amount:
        return Amount(
            self.meter, self.whole + other.whole, self.sampled + other.sampled, self.estimated + other.estimated
        )

    @property
    def exact(self) -> int:
        return self.whole - self.sampled - self.estimated

    @property
    def hours(self) -> Decimal:
        """In the meter's time unit, rounded for display."""
        return rounded(self.whole, self.meter.time_unit.base)

    @property
    def text(self) -> str:
        return figure(self.hours)

    @property
    def unit(self) -> str:
        return self.meter.time_unit.symbol

    @property
    def known(self) -> str:
        """exact, sampled or estimated: how well the worst part of it is known."""
        return "estimated" if self.estimated else "sampled" if self.sampled else "exact"

    @property
    def known_text(self) -> str:
        """ "exact", "sampled", "12 % sampled, 3 % estimated": how well the parts are known."""
        parts = [
            name if part == self.whole else f"{self.share(part)} {name}"
            for part, name in ((self.sampled, "sampled"), (self.estimated, "estimated"))
            if part
        ]
        return ", ".join(parts) or "exact"

    def share(self, part: int) -> str:
        """A part of the whole in per cent, for people: "12 %", "< 1 %"; empty if there is none."""
        if not part or not self.whole:
            return ""
        percent = round(Fraction(part * 100, self.whole))
        return f"{percent} %" if percent else "< 1 %"


def in_catalog_order(amounts: Mapping[str, Amount]) -> list[Amount]:
    """Meters as the catalog lists them, those it does not have at the end, by key."""
    order = {key: place for place, key in enumerate(METERS)}
    return [amounts[key] for key in sorted(amounts, key=lambda key: (order.get(key, len(order)), key))]


def change(now: int, before: int) -> str:
    """Against the month before: "+4 %", "-8 %" with a true minus, "new"; empty if there is nothing to compare."""
    if not before:
        return "new" if now else ""
    percent = round(Fraction((now - before) * 100, before))
    return f"{percent:+d} %".replace("-", "\N{MINUS SIGN}")
