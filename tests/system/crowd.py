"""Many tenancies at once: projects that a cloud has already, taken into the rows as they were found there."""

from __future__ import annotations

from datetime import date

from connectors.types import FoundLimit, Role, Scope, Survey
from tenancy import clouds
from tenancy.models import Account, Cloud, Limit, Membership, Person, Project, Tenancy


def crowd(cloud: Cloud, count: int) -> list[Tenancy]:
    """``count`` projects of the cloud that are not ours yet, with their limits and whoever has a role there."""
    ours = {cloud.own_tenancy, *Tenancy.objects.filter(cloud=cloud).values_list("native_id", flat=True)}
    with clouds.connect(cloud, connections=clouds.SURVEY_CONNECTIONS) as connector:
        names = connector.survey(Scope())
        strangers = sorted(t.native_id for t in names.tenancies if t.native_id not in ours)
        chosen = frozenset(strangers[:count])
        assert len(chosen) == count, f"the cloud has {len(strangers)} projects only"
        found = connector.survey(Scope(recorded=chosen))
    tenancies = _tenancies(cloud, found, chosen)
    _limits(found, tenancies)
    _members(cloud, found, tenancies)
    return list(tenancies.values())


def _tenancies(cloud: Cloud, found: Survey, chosen: frozenset[str]) -> dict[str, Tenancy]:
    rows = [row for row in found.tenancies if row.native_id in chosen]
    projects = Project.objects.bulk_create(
        Project(slug=row.native_id, title=row.name, purpose=Project.Purpose.RESEARCH, starts_on=date(2026, 1, 1))
        for row in rows
    )
    tenancies = Tenancy.objects.bulk_create(
        Tenancy(project=project, cloud=cloud, name=row.native_id, native_id=row.native_id, next_attempt_at=None)
        for project, row in zip(projects, rows, strict=True)
    )
    return {tenancy.native_id: tenancy for tenancy in tenancies}


def _limits(found: Survey, tenancies: dict[str, Tenancy]) -> None:
    """As they are on the cloud; every tenth tenancy wants one vCPU more."""
    tenth = {native for number, native in enumerate(tenancies) if number % 10 == 0}

    def wanted(row: FoundLimit) -> int:
        return row.amount + 1000 if row.tenancy in tenth and row.resource == "compute.vcpu" else row.amount

    rows = [row for row in found.limits if row.tenancy in tenancies]
    Limit.objects.bulk_create(
        Limit(tenancy=tenancies[row.tenancy], resource=row.resource, amount=wanted(row)) for row in rows
    )


def _members(cloud: Cloud, found: Survey, tenancies: dict[str, Tenancy]) -> None:
    """Everybody who has the cloud's member role, as a member here."""
    native = next(row.native for row in cloud.roles.all() if row.role == Role.MEMBER)
    rows = {(row.tenancy, row.account) for row in found.members if row.tenancy in tenancies and row.role == native}
    names = {account.native_id: account.name for account in found.accounts}
    people = {a.native_id: a.person for a in Account.objects.filter(cloud=cloud).select_related("person")}
    new = sorted({account for _, account in rows if account} - people.keys())
    made = Person.objects.bulk_create(Person(username=native_id, name=names[native_id]) for native_id in new)
    people |= dict(zip(new, made, strict=True))
    Account.objects.bulk_create(
        Account(person=people[native_id], cloud=cloud, name=names[native_id], native_id=native_id) for native_id in new
    )
    Membership.objects.bulk_create(
        Membership(project=tenancies[tenancy].project, person=people[account], role=Membership.Role.MEMBER)
        for tenancy, account in sorted(rows)
        if account
    )
