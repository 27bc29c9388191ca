"""Pages of usage and reports in a real browser: accessible, as wide as their window, usable without a script."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import contextmanager
from typing import Any

import pytest
from playwright.sync_api import Page, expect

from config import clock
from reporting.services import cloud_collect, collection
from tests.flows.browser import Look, too_wide, violations
from tests.reporting.worlds import NOW, Scripted, World, life, world_make

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]

ADDRESSES = [
    "/usage/",
    "/projects/genomics/usage/?thing=s1",
    "/usage/collections/",
    "/reports/",
    "/reports/2026-11/genomics/",
    "/reports/2026-11/",
]


@pytest.fixture
def world(settings: Any, monkeypatch: pytest.MonkeyPatch) -> World:
    """Twelve days of usage of one project, and a volume service that failed at last."""
    clock.set_source(lambda: NOW)
    settings.COLLECT_BACK_DAYS = 12
    connector = Scripted(life())

    @contextmanager
    def connect(*_: Any, **__: Any) -> Any:
        yield connector

    monkeypatch.setattr(collection, "connect", connect)
    made = world_make()
    made.second.delete()
    cloud_collect(cloud=made.cloud)
    connector.says = life(fail=("volumes",))
    cloud_collect(cloud=made.cloud, since=NOW.replace(hour=11))
    return made


@pytest.mark.parametrize("look", [Look.LIGHT, Look.DARK, Look.PHONE])
def test_pages_are_accessible_and_fit_their_window(world: World, page_of: Callable[..., Page], look: Look) -> None:
    page = page_of(world.people["operator"], look)

    for address in ADDRESSES:
        page.goto(address)
        page.wait_for_load_state("networkidle")
        assert violations(page) == [], address
        assert too_wide(page) == [], address


def test_the_chart_is_drawn_and_its_numbers_stand_beside_it(world: World, page_of: Callable[..., Page]) -> None:
    page = page_of(world.people["owner"])
    page.goto("/projects/genomics/usage/")

    expect(page.locator("figure canvas")).to_be_visible()
    page.get_by_text("Table of these numbers").click()
    page.get_by_role("row", name="15 96").get_by_role("link", name="96").click()
    expect(page.get_by_role("heading", name="vCPU, spans of 15 November 2026")).to_be_visible()


def test_from_a_sum_to_its_delivery_without_a_script(world: World, page_of: Callable[..., Page]) -> None:
    page = page_of(world.people["operator"], Look.NO_SCRIPT)
    page.goto("/usage/")
    expect(page.locator("figure .chart svg")).to_be_visible()
    page.get_by_label("Measure").select_option("storage.volume")
    page.get_by_role("button", name="Show").click()
    expect(page.get_by_role("heading", name="Volumes a day")).to_be_visible()

    page.get_by_role("link", name="Coastal genomics").click()
    expect(page.get_by_role("heading", name="Usage of Coastal genomics")).to_be_visible()
    page.get_by_role("link", name="name of v1").click()
    expect(page.get_by_role("heading", name="Where these come from")).to_be_visible()

    page.get_by_role("link", name="Report", exact=True).click()
    expect(page.get_by_text("In November 2026 so far project Coastal genomics (owner Owner Person")).to_be_visible()
    with page.expect_download() as download:
        page.get_by_role("link", name="CSV").click()
    assert download.value.suggested_filename == "report-genomics-2026-11.csv"
