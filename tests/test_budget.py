"""Queries a page: at most 12 on lists and parts, 25 on a whole page, and as many at 2,000 projects as at 20."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from django.core.cache import cache
from django.db import transaction

from tests.access_table import ROWS
from tests.support.access import MEMBER, OPERATOR, OWNER, Row, World, seams, world_make
from tests.support.budget import LARGE, SMALL, grow, queries

# Also what makes pytest-django create the database for the module's own fixture.
pytestmark = pytest.mark.django_db

PAGES = [row for row in ROWS if "GET" in row.methods and not row.why]


def readers(row: Row) -> list[str]:
    """Those who see most: an operator, and an owner or the one member of whom the page speaks."""
    return [who for who in (OPERATOR, OWNER, MEMBER) if row.methods["GET"][who] == 200]


def counted(world: World) -> dict[tuple[str, str], int]:
    found = {}
    for row in PAGES:
        # The API's throttle keeps its counts there, and has nothing to say here.
        cache.clear()
        for who in readers(row):
            found[row.name, who] = len(queries(row, world, who))
    return found


@pytest.fixture(scope="module")
def figures(django_db_setup: None, django_db_blocker: Any) -> Iterator[tuple[Any, Any]]:
    """Queries of every page at both sizes."""
    with django_db_blocker.unblock(), transaction.atomic(), seams():
        world = world_make()
        grow(world, SMALL)
        small = counted(world)
        grow(world, LARGE)
        yield small, counted(world)
        transaction.set_rollback(True)


def test_every_page_has_a_budget():
    assert [row.name for row in PAGES if row.budget is None] == []


def test_a_page_asks_as_often_at_2000_projects_and_500_members_as_at_20_and_5(figures):
    small, large = figures
    assert {key: (small[key], large[key]) for key in small if small[key] != large[key]} == {}


def test_no_page_is_over_its_budget(figures):
    _, large = figures
    budgets = {row.name: row.budget for row in PAGES}
    assert {key: count for key, count in large.items() if count > (budgets[key[0]] or 0)} == {}
