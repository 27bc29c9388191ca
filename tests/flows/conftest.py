"""A real Chromium for whole stories: pages in light, dark, phone width and without JavaScript, and axe-core.

Every page is watched: a request to another origin, a CSP violation, a script error or an answer of 500 fails the test
that opened it.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from enum import Enum
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest
from playwright.sync_api import Browser, BrowserContext, ConsoleMessage, Page, Request, Response, sync_playwright

from tests.support import skips

CHROMIUM = Path(os.environ.get("TENANTRY_CHROMIUM", "/usr/bin/chromium"))
AXE = Path(__file__).parent.parent / "vendor" / "axe.min.js"
AXE_TAGS = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"]
ARGUMENTS = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--no-first-run",
]


class Look(Enum):
    """How a page is looked at; the value is the browser context's options."""

    LIGHT = {"viewport": {"width": 1440, "height": 900}, "color_scheme": "light"}
    DARK = {"viewport": {"width": 1440, "height": 900}, "color_scheme": "dark"}
    PHONE = {"viewport": {"width": 390, "height": 844}, "color_scheme": "light"}
    NO_SCRIPT = {"viewport": {"width": 1440, "height": 900}, "color_scheme": "light", "java_script_enabled": False}


@dataclass
class Watch:
    """What must not happen while pages are open."""

    origin: str
    wrong: list[str] = field(default_factory=list)

    def request(self, request: Request) -> None:
        url = urlsplit(request.url)
        if url.scheme not in ("data", "blob") and f"{url.scheme}://{url.netloc}" != self.origin:
            self.wrong.append(f"a request left the origin: {request.url}")

    def response(self, response: Response) -> None:
        if response.status >= 500:
            self.wrong.append(f"{response.status} from {response.url}")

    def console(self, message: ConsoleMessage) -> None:
        if message.type == "error" and "Content Security Policy" in message.text:
            self.wrong.append(message.text)

    def error(self, error: Exception) -> None:
        self.wrong.append(f"script error: {error}")


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


def violations(page: Page) -> list[str]:
    """What axe-core finds wrong on a page: "rule: selector, selector"."""
    found = page.evaluate("tags => axe.run(document, {runOnly: {type: 'tag', values: tags}})", AXE_TAGS)
    return [
        f"{rule['id']} ({rule['help']}): {', '.join(' '.join(map(str, node['target'])) for node in rule['nodes'])}"
        for rule in found["violations"]
    ]


def scrolls_sideways(page: Page) -> bool:
    """Whether the page is wider than its window."""
    return bool(page.evaluate("document.documentElement.scrollWidth > document.documentElement.clientWidth"))
