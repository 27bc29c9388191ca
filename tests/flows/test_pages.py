"""Every page of the site, from the table of its addresses: readable for everybody, in light, dark and phone width.

Opened with the demo's world, so that the tables are full. What must not happen on any page (a request to elsewhere, a
violation of the policy, a script error, an answer of 500) is watched by the fixture that makes the browser's pages.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import timedelta
from typing import Any

import pytest
from playwright.sync_api import Page

from config import clock
from onboarding.models import Request
from portal import demo
from quotas.models import Grant
from tenancy.models import Account, DriftLine, Institution, Membership, SiteRole
from tests.access_table import ROWS
from tests.flows.browser import Look, contrast, too_wide, violations
from tests.flows.world import PEOPLE, World, demo_world
from tests.support import access
from tests.support.access import INSTITUTION_ADMIN, OPERATOR, OWNER, REVIEWER, STRANGER, VIEWER, VISITOR, Row

pytestmark = [pytest.mark.browser, pytest.mark.slow, pytest.mark.django_db(transaction=True)]

MakePage = Callable[..., Page]

NO_PAGES = {
    "tenancy:entry_file": "a file to download",
    "tenancy:members_fragment": "a part of the project page",
    "api-docs": "the viewer of the schema is a library's own page",
}
EACH_SEES_ANOTHER = {
    "portal:home": (VISITOR, STRANGER, OWNER, REVIEWER, OPERATOR),
    "portal:project_detail": (VIEWER, OWNER, OPERATOR),
    "onboarding:request_list": (STRANGER, REVIEWER),
}
"""Pages that show different things to different people; the others are opened by one person."""

WIDTHS = (320, 390, 768, 1024, 1440)


def rows() -> Iterator[Row]:
    """Pages for people: no endpoint of the API, no part that a page asks for."""
    for row in ROWS:
        if "GET" in row.methods and not row.is_api and not row.headers and row.name not in NO_PAGES:
            yield row


def readers(row: Row) -> list[str]:
    """Who opens the page: an operator if they may, else the first who may; several where each sees another."""
    may = [who for who, status in row.methods["GET"].items() if status == 200]
    if row.name in EACH_SEES_ANOTHER:
        return [who for who in EACH_SEES_ANOTHER[row.name] if who in may]
    return [OPERATOR if OPERATOR in may else may[0]]


def in_the_table_s_words(world: World) -> access.World:
    """The demo's world as the rows of the table ask for it."""
    people = {role: world.who(role) for role in PEOPLE}
    people[INSTITUTION_ADMIN] = people[STRANGER]
    house = Institution.objects.get(slug="riverside")
    SiteRole.objects.create(person=people[STRANGER], role=SiteRole.Role.INSTITUTION_ADMIN, institution=house)
    project, cloud, now = world.project, world.cloud, clock.now()
    DriftLine.objects.create(
        cloud=cloud, kind="unmanaged", native_id="stray", object="stray", first_seen_at=now, last_seen_at=now
    )
    made = access.World(house, project, cloud, project.tenancies.get(), people)
    made.memberships = {each.role: each for each in Membership.objects.filter(project=project)}
    made.account = Account.objects.get(person=people["member"], cloud=cloud)
    made.grant = Grant.objects.filter(project=project).first()
    made.request = Request.objects.waiting().get(project=project)
    return made


@pytest.fixture
def world(transactional_db: None, monkeypatch: pytest.MonkeyPatch, settings: Any) -> Iterator[access.World]:
    settings.DEMO = True
    monkeypatch.setattr(demo, "BACK", timedelta(days=12))
    with demo_world(monkeypatch, projects=4, servers=8, volumes=6) as made:
        yield in_the_table_s_words(made)


def looked_at(page: Page) -> list[str]:
    """What is wrong with the page that is open: light and wide, dark, and narrower and narrower."""
    page.emulate_media(color_scheme="light", reduced_motion="reduce")
    wrong = [f"light: {each}" for each in violations(page)]
    page.emulate_media(color_scheme="dark")
    wrong += [f"dark: {each}" for each in contrast(page)]
    page.emulate_media(color_scheme="light")
    for width in WIDTHS:
        page.set_viewport_size({"width": width, "height": 900})
        wrong += [f"wider than {width}: {each}" for each in too_wide(page)]
        if width == Look.PHONE.value["viewport"]["width"]:
            wrong += [f"phone: {each}" for each in violations(page)]
    page.set_viewport_size(Look.LIGHT.value["viewport"])
    return wrong


def test_every_page_is_readable_at_every_width_in_light_and_dark(
    world: access.World, new_page: MakePage, page_of: MakePage
) -> None:
    browsers: dict[str, Page] = {}
    wrong: list[str] = []
    for row in rows():
        for who in readers(row):
            if who not in browsers:
                browsers[who] = new_page() if who == VISITOR else page_of(world.people[who])
            page = browsers[who]
            query = "&".join(f"{key}={value}" for key, value in row.query.items())
            answer = page.goto(f"{row.address(world)}?{query}".rstrip("?"))
            found = [] if answer and answer.status == 200 else [f"answered {answer and answer.status}"]
            found += looked_at(page)
            wrong += [f"{row.name} as {who}: {each}" for each in found]
    assert not wrong, "\n".join(wrong)


def test_what_is_no_page_is_an_address_of_the_site() -> None:
    assert set(NO_PAGES) <= {row.name for row in ROWS}
    assert set(EACH_SEES_ANOTHER) <= {row.name for row in rows()}


@pytest.mark.parametrize("name", EACH_SEES_ANOTHER)
def test_who_is_to_look_at_a_page_may_open_it(name: str) -> None:
    row = next(row for row in rows() if row.name == name)
    assert readers(row) == list(EACH_SEES_ANOTHER[name])
