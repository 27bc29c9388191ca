"""How amounts, times and ages are said; what is not known has a word and is never zero."""

import datetime as dt
from dataclasses import dataclass
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from portal import wording

NOW = dt.datetime(2026, 11, 20, 9, 42, 30, tzinfo=dt.UTC)


@dataclass(frozen=True)
class Unit:
    symbol: str
    base: int


VCPU, GIB = Unit("vCPU", 1000), Unit("GiB", 1024)


@pytest.mark.parametrize(
    ("value", "unit", "said"),
    [
        (None, VCPU, "unknown"),
        (0, VCPU, "0"),
        (-1, VCPU, "no limit"),
        (500, VCPU, "0.5"),
        (97_000, VCPU, "97"),
        (2048 * 1024, GIB, "2,048"),
        (1536, GIB, "1.5"),
        (1, GIB, "0"),
    ],
)
def test_an_amount_is_said_in_its_unit(value: int | None, unit: Unit, said: str) -> None:
    assert wording.amount(value, unit) == said


@given(st.integers(min_value=0, max_value=2**62))
def test_a_whole_number_of_units_is_said_without_loss(count: int) -> None:
    assert wording.amount(count * GIB.base, GIB).replace(",", "") == str(count)


@pytest.mark.parametrize(
    ("value", "said"),
    [(None, "unknown"), (1204, "1,204"), (Decimal("2.50"), "2.5"), (-3, "\N{MINUS SIGN}3"), (Decimal("-0.001"), "0")],
)
def test_a_figure(value: Decimal | int | None, said: str) -> None:
    assert wording.figure(value) == said


def test_money_keeps_two_decimals_and_a_real_minus() -> None:
    assert wording.money(Decimal("1204.5")) == "€1,204.50"
    assert wording.money(Decimal("-3.2")) == "\N{MINUS SIGN}€3.20"
    assert wording.money(None) == "unknown"


@pytest.mark.parametrize(
    ("length", "said"),
    [
        ({"seconds": 1}, "just now"),
        ({"seconds": -48}, "48 seconds ago"),
        ({"minutes": -1}, "1 minute ago"),
        ({"hours": -3, "minutes": -59}, "3 hours ago"),
        ({"days": 12}, "in 12 days"),
    ],
)
def test_an_age_is_said_in_its_largest_unit(length: dict[str, int], said: str) -> None:
    assert wording.age(NOW + dt.timedelta(**length), now=NOW) == said


def test_what_was_never_read_has_no_age() -> None:
    assert wording.age(None, now=NOW) == wording.moment(None, now=NOW) == wording.day(None) == "unknown"


@pytest.mark.parametrize(
    ("moment", "said"),
    [
        (NOW - dt.timedelta(minutes=6), "09:36"),
        (NOW - dt.timedelta(days=2), "18 Nov 09:42"),
        (NOW - dt.timedelta(days=365), "20 Nov 2025 09:42"),
        (dt.datetime(2026, 11, 20, 1, 30, tzinfo=dt.timezone(dt.timedelta(hours=2))), "19 Nov 23:30"),
    ],
)
def test_a_moment_is_said_in_utc_and_no_longer_than_needed(moment: dt.datetime, said: str) -> None:
    assert wording.moment(moment, now=NOW) == said


def test_a_day_is_the_day_in_utc() -> None:
    assert wording.day(dt.date(2026, 12, 2)) == "2 Dec 2026"
    assert wording.day(dt.datetime(2026, 12, 2, 1, tzinfo=dt.timezone(dt.timedelta(hours=2)))) == "1 Dec 2026"
