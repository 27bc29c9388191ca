"""A small world for reporting: two clouds, two projects of two institutions, one of everybody."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytest

from config import clock
from reporting.services import collection
from tenancy.models import Cloud
from tests.reporting.worlds import NOW, Scripted, World, world_make


@pytest.fixture(autouse=True)
def _now() -> None:
    clock.set_source(lambda: NOW)


@pytest.fixture
def world(db: None) -> World:
    return world_make()


@pytest.fixture
def scripted(monkeypatch: pytest.MonkeyPatch) -> Scripted:
    """Put in place of every cloud behind ``tenancy.clouds.connect``."""
    connector = Scripted()

    @contextmanager
    def connect(cloud: Cloud, **_: Any) -> Iterator[Scripted]:
        yield connector

    monkeypatch.setattr(collection, "connect", connect)
    return connector
