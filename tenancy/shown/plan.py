"""The newest plan of a cloud as a page shows it: counts, groups a project, and what can be done about a line."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from django.db.models import Case, Count, Exists, F, IntegerField, OuterRef, Q, QuerySet, Value, When
from django.urls import reverse

from tenancy.models import Cloud, DriftLine, PlanLine, Project, Tenancy
from tenancy.models.work import Kind
from tenancy.selectors import drift_lines, plan_lines
from tenancy.shown import wording
from tenancy.shown.parts import Act, Link, PlanGroup, PlanRow, Sentence

OUTSIDE = 25
"""So many things that belong to no project are shown on one page of a plan."""

ADDS = (Kind.ACCOUNT_CREATE, Kind.TENANCY_CREATE, Kind.MEMBER_ADD)
REMOVES = (Kind.MEMBER_REMOVE, Kind.TENANCY_DISABLE, Kind.WORK_STOP)
STOPPED = (PlanLine.HoldChoice.CONTESTED, PlanLine.HoldChoice.INEFFECTIVE, PlanLine.HoldChoice.REFUSED)
"""Held after a try: a person may say "try again"."""


class Show(StrEnum):
    """What of a plan is looked at."""

    ALL = ""
    ADD = "add"
    CHANGE = "change"
    REMOVE = "remove"
    UNMANAGED = "unmanaged"
    DRIFT = "drift"
    WANTED = "wanted"
    HELD = "held"


KINDS = (Show.ADD, Show.CHANGE, Show.REMOVE, Show.UNMANAGED)
CAUSES = {Show.DRIFT: "drift", Show.WANTED: "wanted anew", Show.HELD: "held"}

_ANEW = Q(version__gt=F("tenancy__settled_version"))
_LINES = {
    Show.ALL: Q(),
    Show.ADD: Q(kind__in=ADDS),
    Show.CHANGE: ~Q(kind__in=(*ADDS, *REMOVES)),
    Show.REMOVE: Q(kind__in=REMOVES),
    Show.UNMANAGED: Q(pk__in=[]),
    # What was settled at this version once and differs now was changed on the cloud.
    Show.DRIFT: ~_ANEW,
    Show.WANTED: _ANEW,
    Show.HELD: ~Q(hold=""),
}
_WITH_STRANGERS = frozenset({Show.ALL, Show.UNMANAGED, Show.DRIFT})


def show(text: str) -> Show:
    """The filter of an address; anything else shows all."""
    return Show(text) if text in set(Show) else Show.ALL


def lines_of(cloud: Cloud, what: Show) -> QuerySet[PlanLine]:
    return plan_lines(cloud).filter(_LINES[what])


def strangers_of(cloud: Cloud, what: Show) -> QuerySet[DriftLine]:
    rows = drift_lines(cloud)
    return rows if what in _WITH_STRANGERS else rows.none()


@dataclass(frozen=True, slots=True)
class Counts:
    """How many lines each filter would show, and in how many projects there is any."""

    shown: Mapping[Show, int]
    projects: int

    @property
    def changes(self) -> int:
        return self.shown[Show.ADD] + self.shown[Show.CHANGE] + self.shown[Show.REMOVE]


def counts(cloud: Cloud) -> Counts:
    """Two queries whatever the size."""
    parts = {
        what: Count(Case(When(_LINES[what], then=Value(1)), output_field=IntegerField()))
        for what in (Show.ADD, Show.CHANGE, Show.REMOVE, Show.DRIFT, Show.WANTED, Show.HELD)
    }
    found = PlanLine.objects.filter(cloud=cloud).aggregate(
        **{str(what): count for what, count in parts.items()}, projects=Count("tenancy", distinct=True)
    )
    strangers = drift_lines(cloud).count()
    shown = {what: int(found[str(what)]) for what in parts}
    shown[Show.UNMANAGED] = strangers
    shown[Show.DRIFT] += strangers
    return Counts(shown, int(found["projects"]))


def tenancies_of_plan(cloud: Cloud, what: Show) -> QuerySet[Tenancy]:
    """Tenancies with a line to show, by the title of their project."""
    lines = PlanLine.objects.filter(_LINES[what], cloud=cloud, tenancy=OuterRef("pk"))
    strangers = strangers_of(cloud, what).filter(tenancy=OuterRef("pk"))
    rows = Tenancy.objects.filter(Exists(lines) | Exists(strangers), cloud=cloud)
    return rows.select_related("project__institution").order_by("project__title", "name")


def groups(cloud: Cloud, tenancies: Sequence[Tenancy], what: Show) -> list[PlanGroup]:
    """The lines of one page of tenancies: two queries."""
    rows: dict[object, list[PlanRow]] = defaultdict(list)
    for line in lines_of(cloud, what).filter(tenancy__in=tenancies):
        rows[line.tenancy_id].append(_row(line))
    for stranger in strangers_of(cloud, what).filter(tenancy__in=tenancies):
        rows[stranger.tenancy_id].append(_stranger(cloud, stranger))
    few = sum(map(len, rows.values())) <= OUTSIDE
    return [
        _group(tenancy, rows[tenancy.pk], opened=few or position == 0) for position, tenancy in enumerate(tenancies)
    ]


def _group(tenancy: Tenancy, rows: Sequence[PlanRow], *, opened: bool) -> PlanGroup:
    project = tenancy.project
    institution = project.institution if project else None
    state = "archived" if project and project.state == Project.State.ARCHIVED else ""
    sub = " · ".join(filter(None, (institution.name if institution else "", state, f"tenancy {tenancy.name}")))
    return PlanGroup(f"t-{tenancy.pk.hex[:12]}", project.title if project else tenancy.name, sub, rows, opened)


def outside(cloud: Cloud, lines: Iterable[DriftLine], total: int) -> PlanGroup | None:
    """Things on the cloud that belong to no project here, a page of them at a time."""
    rows = [_stranger(cloud, line) for line in lines]
    if not rows:
        return None
    more = f"; {len(rows)} of {total:,} on this page" if total > len(rows) else ""
    return PlanGroup("outside", "Not in Tenantry", f"nobody asked for these here{more}", rows, opened=True)


def _row(line: PlanLine) -> PlanRow:
    acts = [Act("Try again", "retry", str(line.tenancy_id))] if line.hold in STOPPED else []
    return PlanRow(
        what=wording.what(line),
        object=wording.object_name(line),
        found=wording.value(line, line.before),
        wanted=wording.value(line, line.after),
        why=_why(line),
        acts=acts,
    )


def _why(line: PlanLine) -> Sentence:
    anew = line.version > line.tenancy.settled_version
    words = f"{'Wanted anew' if anew else 'Changed on the cloud'}: {line.reason}"
    if line.hold == PlanLine.HoldChoice.GUARD:
        # How many would go is said once, above.
        return Sentence(f"{words} Waits for a person.")
    if line.hold:
        words += f" Held, {line.get_hold_display()}: {line.why}"
    if line.hold not in STOPPED:
        return Sentence(words)
    return Sentence(words, "What the cloud said", reverse("tenancy:tenancy_detail", args=[line.tenancy_id]))


def _stranger(cloud: Cloud, line: DriftLine) -> PlanRow:
    acts: list[Act] = []
    if line.tenancy_id is None and line.kind == DriftLine.DriftKind.UNMANAGED:
        acts = [Act("Adopt", href=reverse("portal:adopt", args=[cloud.slug, line.native_id]))]
    what = "Project" if line.tenancy_id is None else "Role of somebody on the cloud"
    return PlanRow(
        what=f"{what} {line.object}" if line.tenancy_id is None else what,
        object=line.native_id,
        found=line.found,
        wanted=line.wanted,
        why=Sentence(f"Seen since {line.first_seen_at:%d %b %H:%M}: {line.note}"),
        acts=acts,
        unmanaged=True,
    )


def filters(counted: Counts, address: str) -> tuple[list[Link], list[Link]]:
    """The links of parts/plan_filters.html: kinds of lines, and why they are there."""
    kinds = [Link(f"{counted.shown[kind]:,} {kind}", f"{address}?show={kind}") for kind in KINDS]
    causes = [Link(f"{text} {counted.shown[cause]:,}", f"{address}?show={cause}") for cause, text in CAUSES.items()]
    return kinds, causes


CSV_HEAD = ("project", "tenancy", "what", "kind", "target", "found", "wanted", "why", "held", "decided", "planned_at")


def documents(cloud: Cloud, what: Show) -> Iterator[dict[str, Any]]:
    """Every line as a flat document, for JSON, CSV and the API; amounts in base units."""
    for line in lines_of(cloud, what).order_by("tenancy__name", "position", "pk").iterator(chunk_size=1000):
        yield {
            "project": line.tenancy.project.slug if line.tenancy.project else None,
            "tenancy": str(line.tenancy_id),
            "what": wording.what(line),
            "kind": line.kind,
            "target": line.target,
            "found": line.before,
            "wanted": line.after,
            "why": " ".join(filter(None, (line.reason, line.why))),
            "held": line.hold or None,
            "decided": line.decided,
            "planned_at": line.planned_at,
        }
    for stranger in strangers_of(cloud, what).order_by("pk").iterator(chunk_size=1000):
        yield {
            "project": stranger.tenancy.project.slug if stranger.tenancy and stranger.tenancy.project else None,
            "tenancy": str(stranger.tenancy_id) if stranger.tenancy_id else None,
            "what": stranger.object,
            "kind": stranger.kind,
            "target": stranger.native_id,
            "found": stranger.found,
            "wanted": stranger.wanted,
            "why": stranger.note,
            "held": None,
            "decided": False,
            "planned_at": stranger.last_seen_at,
        }
