"""The story of a project in a real browser, with and without JavaScript, on an emulated cloud.

Asked for, approved, set up, a member added, more granted, usage collected, its report taken, the member removed, the
project archived; and what the cloud itself says of it each time.
"""

from __future__ import annotations

import csv
import json
from collections.abc import Callable, Iterator
from datetime import timedelta
from pathlib import Path

import pytest
import requests
from playwright.sync_api import Page, expect

from reporting.services import cloud_collect
from tenancy.models import Person, Project, SiteRole, Tenancy
from tenancy.services import institution_create, person_create
from tests.flows.browser import Look
from tests.flows.world import seams
from tests.support.emulated import Emulated
from tests.support.site import Site

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]

MakePage = Callable[..., Page]
PASSWORD = "a long enough sentence"
TITLE = "Urban heat islands"
TOKEN_CACHE = 301


@pytest.fixture
def site(transactional_db: None) -> Iterator[Site]:
    made = Site(Emulated(projects=2, servers=2, volumes=1))
    with seams(made):
        made.connect()
        house = institution_create(actor=None, name="Lagoon University", slug="lagoon")
        for username, name in (("noor", "Noor Haddad"), ("tomas", "Tomás Ortega"), ("lena", "Lena Fischer")):
            email = f"{username}@lagoon.example"
            person_create(actor=None, username=username, name=name, email=email, institution=house, password=PASSWORD)
        SiteRole.objects.create(person=Person.objects.get(username="lena"), role=SiteRole.Role.REVIEWER)
        yield made


