"""Who may open what: one small world with every kind of person, and the URL table of the whole site.

``tests/access_table.py`` has a row for every address; a page without a row fails. A row says for each method what each
person is answered. Every request of the matrix is rolled back, so the rows do not know of each other.
"""

from __future__ import annotations

import datetime as dt
import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import cache
from typing import Any

from django.db import transaction
from django.test import Client
from django.urls import URLPattern, URLResolver, get_resolver, reverse

from config import clock
from connectors.types import UsageSpan
from events.services import record
from events.verbs import Verb
from onboarding.models import Request, RequestCloud, RequestLine
from quotas.models import Grant
from reporting.services import delivery_store
from tenancy import clouds
from tenancy.models import (
    Account,
    Cloud,
    CloudRole,
    Condition,
    DriftLine,
    Institution,
    Limit,
    Membership,
    Person,
    PlanLine,
    Project,
    Reading,
    SiteRole,
    Step,
    SurveyRun,
    SurveySection,
    Tenancy,
)
from tests.reporting.worlds import delivery
from tests.support.emulated import NOW, ROLES, Emulated

VISITOR, STRANGER, VIEWER, MEMBER = "visitor", "stranger", "viewer", "member"
MANAGER, OWNER, OPERATOR = "manager", "owner", "operator"
REVIEWER, FINANCE, INSTITUTION_ADMIN = "reviewer", "finance", "institution-admin"

IN_PROJECT = (VIEWER, MEMBER, MANAGER, OWNER)
FOR_SITE = (OPERATOR, REVIEWER, FINANCE, INSTITUTION_ADMIN)
PEOPLE = (VISITOR, STRANGER, *IN_PROJECT, *FOR_SITE)
TODAY = NOW.date()

Statuses = Mapping[str, int]
Values = Callable[["World"], Any]


@cache
def emulated() -> Emulated:
    """One emulated cloud for all rows: what they ask of it is refused or reads only."""
    return Emulated()


@dataclass
class World:
    """One project with everybody in it on one cloud, with something in every table a page shows."""

    institution: Institution
    project: Project
    cloud: Cloud
    tenancy: Tenancy
    people: dict[str, Person]
    memberships: dict[str, Membership] = field(default_factory=dict)
    account: Account = None  # type: ignore[assignment]
    grant: Grant = None  # type: ignore[assignment]
    request: Request = None  # type: ignore[assignment]

    clients: dict[str, Client] = field(default_factory=dict)

    def sign_in(self) -> None:
        """Everybody once, so that no request of a matrix has to."""
        self.clients = {who: Client() for who in PEOPLE}
        for who, person in self.people.items():
            self.clients[who].force_login(person)


@contextmanager
def seams() -> Iterator[None]:
    """The emulated cloud's clock and network, for as long as a matrix is asked."""
    clock.set_source(emulated().now)
    clouds.use_seams(clouds.Seams(transport=lambda slug: emulated().transport, sleep=emulated().sleep))
    try:
        yield
    finally:
        clouds.use_seams(None)
        clock.set_source(None)


def people_make(project: Project, institution: Institution) -> tuple[dict[str, Person], dict[str, Membership]]:
    """A person of each kind, called by their kind."""
    people = {
        who: Person.objects.create_user(
            who, None, name=who.title(), email=f"{who}@example.org", institution=institution
        )
        for who in PEOPLE
        if who != VISITOR
    }
    memberships = {who: Membership.objects.create(project=project, person=people[who], role=who) for who in IN_PROJECT}
    # The last owner could not leave; two can.
    other = Person.objects.create_user("second-owner", None, name="Second Owner")
    memberships["second-owner"] = Membership.objects.create(project=project, person=other, role="owner")
    for who in FOR_SITE:
        of = institution if who == INSTITUTION_ADMIN else None
        SiteRole.objects.create(person=people[who], role=who, institution=of)
    return people, memberships


def cloud_make(slug: str = "north") -> Cloud:
    """A saved OpenStack cloud whose credential opens the emulated one."""
    cloud = Cloud.objects.create(
        slug=slug,
        title=f"OpenStack {slug}",
        kind="openstack",
        mode=Cloud.Mode.ENFORCE,
        credential=clouds.seal(emulated().settings()),
    )
    CloudRole.objects.bulk_create(CloudRole(cloud=cloud, role=role, native=name) for role, name in ROLES.items())
    return cloud


def world_make() -> World:
    institution = Institution.objects.create(name="Marine and Climate", slug="marine")
    project = Project.objects.create(
        slug="kelp", title="Kelp forest", institution=institution, starts_on=dt.date(2026, 1, 1)
    )
    cloud = cloud_make()
    tenancy = Tenancy.objects.create(
        project=project, cloud=cloud, name="kelp", native_id="native-kelp", settled_version=1, surveyed_at=NOW
    )
    people, memberships = people_make(project, institution)
    world = World(institution, project, cloud, tenancy, people, memberships)
    world.account = Account.objects.create(person=people[MEMBER], cloud=cloud, name="member", native_id="native-member")
    _wanted(world)
    _found(world)
    _told(world)
    world.sign_in()
    return world


