"""A real Chromium for whole stories: pages in light, dark, phone width and without JavaScript, and axe-core.

Every page is watched: a request to another origin, a CSP violation, a script error or an answer of 500 fails the test
that opened it.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from django.conf import settings
from django.test import Client
from playwright.sync_api import Browser, BrowserContext, Page, sync_playwright

from tenancy.models import Person
from tests.flows.browser import AXE, Look, Watch
from tests.support import skips

CHROMIUM = Path(os.environ.get("TENANTRY_CHROMIUM", "/usr/bin/chromium"))
ARGUMENTS = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--no-first-run",
]


@pytest.fixture(scope="session")
def browser() -> Iterator[Browser]:
    """One Chromium for the run; skips, and says so, where it is not installed."""
    if not CHROMIUM.exists():
        skips.without("Chromium", apt="chromium")
    # Playwright's synchronous API runs an event loop in this thread, which Django takes for an asynchronous caller.
    before = os.environ.get("DJANGO_ALLOW_ASYNC_UNSAFE")
    os.environ["DJANGO_ALLOW_ASYNC_UNSAFE"] = "true"
    with sync_playwright() as playwright:
        chromium = playwright.chromium.launch(executable_path=str(CHROMIUM), args=ARGUMENTS)
        yield chromium
        chromium.close()
    if before is None:
        del os.environ["DJANGO_ALLOW_ASYNC_UNSAFE"]
    else:
        os.environ["DJANGO_ALLOW_ASYNC_UNSAFE"] = before


@pytest.fixture
def new_page(browser: Browser, live_server: Any) -> Iterator[Callable[..., Page]]:
    """Makes a page with a browser profile of its own: `new_page(Look.DARK, width=320)`; relative addresses work."""
    watch = Watch(live_server.url)
    contexts: list[BrowserContext] = []

    def make(look: Look = Look.LIGHT, *, width: int | None = None) -> Page:
        options: dict[str, Any] = dict(look.value)
        if width is not None:
            options["viewport"] = {"width": width, "height": 900}
        context = browser.new_context(base_url=live_server.url, **options)
        context.set_default_timeout(10_000)
        # As an init script it is not held against the page's own Content-Security-Policy.
        context.add_init_script(path=AXE)
        contexts.append(context)
        page = context.new_page()
        page.on("request", watch.request)
        page.on("response", watch.response)
        page.on("console", watch.console)
        page.on("pageerror", watch.error)
        return page

    yield make
    for context in contexts:
        context.close()
    assert not watch.wrong, "\n".join(watch.wrong)


@pytest.fixture
def page_of(new_page: Callable[..., Page], live_server: Any) -> Callable[..., Page]:
    """A page of somebody who has signed in: `page_of(person, Look.PHONE)`. Stories about signing in use the form."""

    def make(person: Person, look: Look = Look.LIGHT, *, width: int | None = None) -> Page:
        client = Client()
        client.force_login(person)
        page = new_page(look, width=width)
        name = settings.SESSION_COOKIE_NAME
        page.context.add_cookies([{"name": name, "value": client.cookies[name].value, "url": live_server.url}])
        return page

    return make
