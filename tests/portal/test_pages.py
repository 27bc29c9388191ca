"""Home, the list of projects, a project and the search, as each person sees them."""

import pytest
from django.test import Client

from connectors import registry
from events.services import record
from events.verbs import Verb
from tenancy.models import Condition, Membership, PlanLine, Project, SiteSwitch
from tests.quotas import kinds
from tests.quotas.world import NOW, World, at, cloud_make, days, project_make, reading_make, tenancy_make, world_make

pytestmark = pytest.mark.django_db

ADDRESSES = ("/", "/projects/", "/projects/kelp/", "/search?q=kelp")
"""Pages of the portal; `kelp` is the slug of the world's project."""


@pytest.fixture(autouse=True)
def _made_up_kinds(monkeypatch):
    monkeypatch.setattr(registry, "kinds", lambda: {kinds.ALL.kind: kinds.ALL, kinds.DISKS.kind: kinds.DISKS})
    at(NOW)


@pytest.fixture
def world() -> World:
    return world_make()


@pytest.fixture
def show(world, client: Client):
    def fetch(name: str, address: str) -> str:
        client.force_login(world.fresh(name))
        answer = client.get(address)
        assert answer.status_code == 200, answer.status_code
        return answer.content.decode()

    return fetch


@pytest.mark.parametrize("address", ADDRESSES)
@pytest.mark.parametrize("name", ["owner", "manager", "member", "viewer", "operator", "reviewer", "finance"])
def test_it_shows(show, name, address):
    show(name, address)
