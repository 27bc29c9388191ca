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
    "trying": "work",
    "needs-you": "warn",
    "contested": "warn",
    "held": "off",
    "paused": "off",
    "ending": "work",
    "unknown": "none",
    # projects and what is wanted of their tenancies
    "open": "ok",
    "archived": "off",
    "suspended": "off",
    # steps
    "planned": "draft",
    "sent": "work",
    "done": "ok",
    "unclear": "none",
    "failed": "over",
    "ineffective": "over",
    "superseded": "off",
    # why a change of a plan is held
    "mode": "off",
    "untouchable": "off",
    "last-owner": "warn",
    "refused": "over",
    "suspect": "warn",
    "missing": "warn",
    "name-taken": "warn",
    "duplicate": "warn",
    "no-account": "wait",
    "guard": "wait",
    # drift
    "unmanaged": "none",
    "changed": "warn",
    # requests and grants
    "submitted": "wait",
    "approved": "ok",
    "withdrawn": "off",
    "ahead": "wait",
    "in-force": "ok",
    "over": "off",
    "ended": "off",
    # clouds, their surveys and collections
    "observe": "off",
    "add-only": "work",
    "enforce": "ok",
    "running": "work",
    "complete": "ok",
    "incomplete": "none",
    # how well a number is known
    "exact": "ok",
    "sampled": "ok",
    "estimated": "wait",
    # messages that leave the house
    "waiting": "wait",
    "parked": "over",
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
    return Badge(KINDS.get(value, "none"), label or value.replace("-", " "))
