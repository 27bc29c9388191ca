"""How amounts, times and ages are said on pages. Pure: the moment of comparison is an argument, aware UTC.

An absent value is always said as "unknown"; zero and "no limit" have words of their own.
"""

from __future__ import annotations

import datetime as dt
from decimal import ROUND_HALF_EVEN, Decimal
from typing import Protocol

UNKNOWN = "unknown"
NO_LIMIT = -1
_MINUS = "\N{MINUS SIGN}"
_STEPS = ((86_400, "day"), (3_600, "hour"), (60, "minute"), (1, "second"))


class Unit(Protocol):
    """A unit to show amounts in: so many base units (milli-vCPU, MiB, ...) make one of `symbol`."""

    @property
    def symbol(self) -> str: ...

    @property
    def base(self) -> int: ...


def figure(value: Decimal | int | float | None, *, places: int = 2) -> str:
    """Thousands separated, at most `places` decimals, trailing zeros left out: 1,204 or 2.5; None is "unknown"."""
    if value is None:
        return UNKNOWN
    step = Decimal(1).scaleb(-places)
    rounded = Decimal(str(value)).quantize(step, rounding=ROUND_HALF_EVEN)
    text = f"{rounded:,f}"
    if "." in text:
        text = text.rstrip("0").rstrip(".")
    return "0" if text == "-0" else text.replace("-", _MINUS)


def amount(value: int | None, unit: Unit) -> str:
    """An amount in base units, said in `unit` without its symbol; -1, the clouds' word for it, is "no limit"."""
    if value is None:
        return UNKNOWN
    if value == NO_LIMIT:
        return "no limit"
    return figure(Decimal(value) / unit.base)


def money(value: Decimal | None, currency: str = "€") -> str:
    """An amount of money with two decimals; rounding to the bill is done elsewhere, by a declared rule."""
    if value is None:
        return UNKNOWN
    text = f"{currency}{abs(value):,.2f}"
    return f"{_MINUS}{text}" if value < 0 else text


def span(length: dt.timedelta) -> str:
    """A length of time in its largest unit: "48 seconds", "3 hours", "12 days"."""
    seconds = int(abs(length.total_seconds()))
    for size, name in _STEPS:
        count = seconds // size
        if count:
            return f"{count} {name}" if count == 1 else f"{count} {name}s"
    return "0 seconds"


def age(when: dt.datetime | None, *, now: dt.datetime) -> str:
    """How far `when` is from now: "6 minutes ago", "in 12 days"; None, never read, is "unknown".

    Clocks differ by seconds, so what is less than a minute ahead is just now.
    """
    if when is None:
        return UNKNOWN
    if -dt.timedelta(seconds=2) < when - now < dt.timedelta(minutes=1):
        return "just now"
    return f"in {span(when - now)}" if when > now else f"{span(now - when)} ago"


def day(value: dt.date | dt.datetime | None) -> str:
    """A calendar day in UTC, "2 Dec 2026"."""
    if value is None:
        return UNKNOWN
    if isinstance(value, dt.datetime):
        value = value.astimezone(dt.UTC)
    return f"{value.day} {value:%b %Y}"


def moment(value: dt.datetime | None, *, now: dt.datetime) -> str:
    """A moment in UTC, no longer than needed: "09:36" today, "18 Nov 11:03" this year, else with its year."""
    if value is None:
        return UNKNOWN
    value, now = value.astimezone(dt.UTC), now.astimezone(dt.UTC)
    clock = f"{value:%H:%M}"
    if value.date() == now.date():
        return clock
    if value.year == now.year:
        return f"{value.day} {value:%b} {clock}"
    return f"{value.day} {value:%b %Y} {clock}"
