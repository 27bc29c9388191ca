"""Changes of the tenancy itself, of its limits and its running work, before the policy has judged them."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace

from connectors.plan.found import Found
from connectors.plan.policy import Policy
from connectors.plan.results import Hold
from connectors.types import (
    UNLIMITED,
    Change,
    ChangeKind,
    FoundLimit,
    FoundTenancy,
    Section,
    Takes,
    Wanted,
    WantedLimit,
    WantedTenancy,
)


@dataclass(frozen=True, slots=True)
class Draft:
    change: Change
    hold: Hold | None = None
    why: str = ""


def find(wanted: WantedTenancy, found: Found) -> tuple[FoundTenancy | None, list[Draft]]:
    """Which object stands for the tenancy: by recorded id, else by our tag, else there is none yet."""
    tagged = found.by_ref.get(wanted.ref, [])
    if wanted.native_id and (here := found.by_id.get(wanted.native_id)):
        return here, []
    if not found.survey.complete(Section.TENANCIES):
        return None, []
    create = _create(wanted)
    if wanted.native_id:
        why = f"The recorded object {wanted.native_id} is gone from the cloud; somebody removed it there."
        return None, [Draft(create, Hold.MISSING, why)]
    if len(tagged) > 1:
        ids = ", ".join(sorted(t.native_id for t in tagged))
        return None, [Draft(create, Hold.DUPLICATE, f"More than one object carries our mark: {ids}.")]
    if tagged:
        return tagged[0], []
    if taken := found.by_name.get(wanted.name):
        why = f"The name is taken by {taken.native_id}, which is not ours. Adopt it or choose another name."
        return None, [Draft(create, Hold.NAME_TAKEN, why)]
    if wanted.state is Wanted.SUSPENDED:
        return None, []
    return None, [Draft(create)]


def _create(wanted: WantedTenancy) -> Change:
    return Change(
        ChangeKind.TENANCY_CREATE,
        Section.TENANCIES,
        wanted.ref,
        "tenancy",
        wanted.reason or "The project was approved.",
        before="",
        after=wanted.name,
        name=wanted.name,
        title=wanted.title,
    )


def own_fields(wanted: WantedTenancy, tenancy: FoundTenancy, *, complete: bool) -> Iterator[Draft]:
    base = Change(
        ChangeKind.TENANCY_TAG,
        Section.TENANCIES,
        wanted.ref,
        "tag",
        "Adopted: from now on it carries our mark.",
        after=wanted.ref,
        tenancy_native_id=tenancy.native_id,
    )
    if tenancy.ref and tenancy.ref != wanted.ref:
        why = f"It already carries the mark of another tenancy ({tenancy.ref})."
        yield Draft(replace(base, before=tenancy.ref), Hold.DUPLICATE, why)
    elif not tenancy.ref:
        yield Draft(base)
    if wanted.state is Wanted.OPEN and not tenancy.enabled:
        reason = wanted.reason or "The project is open, the cloud has it disabled."
        yield Draft(
            replace(
                base,
                kind=ChangeKind.TENANCY_ENABLE,
                target="enabled",
                reason=reason,
                before="disabled",
                after="enabled",
            )
        )
    if wanted.state is Wanted.SUSPENDED and tenancy.enabled and complete:
        yield Draft(
            replace(
                base,
                kind=ChangeKind.TENANCY_DISABLE,
                target="enabled",
                reason=wanted.reason or "The project is closed.",
                before="enabled",
                after="disabled",
                takes=Takes.ACCESS,
            )
        )


def limits(wanted: WantedTenancy, native_id: str, creating: bool, found: Found, policy: Policy) -> Iterator[Draft]:
    rows: dict[str, FoundLimit] = {row.resource: row for row in found.limits.get(native_id, [])} if native_id else {}
    for promised in wanted.limits:
        section = policy.sections.get(promised.resource)
        if section is None:
            continue
        row = rows.get(promised.resource)
        limit = _reachable(promised, row)
        if creating:
            yield Draft(_limit(wanted, limit, "", section, None))
        elif row is not None and found.survey.complete(section) and row.amount != limit.amount:
            yield Draft(_limit(wanted, limit, native_id, section, row.amount))


def _reachable(limit: WantedLimit, row: FoundLimit | None) -> WantedLimit:
    """As low as the cloud takes it now; the limit follows its use down, survey by survey."""
    if row is None or row.floor is None or limit.amount == UNLIMITED or limit.amount >= row.floor:
        return limit
    reason = f"{limit.reason or 'The limit follows the grants in force.'} The cloud takes none below what is in use."
    return replace(limit, amount=row.floor, reason=reason)


def _limit(wanted: WantedTenancy, limit: WantedLimit, native_id: str, section: str, before: int | None) -> Change:
    cut = before is not None and limit.amount != UNLIMITED and (before == UNLIMITED or limit.amount < before)
    return Change(
        ChangeKind.LIMIT_CUT if cut else ChangeKind.LIMIT_RAISE,
        section,
        wanted.ref,
        f"limit:{limit.resource}",
        limit.reason or "The limit follows the grants in force.",
        before="" if before is None else str(before),
        after=str(limit.amount),
        takes=Takes.LIMIT if cut else Takes.NOTHING,
        decided=limit.decided,
        tenancy_native_id=native_id,
        resource=limit.resource,
        amount=limit.amount,
    )


def work(wanted: WantedTenancy, native_id: str, found: Found) -> Iterator[Draft]:
    if not native_id or not found.survey.complete(Section.WORK):
        return
    for work in sorted(found.work.get(native_id, []), key=lambda w: w.native_id):
        stop = wanted.state is Wanted.SUSPENDED and work.running
        start = wanted.state is Wanted.OPEN and not work.running and work.native_id in wanted.restart
        if not (stop or start):
            continue
        yield Draft(
            Change(
                ChangeKind.WORK_STOP if stop else ChangeKind.WORK_START,
                Section.WORK,
                wanted.ref,
                f"work:{work.native_id}",
                wanted.reason or ("The project is closed." if stop else "The project is open again."),
                before="running" if stop else "stopped",
                after="stopped" if stop else "running",
                takes=Takes.WORK if stop else Takes.NOTHING,
                tenancy_native_id=native_id,
                name=work.name,
                native_id=work.native_id,
            )
        )
