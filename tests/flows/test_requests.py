"""Asking and deciding in a real browser, with and without JavaScript, in every look."""

import re
from collections.abc import Callable
from typing import Any

import pytest
from playwright.sync_api import Page, expect

from onboarding import services
from onboarding.models import Request
from quotas import services as quotas
from tests.flows.browser import Look, too_wide, violations
from tests.quotas.fixtures import lake, made_up_kinds, noon, north, tenancy, world  # noqa: F401
from tests.quotas.world import TODAY, World, days, reading_make, tenancy_make

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]

PageOf = Callable[..., Page]
VCPU, MEMORY, VOLUME = "compute.vcpu", "compute.memory", "storage.volume"


@pytest.fixture
def living(world: World, north: Any, lake: Any) -> dict[str, str]:  # noqa: F811
    """A project on two clouds with grants and readings, a request that waits and one that was approved."""
    home = tenancy_make(world.project, north)
    disks = tenancy_make(world.project, lake)
    for key, amount in ((VCPU, 128_000), (MEMORY, 480 * 1024), (VOLUME, 4096 * 1024)):
        quotas.grant_give(actor=world.operator, project=world.project, resource=key, amount=amount, why="The plan")
    shares = {home.pk: 3584 * 1024, disks.pk: 256 * 1024}
    quotas.division_set(actor=world.owner, project=world.project, resource=VOLUME, shares=shares)
    reading_make(home, VCPU, 128_000, 97_000, peak=120_000)
    reading_make(home, VOLUME, 3584 * 1024, 3452 * 1024)
    waiting = services.request_submit(
        actor=world.manager, kind=Request.Kind.MORE, project=world.project, clouds=[north], ends_on=TODAY + days(56),
        description="The December run needs 2,048 replicas for three weeks.",
        lines={(north.pk, VCPU): 320_000, (north.pk, MEMORY): 1248 * 1024},
    )  # fmt: skip
    asked = services.request_submit(
        actor=world.stranger, kind=Request.Kind.NEW, title="Kelp forest monitoring", purpose="research",
        description="Detect kelp cover in drone images.", institution=world.institution, starts_on=TODAY,
        ends_on=TODAY + days(365), clouds=[north, lake], lines={(north.pk, VCPU): 8000, (lake.pk, VOLUME): 102_400},
    )  # fmt: skip
    services.request_approve(actor=world.operator, request=asked, reason="Welcome.")
    return {
        "queue": f"/requests/?open={waiting.pk}",
        "own list": "/requests/?view=mine",
        "new": "/requests/new?bundle=medium",
        "waiting": f"/requests/{waiting.pk}/",
        "approved": f"/requests/{asked.pk}/",
        "ask": "/projects/kelp/ask",
        "renew": "/projects/kelp/ask?kind=renewal",
        "grants": "/projects/kelp/grants/",
        "limits": "/projects/kelp/limits/",
        "division": "/projects/kelp/division/",
        "catalog": "/quotas/catalog/",
    }


@pytest.mark.parametrize("look", [Look.LIGHT, Look.DARK, Look.PHONE])
def test_axe_finds_nothing_and_nothing_is_too_wide(
    world: World,  # noqa: F811
    living: dict[str, str],
    page_of: PageOf,
    look: Look,
) -> None:
    page = page_of(world.operator, look)
    wrong = []
    # Dark differs by its colours alone, and these four pages have every part.
    names = ("queue", "new", "grants", "limits") if look is Look.DARK else living
    for name in names:
        page.goto(living[name])
        wrong += [f"{name}: {each}" for each in (*violations(page), *too_wide(page))]
    assert wrong == []


def test_asking_and_deciding_without_javascript(world: World, north: Any, page_of: PageOf) -> None:  # noqa: F811
    page = page_of(world.stranger, Look.NO_SCRIPT)
    page.goto("/requests/new")
    page.get_by_label("Title").fill("Kelp forest monitoring")
    page.get_by_label("What it is for, in one or two sentences").fill("Detect kelp cover in drone images.")
    page.get_by_role("button", name=re.compile("^Small")).click()
    expect(page.get_by_label("Title")).to_have_value("Kelp forest monitoring")
    expect(page.get_by_label("vCPU")).to_have_value("4")
    page.get_by_label("vCPU").fill("9999")
    page.get_by_role("button", name="Send request").click()
    expect(page.locator(".invalid-feedback")).to_contain_text("between 0 and 2,048 vCPU")
    page.get_by_label("vCPU").fill("6")
    page.get_by_role("button", name="Send request").click()
    expect(page.get_by_role("heading", level=1)).to_have_text("Kelp forest monitoring")
    reviewer = page_of(world.reviewer, Look.NO_SCRIPT)
    reviewer.goto("/requests/")
    reviewer.get_by_role("link", name="Kelp forest monitoring").click()
    expect(reviewer.get_by_label("vCPU")).to_have_value("6")
    reviewer.get_by_label("Note to who asked").fill("Welcome.")
    reviewer.get_by_role("button", name="Grant these amounts").click()
    expect(reviewer.get_by_text("is approved and being set up")).to_be_visible()
    page.reload()
    expect(page.get_by_text("Being changed on 1 cloud")).to_be_visible()


def test_the_summary_follows_what_is_typed(world: World, north: Any, page_of: PageOf) -> None:  # noqa: F811
    page = page_of(world.stranger)
    page.goto("/requests/new")
    summary = page.locator("#request-summary")
    expect(summary).to_contain_text("default limits")
    page.get_by_label("vCPU").fill("16")
    page.get_by_label("vCPU").blur()
    expect(summary).to_contain_text("16 vCPU")
    page.get_by_label("vCPU").fill("many")
    page.get_by_label("vCPU").blur()
    expect(summary).to_contain_text("“many” is not an amount")


def test_progress_comes_to_rest_by_itself(world: World, north: Any, page_of: PageOf) -> None:  # noqa: F811
    asked = services.request_submit(
        actor=world.stranger, kind=Request.Kind.NEW, title="Kelp forest monitoring", purpose="research",
        description="Detect kelp cover in drone images.", starts_on=TODAY, ends_on=TODAY + days(9), clouds=[north],
    )  # fmt: skip
    services.request_approve(actor=world.operator, request=asked)
    page = page_of(world.stranger)
    page.goto(f"/requests/{asked.pk}/")
    expect(page.get_by_text("Being changed on 1 cloud")).to_be_visible()
    tenancies = asked.project.tenancies
    tenancies.update(settled_version=tenancies.get().wanted_version)
    expect(page.get_by_text("In step on 1 cloud")).to_be_visible()
    expect(page.locator("#progress")).not_to_have_attribute("hx-trigger", "every 2s")
