"""Everybody on every page and endpoint: the table of the whole site, and no address without a row."""

from __future__ import annotations

import logging
from collections.abc import Iterator
from typing import Any

import pytest
from django.db import transaction

from tenancy import clouds
from tests.access_table import LEFT_OUT, ROWS
from tests.support.access import OPERATOR, PEOPLE, World, answered, emulated, seams, url_names, world_make

# Also what makes pytest-django create the database for the module's own fixture.
pytestmark = pytest.mark.django_db

CASES = [(row, method) for row in ROWS for method in row.methods]


@pytest.fixture(scope="module")
def built(django_db_setup: None, django_db_blocker: Any) -> Iterator[World]:
    """One world for the module: every request rolls back what it changed."""
    with django_db_blocker.unblock(), transaction.atomic():
        with seams():
            made = world_make()
        yield made
        transaction.set_rollback(True)


@pytest.fixture
def world(built: World, caplog: pytest.LogCaptureFixture) -> Iterator[World]:
    caplog.set_level(logging.CRITICAL)
    # Each test has encryption keys and a clock of its own.
    built.cloud.credential = clouds.seal(emulated().settings())
    built.cloud.save(update_fields=("credential",))
    with seams():
        yield built


@pytest.mark.parametrize(("row", "method"), CASES, ids=[f"{row.name} {method}" for row, method in CASES])
def test_everybody_is_answered_as_the_table_says(world, row, method):
    said = row.methods[method]
    assert {who: answered(row, world, method, who) for who in said} == said


def test_every_address_has_one_row_and_no_row_is_without_its_address():
    names = [row.name for row in ROWS]
    assert sorted(names) == sorted(set(names))
    assert set(names) == url_names(LEFT_OUT)


def test_every_row_says_something_of_everybody():
    for row in ROWS:
        assert row.methods, row.name
        assert row.why or all(set(said) == set(PEOPLE) for said in row.methods.values()), row.name


def test_a_method_that_no_row_names_is_refused(world):
    """To an operator, who is refused nothing else; a session may not even ask about the token it does not use."""
    answers = {
        (row.name, method): answered(row, world, method, OPERATOR)
        for row in ROWS
        for method in {"GET", "POST"} - set(row.methods)
    }
    assert answers.pop(("api-token-current", "GET")) == answers.pop(("api-token-current", "POST")) == 401
    assert {key: status for key, status in answers.items() if status != 405} == {}
