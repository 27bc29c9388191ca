"""From grants to limits: never more than promised, defaults without a grant, no limit told from zero."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from connectors.types import UNLIMITED
from quotas.division import divide, promise, undivided


def test_no_grant_is_not_a_grant_of_zero():
    assert promise([]) is None
    assert promise([0]) == 0
    assert promise([3, 4]) == 7
    assert promise([3, UNLIMITED]) == UNLIMITED


@pytest.mark.parametrize(
    ("promised", "shares", "limits"),
    [
        (None, {"a": None, "b": 5}, {"a": 10, "b": 10}),
        (0, {"a": None}, {"a": 0}),
        (64, {"a": None}, {"a": 64}),
        (64, {"a": 10}, {"a": 64}),
        (64, {"a": 40, "b": None}, {"a": 40, "b": 0}),
        (64, {"a": 40, "b": 24}, {"a": 40, "b": 24}),
        (32, {"a": 40, "b": 24}, {"a": 20, "b": 12}),
        (UNLIMITED, {"a": None, "b": 7}, {"a": UNLIMITED, "b": 7}),
        (64, {"a": UNLIMITED, "b": 0}, {"a": 64, "b": 0}),
    ],
)
def test_divide(promised, shares, limits):
    assert divide(promised, 10, 1, shares) == limits


@given(
    promised=st.integers(0, 10**9),
    step=st.sampled_from([1, 256, 1000]),
    shares=st.dictionaries(
        st.integers(), st.one_of(st.none(), st.just(UNLIMITED), st.integers(0, 10**9)), min_size=2, max_size=6
    ),
)
def test_several_tenancies_never_get_more_than_the_promise(promised, step, shares):
    limits = divide(promised, 10, step, shares)
    assert set(limits) == set(shares)
    assert all(amount >= 0 for amount in limits.values())
    left = undivided(promised, limits.values())
    assert left is not None
    assert left >= 0
