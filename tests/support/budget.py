"""A site that grows: the same pages are asked when it is small and when it is large, and their queries counted."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta

from django.db import connection
from django.test.utils import CaptureQueriesContext

from events.models import AuditEntry
from events.verbs import Verb
from onboarding.models import Request, RequestCloud, RequestLine
from reporting.services import delivery_store
from tenancy.models import (
    Account,
    Condition,
    DriftLine,
    Institution,
    Limit,
    Membership,
    Person,
    PlanLine,
    Project,
    Reading,
    Step,
    SurveyRun,
    SurveySection,
    Tenancy,
)
from tests.reporting.worlds import delivery, span
from tests.support.access import NOW, OWNER, TODAY, Row, World, ask

RESOURCES = ("compute.vcpu", "compute.memory", "storage.volume")


@dataclass(frozen=True)
class Size:
    projects: int
    members: int


SMALL, LARGE = Size(20, 5), Size(2000, 500)


def grow(world: World, size: Size) -> None:
    """Bring the site to so many projects, and its first project to so many members; all lists grow with them."""
    number = Project.objects.count()
    tenancies = _projects(world, range(number, size.projects))
    _members(world, range(Membership.objects.current().filter(project=world.project).count(), size.members))
    _found(world, tenancies)
    _told(world, tenancies)


def _projects(world: World, numbers: range) -> list[Tenancy]:
    institutions = Institution.objects.bulk_create(
        Institution(name=f"Institution {n}", slug=f"institution-{n}") for n in numbers if n % 10 == 0
    )
    projects = Project.objects.bulk_create(
        Project(
            slug=f"project-{n}",
            title=f"Project {n}",
            institution=institutions[n % len(institutions)],
            starts_on=TODAY,
        )
        for n in numbers
    )
    # The owner of the first project owns them all: a person's own pages grow too.
    Membership.objects.bulk_create(
        Membership(project=project, person=world.people[OWNER], role="owner") for project in projects
    )
    return Tenancy.objects.bulk_create(
        Tenancy(project=project, cloud=world.cloud, name=project.slug, native_id=f"native-{project.slug}")
        for project in projects
    )


def _members(world: World, numbers: range) -> None:
    people = Person.objects.bulk_create(
        Person(username=f"person-{n}", name=f"Person {n}", email=f"p{n}@example.org", password="!") for n in numbers
    )
    Membership.objects.bulk_create(Membership(project=world.project, person=person, role="member") for person in people)
    accounts = Account.objects.bulk_create(
        Account(person=person, cloud=world.cloud, name=person.username, native_id=f"native-{person.username}")
        for person in people
    )
    changes = [_change(world, world.tenancy, account) for account in accounts]
    Step.objects.bulk_create(
        Step(**change, key=f"add:{change['target']}", state=Step.State.DONE, wrote=True) for change in changes
    )
    PlanLine.objects.bulk_create(
        PlanLine(**change, hold=PlanLine.HoldChoice.GUARD, takes="access", decided=False) for change in changes[::2]
    )


def _change(world: World, tenancy: Tenancy, account: Account | None) -> dict[str, object]:
    target = f"member:{account.ref}:member" if account else "limit:compute.vcpu"
    kind, section = ("member-add", "members") if account else ("limit-raise", "limits.compute")
    numbers = {"before": "", "after": "member"} if account else {"before": "1000", "after": "2000"}
    where = {"cloud": world.cloud, "tenancy": tenancy, "account": account, "version": 1, "position": 1}
    return {**where, **numbers, "kind": kind, "section": section, "target": target, "planned_at": NOW}


def _found(world: World, tenancies: list[Tenancy]) -> None:
    Limit.objects.bulk_create(
        Limit(tenancy=tenancy, resource=key, amount=1024) for tenancy in tenancies for key in RESOURCES
    )
    Reading.objects.bulk_create(
        Reading(tenancy=tenancy, resource=key, day=TODAY - timedelta(days=back), at=NOW, limit=1024, in_use=5, peak=9)
        for tenancy in tenancies
        for key in RESOURCES
        for back in range(2)
    )
    Condition.objects.bulk_create(
        Condition(tenancy=tenancy, section=section, state="trying", since=NOW, seen_at=NOW, version=1, reason="busy")
        for tenancy in tenancies
        for section in ("members", "limits.compute")
    )
    changes = [_change(world, tenancy, None) for tenancy in tenancies]
    PlanLine.objects.bulk_create(PlanLine(**change) for change in changes)
    Step.objects.bulk_create(
        Step(**change, key=f"limit:{change['tenancy']}", state=Step.State.FAILED, error="no") for change in changes
    )
    DriftLine.objects.bulk_create(
        DriftLine(
            cloud=world.cloud,
            kind="unmanaged",
            native_id=f"stray-{tenancy.name}",
            object=f"stray-{tenancy.name}",
            first_seen_at=NOW,
            last_seen_at=NOW,
        )
        for tenancy in tenancies
    )
    runs = SurveyRun.objects.bulk_create(
        SurveyRun(cloud=world.cloud, state="done", started_at=NOW - timedelta(minutes=n), finished_at=NOW)
        for n in range(len(tenancies) // 10)
    )
    SurveySection.objects.bulk_create(
        SurveySection(run=run, name=name, complete=True, count=7) for run in runs for name in ("tenancies", "members")
    )


def _told(world: World, tenancies: list[Tenancy]) -> None:
    AuditEntry.objects.bulk_create(
        AuditEntry(
            actor=world.people[OWNER],
            actor_label="Owner",
            verb=Verb.PROJECT_CHANGED,
            target_type="tenancy.project",
            target_id=str(tenancy.project_id),
            project_id=str(world.project.pk),
            cloud_id=str(world.cloud.pk),
            summary="Changed the title.",
        )
        for tenancy in tenancies
    )
    requests = Request.objects.bulk_create(
        Request(
            kind=Request.Kind.MORE,
            title=tenancy.name,
            project_id=tenancy.project_id,
            description="More.",
            requested_by=world.people[OWNER],
        )
        for tenancy in tenancies
    )
    RequestCloud.objects.bulk_create(RequestCloud(request=request, cloud=world.cloud) for request in requests)
    RequestLine.objects.bulk_create(
        RequestLine(request=request, cloud=world.cloud, resource="compute.vcpu", amount=4000) for request in requests
    )
    _used(world, tenancies)


def _used(world: World, tenancies: list[Tenancy]) -> None:
    end = int(NOW.timestamp())
    for tenancy in tenancies[:100]:
        things = [span(end - 7200, end - 3600, thing=f"{tenancy.name}-{n}") for n in range(2)]
        delivery_store(cloud=world.cloud, delivery=delivery(*things, tenancy=tenancy.native_id))


def queries(row: Row, world: World, who: str) -> list[str]:
    """The SQL of one GET by this person. Fails if it is not answered 200."""
    with CaptureQueriesContext(
        connection,
    ) as seen:
        answer = ask(row, world, world.clients[who], "GET")
        # A streamed file asks while it is read.
        if answer.streaming:
            b"".join(answer.streaming_content)
    assert answer.status_code == 200, f"{row.name} is answered {answer.status_code} to {who}"
    return [query["sql"] for query in seen.captured_queries if not query["sql"].startswith(("SAVEPOINT", "RELEASE"))]
