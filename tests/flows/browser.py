"""How pages are looked at, what must not happen while they are open, and what is measured on them."""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import Enum
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from playwright.sync_api import ConsoleMessage, Page, Request, Response

AXE = Path(__file__).parent.parent / "vendor" / "axe.min.js"
AXE_TAGS = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"]


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


def violations(page: Page) -> list[str]:
    """What axe-core finds wrong on a page: "rule: selector, selector"."""
    return _said(
        page.evaluate(
            "tags => axe.run(document, {runOnly: {type: 'tag', values: tags}, resultTypes: ['violations']})", AXE_TAGS
        )
    )


def contrast(page: Page) -> list[str]:
    """Only what can differ between light and dark."""
    return _said(
        page.evaluate(
            "() => axe.run({runOnly: {type: 'rule', values: ['color-contrast']}, resultTypes: ['violations']})"
        )
    )


def _said(found: Any) -> list[str]:
    return [
        f"{rule['id']} ({rule['help']}): {', '.join(' '.join(map(str, node['target'])) for node in rule['nodes'])}"
        for rule in found["violations"]
    ]


def too_wide(page: Page) -> list[str]:
    """The page, if it is wider than its window, and the panels whose content is wider than they are."""
    return list(
        page.evaluate(
            """() => [document.documentElement, ...document.querySelectorAll(".panel")]
                .filter(each => each.scrollWidth > each.clientWidth + 1)
                .map(each => each.getAttribute("aria-labelledby") || each.id || each.tagName)"""
        )
    )
