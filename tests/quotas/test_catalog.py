"""Amounts: exact in both directions, loud at the bounds; zero and no limit are told apart."""

from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from connectors.types import UNLIMITED
from quotas import catalog
from quotas.catalog import METERS, RESOURCES, AmountError, amount_format, amount_parse, amount_say


@st.composite
def resources_with_amounts(draw):
    resource = draw(st.sampled_from(list(RESOURCES.values())))
    steps = draw(st.integers(resource.minimum // resource.step, resource.maximum // resource.step))
    return resource, steps * resource.step


@given(resources_with_amounts())
def test_an_amount_is_read_back_exactly_as_it_was_shown(case):
    resource, amount = case
    assert amount_parse(resource, amount_format(resource, amount)) == amount


@given(st.sampled_from(list(RESOURCES.values())), st.integers(0, 2**53))
def test_any_number_of_base_units_is_shown_without_rounding(resource, amount):
    shown = Decimal(amount_format(resource, amount).replace(",", ""))
    assert shown * resource.unit.base == amount


@pytest.mark.parametrize(
    ("key", "text", "amount"),
    [
        ("compute.vcpu", "8", 8000),
        ("compute.vcpu", "1,024", 1_024_000),
        ("compute.memory", "2.5", 2560),
        ("compute.memory", Decimal("0.25"), 256),
        ("compute.memory", 4, 4096),
        ("storage.volume", " 100 ", 102_400),
        ("network.floating_ips", "0", 0),
    ],
)
def test_what_people_write(key, text, amount):
    assert amount_parse(RESOURCES[key], text) == amount


@pytest.mark.parametrize(
    ("key", "text", "says"),
    [
        ("compute.vcpu", "", "not an amount"),
        ("compute.vcpu", "eight", "not an amount"),
        ("compute.vcpu", "-3", "not an amount"),
        ("compute.vcpu", "1e3", "not an amount"),
        ("compute.vcpu", "1,2", "not an amount"),
        ("compute.vcpu", "NaN", "not an amount"),
        ("compute.vcpu", "½", "not an amount"),
        ("compute.vcpu", "٣", "not an amount"),
        ("compute.vcpu", "2049", "between 0 and 2,048 vCPU"),
        ("compute.vcpu", "1.5", "steps of 1 vCPU"),
        ("compute.memory", "0.1", "steps of 0.25 GiB"),
        ("compute.memory", "9" * 60, "between 0 and 16,384 GiB"),
        ("network.routers", "101", "between 0 and 100"),
        ("compute.vcpu", "no limit", "cannot be asked for"),
        ("compute.vcpu", -1, "cannot be asked for"),
    ],
)
def test_what_is_refused_and_why(key, text, says):
    with pytest.raises(AmountError) as refusal:
        amount_parse(RESOURCES[key], text)
    assert says in refusal.value.message
    assert refusal.value.remedy


def test_no_limit_is_not_zero():
    resource = RESOURCES["compute.vcpu"]
    assert amount_parse(resource, "no limit", unlimited=True) == UNLIMITED
    assert amount_parse(resource, "-1", unlimited=True) == UNLIMITED
    assert amount_say(resource, UNLIMITED) == "no limit"
    assert amount_say(resource, 0) == "0 vCPU"


def test_an_unknown_resource_is_refused_by_name():
    with pytest.raises(AmountError, match=r"no resource “gpu\.a100”"):
        catalog.resource("gpu.a100")


def test_every_default_and_bound_is_a_whole_number_of_steps():
    for each in RESOURCES.values():
        assert each.minimum <= each.default <= each.maximum
        for amount in (each.minimum, each.default, each.maximum):
            assert catalog.amount_check(each, amount) == amount


def test_meters_turn_base_units_and_seconds_into_hours():
    # 4 vCPU for half an hour
    assert Decimal(4000 * 1800) / METERS["compute.vcpu"].factor == 2
    assert METERS["storage.volume"].time_unit.symbol == "GiB-hours"
    # 100 GiB for a day
    assert Decimal(102_400 * 86_400) / METERS["storage.volume"].factor == 2400
