"""Changes of people and their roles, before the policy has judged them."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from connectors.plan.drafts import Draft
from connectors.plan.found import Found
from connectors.plan.policy import Policy
from connectors.plan.results import Hold
from connectors.types import (
    AccountRef,
    Change,
    ChangeKind,
    Role,
    Section,
    Takes,
    Wanted,
    WantedTenancy,
)


def members(wanted: WantedTenancy, native_id: str, creating: bool, found: Found, policy: Policy) -> Iterator[Draft]:
    if not creating and not found.survey.complete(Section.MEMBERS):
        return
    rows = found.members.get(native_id, []) if native_id else []
    direct = {(row.account, row.role) for row in rows if not row.group and not row.inherited}
    if wanted.state is Wanted.OPEN:
        yield from _members_missing(wanted, native_id, direct, policy)
    yield from _members_too_many(wanted, native_id, direct, policy)


def _members_missing(
    wanted: WantedTenancy, native_id: str, direct: set[tuple[str, str]], policy: Policy
) -> Iterator[Draft]:
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
        yield Draft(
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


def _account(wanted: WantedTenancy, account: AccountRef) -> Draft:
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
        return Draft(change)
    why = "This person has no identity at the cloud's identity provider yet; it is linked at their first sign-in."
    return Draft(change, Hold.NO_ACCOUNT, why)


@dataclass(frozen=True, slots=True)
class _Known:
    """Somebody we may take a role from, and with what right."""

    account: AccountRef
    role: Role | None
    decided: bool
    reason: str


def known_people(wanted: WantedTenancy) -> dict[str, _Known]:
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
) -> Iterator[Draft]:
    known = known_people(wanted)
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
            yield Draft(change, Hold.LAST_OWNER, "The project would be left without an owner.")
        else:
            yield Draft(change)
