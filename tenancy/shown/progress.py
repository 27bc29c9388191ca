"""The steps of a project's clouds now, short enough to be asked for every two seconds."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from config import clock
from connectors.types import Section
from tenancy import access
from tenancy.loop import breaker
from tenancy.models import Condition, Project, Step, Tenancy
from tenancy.models.work import Kind
from tenancy.selectors import steps_now, tenancies_of
from tenancy.shown import wording
from tenancy.shown.parts import StepRow

ONE_BY_ONE = 4
"""More steps of one kind on one cloud than this are told as one line."""

SOON = timedelta(minutes=1)
"""Only what is tried again within this time is worth waiting for on a page."""

STATES = {
    Step.State.PLANNED: "draft",
    Step.State.SENT: "work",
    Step.State.DONE: "ok",
    Step.State.UNCLEAR: "wait",
    Step.State.INEFFECTIVE: "over",
    Step.State.FAILED: "over",
    Step.State.SUPERSEDED: "off",
}
_CONDITIONS = {
    Condition.State.TRYING: "work",
    Condition.State.NEEDS_YOU: "over",
    Condition.State.CONTESTED: "over",
    Condition.State.HELD: "wait",
    Condition.State.PAUSED: "off",
    Condition.State.ENDING: "work",
    Condition.State.UNKNOWN: "none",
}
_SECTIONS = {str(Section.TENANCIES): "the project itself", str(Section.MEMBERS): "members"}
_GROUPS = {
    Kind.ACCOUNT_CREATE: "Accounts",
    Kind.MEMBER_ADD: "Roles given",
    Kind.MEMBER_REMOVE: "Roles taken",
    Kind.LIMIT_RAISE: "Limits",
    Kind.LIMIT_CUT: "Limits lowered",
    Kind.WORK_STOP: "Work stopped",
    Kind.WORK_START: "Work started",
}


@dataclass(frozen=True, slots=True)
class Progress:
    """The context of templates/parts/progress.html, apart from where it is asked again."""

    title: str
    started_at: datetime | None
    steps: Sequence[StepRow]
    running: bool


def progress_of(project: Project, who: access.Who) -> Progress:
    """What happens on the project's clouds now: four queries. Verbatim answers are for operators."""
    return progress(list(tenancies_of(project)), verbatim=access.is_operator(who))


def progress(tenancies: Sequence[Tenancy], *, verbatim: bool) -> Progress:
    by_tenancy: dict[object, list[Step]] = defaultdict(list)
    for step in steps_now(tenancies):
        by_tenancy[step.tenancy_id].append(step)
    rows = [row for each in tenancies for row in _rows(each, by_tenancy[each.pk], verbatim)]
    unsettled = [each for each in tenancies if not each.settled]
    started = [step.planned_at for steps in by_tenancy.values() for step in steps]
    return Progress(
        title=_title(tenancies, unsettled),
        started_at=min(started) if unsettled and started else None,
        steps=rows,
        running=any(map(is_running, unsettled)),
    )


def is_running(tenancy: Tenancy) -> bool:
    """Whether something happens by itself soon; a tenancy that waits for a person or an hour is not asked again."""
    if tenancy.settled or tenancy.parked_at is not None or breaker.open_until(tenancy.cloud):
        return False
    soon = tenancy.next_attempt_at is not None and tenancy.next_attempt_at <= clock.now() + SOON
    return bool(tenancy.lease_holder) or soon


def _title(tenancies: Sequence[Tenancy], unsettled: Sequence[Tenancy]) -> str:
    if not tenancies:
        return "On no cloud yet"
    if unsettled:
        return f"Being changed on {_clouds(len(unsettled))}"
    return f"In step on {_clouds(len(tenancies))}"


def _clouds(count: int) -> str:
    return "1 cloud" if count == 1 else f"{count} clouds"


def _rows(tenancy: Tenancy, steps: Iterable[Step], verbatim: bool) -> list[StepRow]:
    groups: dict[str, list[Step]] = defaultdict(list)
    for step in steps:
        groups[step.kind].append(step)
    rows: list[StepRow] = []
    for kind, found in groups.items():
        shown = found
        if len(found) > ONE_BY_ONE:
            rows.append(_summary(tenancy, kind, found))
            shown = [step for step in found if STATES[Step.State(step.state)] == "over"][:ONE_BY_ONE]
        rows.extend(_row(tenancy, step, verbatim) for step in shown)
    return [*rows, *_waits(tenancy)]


def _row(tenancy: Tenancy, step: Step, verbatim: bool) -> StepRow:
    kind = "wait" if step.state == Step.State.PLANNED and step.error else STATES[Step.State(step.state)]
    after = wording.value(step, step.after)
    says = f": {after}" if after and step.kind in wording.LIMITS | wording.MEMBERS else ""
    return StepRow(
        kind, f"{wording.what(step)} on {tenancy.cloud}{says}", _sub(step), step.verbatim if verbatim else ""
    )


def _sub(step: Step) -> str:
    match step.state:
        case Step.State.DONE:
            return "read back" if step.wrote else "was so already"
        case Step.State.FAILED:
            return f"{step.error} {step.remedy}".strip()
        case Step.State.PLANNED if step.error:
            return f"{step.error} Tried {step.attempts} times; Tenantry tries again."
        case Step.State.UNCLEAR:
            return "The answer was lost; Tenantry looks again before it calls this settled."
        case Step.State.INEFFECTIVE:
            return "The cloud accepted the change, yet nothing changed. An operator looks at it."
        case _:
            return ""


def _summary(tenancy: Tenancy, kind: str, steps: Sequence[Step]) -> StepRow:
    done = sum(step.state == Step.State.DONE for step in steps)
    failed = sum(STATES[Step.State(step.state)] == "over" for step in steps)
    title = f"{_GROUPS.get(Kind(kind), Kind(kind).label)} on {tenancy.cloud}"
    state = "over" if failed else "ok" if done == len(steps) else "work"
    return StepRow(state, title, f"{done:,} of {len(steps):,} done" + (f", {failed:,} failed" if failed else ""))


def _waits(tenancy: Tenancy) -> list[StepRow]:
    """Why a tenancy is not settled although none of its steps says so."""
    if tenancy.settled:
        return []
    rows = [
        StepRow(
            _CONDITIONS[Condition.State(each.state)],
            f"{tenancy.cloud}: {_SECTIONS.get(each.section, each.section)} {each.get_state_display()}",
            each.reason,
        )
        for each in tenancy.conditions.all()
        if each.state in _CONDITIONS and each.reason
    ]
    if breaker.open_until(tenancy.cloud):
        title = f"{tenancy.cloud}: no call is made for the time being"
        rows.append(StepRow("wait", title, "The cloud refuses Tenantry's own account. Its operators are told."))
    if tenancy.parked_at is not None:
        return [*rows, StepRow("over", f"{tenancy.cloud}: stopped for a person", "An operator looks at it.")]
    if not rows and tenancy.settled_version == 0 and not tenancy.native_id:
        return [StepRow("draft", f"Project on {tenancy.cloud}", "A worker takes it up within seconds.")]
    if tenancy.verify_at is not None:
        rows.append(StepRow("wait", f"{tenancy.cloud}: looked at again later", "A lost answer may still take effect."))
    return rows
