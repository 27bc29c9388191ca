"""What the templates in templates/parts/ are given, as frozen dataclasses: the words, links and badges of one part.

Pages build them from selectors; the styleguide builds them from samples. Amounts are integers in base units together
with the unit to show them in; times are aware UTC; an absent value (None) is shown as unknown, a dash or left out, as
said there.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from dataclasses import dataclass, field
from decimal import Decimal

from django.forms import BoundField

from portal.drawing import Share
from portal.states import Badge
from portal.wording import Unit


@dataclass(frozen=True)
class Link:
    """An act that is a link, or a filter that can be taken away."""

    text: str
    href: str


@dataclass(frozen=True)
class Sentence:
    """Plain words around one linked subject: before, subject, after."""

    before: str = ""
    subject: str = ""
    href: str = ""
    after: str = ""


@dataclass(frozen=True)
class Cloud:
    """A cloud as a column or a key: its name and its colour (1 and up)."""

    name: str
    colour: int
    href: str = ""


# parts/waiting.html, activity.html, windows.html


@dataclass(frozen=True)
class WaitingItem:
    """One thing that waits for the reader: since when or until when, what, and the link where it is decided."""

    badge: Badge
    what: Sentence
    sub: str
    act: Link


@dataclass(frozen=True)
class Activity:
    """One entry of the audit log in words."""

    at: dt.datetime
    what: Sentence
    badge: Badge | None = None
    sub: str = ""


@dataclass(frozen=True)
class WindowRow:
    """A maintenance or an outage: what, its state, whom it touches."""

    title: str
    badge: Badge
    sub: str


# parts/project_table.html, parts/limits.html


@dataclass(frozen=True)
class Reading:
    """Use and limit of one resource at a time; `used` None: not known; `limit` None: not known, -1: no limit."""

    used: int | None
    limit: int | None
    unit: Unit
    href: str = ""
    read_at: dt.datetime | None = None


@dataclass(frozen=True)
class Column:
    """A resource as a column: its title with the unit ("Volumes, GiB") and the age of its readings."""

    title: str
    read_at: dt.datetime | None


@dataclass(frozen=True)
class CloudState:
    """How a project stands on one cloud."""

    cloud: Cloud
    badge: Badge


@dataclass(frozen=True)
class ProjectRow:
    """A project in a table: its state as a whole or per cloud, its last day (None: no end), its use.

    `cells` are as many as the columns, None where it has nothing of the resource.
    """

    title: str
    href: str
    sub: str
    states: Sequence[CloudState]
    state: Badge | None
    ends_on: dt.date | None
    cells: Sequence[Reading | None]


@dataclass(frozen=True)
class LimitRow:
    """A resource of a project: the promise, its division, use next to limit per cloud, and what is not divided."""

    resource: str
    unit: Unit
    promise: int
    promise_href: str
    shares: Sequence[Share]
    cells: Sequence[Reading | None]
    undivided: int
    sub: str = ""


# parts/tenancies.html


@dataclass(frozen=True)
class SectionState:
    """A section of a tenancy that is not simply fine: its name in words, state, reason and since when."""

    name: str
    badge: Badge
    reason: str
    since: dt.datetime


@dataclass(frozen=True)
class TenancyRow:
    """A project on one cloud; `href` is its journal, for operators; `surveyed_at` None: never read."""

    cloud: Cloud
    badge: Badge
    name: str
    surveyed_at: dt.datetime | None
    sections: Sequence[SectionState] = ()
    href: str = ""


# parts/usage_card.html


@dataclass(frozen=True)
class UsageCard:
    """Use of a month so far: a trend a day with its first and last day, and (what, how much, href) a meter.

    `says` tells the trend in words; `until` None: never collected.
    """

    title: str
    until: dt.datetime | None
    facts: Sequence[tuple[str, str, str]]
    empty: Empty
    trend: Sequence[Decimal] = ()
    says: str = ""
    first: str = ""
    last: str = ""
    links: Sequence[Link] = ()


# parts/members.html


@dataclass(frozen=True)
class MemberRow:
    """A membership: the person, the role, and a badge per cloud (None: not there)."""

    name: str
    mail: str
    role: str
    clouds: Sequence[Badge | None]
    last_seen: dt.datetime | None
    change_href: str = ""
    is_reader: bool = False


# parts/progress.html, parts/step.html


@dataclass(frozen=True)
class StepRow:
    """A journaled step in words; `verbatim` is the cloud's answer and is given to operators only."""

    kind: str
    title: str
    sub: str = ""
    verbatim: str = ""


