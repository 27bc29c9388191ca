"""The parts of the pages as a browser shows them: readable for everybody, at every width, in both themes."""

from collections.abc import Callable
from typing import Any

import pytest
from playwright.sync_api import Page, expect

from tests.flows.browser import Look, too_wide, violations

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]

NewPage = Callable[..., Page]
WIDTHS = (320, 360, 390, 600, 768, 820, 1024, 1280, 1440, 1920)


@pytest.fixture(autouse=True)
def _demo(settings: Any) -> None:
    settings.DEMO = True


@pytest.mark.parametrize("look", [Look.LIGHT, Look.DARK, Look.PHONE])
@pytest.mark.parametrize("address", ["/styleguide/", "/accounts/login/", "/nothing/here/"])
def test_axe_finds_nothing(new_page: NewPage, look: Look, address: str) -> None:
    page = new_page(look)
    page.goto(address)
    assert violations(page) == []


def test_no_width_scrolls_sideways_and_nothing_leaves_its_panel(new_page: NewPage) -> None:
    page = new_page(Look.LIGHT)
    page.goto("/styleguide/")
    wide: list[tuple[int, str]] = []
    for width in WIDTHS:
        page.set_viewport_size({"width": width, "height": 900})
        wide += [(width, part) for part in too_wide(page)]
    assert wide == []


def test_the_theme_follows_the_system_until_a_person_chooses(new_page: NewPage) -> None:
    page = new_page(Look.DARK)
    page.goto("/styleguide/")
    html = page.locator("html")
    expect(html).to_have_attribute("data-bs-theme", "dark")
    page.get_by_role("main").get_by_role("button", name="Light or dark").click()
    expect(html).to_have_attribute("data-bs-theme", "light")
    page.reload()
    expect(html).to_have_attribute("data-bs-theme", "light")


def test_the_chart_is_drawn_and_its_table_stays(new_page: NewPage) -> None:
    page = new_page(Look.LIGHT)
    page.goto("/styleguide/")
    figure = page.locator("figure[data-chart]")
    expect(figure.locator("canvas")).to_be_visible()
    page.get_by_text("Table of these numbers").click()
    expect(figure.locator("xpath=..").get_by_role("row", name="5 Nov")).to_contain_text("unknown")


def test_without_javascript_everything_is_there(new_page: NewPage) -> None:
    page = new_page(Look.NO_SCRIPT)
    page.goto("/styleguide/")
    expect(page.locator("figure[data-chart] svg")).to_be_visible()
    expect(page.get_by_role("button", name="Light or dark")).to_have_count(0)
    expect(page.get_by_role("heading", name="12 removals wait for a person")).to_be_visible()
