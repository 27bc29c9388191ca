"""Samples of the smallest parts: colours, states, meters, notes, the chart."""

from __future__ import annotations

import datetime as dt
from decimal import Decimal
from typing import Any

from portal.drawing import Chart, Series, Share
from portal.parts import Empty, Link, Note, Reading, Refusal, Sentence
from portal.states import Badge
from portal.styleguide.units import ADDRESS, CLOUDS, GIB, GPU, VCPU, VERBATIM

COLOURS = (
    ("page", "behind panels"),
    ("surface", "panels"),
    ("sunk", "table heads, insets"),
    ("line", "edges"),
    ("line-strong", "field edges, 3:1"),
    ("ink", "text"),
    ("muted", "second text"),
    ("accent", "links, main act"),
    ("ok", "fine"),
    ("warn-fill", "near"),
    ("over-fill", "over, failing"),
    ("none-fill", "unknown"),
    ("c1", "first cloud"),
    ("c2", "second cloud"),
    ("c3", "third cloud"),
)
STATES = (
    (Badge("ok", "in step"), "fine: no fill, so it does not ask for attention"),
    (Badge("work", "being added"), "runs now"),
    (Badge("wait", "waits 2 days"), "for a person or a time"),
    (Badge("warn", "near"), "needs a look soon"),
    (Badge("over", "failing"), "hurts somebody now"),
    (Badge("none", "unknown"), "no data: grey, never green"),
    (Badge("off", "held: terms"), "stopped on purpose"),
    (Badge("draft", "next"), "not begun"),
)
METERS = (
    ("Below 90 %", Reading(97_000, 128_000, VCPU)),
    ("Near: from 90 %", Reading(61_000, 64_000, VCPU)),
    ("Over: the mark is the limit", Reading(2100 * 1024, 2000 * 1024, GIB)),
    ("Unknown: never empty, never green", Reading(None, 4, GPU)),
    ("No limit", Reading(12, -1, ADDRESS)),
    ("Zero is allowed nothing", Reading(0, 0, ADDRESS)),
)


def basics(now: dt.datetime) -> dict[str, Any]:
    """Colours, states, meters, bars, notes, refusals and empty places."""
    return {
        "colours": COLOURS,
        "states": STATES,
        "meters": METERS,
        "trend": [4, 5, 5, 6, 5, 7, 8, 8, 7, 9],
        "shares": [Share(1, 128, 97), Share(2, 48, 31)],
        "shares_unknown": [Share(1, 96, None), Share(2, 48, 31)],
        "chart": _chart(),
        "read_at": now - dt.timedelta(minutes=6),
        "clouds": CLOUDS,
        "refusal": Refusal(
            "128 vCPU cannot be granted.",
            (
                ("Asked", "128", "#refusal"),
                ("In force", "448 of 512, Physics", "#refusal"),
                ("In use", "391", "#refusal"),
                ("Free", "64", "#refusal"),
            ),
            Sentence("Ask for 64, or let your institution admin", "raise the 512", "#refusal", "."),
        ),
        "notes": [
            Note(
                "info",
                "3 of 4 lines are granted at once.",
                "Floating IPs wait for a reviewer: you ask for 8, 2 need no review.",
            ),
            Note("warn", "Waits for a person.", "What, why, and the ways on.", acts=(Link("Look at it", "#notes"),)),
            Note(
                "over",
                "Access ended on one cloud of two.",
                "north answered with an error; it is tried again.",
                verbatim=VERBATIM,
            ),
            Note(
                "none",
                "Cinder has not answered since 08:10.",
                "Volume limits are unknown, so no change to them is planned.",
            ),
        ],
        "empties": [
            Empty("Nothing waits for you", "Requests of your projects and invitations appear here."),
            Empty("No row fits these filters", act=Link("Clear the 3 filters", "?")),
            Empty("No data yet", "lake has not been surveyed.", Link("Is it connected?", "#empty"), kind="none"),
        ],
    }


def _chart() -> Chart:
    return Chart(
        id="sample-chart",
        title="vCPU hours a day",
        unit="vCPU h",
        labels=[f"{n} Nov" for n in range(1, 11)],
        series=[
            Series("north", 1, [Decimal(n) for n in (40, 44, 38, 46, 49, 30, 22, 40)], frozenset({7})),
            Series("prod", 2, [22, 25, 30, 28, 12, 10, 8, 9], frozenset({6, 7})),
            Series("lake", 3, [18, 18, 19, 19, None, 20, 9, 9], frozenset({7})),
        ],
    )