# parts/note.html, refusal.html, empty.html


@dataclass(frozen=True)
class Note:
    """A note: kind is info, ok, warn, over or none; the headline says what, the text why, the acts the ways on."""

    kind: str
    headline: str
    text: str = ""
    sub: str = ""
    verbatim: str = ""
    acts: Sequence[Link] = ()


@dataclass(frozen=True)
class Refusal:
    """A refusal that names the limit: (word, value, href) for asked, in force, in use, free; and what to do next."""

    headline: str
    facts: Sequence[tuple[str, str, str]]
    next: Sentence


@dataclass(frozen=True)
class Empty:
    """Nothing to show: why, and what to do next. `kind` is "none" when it is not known, else ""."""

    headline: str
    text: str = ""
    act: Link | None = None
    kind: str = ""


# parts/request_lines.html, request_summary.html


@dataclass(frozen=True)
class RequestLine:
    """A resource in a request form: `now` is in force, `granted_up_to` needs no review, `free` is capacity."""

    field: BoundField
    resource: str
    unit: Unit
    now: int | None = None
    granted_up_to: int | None = None
    free: int | None = None
    free_href: str = ""
    needs_review: bool = False


@dataclass(frozen=True)
class LineGroup:
    """Lines under one heading; `colour` None when the heading is not a cloud."""

    title: str
    lines: Sequence[RequestLine]
    colour: int | None = None


# parts/tabs.html, filters.html, queue_table.html, decision.html


@dataclass(frozen=True)
class Tab:
    """A saved view: a link with the number of its rows; None: not counted."""

    text: str
    href: str
    count: int | None = None
    current: bool = False


@dataclass(frozen=True)
class QueueRow:
    """A request in the review queue; `opened` shows the decision under it."""

    id: str
    project: str
    by: str
    kind: str
    asks: str
    policy: Badge
    waits_since: dt.datetime
    open_href: str
    asks_sub: str = ""
    reviewer: str = ""
    chosen: bool = False
    opened: bool = False
    can_choose: bool = True


@dataclass(frozen=True)
class DecisionLine:
    """A resource under review; `field` is the input of the amount to grant."""

    resource: str
    unit: Unit
    in_force: int | None
    peak: int | None
    asked: str
    field: BoundField
    free_after: int | None
    in_force_href: str = ""
    peak_href: str = ""
    free_href: str = ""


# parts/plan_filters.html, plan_group.html


@dataclass(frozen=True)
class PlanAct:
    """A button of a plan line, posted as `name=value`, or a link if `href` is given; `takes_away` makes it red."""

    text: str
    name: str = ""
    value: str = ""
    takes_away: bool = False
    href: str = ""


@dataclass(frozen=True)
class PlanRow:
    """A change: found, wanted, why. `unmanaged` things are reported and nothing is wanted of them."""

    what: str
    object: str
    found: str
    wanted: str
    why: Sentence
    acts: Sequence[PlanAct] = ()
    unmanaged: bool = False


@dataclass(frozen=True)
class PlanGroup:
    """The changes of one project, or of things that belong to none."""

    id: str
    title: str
    sub: str
    rows: Sequence[PlanRow]
    opened: bool = False


# parts/breakdown.html, parts/spans.html


@dataclass(frozen=True)
class BreakdownRow:
    """A row of the usage table: its quantities in the columns' units, and its share by cloud."""

    title: str
    href: str
    cells: Sequence[tuple[str, str]]
    shares: Sequence[Share] = ()
    whole: int = 0
    change: str = ""
    current: bool = False


@dataclass(frozen=True)
class SpanRow:
    """A span of the ledger; `known` is exact, sampled or estimated, said in `known_text`; `end` None: runs on."""

    thing: str
    sub: str
    start: dt.datetime
    end: dt.datetime | None
    quantity: str
    known: str
    known_text: str
    href: str = ""
    extra: Sequence[str] = field(default_factory=tuple)
