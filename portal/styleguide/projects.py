"""Samples of home and project page."""

from __future__ import annotations

import datetime as dt
from decimal import Decimal
from typing import Any

from portal.drawing import Share
from portal.parts import (
    Activity,
    CloudState,
    Column,
    Empty,
    LimitRow,
    Link,
    MemberRow,
    Note,
    ProjectRow,
    Reading,
    SectionState,
    Sentence,
    StepRow,
    TenancyRow,
    UsageCard,
    WaitingItem,
    WindowRow,
)
from portal.states import Badge
from portal.styleguide.units import CLOUDS, GIB, GPU, OK, VCPU, VERBATIM


def home(now: dt.datetime) -> dict[str, Any]:
    """What waits, projects with meters, windows and activity."""
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
        "columns": [
            Column("vCPU", now - dt.timedelta(minutes=6)),
            Column("Volumes, GiB", now - dt.timedelta(hours=1)),
            Column("GPU", None),
        ],
        "projects": [
            ProjectRow(
                "Coastal genomics",
                "#projects-title",
                "owner · ends in 12 days",
                [CloudState(CLOUDS[0], OK), CloudState(CLOUDS[1], Badge("work", "changing"))],
                None,
                (now + dt.timedelta(days=12)).date(),
                [
                    Reading(158_000, 192_000, VCPU, "#limits"),
                    Reading(3940 * 1024, 4096 * 1024, GIB, "#limits"),
                    Reading(None, 4, GPU),
                ],
            ),
            ProjectRow(
                "Sea-ice model",
                "#projects-title",
                "manager",
                [],
                Badge("off", "archived"),
                None,
                [Reading(212_000, 256_000, VCPU, "#limits"), Reading(2100 * 1024, 2000 * 1024, GIB, "#limits"), None],
            ),
        ],
        "project_notes": [
            Note("none", "unknown", "GPU use: no reading since 07:10, when the node upgrade of prod began.")
        ],
        "activity": [
            Activity(
                now - dt.timedelta(minutes=30),
                Sentence(subject="Sea-ice model", href="#activity", after=" holds 100 GiB more than its limit"),
                Badge("over", "over by 100 GiB"),
            ),
            Activity(
                now - dt.timedelta(days=1),
                Sentence("Ana Duarte added Jin Park to", "Plankton imaging", "#activity"),
                Badge("ok", "on 2 clouds"),
            ),
        ],
        "windows": [
            WindowRow(
                "prod: node upgrade", Badge("work", "runs until 12:00"), "Since 07:00 · batch jobs may start again"
            ),
            WindowRow(
                "north: storage switch",
                Badge("wait", "in 4 days"),
                "24 Nov 18:00 to 20:00 · volumes pause up to 2 minutes",
            ),
        ],
    }


def project(now: dt.datetime) -> dict[str, Any]:
    """Limits, members and the steps of a change."""
    return {
        "limits": [
            LimitRow(
                "vCPU",
                VCPU,
                192_000,
                "#limits",
                [Share(1, 128_000, 97_000), Share(2, 48_000, 31_000)],
                [Reading(97_000, 128_000, VCPU, "#limits"), Reading(31_000, 48_000, VCPU, "#limits"), None],
                16_000,
            ),
            LimitRow(
                "GPU", GPU, 4, "#limits", [Share(2, 4, None)], [None, Reading(None, 4, GPU), None], 0, sub="A100 cards"
            ),
            LimitRow(
                "Volumes",
                GIB,
                4096 * 1024,
                "#limits",
                [Share(1, 3584 * 1024, 3452 * 1024)],
                [Reading(3452 * 1024, 3584 * 1024, GIB, "#limits", now - dt.timedelta(hours=2)), None, None],
                512 * 1024,
            ),
        ],
        "limit_links": [Link("Divide anew", "#limits"), Link("6 grants behind these promises", "#limits")],
        "members": [
            MemberRow("Mira Solheim", "m.solheim@riverside.example", "owner", [OK, OK, OK], now, is_reader=True),
            MemberRow(
                "Tomás Ortega",
                "t.ortega@riverside.example",
                "member",
                [OK, Badge("work", "being added"), Badge("draft", "next")],
                None,
                "#members",
            ),
            MemberRow(
                "Ivo Krasniqi",
                "i.krasniqi@riverside.example",
                "member",
                [Badge("warn", "role differs"), OK, None],
                now - dt.timedelta(days=1),
                "#members",
            ),
        ],
        "usage": UsageCard(
            "Usage in November",
            now - dt.timedelta(minutes=42),
            [("vCPU, vCPU-hours", "61,204", "#used-title"), ("Memory, GiB-hours", "240,112", "#used-title")],
            Empty("Nothing used yet"),
            [Decimal(n) for n in (310, 402, 398, 377, 420, 418, 433)],
            "vCPU-hours a day, between 310 and 433",
            "vCPU-hours a day, 1 Nov",
            "7 Nov",
            [Link("Explore usage", "#used-title")],
        ),
        "tenancies": [
            TenancyRow(CLOUDS[0], OK, "coastal-genomics", now - dt.timedelta(minutes=6), href="#tenancies"),
            TenancyRow(
                CLOUDS[1],
                Badge("warn", "needs you"),
                "coastal-genomics",
                now - dt.timedelta(hours=2),
                [
                    SectionState(
                        "Members",
                        Badge("warn", "needs you"),
                        "The cloud refused to add Ivo Krasniqi.",
                        now - dt.timedelta(days=1),
                    )
                ],
            ),
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