class Story:
    """What the people of the story do, each in a browser of their own."""

    def __init__(self, site: Site, new_page: MakePage, page_of: MakePage, look: Look) -> None:
        self.site = site
        self.noor = new_page(look)
        self.tomas = page_of(Person.objects.get(username="tomas"), look)
        self.lena = page_of(Person.objects.get(username="lena"), look)
        self.secrets: dict[str, str] = {}

    @property
    def tenancy(self) -> Tenancy:
        return Tenancy.objects.select_related("project", "cloud").get(project__title=TITLE)

    @property
    def address(self) -> str:
        return f"/projects/{Project.objects.get(title=TITLE).slug}/"

    def work(self) -> None:
        """A worker's turn; what it did is shown when the page is looked at again."""
        self.site.settle()

    def sign_in(self) -> None:
        page = self.noor
        page.goto("/")
        page.get_by_role("main").get_by_role("link", name="Sign in").click()
        page.get_by_label("User name or e-mail address").fill("noor")
        page.get_by_label("Password").fill(PASSWORD)
        page.get_by_role("main").get_by_role("button", name="Sign in").click()
        expect(page.get_by_role("heading", name="My projects")).to_be_visible()
        expect(page.get_by_text("You are in no project yet")).to_be_visible()

    def ask(self) -> None:
        page = self.noor
        page.get_by_role("link", name="New project").click()
        page.get_by_role("button", name="Small").click()
        page.get_by_label("Title").fill(TITLE)
        page.get_by_label("What it is for, in one or two sentences").fill("Hourly microclimate runs.")
        page.get_by_role("button", name="Send request").click()
        expect(page.get_by_role("heading", name=TITLE)).to_be_visible()
        page.goto("/")
        expect(page.get_by_role("main")).to_contain_text("waits for a reviewer")

    def approve(self, wait: str) -> None:
        page = self.lena
        page.goto("/")
        item = page.get_by_role("listitem").filter(has_text=wait)
        item.get_by_role("link", name="Decide").click()
        page.get_by_role("button", name="Grant these amounts").click()
        expect(page.get_by_role("main")).to_contain_text("approved")

    def watch(self, look: Look) -> None:
        """Before a worker had its turn nothing is claimed; afterwards the page shows every step as done."""
        page = self.noor
        page.goto(self.address)
        expect(page.locator("#tenancies")).to_contain_text("being set up")
        self.work()
        if look is Look.NO_SCRIPT:
            page.get_by_role("link", name="Look again").click()
        expect(page.locator("#progress")).to_contain_text("In step on 1 cloud")
        expect(page.locator("#tenancies")).to_contain_text("ready")
        expect(page.locator("#members")).to_contain_text("ready")

    def add_member(self) -> None:
        page = self.noor
        page.goto(self.address)
        page.get_by_role("link", name="Add a member").click()
        page.get_by_label("Name, user name or e-mail").fill("tomas")
        page.get_by_role("button", name="Search").click()
        page.get_by_role("main").get_by_role("button", name="Add").click()
        expect(page.locator("#members")).to_contain_text("Tomás Ortega")
        self.work()

    def get_in(self, who: str, page: Page) -> str:
        """The way in as the page tells it, and a token of the person's own that the cloud accepts."""
        page.goto(self.address)
        page.get_by_role("link", name="How do I get in").first.click()
        expect(page.get_by_role("main")).to_contain_text("clouds:")
        page.get_by_role("button", name="New password").click()
        self.secrets[who] = page.locator("#secret").inner_text().strip()
        token = self.token(who)
        assert self.site.emulated.request("GET", "/compute/v2.1/servers", token=token) == {"servers": []}
        return token

    def token(self, who: str) -> str:
        native = self.site.native_project(self.tenancy)["id"]
        return self.site.emulated.token(username=who, password=self.secrets[who], project_id=native)

    def ask_for_more(self) -> None:
        page = self.noor
        page.goto(self.address)
        page.get_by_role("link", name="Ask for more").click()
        page.get_by_label("vCPU", exact=True).fill("24")
        page.get_by_label("What it is for, in one or two sentences").fill("The summer runs.")
        page.get_by_role("button", name="Send request").click()
        page.goto(self.address)
        expect(page.get_by_role("main")).to_contain_text("asked for more")

    def use(self, hours: int) -> None:
        """Things live on the cloud for a while, and the collector comes round."""
        tenancy = self.tenancy
        since = (self.site.emulated.now() - timedelta(minutes=1)).strftime("%Y-%m-%dT%H:%M:%SZ")
        body = {"project_id": tenancy.native_id, "servers": 2, "since": since}
        self.site.emulated.control("POST", "/life", body)
        self.site.emulated.advance(hours * 3600)
        cloud_collect(cloud=self.site.cloud)

    def take_report(self, folder: Path) -> None:
        page = self.noor
        page.goto(self.address)
        page.get_by_role("link", name="Report of this month").click()
        expect(page.get_by_role("main")).to_contain_text(f"project {TITLE} (owner Noor Haddad, Lagoon University) used")
        for form in ("CSV", "JSON"):
            with page.expect_download() as download:
                page.get_by_role("main").get_by_role("link", name=form, exact=True).click()
            download.value.save_as(folder / form)
        rows = list(csv.reader((folder / "CSV").read_text().splitlines()))
        assert any("vCPU" in row for row in rows)
        assert TITLE in json.dumps(json.loads((folder / "JSON").read_text()))

    def remove_member(self) -> None:
        page = self.noor
        page.goto(self.address)
        page.get_by_role("link", name="Change Tomás Ortega").click()
        page.get_by_role("link", name="Remove…").click()
        page.get_by_role("main").get_by_role("button", name="Remove").click()
        expect(page.locator("#members")).not_to_contain_text("Tomás Ortega")
        self.work()

    def archive(self) -> None:
        page = self.noor
        page.goto(self.address)
        page.get_by_role("link", name="Archive this project").click()
        page.get_by_label("Why").fill("The summer is over.")
        page.get_by_role("main").get_by_role("button", name="Archive").click()
        expect(page.get_by_role("main")).to_contain_text("Archived on")
        self.work()
        page.goto(self.address)
        expect(page.get_by_role("main")).to_contain_text("Nobody gets in on any cloud")
        expect(page.locator("#members")).to_contain_text("access ended")

    def refused(self, token: str) -> bool:
        """Whether the cloud turns this token away. Services believe a token they have seen for another 300 seconds."""
        self.site.emulated.advance(TOKEN_CACHE)
        try:
            self.site.emulated.request("GET", "/compute/v2.1/servers", token=token)
        except requests.HTTPError as error:
            return error.response.status_code in (401, 403)
        return False


@pytest.mark.parametrize("look", [Look.LIGHT, Look.NO_SCRIPT])
def test_a_project_from_asking_to_goodbye(
    site: Site, new_page: MakePage, page_of: MakePage, look: Look, tmp_path: Path
) -> None:
    story = Story(site, new_page, page_of, look)
    story.sign_in()
    story.ask()
    assert not Project.objects.filter(title=TITLE).exists()
    story.approve(TITLE)
    story.watch(look)
    assert site.cores(story.tenancy) == 4
    assert site.roles(story.tenancy) == {("noor", "member")}

    owners = story.get_in("noor", story.noor)
    story.add_member()
    members = story.get_in("tomas", story.tomas)

    story.ask_for_more()
    story.approve("(more)")
    story.work()
    assert site.cores(story.tenancy) == 24
    assert not story.refused(members)

    story.use(hours=5)
    story.take_report(tmp_path)

    story.remove_member()
    assert story.refused(members)
    with pytest.raises(requests.HTTPError, match="401"):
        story.token("tomas")
    story.tomas.goto(story.address)
    expect(story.tomas.get_by_role("heading", name="There is nothing here")).to_be_visible()
    owners = story.token("noor")
    assert not story.refused(owners)

    story.archive()
    assert story.refused(owners)
    with pytest.raises(requests.HTTPError, match="401"):
        story.token("noor")
    assert not site.native_project(story.tenancy)["enabled"]
