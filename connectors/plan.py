"""The pure planner: wanted + found + policy -> ordered changes with reasons. No I/O, no clock, no chance.

There is one path for provisioning, repair, quota change and goodbye: what differs is only what is wanted. A
field is compared only if we own it: our tag, whether the tenancy is enabled, the roles the policy maps, the
limits that are wanted. Everything else that is found and was not caused by us is told as drift and left alone.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from enum import StrEnum
from types import MappingProxyType
from typing import Protocol, TypeVar

from connectors.types import (
    UNLIMITED,
    AccountRef,
    Change,
    ChangeKind,
    FoundLimit,
    FoundTenancy,
    Mode,
    Role,
    Section,
    Survey,
    Takes,
    Wanted,
    WantedLimit,
    WantedTenancy,
)

ORDER = {kind: position for position, kind in enumerate(ChangeKind)}


class Hold(StrEnum):
    """Why a change is not made although found and wanted differ."""

    MODE = "mode"
    UNTOUCHABLE = "untouchable"
    LAST_OWNER = "last-owner"
    CONTESTED = "contested"
    INEFFECTIVE = "ineffective"
    REFUSED = "refused"
    SUSPECT = "suspect"
    MISSING = "missing"
    NAME_TAKEN = "name-taken"
    DUPLICATE = "duplicate"
    NO_ACCOUNT = "no-account"
    GUARD = "guard"


class DriftKind(StrEnum):
    UNMANAGED = "unmanaged"
    MISSING = "missing"
    CHANGED = "changed"


@dataclass(frozen=True, slots=True)
class Policy:
    """What a plan may do on this cloud.

    ``sections`` tells which section each resource's limit belongs to. ``stopped`` are changes, by tenancy ref and
    target, that were tried and must not be tried again by themselves: contested, ineffective or refused.
    """

    mode: Mode
    roles: Mapping[Role, str]
    sections: Mapping[str, str] = field(default_factory=lambda: MappingProxyType({}))
    own_account: str = ""
    own_tenancy: str = ""
    stopped: Mapping[tuple[str, str], tuple[Hold, str]] = field(default_factory=lambda: MappingProxyType({}))
    suspect: frozenset[str] = frozenset()


@dataclass(frozen=True, slots=True)
class HeldChange:
    change: Change
    hold: Hold
    why: str


@dataclass(frozen=True, slots=True)
class Drift:
    """A difference we did not cause. ``native_id`` is the object's; ``tenancy`` is our ref or empty."""

    kind: DriftKind
    tenancy: str
    native_id: str
    object: str
    found: str
    wanted: str
    note: str


@dataclass(frozen=True, slots=True)
class TenancyPlan:
    """The plan of one tenancy. ``unknown`` are the sections that could not be compared."""

    ref: str
    version: int
    native_id: str
    changes: tuple[Change, ...] = ()
    held: tuple[HeldChange, ...] = ()
    drift: tuple[Drift, ...] = ()
    unknown: tuple[str, ...] = ()

    @property
    def settled(self) -> bool:
        """Nothing to do, nothing held, nothing unknown: found is as wanted."""
        return not (self.changes or self.held or self.unknown)


@dataclass(frozen=True, slots=True)
class CloudPlan:
    tenancies: tuple[TenancyPlan, ...]
    drift: tuple[Drift, ...]

    @property
    def changes(self) -> tuple[Change, ...]:
        return tuple(change for tenancy in self.tenancies for change in tenancy.changes)


class _OfTenancy(Protocol):
    @property
    def tenancy(self) -> str: ...


Row = TypeVar("Row", bound=_OfTenancy)


def _group(rows: Iterable[Row]) -> dict[str, list[Row]]:
    grouped: dict[str, list[Row]] = {}
    for row in rows:
        grouped.setdefault(row.tenancy, []).append(row)
    return grouped


class Found:
    """A survey indexed once, so that planning 1,000 tenancies stays linear."""

    def __init__(self, survey: Survey) -> None:
        self.survey = survey
        self.by_id = {t.native_id: t for t in survey.tenancies}
        self.by_name = {t.name: t for t in survey.tenancies}
        self.by_ref: dict[str, list[FoundTenancy]] = {}
        for tenancy in survey.tenancies:
            if tenancy.ref:
                self.by_ref.setdefault(tenancy.ref, []).append(tenancy)
        self.members = _group(survey.members)
        self.limits = _group(survey.limits)
        self.work = _group(survey.work)


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
    tenancy, drafts = _find(wanted, found)
    if any(draft.hold for draft in drafts):
        return _finish(wanted, tenancy, drafts, found, policy)
    creating = any(draft.change.kind is ChangeKind.TENANCY_CREATE for draft in drafts)
    native_id = tenancy.native_id if tenancy else wanted.native_id
    if tenancy is not None:
        drafts.extend(_own_fields(wanted, tenancy, complete=found.survey.complete(Section.TENANCIES)))
    if creating or native_id:
        drafts.extend(_members(wanted, native_id, creating, found, policy))
        drafts.extend(_limits(wanted, native_id, creating, found, policy))
        drafts.extend(_work(wanted, native_id, found))
    return _finish(wanted, tenancy, drafts, found, policy)


