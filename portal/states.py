"""Badges: the word and the kind (shape and colour) of a state. One table for every state of every app.

Kinds: ok (fine, quiet), work (runs now), wait (for a person or a time), warn (needs a look soon), over (hurts somebody
now), none (not known), off (stopped on purpose), draft (not begun).
"""

from __future__ import annotations

from dataclasses import dataclass

ICONS = {
    "ok": "check",
    "work": "work",
    "wait": "clock",
    "warn": "warn",
    "over": "cross",
    "none": "unknown",
    "off": "pause",
    "draft": "draft",
    "info": "info",
}

# Values of TextChoices. The same word means the same on every page, so one table is enough.
KINDS = {
    # sections of a tenancy, and people on it
    "ready": "ok",
    "active": "ok",
    "in_step": "ok",
    "trying": "work",
    "provisioning": "work",
    "needs_you": "warn",
    "contested": "warn",
    "held": "off",
    "paused": "off",
    "parked": "over",
    "ending": "work",
    "ended": "off",
    "archived": "off",
    "unmanaged": "none",
    "missing": "warn",
    "unknown": "none",
    # steps
    "planned": "draft",
    "sent": "work",
    "done": "ok",
    "settled": "ok",
    "failed": "over",
    "ineffective": "over",
    "skipped": "off",
    "discarded": "off",
    # requests
    "draft": "draft",
    "waiting": "wait",
    "asked": "wait",
    "approved": "ok",
    "refused": "over",
    "declined": "over",
    "withdrawn": "off",
    # sections of a survey, checks of a connection
    "complete": "ok",
    "incomplete": "none",
    "suspect": "warn",
    "ok": "ok",
    "failing": "over",
    "muted": "off",
    "observe": "off",
    "add_only": "work",
    "enforce": "ok",
    "open": "work",
    "closed": "ok",
}


@dataclass(frozen=True)
class Badge:
    """A word with its kind; `kind` is a key of ICONS."""

    kind: str
    text: str


def badge(value: str | None, label: str = "") -> Badge:
    """The badge of a TextChoices value with its label; a value without a row in KINDS is grey, as is None."""
    if value is None:
        return Badge("none", label or "unknown")
    return Badge(KINDS.get(value, "none"), label or value.replace("_", " "))
