"""Months, units and the one rounding."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from decimal import Decimal
from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from quotas.catalog import METERS
from reporting.months import Month, months_back
from reporting.quantities import Amount, change, figure, in_catalog_order, meter_of, rounded


@given(st.integers(1, 9998), st.integers(1, 12))
def test_months_follow_each_other_without_gap_or_overlap(year, number):
    month = Month(year, number)
    days = month.days()

    assert Month.parse(month.key) == month
    assert month.end - month.start == len(days) * 86_400
    assert (days[0].day, days[-1] + timedelta(days=1)) == (1, datetime.fromtimestamp(month.end, UTC).date())
    if (year, number) > (1, 1):
        assert month.before().end == month.start
        assert month.before() < month


@pytest.mark.parametrize(
    "text", ["", "2026", "2026-1", "2026-00", "2026-13", "2026-11-01", "٢٠٢٦-11", "0000-05", " 2026-11"]
)
def test_what_is_no_month_is_refused_in_words(text):
    with pytest.raises(ValueError, match="is no month; write it as 2026-11"):
        Month.parse(text)


def test_a_leap_february_has_29_days():
    assert len(Month(2028, 2).days()) == 29
    assert len(Month(2100, 2).days()) == 28


def test_a_month_is_that_of_utc():
    assert Month.of(datetime.fromisoformat("2026-12-01T00:30:00+01:00")) == Month(2026, 11)


def test_months_back_are_newest_first():
    assert [month.key for month in months_back(Month(2027, 1), Month(2026, 11))] == ["2027-01", "2026-12", "2026-11"]
    assert months_back(Month(2026, 1), Month(2026, 5)) == [Month(2026, 1)]


@given(st.integers(0, 2**80), st.sampled_from([3600, 3_600_000, 3_686_400]))
def test_rounding_is_half_even_and_never_off_by_more_than_half_a_cent(quantity, base):
    value = rounded(quantity, base)

    assert abs(Fraction(value) - Fraction(quantity, base)) <= Fraction(1, 200)
    assert value.as_tuple().exponent == -2


@pytest.mark.parametrize(
    ("quantity", "shown"),
    [(0, "0"), (18, "0"), (54, "0.02"), (3600, "1"), (3_600_000, "1,000"), (4_500_000, "1,250"), (8_550, "2.38")],
)
def test_figures_have_no_needless_zeros(quantity, shown):
    assert figure(rounded(quantity, 3600)) == shown


def test_a_vcpu_hour_is_a_thousand_milli_vcpus_for_an_hour():
    assert Amount(meter_of("compute.vcpu"), 2500 * 3600).hours == Decimal("2.50")
    assert Amount(meter_of("storage.volume"), 10 * 1024 * 3600 * 24).text == "240"
    assert Amount(meter_of("network.floating_ip"), 3600).unit == "address-hours"


def test_a_meter_the_catalog_lacks_is_shown_under_its_own_key():
    amounts = {key: Amount(meter_of(key), 7200) for key in ("z.new", "storage.volume", "a.new", "compute.vcpu")}

    assert [each.meter.key for each in in_catalog_order(amounts)] == [
        "compute.vcpu",
        "storage.volume",
        "a.new",
        "z.new",
    ]
    assert (amounts["z.new"].meter.label, amounts["z.new"].text, amounts["z.new"].unit) == ("z.new", "2", "unit-hours")


def test_the_worst_part_names_how_well_an_amount_is_known():
    meter = METERS["compute.vcpu"]

    assert Amount(meter, 10).known == "exact"
    assert Amount(meter, 10, sampled=1).known == "sampled"
    assert Amount(meter, 10, sampled=5, estimated=1).known == "estimated"
    assert Amount(meter, 10, 5, 1).exact == 4
    assert Amount(meter, 1000).share(1) == "< 1 %"
    assert Amount(meter, 0).share(0) == ""


def test_change_is_said_in_per_cent():
    assert [change(104, 100), change(92, 100), change(5, 0), change(0, 0), change(0, 10)] == [
        "+4 %", "\N{MINUS SIGN}8 %", "new", "", "\N{MINUS SIGN}100 %",
    ]  # fmt: skip
