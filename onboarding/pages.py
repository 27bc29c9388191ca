"""What the pages of requests say: rows, badges and sentences, in the shapes that templates/parts/ take."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from urllib.parse import urlencode
from uuid import UUID

from django.forms import BoundField
from django.urls import reverse

from onboarding.forms import CloudGroup, DecisionForm, LinesForm, grant_field
from onboarding.models import Request, RequestLine
from onboarding.selectors import Pace
from quotas.catalog import RESOURCES, Unit, amount_format, amount_name
from quotas.selectors import today
from tenancy.models import Cloud
from tenancy.shown.parts import Badge, Note


@dataclass(frozen=True)
class Tab:
    text: str
    href: str
    count: int | None = None
    current: bool = False


STATES = {
    Request.State.SUBMITTED: "wait",
    Request.State.APPROVED: "ok",
    Request.State.REFUSED: "over",
    Request.State.WITHDRAWN: "off",
}


def state_badge(request: Request) -> Badge:
    return Badge(STATES[Request.State(request.state)], request.get_state_display())


# the queue


@dataclass(frozen=True)
class QueueRow:
    """A request in a list; `opened` shows the decision under it."""

    id: str
    project: str
    by: str
    kind: str
    asks: str
    asks_sub: str
    policy: Badge
    waits_since: dt.datetime
    open_href: str
    opened: bool = False
    can_choose: bool = False
    chosen: bool = False
    reviewer: str = ""


def queue_row(request: Request, *, deciding: bool, opened: UUID | None, query: Mapping[str, str]) -> QueueRow:
    """A row of the queue if `deciding`, where it opens in place; else a row that leads to the page of the request."""
    mine = opened == request.pk
    href = reverse("onboarding:request_detail", args=[request.pk])
    if deciding:
        opens = {key: value for key, value in query.items() if key != "open"} | (
            {} if mine else {"open": str(request.pk)}
        )
        href = f"?{urlencode(opens)}" + ("" if mine else "#decision")
    institution = f", {request.institution}" if request.institution else ""
    return QueueRow(
        id=str(request.pk),
        project=request.title,
        by=f"{request.requested_by}{institution}",
        kind=request.get_kind_display(),
        asks=asks(request),
        asks_sub=period(request),
        policy=readiness(request) if request.is_open and deciding else state_badge(request),
        waits_since=request.created_at,
        open_href=href,
        opened=mine and deciding,
        can_choose=deciding,
    )


def asks(request: Request) -> str:
    """ "8 vCPU, 32 GiB memory", or what is added: "+192 vCPU"; on which cloud if there are several."""
    lines = list(request.lines.all())
    clouds = [wanted.cloud for wanted in request.wanted_clouds.all()]
    if not lines:
        return "as it is, longer" if request.kind == Request.Kind.RENEWAL else "the default limits"
    named = len(clouds) > 1
    return ", ".join(asks_line(line) + (f" on {line.cloud}" if named else "") for line in lines)


def asks_line(line: RequestLine) -> str:
    if line.before is None:
        return amount_name(line.catalog, line.amount)
    return f"+{amount_name(line.catalog, line.amount - line.before)}"


def period(request: Request) -> str:
    if request.ends_on is None:
        return ""
    end = day(request.ends_on)
    return f"{day(request.starts_on)} to {end}" if request.starts_on else f"until {end}"


def day(value: dt.date) -> str:
    return f"{value.day} {value:%b %Y}"


def readiness(request: Request) -> Badge:
    """Whether what is asked would really be set up when it is approved."""
    for wanted in request.wanted_clouds.all():
        note = cloud_note(wanted.cloud)
        if note:
            return Badge("warn", note)
    if request.ends_on is not None and request.ends_on < today():
        return Badge("warn", "last day is over")
    return Badge("ok", "can be set up")


def cloud_note(cloud: Cloud) -> str:
    """Why nothing would happen on a cloud at present; empty if it would."""
    if cloud.mode == Cloud.Mode.OBSERVE:
        return f"{cloud} is only observed"
    return f"{cloud} is paused" if cloud.paused_at else ""


# one request


@dataclass(frozen=True)
class DecisionLine:
    """A line under review; `field` is the input of the amount to grant."""

    resource: str
    unit: Unit
    in_force: int | None
    peak: int | None
    asked: str
    field: BoundField
    free_after: int | None = None
    in_force_href: str = ""
    peak_href: str = ""


def decision_lines(
    form: DecisionForm, before: Mapping[tuple[UUID, str], int], peaks: Mapping[tuple[UUID, str], int]
) -> list[DecisionLine]:
    """`before` and `peaks` by (cloud id, resource)."""
    several = len({line.cloud_id for line in form.lines}) > 1
    return [
        DecisionLine(
            resource=line.catalog.label + (f" on {line.cloud}" if several else ""),
            # "vCPU, vCPU" says nothing twice.
            unit=line.catalog.unit_beside,
            in_force=before.get((line.cloud_id, line.resource)),
            peak=peaks.get((line.cloud_id, line.resource)),
            asked=_asked(line),
            field=form[grant_field(line)],
        )
        for line in form.lines
    ]


def _asked(line: RequestLine) -> str:
    """ "8", or what is added: "+192"."""
    if line.before is None:
        return amount_format(line.catalog, line.amount)
    return f"+{amount_format(line.catalog, line.amount - line.before)}"


# the form


@dataclass(frozen=True)
class FormLine:
    """A line of the form; `now` is what there is without asking, `most` what one request may ask for."""

    field: BoundField
    resource: str
    unit: Unit
    now: int
    most: int
    needs_review: bool = False


@dataclass(frozen=True)
class Box:
    name: str
    value: str
    chosen: bool


@dataclass(frozen=True)
class FormGroup:
    title: str
    colour: int
    lines: Sequence[FormLine]
    more: Sequence[FormLine]
    more_open: bool
    box: Box | None


def form_groups(form: LinesForm) -> list[FormGroup]:
    """The clouds of a form; the only one, and those the project is on, have no box to tick."""
    groups = form.groups()
    return [
        FormGroup(
            title=str(group.cloud),
            colour=group.cloud.color,
            lines=_form_lines(group, main=True),
            more=_form_lines(group, main=False),
            more_open=group.rest_open,
            box=None if group.held or len(groups) == 1 else Box("clouds", group.cloud.slug, group.chosen),
        )
        for group in groups
    ]


def _form_lines(group: CloudGroup, *, main: bool) -> list[FormLine]:
    return [
        FormLine(
            field=row.field,
            resource=row.asked.resource.label,
            unit=row.asked.resource.unit,
            now=row.asked.floor,
            most=row.asked.resource.maximum,
        )
        for row in (group.main if main else group.rest)
    ]


def summary_note(pace: Pace, wrong: Sequence[str]) -> Note:
    """What really happens next; or what has to be changed first."""
    if wrong:
        return Note("warn", "This cannot be sent yet.", " ".join(wrong))
    if pace.median is None:
        return Note("info", "A reviewer decides.", "Nothing is set up before; you get a mail either way.")
    return Note(
        "info",
        "A reviewer decides.",
        f"Nothing is set up before; you get a mail either way. {pace_says(pace).capitalize()}.",
    )


def pace_says(pace: Pace) -> str:
    """ "of the last 30 requests half were decided within 5 hours"; empty if none was decided yet."""
    if pace.median is None:
        return ""
    if pace.count == 1:
        return f"the last request was decided within {length(pace.median)}"
    return f"of the last {pace.count} requests half were decided within {length(pace.median)}"


def length(span: dt.timedelta) -> str:
    """In its largest unit, rounded down: "5 hours"."""
    seconds = int(span.total_seconds())
    for size, name in ((86_400, "day"), (3600, "hour"), (60, "minute")):
        count = seconds // size
        if count:
            return f"{count} {name}" if count == 1 else f"{count} {name}s"
    return "a minute"


def summary_facts(form: LinesForm) -> list[tuple[str, str, str]]:
    """(cloud, what is asked there, "") for the chosen clouds."""
    lines = form.lines()
    facts = []
    for cloud in form.chosen():
        said = [amount_name(RESOURCES[key], amount) for (pk, key), amount in lines.items() if pk == cloud.pk]
        facts.append((str(cloud), ", ".join(said) or ("as it is" if cloud.pk in form.held else "default limits"), ""))
    return facts
