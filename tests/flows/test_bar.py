"""The bar at the top, the pages of one's own account, and what an act says afterwards."""

from collections.abc import Callable
from typing import Any

import pytest
from playwright.sync_api import Page, expect

from tenancy.models import Person, SiteRole
from tests.flows.browser import Look, too_wide, violations

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]

MakePage = Callable[..., Page]
PASSWORD = "a long enough sentence"


@pytest.fixture
def operator(db: Any) -> Person:
    person = Person.objects.create_user("jonas", PASSWORD, name="Jonas Adeyemi", email="jonas@riverside.example")
    SiteRole.objects.create(person=person, role=SiteRole.Role.OPERATOR)
    return person


@pytest.mark.parametrize("look", [Look.LIGHT, Look.DARK, Look.PHONE])
@pytest.mark.parametrize("address", ["/accounts/email/", "/accounts/logout/", "/accounts/3rdparty/"])
def test_axe_finds_nothing_when_signed_in(page_of: MakePage, operator: Person, look: Look, address: str) -> None:
    page = page_of(operator, look)
    page.goto(address)
    assert violations(page) == []
    assert too_wide(page) == []


@pytest.mark.parametrize("look", [Look.LIGHT, Look.PHONE])
def test_axe_finds_nothing_in_an_open_menu(page_of: MakePage, operator: Person, look: Look) -> None:
    page = page_of(operator, look)
    page.goto("/accounts/logout/")
    page.locator(".t-top summary:visible").click()
    expect(page.get_by_role("link", name="Password")).to_be_visible()
    assert violations(page) == []
    page.keyboard.press("Escape")
    expect(page.get_by_role("link", name="Password")).to_be_hidden()


@pytest.mark.parametrize("look", [Look.PHONE, Look.NO_SCRIPT])
def test_a_person_signs_out_from_the_menu_with_and_without_javascript(
    page_of: MakePage, operator: Person, look: Look
) -> None:
    page = page_of(operator, look)
    page.goto("/accounts/email/")
    page.locator(".t-top summary:visible").click()
    page.locator(".t-top").get_by_role("button", name="Sign out").and_(page.locator(":visible")).click()
    page.goto("/accounts/email/")
    expect(page.get_by_role("heading", name="Sign in")).to_be_visible()


@pytest.mark.parametrize("look", [Look.LIGHT, Look.NO_SCRIPT])
def test_signing_in_says_so_and_a_wrong_password_says_why(new_page: MakePage, operator: Person, look: Look) -> None:
    page = new_page(look)
    page.goto("/accounts/login/?next=/accounts/email/")
    page.get_by_label("User name or e-mail address").fill("jonas")
    page.get_by_label("Password").fill("wrong")
    page.get_by_role("main").get_by_role("button", name="Sign in").click()
    expect(page.get_by_role("alert")).to_contain_text("not correct")
    page.get_by_label("Password").fill(PASSWORD)
    page.get_by_role("main").get_by_role("button", name="Sign in").click()
    expect(page.get_by_role("heading", name="Email Addresses")).to_be_visible()
    expect(page.locator("#toasts .toast")).to_contain_text("signed in")


def test_a_success_leaves_by_itself(new_page: MakePage, operator: Person) -> None:
    page = new_page(Look.LIGHT)
    page.clock.install()
    page.goto("/accounts/login/?next=/accounts/email/")
    page.get_by_label("User name or e-mail address").fill("jonas")
    page.get_by_label("Password").fill(PASSWORD)
    page.get_by_role("main").get_by_role("button", name="Sign in").click()
    toast = page.locator("#toasts .toast")
    expect(toast).to_be_visible()
    page.clock.run_for(9_000)
    expect(toast).to_have_count(0)


def test_a_failure_stays_until_it_is_closed(new_page: MakePage, settings: Any) -> None:
    settings.DEMO = True
    page = new_page(Look.LIGHT)
    page.clock.install()
    page.goto("/styleguide/")
    page.clock.run_for(60_000)
    toast = page.locator("#notes .toast").filter(has_text="the cloud refused")
    expect(toast).to_be_visible()
    toast.get_by_role("button", name="Close this message").click()
    expect(toast).to_have_count(0)
