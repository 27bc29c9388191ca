"""Takes the pictures of docs/screenshots: `make screenshots`. No test: it is run when the looks have changed.

The demo's world, and then a busy hour: a member whose role a cloud is slow to accept, a limit changed by hand, an
import that no longer names twelve people.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Page

from onboarding.models import Request
from tenancy.loop import claims, survey
from tenancy.models import Membership, Project, Tenancy
from tenancy.services import member_add, members_import, person_create
from tenancy.services.members import ImportRow
from tests.flows.browser import Look
from tests.flows.world import World, demo_world

pytestmark = pytest.mark.django_db(transaction=True)

FOLDER = Path(__file__).parent.parent.parent / "docs" / "screenshots"
LARGEST = 300_000
"""Bytes a picture may have."""

WIDTH = 1260
"""The narrowest window that still has all columns."""

QUIET = (
    ("home", "owner", Look.LIGHT, "/"),
    ("today-dark", "operator", Look.DARK, "/"),
    ("request", "stranger", Look.LIGHT, "/requests/new"),
    ("queue", "reviewer", Look.LIGHT, "/requests/"),
    ("usage", "owner", Look.LIGHT, "/projects/coastal-genomics/usage/"),
    ("usage-site", "finance", Look.LIGHT, "/usage/"),
    ("report", "owner", Look.LIGHT, "/reports/{month}/coastal-genomics/"),
    ("styleguide", "operator", Look.LIGHT, "/styleguide/"),
)
BUSY = (
    ("project", "operator", Look.LIGHT, "/projects/coastal-genomics/"),
    ("project-dark", "operator", Look.DARK, "/projects/coastal-genomics/"),
    ("project-phone", "owner", Look.PHONE, "/projects/coastal-genomics/"),
    ("plan", "operator", Look.LIGHT, "/clouds/north/plan/"),
)
CUT_OFF = {"styleguide": 1600, "usage": 1200, "project": 1400, "project-dark": 1400, "project-phone": 2400}
"""Pages that go on and on are shown to this height."""


@pytest.fixture
def world(transactional_db: None, monkeypatch: pytest.MonkeyPatch, settings: Any) -> Iterator[World]:
    settings.DEMO = True
    settings.SITE_NAME = "Riverside Research Cloud"
    with demo_world(monkeypatch) as made:
        Request.objects.filter(title="Urban heat islands").update(created_at=made.emulated.now() - timedelta(days=3))
        yield made


def a_busy_hour(world: World) -> None:
    _import_forgets(world)
    _changed_by_hand(world)
    world.emulated.fault(service="identity", path="/roles/", method="PUT", status=503, message="The server is busy.")
    member_add(actor=world.who("owner"), project=world.project, person=world.who("stranger"), role="member")
    world.work()


def _import_forgets(world: World) -> None:
    """A course of thirty of which the next file names eighteen: the removals wait for a person."""
    project = Project.objects.get(title="Sea-ice model")
    people = [
        person_create(actor=None, username=f"s{n:02}", name=f"Student {n:02}", email=f"s{n:02}@lagoon.example")
        for n in range(30)
    ]
    rows = [ImportRow(project, person, Membership.Role.MEMBER) for person in people]
    members_import(actor=None, source="register", rows=rows)
    world.settle()
    members_import(actor=None, source="register", rows=rows[:18])
    world.work()


def _changed_by_hand(world: World) -> None:
    """Somebody raises a quota on the cloud; the next survey sees it."""
    tenancy = Tenancy.objects.get(project=world.project)
    body = {"quota_set": {"cores": 160}}
    world.emulated.request("PUT", f"/compute/v2.1/os-quota-sets/{tenancy.native_id}", body)
    survey.run(world.cloud.pk, claims.holder_name())


def take(page: Page, name: str, address: str) -> int:
    """Bytes of the picture."""
    page.goto(address)
    page.wait_for_load_state("networkidle")
    file = FOLDER / f"{name}.png"
    if name in CUT_OFF:
        width = page.viewport_size["width"] if page.viewport_size else WIDTH
        page.set_viewport_size({"width": width, "height": CUT_OFF[name]})
        page.screenshot(path=file, animations="disabled")
    else:
        page.screenshot(path=file, full_page=True, animations="disabled")
    return file.stat().st_size


def test_screenshots(world: World, page_of: Callable[..., Page]) -> None:
    FOLDER.mkdir(parents=True, exist_ok=True)
    month = f"{world.emulated.now():%Y-%m}"
    sizes = {}

    def look_at(who: str, look: Look) -> Page:
        return page_of(world.who(who), look, width=None if look is Look.PHONE else WIDTH)

    for name, who, look, address in QUIET:
        sizes[name] = take(look_at(who, look), name, address.format(month=month))
    a_busy_hour(world)
    for name, who, look, address in BUSY:
        sizes[name] = take(look_at(who, look), name, address)
    assert {name: size for name, size in sizes.items() if size > LARGEST} == {}
