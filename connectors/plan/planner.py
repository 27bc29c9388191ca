"""Draft, judge, order: the plan of a tenancy and of a cloud."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import replace

from connectors.plan.drafts import Draft, find, limits, own_fields, work
from connectors.plan.found import Found
from connectors.plan.members import known_people, members
from connectors.plan.policy import Policy
from connectors.plan.results import CloudPlan, Drift, DriftKind, HeldChange, Hold, TenancyPlan
from connectors.types import (
    ChangeKind,
    FoundTenancy,
    Mode,
    Section,
    Survey,
    Takes,
    Wanted,
    WantedTenancy,
)

ORDER = {kind: position for position, kind in enumerate(ChangeKind)}

TAKING = frozenset((ChangeKind.MEMBER_REMOVE, ChangeKind.TENANCY_DISABLE, ChangeKind.WORK_STOP, ChangeKind.LIMIT_CUT))
"""Kinds that take something, though a member who changes role loses no access by one of them."""


def plan_cloud(wanted: Iterable[WantedTenancy], survey: Survey, policy: Policy) -> CloudPlan:
    """Plan every wanted tenancy against a full survey and tell what nobody here asked for."""
    found = Found(survey)
    wanted = tuple(wanted)
    plans = tuple(plan_tenancy(one, found, policy) for one in wanted)
    ours = {plan.native_id for plan in plans} | {w.native_id for w in wanted} | {policy.own_tenancy}
    strangers = tuple(_unmanaged(t) for t in survey.tenancies if t.native_id not in ours)
    return CloudPlan(plans, strangers)


def _unmanaged(found: FoundTenancy) -> Drift:
    note = "It carries our mark, yet Tenantry has no record of it." if found.ref else "Nobody asked for it here."
    return Drift(DriftKind.UNMANAGED, "", found.native_id, found.name, "exists", "", note)


def plan_tenancy(wanted: WantedTenancy, found: Found, policy: Policy) -> TenancyPlan:
    """Plan one tenancy. Changes come in the order in which they are to be made."""
    tenancy, drafts = find(wanted, found)
    if any(draft.hold for draft in drafts):
        return _finish(wanted, tenancy, drafts, found, policy)
    creating = any(draft.change.kind is ChangeKind.TENANCY_CREATE for draft in drafts)
    native_id = tenancy.native_id if tenancy else wanted.native_id
    if tenancy is not None:
        drafts.extend(own_fields(wanted, tenancy, complete=found.survey.complete(Section.TENANCIES)))
    if any(draft.hold is Hold.DUPLICATE for draft in drafts):
        # It is another tenancy's object by its mark: nothing of ours may be done to it until a person has looked.
        return _finish(wanted, tenancy, drafts, found, policy)
    if creating or native_id:
        drafts.extend(members(wanted, native_id, creating, found, policy))
        drafts.extend(limits(wanted, native_id, creating, found, policy))
        drafts.extend(work(wanted, native_id, found))
    return _finish(wanted, tenancy, drafts, found, policy)


def _finish(
    wanted: WantedTenancy, tenancy: FoundTenancy | None, drafts: list[Draft], found: Found, policy: Policy
) -> TenancyPlan:
    native_id = tenancy.native_id if tenancy else wanted.native_id
    judged = [_judge(draft, native_id, policy) for draft in drafts]
    changes = sorted((d.change for d in judged if d.hold is None), key=lambda c: ORDER[c.kind])
    held = tuple(HeldChange(d.change, d.hold, d.why) for d in judged if d.hold is not None)
    return TenancyPlan(
        wanted.ref,
        wanted.version,
        native_id,
        tuple(changes),
        held,
        tuple(_drift(wanted, native_id, found, policy)),
        _unknown(wanted, found, policy),
    )


def _judge(draft: Draft, native_id: str, policy: Policy) -> Draft:
    """What the policy says of a change that would be right by itself."""
    change = draft.change
    if draft.hold is not None:
        return draft
    own_account = policy.own_account and change.account and change.account.native_id == policy.own_account
    if own_account or (policy.own_tenancy and native_id == policy.own_tenancy):
        return replace(draft, hold=Hold.UNTOUCHABLE, why="It is Tenantry's own account or project.")
    if policy.mode is Mode.OBSERVE:
        return replace(draft, hold=Hold.MODE, why="This cloud is only observed.")
    if policy.mode is Mode.ADD_ONLY and (change.takes is not Takes.NOTHING or change.kind in TAKING):
        return replace(draft, hold=Hold.MODE, why="On this cloud Tenantry adds and takes nothing away.")
    if change.takes is not Takes.NOTHING and change.section in policy.suspect:
        why = "This part of the survey suddenly holds half or less of what it held."
        return replace(draft, hold=Hold.SUSPECT, why=why)
    if stopped := policy.stopped.get((change.tenancy, change.target)):
        hold, why = stopped
        return replace(draft, hold=hold, why=why)
    return draft


def _unknown(wanted: WantedTenancy, found: Found, policy: Policy) -> tuple[str, ...]:
    needed = [str(Section.TENANCIES), str(Section.MEMBERS)]
    needed += sorted({policy.sections[w.resource] for w in wanted.limits if w.resource in policy.sections})
    if Section.WORK in found.survey.sections and (wanted.state is Wanted.SUSPENDED or wanted.restart):
        needed.append(Section.WORK)
    return tuple(name for name in needed if not found.survey.complete(name))


def _drift(wanted: WantedTenancy, native_id: str, found: Found, policy: Policy) -> Iterator[Drift]:
    """People and roles on the tenancy that nobody here asked for: reported, never removed."""
    if not native_id or not found.survey.complete(Section.MEMBERS):
        return
    known = known_people(wanted)
    mapped = set(policy.roles.values())
    for row in found.members.get(native_id, []):
        ours = row.account in known and row.role in mapped
        own = policy.own_account and row.account == policy.own_account
        if row.inherited or ours or own:
            continue
        via = f" by group {row.group}" if row.group else ""
        note = f"Given on the cloud{via}; not ours to take away until adopted."
        yield Drift(DriftKind.UNMANAGED, wanted.ref, row.account or row.group, "role", row.role, "", note)
