"""Samples of request form and review queue."""

from __future__ import annotations

import datetime as dt
from typing import Any

from portal.parts import DecisionLine, LineGroup, Link, Note, PlanAct, QueueRow, RequestLine, Tab
from portal.states import Badge
from portal.styleguide.forms import AmountForm, DecisionForm, FilterForm, ProjectForm
from portal.styleguide.units import GIB, VCPU


def requests(now: dt.datetime) -> dict[str, Any]:
    """Forms, filters, the queue with an opened decision, the lines of a request."""
    ask = AmountForm(initial={"vcpu": 8, "memory": 32}, prefix="ask")
    grant = DecisionForm(initial={"vcpu": 512, "memory": 2048, "until": "2027-01-15"}, prefix="grant")
    form = ProjectForm({"project-title": "Lattice QCD", "project-ends_on": "2029-01-31"}, prefix="project")

    def row(name: str, by: str, kind: str, asks: str, policy: Badge, **more: Any) -> QueueRow:
        return QueueRow(name, name, by, kind, asks, policy, now - dt.timedelta(days=2), "#queue", **more)

    return {
        "form": form,
        "filters": FilterForm(prefix="filter"),
        "chips": [Link("over policy", "?")],
        "tabs": [Tab("Waiting", "#queue", 3, current=True), Tab("Mine", "#queue", 0), Tab("Decided", "#queue")],
        "queue": [
            row(
                "Kelp forest monitoring",
                "Mira Solheim, Marine and Climate",
                "new project",
                "8 vCPU, 32 GiB memory",
                Badge("warn", "over"),
            ),
            row(
                "Lattice QCD",
                "Rahel Stein, Physics",
                "more",
                "+192 vCPU",
                Badge("warn", "128 vCPU over"),
                asks_sub="until 15 Jan 2027",
                reviewer="me",
                opened=True,
            ),
            row(
                "Power grid",
                "Omar Sayegh, Engineering",
                "more",
                "+8 vCPU, +1 address",
                Badge("ok", "inside"),
                chosen=True,
            ),
        ],
        "lines": [
            DecisionLine(
                "vCPU", VCPU, 320_000, 318_000, "+192", grant["vcpu"], 1_018_000, "#queue", "#queue", "#queue"
            ),
            DecisionLine("Memory", GIB, 1280 * 1024, None, "+768", grant["memory"], None, "#queue"),
        ],
        "decision_note": Note("warn", "Over by 128 vCPU.", "Physics may grant 512 vCPU in total; 448 are promised."),
        "decision_fields": [grant["until"], grant["note"]],
        "bulk_acts": [PlanAct("Grant the 1 as asked", "do", "bulk-approve"), PlanAct("Take over", "do", "bulk-assign")],
        "groups": [
            LineGroup(
                "OpenStack north",
                [
                    RequestLine(ask["vcpu"], "vCPU", VCPU, 0, 32_000, 1_210_000, "#request-lines"),
                    RequestLine(ask["memory"], "Memory", GIB, None, 16 * 1024, None, needs_review=True),
                ],
                colour=1,
            )
        ],
        "summary_note": Note(
            "info",
            "1 of 2 lines is granted at once.",
            "Memory waits for a reviewer: you ask for 32 GiB, 16 need no review.",
        ),
        "summary_facts": [("Free on north", "1,210 vCPU", "#request-lines"), ("The last 10 took", "5 hours", "")],
    }