@dataclass(frozen=True, slots=True)
class _Draft:
    change: Change
    hold: Hold | None = None
    why: str = ""


def _find(wanted: WantedTenancy, found: Found) -> tuple[FoundTenancy | None, list[_Draft]]:
    """Which object stands for the tenancy: by recorded id, else by our tag, else there is none yet."""
    tagged = found.by_ref.get(wanted.ref, [])
    if wanted.native_id and (here := found.by_id.get(wanted.native_id)):
        return here, []
    if not found.survey.complete(Section.TENANCIES):
        return None, []
    create = _create(wanted)
    if wanted.native_id:
        why = f"The recorded object {wanted.native_id} is gone from the cloud; somebody removed it there."
        return None, [_Draft(create, Hold.MISSING, why)]
    if len(tagged) > 1:
        ids = ", ".join(sorted(t.native_id for t in tagged))
        return None, [_Draft(create, Hold.DUPLICATE, f"More than one object carries our mark: {ids}.")]
    if tagged:
        return tagged[0], []
    if taken := found.by_name.get(wanted.name):
        why = f"The name is taken by {taken.native_id}, which is not ours. Adopt it or choose another name."
        return None, [_Draft(create, Hold.NAME_TAKEN, why)]
    if wanted.state is Wanted.SUSPENDED:
        return None, []
    return None, [_Draft(create)]


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


