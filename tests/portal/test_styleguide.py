"""Who may see the styleguide, and what the bar offers to whom."""

from typing import Any

import pytest
from django.test import Client

from portal import navigation
from tenancy.models import Person, SiteRole

pytestmark = pytest.mark.django_db


def person(role: str | None = None) -> Person:
    who = Person.objects.create_user(f"{role or 'stranger'}", name=f"A {role or 'stranger'}")
    if role:
        SiteRole.objects.create(person=who, role=role)
    return who


def test_the_styleguide_is_for_operators(client: Client, settings: Any) -> None:
    settings.DEMO = False
    assert client.get("/styleguide/").status_code == 302
    client.force_login(person())
    assert client.get("/styleguide/").status_code == 403
    client.force_login(person("operator"))
    assert client.get("/styleguide/").status_code == 200


def test_in_the_demo_it_is_for_everybody(client: Client, settings: Any) -> None:
    settings.DEMO = True
    assert client.get("/styleguide/").status_code == 200


@pytest.mark.parametrize(
    ("role", "titles"),
    [
        (None, ["Home", "Requests", "Projects", "Usage", "Reports"]),
        ("reviewer", ["Home", "Requests", "Projects", "Usage", "Reports"]),
        ("operator", ["Today", "Requests", "Projects", "People", "Clouds", "Usage", "Reports", "Styleguide"]),
    ],
)
def test_the_bar_offers_what_a_person_may_open(role: str | None, titles: list[str], settings: Any) -> None:
    settings.DEMO = False
    assert [place.title for place in navigation.places(person(role))] == titles


def test_the_bar_names_the_person_and_signs_out_by_post(client: Client, settings: Any) -> None:
    settings.DEMO = True
    client.force_login(person("operator"))
    page = client.get("/styleguide/").content.decode()
    assert page.count("A operator") >= 2
    assert 'action="/accounts/logout/"' in page
    assert page.count("csrfmiddlewaretoken") >= 2
    assert 'href="/styleguide/" aria-current="page"' in page


@pytest.mark.parametrize("address", ["/accounts/login/", "/accounts/password/reset/", "/accounts/signup/"])
def test_sign_in_pages_are_in_our_look(client: Client, address: str) -> None:
    page = client.get(address)
    assert page.status_code == 200
    assert "t-narrow panel" in page.content.decode()


@pytest.mark.parametrize("address", ["/accounts/email/", "/accounts/logout/", "/accounts/password/set/"])
def test_account_pages_are_in_our_look(client: Client, address: str) -> None:
    client.force_login(person())
    page = client.get(address, follow=True)
    assert page.status_code == 200
    assert "t-narrow" in page.content.decode()


def test_a_wrong_address_is_a_page_of_ours(client: Client) -> None:
    page = client.get("/nothing/here/")
    assert page.status_code == 404
    assert "There is nothing here" in page.content.decode()
