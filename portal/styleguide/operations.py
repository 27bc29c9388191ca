"""Samples of plan and usage pages."""

from __future__ import annotations

import datetime as dt
from typing import Any

from portal.drawing import Share
from portal.parts import BreakdownRow, Link, PlanAct, PlanGroup, PlanRow, Sentence, SpanRow


def plan() -> dict[str, Any]:
    """Guard, filters and a group of changes."""
    drift = Sentence("Changed on the cloud:", "seen 09:12", "#plan", ", not there at 08:42")
    return {
        "guard_acts": [
            PlanAct("Keep their access", "guard", "keep"),
            PlanAct("Remove the 12…", "guard", "remove", takes_away=True),
        ],
        "guard_look": Link("Look at the 12", "#plan"),
        "plan_kinds": [Link("1 add", "#plan"), Link("1 change", "#plan"), Link("1 unmanaged", "#plan")],
        "plan_causes": [Link("drift 1", "#plan"), Link("wanted anew 1", "#plan")],
        "plan_apply": PlanAct("Apply the 1 wanted", "do", "apply-wanted"),
        "plan_group": PlanGroup(
            "sample-plan",
            "Coastal genomics",
            "Marine and Climate",
            [
                PlanRow(
                    "Limit of compute",
                    "nova:cores",
                    "160",
                    "128",
                    drift,
                    (PlanAct("Adopt", "adopt", "1"), PlanAct("Restore", "restore", "1")),
                ),
                PlanRow(
                    "Role of Lena Fischer",
                    "user:51d09a / role",
                    "",
                    "reader",
                    Sentence("Wanted anew:", "grant of 19 Nov", "#plan"),
                    (PlanAct("Apply", "apply", "2"),),
                ),
                PlanRow(
                    "Key of a robot account",
                    "keystone:application_credential/ci-runner",
                    "ci-runner",
                    "",
                    Sentence("Unmanaged: made on the cloud on 18 Nov; reported, never removed unless adopted"),
                    (PlanAct("Adopt", "adopt", "3"),),
                    unmanaged=True,
                ),
            ],
            opened=True,
        ),
    }


def usage(now: dt.datetime) -> dict[str, Any]:
    """Breakdown and spans."""
    share = [Share(1, 320, 320), Share(2, 160, 160)]
    return {
        "heads": [("vcpu_h", "vCPU h"), ("gib_d", "Volumes, GiB d")],
        "breakdown": [
            BreakdownRow(
                "Single-cell atlas",
                "#breakdown",
                [("206,366", "#breakdown"), ("125,327", "#breakdown")],
                share,
                480,
                "\N{MINUS SIGN}4 %",
            ),
            BreakdownRow(
                "Coastal genomics",
                "#breakdown",
                [("68,747", "#breakdown"), ("39,966", "#breakdown")],
                [Share(1, 200, 200)],
                480,
                "+1 %",
                current=True,
            ),
        ],
        "totals": ["275,113", "165,293"],
        "spans": [
            SpanRow(
                "annotate-01",
                "north · m2.large, 16 vCPU · active",
                now - dt.timedelta(days=17),
                None,
                "384 vCPU h",
                "exact",
                "exact",
                "#spans",
            ),
            SpanRow(
                "vol-scratch",
                "north · volume, 2,048 GiB",
                now - dt.timedelta(days=17),
                now - dt.timedelta(days=3),
                "28,672 GiB d",
                "sampled",
                "± 60 min",
                "#spans",
            ),
            SpanRow(
                "reads-2026",
                "lake · bucket",
                now - dt.timedelta(days=2),
                now - dt.timedelta(days=1),
                "30,720 GiB d",
                "estimated",
                "estimated",
                "#spans",
            ),
        ],
    }
