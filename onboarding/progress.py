"""How far the clouds are with what is wanted: the steps of a project's tenancies in words."""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from dataclasses import dataclass

from tenancy.models import Condition, Project, Step, Tenancy
from tenancy.selectors import steps_now, tenancies_of

KINDS = {
    Step.State.PLANNED: "draft",
    Step.State.SENT: "work",
    Step.State.DONE: "ok",
    Step.State.UNCLEAR: "wait",
    Step.State.INEFFECTIVE: "over",
    Step.State.FAILED: "over",
    Step.State.SUPERSEDED: "off",
}
# Nothing moves by itself in these: looking again every two seconds would show nothing new.
_AT_REST = frozenset(
    {Condition.State.NEEDS_YOU, Condition.State.CONTESTED, Condition.State.HELD, Condition.State.PAUSED}
)


@dataclass(frozen=True)
class StepRow:
    """A step in words; `verbatim` is the cloud's own answer and only for operators."""

    kind: str
    title: str
    sub: str = ""
    verbatim: str = ""


@dataclass(frozen=True)
class Progress:
    """`running`: something still moves by itself, so that it is worth to look again."""

    steps: Sequence[StepRow]
    running: bool
    started_at: dt.datetime | None


def project_progress(project: Project, *, verbatim: bool) -> Progress:
    """The steps of the version that is wanted now, cloud by cloud, each cloud with a last line that says how it stands.

    Three queries, whatever the number of clouds and steps.
    """
    tenancies = list(tenancies_of(project))
    steps = list(steps_now(tenancies))
    rows: list[StepRow] = []
    for tenancy in tenancies:
        rows += [_row(step, verbatim=verbatim) for step in steps if step.tenancy_id == tenancy.pk]
        rows.append(_standing(tenancy))
    started = min((step.planned_at for step in steps), default=None)
    return Progress(rows, any(_moves(tenancy) for tenancy in tenancies), started)


def _row(step: Step, *, verbatim: bool) -> StepRow:
    whom = f" for {step.account.person}" if step.account else ""
    change = " → ".join(filter(None, (step.before, step.after)))
    return StepRow(
        kind=KINDS[Step.State(step.state)],
        title=f"{step.get_kind_display().capitalize()}{whom} on {step.cloud}",
        sub=step.error or step.detail or change,
        verbatim=step.verbatim if verbatim else "",
    )


def _standing(tenancy: Tenancy) -> StepRow:
    cloud = tenancy.cloud
    if tenancy.settled:
        return StepRow("ok", f"{cloud} is as wanted")
    if cloud.paused_at is not None or cloud.mode == cloud.Mode.OBSERVE:
        return StepRow("off", f"{cloud} is not written to at present", "It goes on when an operator opens it again.")
    if tenancy.verify_at is not None and tenancy.settled_version >= tenancy.wanted_version:
        return StepRow("wait", f"{cloud} is looked at once more", "An answer was lost; what is true there is checked.")
    worst = next((each for each in tenancy.conditions.all() if each.state in _AT_REST), None)
    if worst is not None:
        return StepRow("over", f"{cloud}: {worst.section} needs a person", worst.reason)
    trying = next((each for each in tenancy.conditions.all() if each.state == Condition.State.TRYING), None)
    if trying is not None:
        return StepRow("work", f"{cloud} is being set up", trying.reason)
    return StepRow("draft", f"{cloud} is next", "A worker takes it up within seconds.")


def _moves(tenancy: Tenancy) -> bool:
    if tenancy.settled or tenancy.parked_at is not None or tenancy.cloud.paused_at is not None:
        return False
    return tenancy.cloud.mode != tenancy.cloud.Mode.OBSERVE
