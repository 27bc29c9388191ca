"""Samples for /styleguide/: every part of the pages with made-up data, in every state it knows.

The moment is taken from `config.clock`, so that ages read the same on every visit.
"""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from django import forms

from portal.drawing import Chart, Series, Share
from portal.parts import (
    Activity,
    BreakdownRow,
    Cloud,
    Column,
    DecisionLine,
    Empty,
    LimitRow,
    LineGroup,
    Link,
    MemberRow,
    Note,
    PlanAct,
    PlanGroup,
    PlanRow,
    ProjectRow,
    QueueRow,
    Reading,
    Refusal,
    RequestLine,
    Sentence,
    SpanRow,
    StepRow,
    Tab,
    WaitingItem,
    WindowRow,
)
from portal.states import Badge


@dataclass(frozen=True)
class SampleUnit:
    """A unit of the samples: so many base units make one."""

    symbol: str
    base: int


VCPU = SampleUnit("vCPU", 1000)
GIB = SampleUnit("GiB", 1024)
ADDRESS = SampleUnit("address", 1)
GPU = SampleUnit("GPU", 1)

NORTH, PROD, LAKE = Cloud("north", 1), Cloud("prod", 2), Cloud("lake", 3)
OK, GONE = Badge("ok", "in step"), None

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
VERBATIM = (
    "HTTP/1.1 409 Conflict\nx-openstack-request-id: req-5a0f2a44-9d1b-4c0e-8a57-2f4f0f0b6c1d\n\n"
    '{"error": {"code": 409, "message": "Duplicate entry found with name lattice-qcd.", "title": "Conflict"}}'
)


class ProjectForm(forms.Form):
    """A form that comes back with two errors."""

    title = forms.CharField(label="Name", help_text="Becomes the name on the clouds.")
    ends_on = forms.DateField(label="Ends on", widget=forms.DateInput(attrs={"type": "date"}))
    purpose = forms.CharField(
        required=False,
        widget=forms.Textarea(attrs={"rows": 2}),
        help_text="One or two sentences; reviewers and members read them.",
    )
    terms = forms.BooleanField(label="I have read the terms of use", required=False)

    def clean_title(self) -> str:
        raise forms.ValidationError("A project of Physics has this name. Choose another one.")

    def clean_ends_on(self) -> dt.date:
        raise forms.ValidationError("At most 24 months: until 2028-11-20.")


class FilterForm(forms.Form):
    """Filters of a list."""

    q = forms.CharField(label="Project or person", required=False, widget=forms.TextInput(attrs={"type": "search"}))
    cloud = forms.ChoiceField(label="Cloud", required=False, choices=[("", "all 3"), ("north", "north")])
    kind = forms.ChoiceField(label="Kind", required=False, choices=[("", "all"), ("new", "new project"), ("more", "more")])


class AmountForm(forms.Form):
    """Amounts of two resources."""

    vcpu = forms.DecimalField(widget=forms.TextInput(attrs={"inputmode": "numeric"}))
    memory = forms.DecimalField(widget=forms.TextInput(attrs={"inputmode": "numeric"}))


class DecisionForm(AmountForm):
    """What a reviewer answers."""

    until = forms.DateField(label="Valid until", widget=forms.DateInput(attrs={"type": "date"}))
    note = forms.CharField(label="Note to the owner", required=False, widget=forms.Textarea(attrs={"rows": 2}))


