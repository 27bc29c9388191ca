"""The members of a project with their state on each cloud, in a constant number of queries."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from uuid import UUID

from django.db.models import Q
from django.urls import reverse

from connectors.types import Section
from tenancy import access
from tenancy.models import Account, Condition, Membership, PlanLine, Project, Step, Tenancy
from tenancy.models.work import Kind, TakesChoice
from tenancy.selectors import accounts_of, tenancies_of
from tenancy.shown.parts import Badge, CloudKey, MemberRow

READY = Badge("ok", "ready")
ADDING = Badge("work", "being added")
UNKNOWN = Badge("none", "unknown")
NO_ACCOUNT = Badge("wait", "at first sign-in")
REFUSED = Badge("over", "refused")
STOPPED = Badge("off", "access ended")

_STEPS = (Kind.MEMBER_ADD, Kind.ACCOUNT_CREATE)


@dataclass(frozen=True, slots=True)
class _Tenancy:
    """What is needed of one tenancy to tell the state of anybody in it."""

    row: Tenancy
    held: dict[UUID, str]
    steps: dict[UUID, str]
    readable: bool


def clouds_of(tenancies: Sequence[Tenancy]) -> list[CloudKey]:
    return [CloudKey(each.cloud.title, each.cloud.color) for each in tenancies]


def members_shown(
    project: Project,
    members: Sequence[Membership],
    who: access.Who,
    tenancies: Sequence[Tenancy] | None = None,
    changeable: frozenset[str] | None = None,
) -> tuple[list[CloudKey], list[MemberRow]]:
    """Columns and rows of templates/parts/members.html for one page of members: six queries.

    Two less with the project's `tenancies`, if they are at hand with clouds and conditions, and one less with what
    `roles_changeable` said.
    """
    if tenancies is None:
        tenancies = list(tenancies_of(project))
    accounts = {
        (account.person_id, account.cloud_id): account for account in accounts_of(row.person_id for row in members)
    }
    lines = _lines(tenancies, accounts.values())
    steps = _steps(tenancies, accounts.values())
    known = [_Tenancy(each, lines.get(each.pk, {}), steps.get(each.pk, {}), _readable(each)) for each in tenancies]
    if changeable is None:
        changeable = roles_changeable(project, who)
    rows = [
        MemberRow(
            name=str(row.person),
            mail=row.person.email,
            role=row.get_role_display(),
            clouds=[_state(each, accounts.get((row.person_id, each.row.cloud_id))) for each in known],
            last_seen=row.person.last_login,
            change_href=_change(row, who, changeable),
            is_reader=row.person_id == who.pk,
        )
        for row in members
    ]
    return clouds_of(tenancies), rows


def roles_changeable(project: Project, who: access.Who) -> frozenset[str]:
    """Roles of members that this person may change; nobody's in an archived project. One query."""
    if project.state != Project.State.OPEN:
        return frozenset()
    role = Membership.Role.OWNER if access.is_operator(who) else access.project_role(who, project)
    if role is Membership.Role.OWNER:
        return frozenset(Membership.Role.values)
    return frozenset(Membership.Role.values) - {Membership.Role.OWNER} if role in access.MANAGING else frozenset()


def _change(row: Membership, who: access.Who, changeable: frozenset[str]) -> str:
    if row.role in changeable:
        return reverse("tenancy:member_role", args=[row.pk])
    return reverse("tenancy:member_remove", args=[row.pk]) if row.person_id == who.pk else ""


def _lines(tenancies: Sequence[Tenancy], accounts: Iterable[Account]) -> dict[UUID, dict[UUID, str]]:
    """Why nobody is being given a role: the hold of each account's plan line."""
    rows = PlanLine.objects.filter(tenancy__in=tenancies, account__in=list(accounts), kind__in=_STEPS).exclude(hold="")
    found: dict[UUID, dict[UUID, str]] = defaultdict(dict)
    for tenancy, account, hold in rows.values_list("tenancy_id", "account_id", "hold"):
        if account is not None:
            found[tenancy][account] = hold
    return found


def _steps(tenancies: Sequence[Tenancy], accounts: Iterable[Account]) -> dict[UUID, dict[UUID, str]]:
    """The state of each account's newest step; none once access was taken, whatever was given before."""
    taken = Q(kind=Kind.MEMBER_REMOVE, takes=TakesChoice.ACCESS, state=Step.State.DONE)
    rows = Step.objects.filter(Q(kind__in=_STEPS) | taken, tenancy__in=tenancies, account__in=list(accounts))
    rows = rows.exclude(state=Step.State.SUPERSEDED).order_by("version", "planned_at", "position")
    found: dict[UUID, dict[UUID, str]] = defaultdict(dict)
    for tenancy, account, kind, state in rows.values_list("tenancy_id", "account_id", "kind", "state"):
        if kind == Kind.MEMBER_REMOVE:
            found[tenancy].pop(account, "")
        elif account is not None:
            found[tenancy][account] = state
    return found


def _readable(tenancy: Tenancy) -> bool:
    unknown = Condition.State.UNKNOWN
    return not any(each.section == Section.MEMBERS and each.state == unknown for each in tenancy.conditions.all())


def _state(known: _Tenancy, account: Account | None) -> Badge | None:
    """Access of one person on one cloud, as far as Tenantry knows."""
    tenancy = known.row
    if tenancy.wanted == Tenancy.Wanted.SUSPENDED:
        return STOPPED if tenancy.settled else Badge("work", "ending")
    if account is None:
        return Badge("draft", "next") if not tenancy.settled else UNKNOWN
    hold = known.held.get(account.pk)
    if hold:
        return NO_ACCOUNT if hold == PlanLine.HoldChoice.NO_ACCOUNT else Badge("wait", PlanLine.HoldChoice(hold).label)
    if not known.readable:
        return UNKNOWN
    if known.steps.get(account.pk) in (Step.State.FAILED, Step.State.INEFFECTIVE):
        return REFUSED
    if tenancy.settled or known.steps.get(account.pk) == Step.State.DONE:
        return READY if account.native_id else UNKNOWN
    return ADDING
