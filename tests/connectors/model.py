"""A cloud made of a survey and nothing else: changes of a plan are carried out on it, without any server."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from datetime import UTC, datetime

from connectors.plan import Policy
from connectors.types import (
    AccountRef,
    Change,
    ChangeKind,
    FoundAccount,
    FoundLimit,
    FoundMember,
    FoundTenancy,
    Mode,
    Role,
    Scope,
    Section,
    SectionState,
    Survey,
    WantedTenancy,
)

ROLES = {Role.OWNER: "manager", Role.MANAGER: "manager", Role.MEMBER: "member", Role.VIEWER: "reader"}
SECTIONS = {"compute.vcpu": "limits.compute", "compute.memory": "limits.compute", "storage.volume": "limits.volume"}
ALL_SECTIONS = (*(str(section) for section in Section), "limits.compute", "limits.volume")
DEFAULT = 10


def policy(mode: Mode = Mode.ENFORCE, **more: object) -> Policy:
    return Policy(mode, ROLES, SECTIONS, **more)  # type: ignore[arg-type]


def survey(*, incomplete: Iterable[str] = (), **rows: Iterable[object]) -> Survey:
    without = set(incomplete)
    return Survey(
        taken_at=datetime(2026, 11, 20, tzinfo=UTC),
        scope=Scope(),
        sections={name: SectionState(name, name not in without) for name in ALL_SECTIONS},
        **{name: tuple(given) for name, given in rows.items()},  # type: ignore[arg-type]
    )


def tenancy_id(ref: str) -> str:
    return f"t-{ref}"


def account_id(ref: str) -> str:
    return f"u-{ref}"


def linked(account: AccountRef) -> AccountRef:
    return replace(account, native_id=account.native_id or account_id(account.ref))


def link(wanted: WantedTenancy, found: Survey) -> WantedTenancy:
    """What the loop writes down after a plan: the ids of what was made."""
    known = {account.ref for account in found.accounts}
    members = tuple(
        replace(m, account=linked(m.account) if m.account.ref in known else m.account) for m in wanted.members
    )
    here = next((t.native_id for t in found.tenancies if t.ref == wanted.ref), wanted.native_id)
    return replace(wanted, members=members, native_id=wanted.native_id or here)


def apply(found: Survey, change: Change) -> Survey:
    """The survey that would be taken after this change. Every kind is idempotent, as on a real cloud."""
    here = change.tenancy_native_id or tenancy_id(change.tenancy)
    match change.kind:
        case ChangeKind.ACCOUNT_CREATE:
            assert change.account
            made = FoundAccount(account_id(change.account.ref), change.account.name, change.account.ref)
            return replace(found, accounts=tuple({*found.accounts, made}))
        case ChangeKind.TENANCY_CREATE:
            made_tenancy = FoundTenancy(here, change.name, change.tenancy, title=change.title)
            limits = tuple(FoundLimit(here, key, DEFAULT, 0, section) for key, section in SECTIONS.items())
            return replace(found, tenancies=(*found.tenancies, made_tenancy), limits=(*found.limits, *limits))
        case ChangeKind.TENANCY_TAG:
            return _tenancy(found, here, ref=change.tenancy)
        case ChangeKind.TENANCY_ENABLE | ChangeKind.TENANCY_DISABLE:
            return _tenancy(found, here, enabled=change.kind is ChangeKind.TENANCY_ENABLE)
        case ChangeKind.MEMBER_ADD | ChangeKind.MEMBER_REMOVE:
            return _member(found, here, change)
        case ChangeKind.LIMIT_RAISE | ChangeKind.LIMIT_CUT:
            rest = [row for row in found.limits if (row.tenancy, row.resource) != (here, change.resource)]
            assert change.amount is not None
            return replace(found, limits=(*rest, FoundLimit(here, change.resource, change.amount, 0, change.section)))
        case ChangeKind.WORK_START | ChangeKind.WORK_STOP:
            running = change.kind is ChangeKind.WORK_START
            work = tuple(replace(w, running=running) if w.native_id == change.native_id else w for w in found.work)
            return replace(found, work=work)


def _tenancy(found: Survey, native_id: str, **fields: object) -> Survey:
    changed = (replace(t, **fields) if t.native_id == native_id else t for t in found.tenancies)  # type: ignore[arg-type]
    return replace(found, tenancies=tuple(changed))


def _member(found: Survey, here: str, change: Change) -> Survey:
    assert change.account
    row = FoundMember(here, linked(change.account).native_id, change.role)
    rest = [member for member in found.members if member != row]
    return replace(found, members=(*rest, row) if change.kind is ChangeKind.MEMBER_ADD else tuple(rest))