def _own_fields(wanted: WantedTenancy, tenancy: FoundTenancy, *, complete: bool) -> Iterator[_Draft]:
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
        yield _Draft(replace(base, before=tenancy.ref), Hold.DUPLICATE, why)
    elif not tenancy.ref:
        yield _Draft(base)
    if wanted.state is Wanted.OPEN and not tenancy.enabled:
        reason = wanted.reason or "The project is open, the cloud has it disabled."
        yield _Draft(
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
        yield _Draft(
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


def _members(wanted: WantedTenancy, native_id: str, creating: bool, found: Found, policy: Policy) -> Iterator[_Draft]:
    if not creating and not found.survey.complete(Section.MEMBERS):
        return
    rows = found.members.get(native_id, []) if native_id else []
    direct = {(row.account, row.role) for row in rows if not row.group and not row.inherited}
    if wanted.state is Wanted.OPEN:
        yield from _members_missing(wanted, native_id, direct, policy)
    yield from _members_too_many(wanted, native_id, direct, policy)


def _members_missing(
    wanted: WantedTenancy, native_id: str, direct: set[tuple[str, str]], policy: Policy
) -> Iterator[_Draft]:
    for member in wanted.members:
        role = policy.roles[member.role]
        account = member.account
        if account.native_id and (account.native_id, role) in direct:
            continue
        hold, why = None, ""
        if not account.native_id:
            making = _account(wanted, account)
            hold, why = making.hold, making.why
            yield making
        yield _Draft(
            Change(
                ChangeKind.MEMBER_ADD,
                Section.MEMBERS,
                wanted.ref,
                f"member:{account.ref}:{role}",
                member.reason or "A member of the project.",
                before=", ".join(sorted(r for a, r in direct if a and a == account.native_id)),
                after=role,
                tenancy_native_id=native_id,
                account=account,
                role=role,
            ),
            hold,
            why,
        )


def _account(wanted: WantedTenancy, account: AccountRef) -> _Draft:
    change = Change(
        ChangeKind.ACCOUNT_CREATE,
        Section.ACCOUNTS,
        wanted.ref,
        f"account:{account.ref}",
        "A member needs an account on this cloud.",
        after=account.name,
        account=account,
    )
    if account.manage or account.link:
        return _Draft(change)
    why = "This person has no identity at the cloud's identity provider yet; it is linked at their first sign-in."
    return _Draft(change, Hold.NO_ACCOUNT, why)


@dataclass(frozen=True, slots=True)
class _Known:
    """Somebody we may take a role from, and with what right."""

    account: AccountRef
    role: Role | None
    decided: bool
    reason: str


def _known(wanted: WantedTenancy) -> dict[str, _Known]:
    closed = wanted.state is Wanted.SUSPENDED
    # Who closed the project decided about everybody in it, those an import ended included.
    known = {e.account.native_id: _Known(e.account, e.role, e.decided or closed, e.reason) for e in wanted.ended}
    for m in wanted.members:
        reason = wanted.reason or "The project is closed." if closed else f"The role is now {m.role}."
        known[m.account.native_id] = _Known(m.account, None, True, reason)
    known.pop("", None)
    return known


def _members_too_many(
    wanted: WantedTenancy, native_id: str, direct: set[tuple[str, str]], policy: Policy
) -> Iterator[_Draft]:
    known = _known(wanted)
    mapped = set(policy.roles.values())
    keep: set[tuple[str, str]] = set()
    if wanted.state is Wanted.OPEN:
        keep = {(m.account.native_id, policy.roles[m.role]) for m in wanted.members}
    staying = {account for account, _ in keep}
    last = wanted.state is Wanted.OPEN and not any(m.role is Role.OWNER for m in wanted.members)
    for account, role in sorted(direct - keep):
        if role not in mapped or account not in known:
            continue
        who = known[account]
        change = Change(
            ChangeKind.MEMBER_REMOVE,
            Section.MEMBERS,
            wanted.ref,
            f"member:{who.account.ref}:{role}",
            who.reason or "No longer a member.",
            before=role,
            after=next((r for a, r in sorted(keep) if a == account), ""),
            takes=Takes.NOTHING if account in staying else Takes.ACCESS,
            decided=who.decided,
            tenancy_native_id=native_id,
            account=who.account,
            role=role,
        )
        if last and who.role is Role.OWNER:
            yield _Draft(change, Hold.LAST_OWNER, "The project would be left without an owner.")
        else:
            yield _Draft(change)


def _limits(wanted: WantedTenancy, native_id: str, creating: bool, found: Found, policy: Policy) -> Iterator[_Draft]:
    rows: dict[str, FoundLimit] = {row.resource: row for row in found.limits.get(native_id, [])} if native_id else {}
    for limit in wanted.limits:
        section = policy.sections.get(limit.resource)
        if section is None:
            continue
        row = rows.get(limit.resource)
        if creating:
            yield _Draft(_limit(wanted, limit, "", section, None))
        elif row is not None and found.survey.complete(section) and row.amount != limit.amount:
            yield _Draft(_limit(wanted, limit, native_id, section, row.amount))


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


def _work(wanted: WantedTenancy, native_id: str, found: Found) -> Iterator[_Draft]:
    if not native_id or not found.survey.complete(Section.WORK):
        return
    for work in sorted(found.work.get(native_id, []), key=lambda w: w.native_id):
        stop = wanted.state is Wanted.SUSPENDED and work.running
        start = wanted.state is Wanted.OPEN and not work.running and work.native_id in wanted.restart
        if not (stop or start):
            continue
        yield _Draft(
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


def _finish(
    wanted: WantedTenancy, tenancy: FoundTenancy | None, drafts: list[_Draft], found: Found, policy: Policy
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


def _judge(draft: _Draft, native_id: str, policy: Policy) -> _Draft:
    """What the policy says of a change that would be right by itself."""
    change = draft.change
    if draft.hold is not None:
        return draft
    own_account = policy.own_account and change.account and change.account.native_id == policy.own_account
    if own_account or (policy.own_tenancy and native_id == policy.own_tenancy):
        return replace(draft, hold=Hold.UNTOUCHABLE, why="It is Tenantry's own account or project.")
    if policy.mode is Mode.OBSERVE:
        return replace(draft, hold=Hold.MODE, why="This cloud is only observed.")
    if policy.mode is Mode.ADD_ONLY and change.takes is not Takes.NOTHING:
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
    known = _known(wanted)
    mapped = set(policy.roles.values())
    for row in found.members.get(native_id, []):
        ours = row.account in known and row.role in mapped
        own = policy.own_account and row.account == policy.own_account
        if row.inherited or ours or own:
            continue
        via = f" by group {row.group}" if row.group else ""
        note = f"Given on the cloud{via}; not ours to take away until adopted."
        yield Drift(DriftKind.UNMANAGED, wanted.ref, row.account or row.group, "role", row.role, "", note)


def suspect_sections(now: Mapping[str, int], before: Mapping[str, int]) -> frozenset[str]:
    """Sections of a full survey that are empty or halved against the last complete one, at any size."""
    return frozenset(name for name, count in now.items() if before.get(name, 0) > 0 and 2 * count <= before[name])