def samples(now: dt.datetime) -> dict[str, Any]:
    """The context of templates/portal/styleguide.html."""
    ago = lambda **length: now - dt.timedelta(**length)  # noqa: E731 - read as words below
    return {
        "colours": COLOURS,
        "states": STATES,
        "meters": METERS,
        "trend": [4, 5, 5, 6, 5, 7, 8, 8, 7, 9],
        "shares": [Share(1, 128, 97), Share(2, 48, 31)],
        "shares_unknown": [Share(1, 96, None), Share(2, 48, 31)],
        "chart": _chart(),
        "read_at": ago(minutes=6),
        "clouds": [NORTH, PROD, LAKE],
        **_home(now),
        **_project(now),
        **_requests(now),
        **_plan(),
        **_usage(now),
        "refusal": Refusal(
            "128 vCPU cannot be granted.",
            (("Asked", "128", "#refusal"), ("In force", "448 of 512, Physics", "#refusal"), ("In use", "391", "#refusal"), ("Free", "64", "#refusal")),
            Sentence("Ask for 64, or let your institution admin", "raise the 512", "#refusal", "."),
        ),
        "notes": [
            Note("info", "3 of 4 lines are granted at once.", "Floating IPs wait for a reviewer: you ask for 8, 2 need no review."),
            Note("warn", "Waits for a person.", "What, why, and the ways on.", acts=(Link("Look at it", "#notes"),)),
            Note("over", "Access ended on one cloud of two.", "north answered with an error; it is tried again.", verbatim=VERBATIM),
            Note("none", "Cinder has not answered since 08:10.", "Volume limits are unknown, so no change to them is planned."),
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


def _home(now: dt.datetime) -> dict[str, Any]:
    soon = Badge("warn", "Ends in 12 days")
    return {
        "waiting": [
            WaitingItem(
                soon,
                Sentence(subject="Coastal genomics", href="#waiting-title", after=" ends on 2 Dec 2026"),
                "After that access stops on all clouds; data is kept until 1 Mar 2027",
                Link("Renew or let it end", "#waiting-title"),
            ),
            WaitingItem(
                Badge("wait", "Asked 2 days ago"),
                Sentence("Tomás Ortega asks to join", "Sea-ice model", "#waiting-title", " as member"),
                "t.ortega@riverside.example · Marine and Climate",
                Link("Decide", "#waiting-title"),
            ),
        ],
        "columns": [Column("vCPU", now - dt.timedelta(minutes=6)), Column("Volumes", now - dt.timedelta(hours=1)), Column("GPU", None)],
        "projects": [
            ProjectRow(
                "Coastal genomics", "#projects-title", "owner · ends in 12 days", OK,
                [Reading(158_000, 192_000, VCPU, "#limits"), Reading(3940 * 1024, 4096 * 1024, GIB, "#limits"), Reading(None, 4, GPU)],
            ),
            ProjectRow(
                "Sea-ice model", "#projects-title", "manager · ends 31 Aug 2027", Badge("work", "changing"),
                [Reading(212_000, 256_000, VCPU, "#limits"), Reading(2100 * 1024, 2000 * 1024, GIB, "#limits"), None],
            ),
        ],
        "project_notes": [Note("none", "unknown", "GPU use: no reading since 07:10, when the node upgrade of prod began.")],
        "activity": [
            Activity(now - dt.timedelta(minutes=30), Sentence(subject="Sea-ice model", href="#activity", after=" holds 100 GiB more than its limit"), Badge("over", "over by 100 GiB")),
            Activity(now - dt.timedelta(days=1), Sentence("Ana Duarte added Jin Park to", "Plankton imaging", "#activity"), Badge("ok", "on 2 clouds")),
        ],
        "windows": [
            WindowRow("prod: node upgrade", Badge("work", "runs until 12:00"), "Since 07:00 · batch jobs may start again"),
            WindowRow("north: storage switch", Badge("wait", "in 4 days"), "24 Nov 18:00 to 20:00 · volumes pause up to 2 minutes"),
        ],
    }


def _project(now: dt.datetime) -> dict[str, Any]:
    return {
        "limits": [
            LimitRow(
                "vCPU", VCPU, 192_000, "#limits",
                [Share(1, 128_000, 97_000), Share(2, 48_000, 31_000)],
                [Reading(97_000, 128_000, VCPU, "#limits"), Reading(31_000, 48_000, VCPU, "#limits"), None], 16_000,
            ),
            LimitRow(
                "GPU", GPU, 4, "#limits", [Share(2, 4, None)], [None, Reading(None, 4, GPU), None], 0, sub="A100 cards"
            ),
            LimitRow(
                "Volumes", GIB, 4096 * 1024, "#limits",
                [Share(1, 3584 * 1024, 3452 * 1024)],
                [Reading(3452 * 1024, 3584 * 1024, GIB, "#limits", now - dt.timedelta(hours=2)), None, None], 512 * 1024,
            ),
        ],
        "limit_links": [Link("Divide anew", "#limits"), Link("6 grants behind these promises", "#limits")],
        "members": [
            MemberRow("Mira Solheim", "m.solheim@riverside.example", "owner", [OK, OK, OK], now, is_reader=True),
            MemberRow("Tomás Ortega", "t.ortega@riverside.example", "member", [OK, Badge("work", "being added"), Badge("draft", "next")], None, "#members"),
            MemberRow("Ivo Krasniqi", "i.krasniqi@riverside.example", "member", [Badge("warn", "role differs"), OK, GONE], now - dt.timedelta(days=1), "#members"),
        ],
        "started_at": now - dt.timedelta(minutes=1),
        "steps": [
            StepRow("ok", "Project on north", "read back · 0.4 s"),
            StepRow("work", "Limits of Nova", "2 of 3 written"),
            StepRow("wait", "Limits of Cinder", "next attempt at 09:43:10"),
            StepRow("over", "Role of Ivo Krasniqi", "refused by the cloud", VERBATIM),
            StepRow("draft", "Security groups"),
        ],
    }


def _requests(now: dt.datetime) -> dict[str, Any]:
    ask = AmountForm(initial={"vcpu": 8, "memory": 32}, prefix="ask")
    grant = DecisionForm(initial={"vcpu": 512, "memory": 2048, "until": "2027-01-15"}, prefix="grant")
    form = ProjectForm({"title": "Lattice QCD", "ends_on": "2029-01-31"}, prefix="project")
    row = lambda name, by, kind, asks, policy, **more: QueueRow(name, name, by, kind, asks, policy, now - dt.timedelta(days=2), "#queue", **more)  # noqa: E731
    return {
        "form": form,
        "filters": FilterForm(prefix="filter"),
        "chips": [Link("over policy", "?")],
        "tabs": [Tab("Waiting", "#queue", 3, current=True), Tab("Mine", "#queue", 0), Tab("Decided", "#queue")],
        "queue": [
            row("Kelp forest monitoring", "Mira Solheim, Marine and Climate", "new project", "8 vCPU, 32 GiB memory", Badge("warn", "over")),
            row("Lattice QCD", "Rahel Stein, Physics", "more", "+192 vCPU", Badge("warn", "128 vCPU over"), asks_sub="until 15 Jan 2027", reviewer="me", opened=True),
            row("Power grid", "Omar Sayegh, Engineering", "more", "+8 vCPU, +1 address", Badge("ok", "inside"), chosen=True),
        ],
        "lines": [
            DecisionLine("vCPU", VCPU, 320_000, 318_000, "+192", grant["vcpu"], 1_018_000, "#queue", "#queue", "#queue"),
            DecisionLine("Memory", GIB, 1280 * 1024, None, "+768", grant["memory"], None, "#queue"),
        ],
        "decision_note": Note("warn", "Over by 128 vCPU.", "Physics may grant 512 vCPU in total; 448 are promised."),
        "decision_fields": [grant["until"], grant["note"]],
        "bulk_acts": [PlanAct("Grant the 1 as asked", "do", "bulk-approve"), PlanAct("Take over", "do", "bulk-assign")],
        "groups": [
            LineGroup("OpenStack north", [
                RequestLine(ask["vcpu"], "vCPU", VCPU, 0, 32_000, 1_210_000, "#request-lines"),
                RequestLine(ask["memory"], "Memory", GIB, None, 16 * 1024, None, needs_review=True),
            ], colour=1)
        ],
        "summary_note": Note("info", "1 of 2 lines is granted at once.", "Memory waits for a reviewer: you ask for 32 GiB, 16 need no review."),
        "summary_facts": [("Free on north", "1,210 vCPU", "#request-lines"), ("The last 10 took", "5 hours", "")],
    }


def _plan() -> dict[str, Any]:
    drift = Sentence("Changed on the cloud:", "seen 09:12", "#plan", ", not there at 08:42")
    return {
        "guard_acts": [PlanAct("Keep their access", "guard", "keep"), PlanAct("Remove the 12…", "guard", "remove", takes_away=True)],
        "guard_look": Link("Look at the 12", "#plan"),
        "plan_kinds": [Link("1 add", "#plan"), Link("1 change", "#plan"), Link("1 unmanaged", "#plan")],
        "plan_causes": [Link("drift 1", "#plan"), Link("wanted anew 1", "#plan")],
        "plan_apply": PlanAct("Apply the 1 wanted", "do", "apply-wanted"),
        "plan_group": PlanGroup("sample-plan", "Coastal genomics", "Marine and Climate", [
            PlanRow("Limit of compute", "nova:cores", "160", "128", drift, (PlanAct("Adopt", "adopt", "1"), PlanAct("Restore", "restore", "1"))),
            PlanRow("Role of Lena Fischer", "user:51d09a / role", "", "reader", Sentence("Wanted anew:", "grant of 19 Nov", "#plan"), (PlanAct("Apply", "apply", "2"),)),
            PlanRow("Key of a robot account", "keystone:application_credential/ci-runner", "ci-runner", "", Sentence("Unmanaged: made on the cloud on 18 Nov; reported, never removed unless adopted"), (PlanAct("Adopt", "adopt", "3"),), unmanaged=True),
        ], opened=True),
    }


def _usage(now: dt.datetime) -> dict[str, Any]:
    share = [Share(1, 320, 320), Share(2, 160, 160)]
    return {
        "heads": [("vcpu_h", "vCPU h"), ("gib_d", "Volumes, GiB d")],
        "breakdown": [
            BreakdownRow("Single-cell atlas", "#breakdown", [("206,366", "#breakdown"), ("125,327", "#breakdown")], share, 480, "−4 %"),
            BreakdownRow("Coastal genomics", "#breakdown", [("68,747", "#breakdown"), ("39,966", "#breakdown")], [Share(1, 200, 200)], 480, "+1 %", current=True),
        ],
        "totals": ["275,113", "165,293"],
        "spans": [
            SpanRow("annotate-01", "north · m2.large, 16 vCPU · active", now - dt.timedelta(days=17), None, "384 vCPU h", "exact", "exact", "#spans"),
            SpanRow("vol-scratch", "north · volume, 2,048 GiB", now - dt.timedelta(days=17), now - dt.timedelta(days=3), "28,672 GiB d", "sampled", "± 60 min", "#spans"),
            SpanRow("reads-2026", "lake · bucket", now - dt.timedelta(days=2), now - dt.timedelta(days=1), "30,720 GiB d", "estimated", "estimated", "#spans"),
        ],
    }
