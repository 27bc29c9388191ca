"""What the bar at the top offers to whom."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from django.conf import settings
from django.http import HttpRequest
from django.urls import reverse

from portal.parts import Link
from portal.selectors.waiting import requests_waiting
from tenancy import access


@dataclass(frozen=True)
class Place:
    """An entry of the bar: the name of its page, its title, and the pages (url names) that lie below it."""

    url_name: str
    title: str


@dataclass(frozen=True)
class NavItem:
    """An entry as shown; `count` is how many things wait there for the reader."""

    href: str
    title: str
    current: bool
    count: int = 0


HOME = Place("portal:home", "Home")
TODAY = Place("portal:home", "Today")
REQUESTS = Place("onboarding:request_list", "Requests")
PROJECTS = Place("portal:project_list", "Projects")
PEOPLE = Place("tenancy:person_list", "People")
CLOUDS = Place("tenancy:cloud_list", "Clouds")
USAGE = Place("reporting:usage", "Usage")
REPORTS = Place("reporting:report_list", "Reports")
STYLEGUIDE = Place("portal:styleguide", "Styleguide")

ACCOUNT_LINKS = (
    ("account_email", "E-mail addresses"),
    ("account_change_password", "Password"),
    ("socialaccount_connections", "Linked identities"),
)


def places(who: access.Who) -> list[Place]:
    """The entries for a person who is signed in, in the order of the bar."""
    if access.is_operator(who):
        return [TODAY, REQUESTS, PROJECTS, PEOPLE, CLOUDS, USAGE, REPORTS, STYLEGUIDE]
    found = [HOME, REQUESTS, PROJECTS, USAGE, REPORTS]
    return [*found, STYLEGUIDE] if settings.DEMO else found


def bar(request: HttpRequest) -> dict[str, Any]:
    """The context of parts/topbar.html for a request."""
    if not request.user.is_authenticated:
        login = reverse("account_login")
        return {"login_href": "" if request.path == login else login}
    counts = {REQUESTS: requests_waiting(request.user)}
    return {
        "nav": [_item(place, request.path, counts.get(place, 0)) for place in places(request.user)],
        "find_href": reverse("portal:search"),
        "account_links": [Link(text, reverse(name)) for name, text in ACCOUNT_LINKS],
        "logout_href": reverse("account_logout"),
    }


def _item(place: Place, path: str, count: int) -> NavItem:
    href = reverse(place.url_name)
    current = path == href if href == "/" else path.startswith(href)
    return NavItem(href=href, title=place.title, current=current, count=count)
