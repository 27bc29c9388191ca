"""Meters and charts as text: nothing leaves its box, what is not known is striped, and every name is escaped."""

import re
from decimal import Decimal
from xml.etree import ElementTree as ET

import pytest
from hypothesis import given
from hypothesis import strategies as st

from portal import drawing
from portal.drawing import Chart, Series, Share

AMOUNT = st.integers(min_value=0, max_value=2**62)
SHARE = st.builds(Share, colour=st.integers(1, 9), limit=AMOUNT, used=st.none() | AMOUNT)
VALUE = st.none() | st.decimals(min_value=0, max_value=10**9, places=3)


def bars(svg: str) -> list[tuple[str, float, float]]:
    """(class, left, width) of the rectangles of a meter."""
    return [(bar.get("class", ""), float(bar.get("x", 0)), float(bar.get("width", 0))) for bar in ET.fromstring(svg)]


@pytest.mark.parametrize(
    ("used", "limit", "level"),
    [
        (None, 10, "none"),
        (5, None, "none"),
        (0, 0, "ok"),
        (1, 0, "over"),
        (89, 100, "ok"),
        (90, 100, "near"),
        (100, 100, "near"),
        (101, 100, "over"),
        (10**9, -1, "ok"),
    ],
)
def test_the_level_of_use(used: int | None, limit: int | None, level: str) -> None:
    assert drawing.level(used, limit) == level


def test_an_unknown_use_is_striped_and_has_no_bar() -> None:
    svg = drawing.meter(None, 4)
    assert 'class="meter none"' in svg
    assert bars(svg) == []


def test_over_the_limit_the_bar_is_full_and_a_tick_marks_the_limit() -> None:
    use, tick = bars(drawing.meter(2100, 2000))
    assert use == ("use", 0.0, 100.0)
    assert tick == ("tick", 95.2, 1.0)


@given(AMOUNT, AMOUNT)
def test_a_meter_stays_in_its_box(used: int, limit: int) -> None:
    assert all(0 <= left <= 100 and 0 <= width <= 100 for _, left, width in bars(drawing.meter(used, limit)))


@given(AMOUNT, st.lists(SHARE, max_size=6))
def test_a_division_stays_in_its_box_and_never_shows_more_use_than_limit(promise: int, shares: list[Share]) -> None:
    drawn = bars(drawing.division(promise, shares))
    assert all(left >= 0 and width >= 0 and left + width <= 100.01 for _, left, width in drawn)
    if drawn:
        assert [kind for kind, _, _ in drawn].count("unknown") == sum(share.used is None for share in shares)


def test_a_share_that_is_not_known_is_striped_where_it_lies() -> None:
    first, *_ = bars(drawing.division(100, [Share(1, 50, None), Share(2, 50, 10)]))
    assert first == ("unknown", 0.0, 49.6)


@given(st.lists(VALUE, max_size=31), st.lists(VALUE, max_size=31))
def test_a_chart_is_as_high_as_its_scale_at_most(one: list[Decimal | None], two: list[Decimal | None]) -> None:
    labels = [str(n) for n in range(31)]
    chart = Chart("c", "Sample", "vCPU h", labels, [Series("north", 1, one), Series("prod", 2, two)])
    svg = re.search("<svg.*</svg>", drawing.bars(chart))
    assert svg is not None
    for block in ET.fromstring(svg.group()).iter("rect"):
        assert -0.1 <= float(block.get("y", 0)) <= 200
        assert float(block.get("y", 0)) + float(block.get("height", 0)) <= 200.1


def test_a_slot_with_an_unknown_part_has_no_total_and_is_grey() -> None:
    chart = Chart("c", "Sample", "h", ["1", "2", "3"], [Series("north", 1, [4, None]), Series("prod", 2, [1, 2])])
    assert [total for _, _, total in chart.rows()] == ["5", "unknown"]
    assert chart.unknown() == [1]
    assert drawing.bars(chart).count('class="gap"') == 1
    assert "<title>2: unknown</title>" in drawing.bars(chart)


def test_estimated_values_are_marked_for_the_eye_the_table_and_the_script() -> None:
    chart = Chart("c", "Sample", "h", ["1", "2"], [Series("north", 1, [4, 3], frozenset({1}))])
    assert drawing.bars(chart).count('class="est"') == 1
    assert [cells for _, cells, _ in chart.rows()] == [[("4", "", False)], [("3", "", True)]]
    assert chart.data()["series"] == [{"label": "north", "colour": 1, "values": [4.0, 3.0], "estimated": [1]}]


def test_names_are_escaped() -> None:
    chart = Chart("c", '"><script>', "<b>", ["<i>"], [Series("<u>", 1, [1])])
    drawn = drawing.bars(chart)
    assert not re.search(r"<(script|b|i|u)>", drawn)
    assert "&lt;i&gt;: 1 &lt;b&gt;" in drawn


def test_a_cloud_has_one_of_the_colours_of_the_stylesheet() -> None:
    assert [drawing.colour_number(n) for n in (1, 2, 3, 4)] == [1, 2, 3, 1]
