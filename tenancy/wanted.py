"""Rows -> what is wanted on a cloud, as the planner takes it: a constant number of queries."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Sequence
from uuid import UUID

from django.db import transaction
from django.db.models import Q, QuerySet

from connectors import registry
from connectors.types import (
    AccountRef,
    EndedMember,
    Federated,
    Role,
    Wanted,
    WantedLimit,
    WantedMember,
    WantedTenancy,
)
from tenancy.identities import subjects
from tenancy.models import Account, Cloud, Limit, Membership, Person, Step, Tenancy
from tenancy.models.work import Kind


def account_ref(account: Account, person: Person, cloud: Cloud) -> AccountRef:
    federated = Federated(account.provider, account.protocol, account.subject) if account.subject else None
    return AccountRef(
        ref=account.ref,
        name=account.name,
        native_id=account.native_id,
        email=person.email,
        title=str(person),
        federated=federated,
        manage=account.managed,
        link=cloud.accounts_come == Cloud.Accounts.EXISTING,
    )


def accounts_ensure(cloud: Cloud, tenancies: Iterable[Tenancy]) -> None:
    """Give every current member of these tenancies an account row on the cloud. Makes no call."""
    projects = [tenancy.project_id for tenancy in tenancies if tenancy.project_id]
    people = Person.objects.filter(
        is_active=True, memberships__project__in=projects, memberships__ended_at__isnull=True
    )
    if cloud.accounts_come == Cloud.Accounts.FEDERATED:
        _link_late(cloud, people)
    missing = list(people.exclude(accounts__cloud=cloud).distinct())
    if not missing:
        return
    known = subjects(missing, cloud.issuer) if cloud.accounts_come == Cloud.Accounts.FEDERATED else {}
    with transaction.atomic():
        taken = set(Account.objects.filter(cloud=cloud).values_list("name", flat=True))
        for person in missing:
            name = _free_name(person.username, taken)
            taken.add(name)
            Account.objects.get_or_create(
                person=person, cloud=cloud, defaults={"name": name, **_origin(cloud, known.get(person.pk, ""))}
            )


def _link_late(cloud: Cloud, people: QuerySet[Person]) -> None:
    """Who was made a member before their first sign-in has the identity by now."""
    waiting = Account.objects.filter(cloud=cloud, native_id="", subject="", person__in=people).select_related("person")
    if not (rows := list(waiting)):
        return
    known = subjects([row.person for row in rows], cloud.issuer)
    for row in rows:
        if row.person_id in known:
            Account.objects.filter(pk=row.pk).update(**_origin(cloud, known[row.person_id]))


def _origin(cloud: Cloud, subject: str) -> dict[str, object]:
    if cloud.accounts_come == Cloud.Accounts.FEDERATED:
        if not subject:
            return {"managed": False}
        return {"managed": True, "provider": cloud.provider, "protocol": cloud.protocol, "subject": subject}
    return {"managed": cloud.accounts_come == Cloud.Accounts.LOCAL}


def _free_name(name: str, taken: set[str]) -> str:
    candidate, number = name, 2
    while candidate in taken:
        candidate, number = f"{name}-{number}", number + 1
    return candidate


def wanted_tenancies(cloud: Cloud, tenancies: Sequence[Tenancy]) -> list[WantedTenancy]:
    """What these tenancies of one cloud should be. Four queries."""
    projects = {tenancy.project_id for tenancy in tenancies if tenancy.project_id}
    accounts = {a.person_id: a for a in Account.objects.filter(cloud=cloud).select_related("person")}
    members, ended = _memberships(cloud, projects, accounts)
    limits = _limits(tenancies)
    restart = _restart(tenancies)
    return [
        WantedTenancy(
            ref=tenancy.ref,
            name=tenancy.name,
            version=tenancy.wanted_version,
            title=tenancy.project.title if tenancy.project else tenancy.name,
            native_id=tenancy.native_id,
            state=Wanted(tenancy.wanted),
            members=tuple(members[tenancy.project_id]),
            ended=tuple(ended[tenancy.project_id]),
            limits=tuple(limits[tenancy.pk]),
            restart=tuple(restart[tenancy.pk]),
            reason=tenancy.reason,
        )
        for tenancy in tenancies
    ]


Members = defaultdict[UUID | None, list[WantedMember]]
Ended = defaultdict[UUID | None, list[EndedMember]]


def _memberships(cloud: Cloud, projects: set[UUID], accounts: dict[UUID, Account]) -> tuple[Members, Ended]:
    members: Members = defaultdict(list)
    ended: Ended = defaultdict(list)
    seen: set[tuple[UUID, UUID]] = set()
    rows = Membership.objects.filter(project__in=projects).select_related("ended_by", "added_by")
    # Current rows first, then the newest end: that one tells who decided.
    current = [row for row in rows if row.ended_at is None]
    past = sorted((row for row in rows if row.ended_at), key=lambda row: row.ended_at or row.added_at, reverse=True)
    for row in [*current, *past]:
        account = accounts.get(row.person_id)
        pair = (row.project_id, row.person_id)
        if account is None or pair in seen:
            continue
        seen.add(pair)
        ref = account_ref(account, account.person, cloud)
        if row.ended_at is None and not account.person.is_active:
            if account.native_id:
                ended[row.project_id].append(EndedMember(ref, Role(row.role), True, "The person was deactivated."))
        elif row.ended_at is None:
            members[row.project_id].append(WantedMember(ref, Role(row.role), _why_added(row)))
        elif account.native_id:
            ended[row.project_id].append(EndedMember(ref, Role(row.role), row.end_decided, _why_ended(row)))
    return members, ended


def _why_added(row: Membership) -> str:
    return f"Added by {row.added_by}." if row.added_by else f"Added by {row.source or 'Tenantry'}."


def _why_ended(row: Membership) -> str:
    match row.end_reason:
        case Membership.EndReason.IMPORT:
            return f"Missing from the import “{row.source}”."
        case Membership.EndReason.LEFT:
            return "Left the project."
        case Membership.EndReason.EXPIRY:
            return "The membership ended on its announced date."
        case _:
            return f"Removed by {row.ended_by}." if row.ended_by else "Removed."


def _limits(tenancies: Sequence[Tenancy]) -> defaultdict[UUID, list[WantedLimit]]:
    limits: defaultdict[UUID, list[WantedLimit]] = defaultdict(list)
    for row in Limit.objects.filter(tenancy__in=[t.pk for t in tenancies]).order_by("resource"):
        limits[row.tenancy_id].append(WantedLimit(row.resource, row.amount, row.decided, row.reason))
    return limits


def _restart(tenancies: Sequence[Tenancy]) -> defaultdict[UUID, list[str]]:
    """Work that we stopped and have not started since: the journal is the memory.

    A stop that was sent counts even if its answer was lost and something newer was wanted before the next look.
    """
    last: dict[tuple[UUID, str], str] = {}
    unsure = (Step.State.SENT, Step.State.UNCLEAR, Step.State.SUPERSEDED)
    stopped = Q(kind=Kind.WORK_STOP, state__in=unsure, sent_at__isnull=False)
    done = Q(kind__in=(Kind.WORK_STOP, Kind.WORK_START), state=Step.State.DONE)
    rows = Step.objects.filter(stopped | done, tenancy__in=[t.pk for t in tenancies])
    for tenancy, native_id, kind in rows.order_by("planned_at").values_list("tenancy_id", "native_id", "kind"):
        last[(tenancy, native_id)] = kind
    restart: defaultdict[UUID, list[str]] = defaultdict(list)
    for (tenancy, native_id), kind in last.items():
        if kind == Kind.WORK_STOP:
            restart[tenancy].append(native_id)
    return restart


def resource_sections(cloud: Cloud) -> dict[str, str]:
    """Which section of the survey each resource's limit belongs to on this kind of cloud."""
    return {resource.key: resource.section for resource in registry.kind(cloud.kind).resources}
