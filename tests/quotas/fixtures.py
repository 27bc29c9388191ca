"""Fixtures that the tests of quotas and onboarding share."""

import pytest

from connectors import registry
from tests.quotas import kinds
from tests.quotas.world import NOW, at, cloud_make, tenancy_make, world_make


@pytest.fixture(autouse=True)
def made_up_kinds(monkeypatch):
    monkeypatch.setattr(registry, "kinds", lambda: {kinds.ALL.kind: kinds.ALL, kinds.DISKS.kind: kinds.DISKS})


@pytest.fixture(autouse=True)
def noon():
    at(NOW)


@pytest.fixture
def world(db):
    return world_make()


@pytest.fixture
def north(db):
    return cloud_make("north")


@pytest.fixture
def lake(db):
    return cloud_make("lake", "disks", color=2)


@pytest.fixture
def tenancy(world, north):
    return tenancy_make(world.project, north)
