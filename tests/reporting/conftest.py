"""A small world for reporting: two clouds, two projects of two institutions, one of everybody."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytest

from config import clock
from reporting.services import collection
from tenancy.models import Cloud, Institution, Membership, Person, SiteRole
from tests.reporting.worlds import NOW, Scripted, World, cloud_make, project_make


@pytest.fixture(autouse=True)
def _now() -> None:
    clock.set_source(lambda: NOW)


@pytest.fixture
def world(db: None) -> World:
    university = Institution.objects.create(name="University of Tartu", slug="tartu")
    hospital = Institution.objects.create(name="City Hospital", slug="hospital")
    cloud, second = cloud_make("north", "OpenStack north"), cloud_make("south", "OpenStack south")
    project, tenancy = project_make("genomics", "Coastal genomics", university, cloud)
    other, other_tenancy = project_make("imaging", "Imaging", hospital, cloud)
    people: dict[str, Person | None] = {"visitor": None}
    for role in ("viewer", "member", "manager", "owner"):
        people[role] = Person.objects.create_user(role, name=f"{role.title()} Person", email=f"{role}@example.org")
        Membership.objects.create(project=project, person=people[role], role=role)
    people["stranger"] = Person.objects.create_user("stranger", name="Stranger Person")
    Membership.objects.create(project=other, person=people["stranger"], role=Membership.Role.OWNER)
    for role in (SiteRole.Role.OPERATOR, SiteRole.Role.FINANCE, SiteRole.Role.REVIEWER):
        people[role.value] = Person.objects.create_user(role.value)
        SiteRole.objects.create(person=people[role.value], role=role)
    people["institution-admin"] = Person.objects.create_user("institution-admin")
    SiteRole.objects.create(
        person=people["institution-admin"], role=SiteRole.Role.INSTITUTION_ADMIN, institution=university
    )
    return World(cloud, second, project, other, tenancy, other_tenancy, people)


@pytest.fixture
def scripted(monkeypatch: pytest.MonkeyPatch) -> Iterator[Scripted]:
    """Put in place of every cloud behind ``tenancy.clouds.connect``."""
    connector = Scripted()

    @contextmanager
    def connect(cloud: Cloud, **_: Any) -> Iterator[Scripted]:
        yield connector

    monkeypatch.setattr(collection, "connect", connect)
    yield connector