def _wanted(world: World) -> None:
    """A grant, the limits it made, and a request that waits."""
    world.grant = Grant.objects.create(
        project=world.project,
        resource="compute.vcpu",
        amount=8000,
        starts_on=TODAY,
        why="a paper",
        by=world.people[OPERATOR],
    )
    Limit.objects.create(tenancy=world.tenancy, resource="compute.vcpu", amount=8000, reason="a paper")
    world.request = Request.objects.create(
        kind=Request.Kind.MORE,
        title=world.project.title,
        project=world.project,
        description="The December run.",
        requested_by=world.people[OWNER],
    )
    RequestCloud.objects.create(request=world.request, cloud=world.cloud)
    RequestLine.objects.create(request=world.request, cloud=world.cloud, resource="compute.vcpu", amount=16_000)


def _found(world: World) -> None:
    """A survey, its readings, its plan with a change and something unmanaged, and the step that was made of it."""
    tenancy, cloud = world.tenancy, world.cloud
    run = SurveyRun.objects.create(cloud=cloud, state=SurveyRun.State.DONE, started_at=NOW, finished_at=NOW, calls=7)
    SurveySection.objects.create(run=run, name="tenancies", complete=True, count=4)
    SurveySection.objects.create(run=run, name="limits.volume", complete=False, error="503", verbatim="busy")
    Reading.objects.create(
        tenancy=tenancy, resource="compute.vcpu", day=TODAY, at=NOW, limit=8000, in_use=2000, peak=4000
    )
    Condition.objects.create(tenancy=tenancy, section="members", state="ready", since=NOW, seen_at=NOW, version=1)
    change = {
        "cloud": cloud,
        "tenancy": tenancy,
        "version": 1,
        "position": 0,
        "kind": "limit-raise",
        "section": "limits.compute",
        "target": "limit:compute.vcpu",
        "before": "4000",
        "after": "8000",
        "planned_at": NOW,
    }
    PlanLine.objects.create(**change, hold="refused", why="The cloud said no.")
    Step.objects.create(**change, key="kelp-1", state="failed", error="The cloud said no.", verbatim="409 Conflict")
    goes = change | {"kind": "member-remove", "section": "members", "target": "member:x:member", "after": ""}
    PlanLine.objects.create(**goes, account=world.account, takes="access", decided=False, hold="guard", why="2 of 5.")
    DriftLine.objects.create(
        cloud=cloud, kind="unmanaged", native_id="stray", object="stray", found="exists",
        first_seen_at=NOW, last_seen_at=NOW,
    )  # fmt: skip


def _told(world: World) -> None:
    """An hour of usage and an entry of the audit log."""
    end = int(NOW.timestamp())
    span = UsageSpan("server-1", "compute.vcpu", 2000, "running", end - 3600, end, "exact")
    delivery_store(cloud=world.cloud, delivery=delivery(span, tenancy=world.tenancy.native_id, end=end))
    record(
        actor=world.people[OWNER],
        verb=Verb.PROJECT_CHANGED,
        target=world.project,
        summary="Changed the title.",
        project=world.project,
    )


# --- the table ----------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Row:
    """One address: its arguments, what each person is answered a method, and how many queries it may make.

    ``budget`` is None where there is no page to count (only posts). ``why`` excuses a row without methods.
    """

    name: str
    args: Values = lambda world: ()
    methods: Mapping[str, Statuses] = field(default_factory=dict)
    data: Values = lambda world: {}
    query: Mapping[str, str] = field(default_factory=dict)
    headers: Mapping[str, str] = field(default_factory=dict)
    budget: int | None = None
    why: str = ""

    def address(self, world: World) -> str:
        return reverse(self.name, args=list(self.args(world)))

    @property
    def is_api(self) -> bool:
        return self.name.startswith("api-")


def answered(row: Row, world: World, method: str, who: str) -> int:
    """The status this person gets; what the request changed is rolled back."""
    with transaction.atomic():
        try:
            answer = ask(row, world, world.clients[who], method)
            return int(answer.status_code)
        finally:
            transaction.set_rollback(True)


def ask(row: Row, world: World, client: Client, method: str) -> Any:
    address, headers = row.address(world), dict(row.headers)
    if method == "GET":
        return client.get(address, row.query, headers=headers)
    body = row.data(world)
    if row.is_api:
        return client.generic(method, address, json.dumps(body), content_type="application/json", headers=headers)
    return client.post(address, body, headers=headers)


def url_names(left_out: Sequence[str]) -> set[str]:
    """Every named address of the site but those whose name begins so."""
    return {name for name in _names(get_resolver(), ()) if not name.startswith(tuple(left_out))}


def _names(resolver: URLResolver, spaces: tuple[str, ...]) -> Iterator[str]:
    for pattern in resolver.url_patterns:
        if isinstance(pattern, URLPattern):
            yield ":".join((*spaces, pattern.name or f"unnamed {pattern.pattern}"))
        else:
            yield from _names(pattern, (*spaces, pattern.namespace) if pattern.namespace else spaces)
