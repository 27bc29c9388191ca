"""The demo's world: people with logins, two institutions, projects, requests that wait, and weeks of usage.

Made only with the demo flag and only through the services that a site uses. The emulator's clock is moved to when each
thing happened, so that dates tell a story. Nothing here is read again later.
"""

from __future__ import annotations

import json
import time
import urllib.request
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Any

from django.conf import settings

from config import clock
from onboarding.models import Request
from onboarding.services import request_approve, request_submit
from portal.services import tenancy_adopt
from quotas.catalog import RESOURCES, amount_parse
from reporting.services import cloud_collect
from tenancy.loop import claims, run, survey
from tenancy.models import Cloud, DriftLine, Institution, Person, Project, SiteRole, Tenancy
from tenancy.services import (
    cloud_connect,
    cloud_mode_set,
    institution_create,
    member_add,
    person_create,
    project_create,
)
from tenancy.services.clouds import Connection

PASSWORD = "demo"  # noqa: S105 - printed at every start, and there is no login with it without the demo flag
BACK = timedelta(days=47)


@dataclass(frozen=True, slots=True)
class Login:
    username: str
    name: str
    institution: str
    what: str
    role: str = ""


LOGINS = (
    Login("jonas", "Jonas Adeyemi", "riverside", "operator: clouds, plans, all projects", SiteRole.Role.OPERATOR),
    Login("lena", "Lena Fischer", "riverside", "reviewer: approves requests", SiteRole.Role.REVIEWER),
    Login("petra", "Petra Novak", "riverside", "finance: usage and reports of all", SiteRole.Role.FINANCE),
    Login("mira", "Mira Solheim", "riverside", "owner of Coastal genomics"),
    Login("ana", "Ana Duarte", "riverside", "manager in Coastal genomics"),
    Login("tomas", "Tomás Ortega", "riverside", "member of Coastal genomics"),
    Login("sofia", "Sofia Marino", "lagoon", "viewer in Coastal genomics"),
    Login("noor", "Noor Haddad", "lagoon", "belongs to no project yet"),
)
INSTITUTIONS = {"riverside": "Riverside Institute of Technology", "lagoon": "Lagoon University"}
ADOPTED = (
    ("Sea-ice model", "mira", "riverside"),
    ("Lattice QCD", "ana", "lagoon"),
    ("Power grid", "tomas", "lagoon"),
)


def seeded() -> bool:
    return Cloud.objects.filter(slug="north").exists()


def seed() -> None:
    """Fill an empty site. Raises what the services and the emulated cloud raise."""
    today = clock.now()
    _go_to(today - BACK)
    people = _people()
    cloud = _cloud()
    project = _approved(people, cloud)
    _members(people, project)
    _make_it_so(cloud)
    _adopt(people, cloud)
    _make_it_so(cloud)
    _waiting(people, cloud, today)
    _go_to(today)
    _live(project)
    survey.run(cloud.pk, claims.holder_name())
    cloud_collect(cloud=cloud, since=today - BACK, until=today)


def _go_to(moment: datetime) -> None:
    """Move the emulated world's clock, and wait until ours has followed it."""
    _control("clock", {"now": moment.strftime("%Y-%m-%dT%H:%M:%SZ")})
    for _ in range(50):
        if abs(clock.now() - moment) < timedelta(minutes=1):
            return
        time.sleep(0.1)
    raise RuntimeError("Tenantry does not follow the emulator's clock; TENANTRY_CLOCK_URL must name it")


def _people() -> dict[str, Person]:
    houses = {slug: institution_create(actor=None, name=name, slug=slug) for slug, name in INSTITUTIONS.items()}
    people = {}
    for login in LOGINS:
        person = person_create(
            actor=None,
            username=login.username,
            name=login.name,
            email=f"{login.username}@{login.institution}.example",
            institution=houses[login.institution],
            password=PASSWORD,
        )
        if login.role:
            SiteRole.objects.create(person=person, role=login.role)
        people[login.username] = person
    return people


def _control(path: str, body: Mapping[str, Any] | None = None) -> str:
    data = json.dumps(body).encode() if body is not None else None
    request = urllib.request.Request(  # noqa: S310 - the demo's own emulator, on loopback
        f"{settings.EMULATOR_URL}/control/{path}", data=data, headers={"Content-Type": "application/json"}
    )
    with urllib.request.urlopen(request, timeout=30) as answer:  # noqa: S310
        return str(answer.read().decode())


def _cloud() -> Cloud:
    connection = Connection("openstack", _control("clouds.yaml"))
    cloud = cloud_connect(actor=None, title="OpenStack north", slug="north", connection=connection)
    return cloud_mode_set(actor=None, cloud=cloud, mode=Cloud.Mode.ENFORCE)


def _ask(
    person: Person, cloud: Cloud, title: str, why: str, amounts: Mapping[str, str], project: Project | None = None
) -> Request:
    today = clock.now().date()
    lines = {(cloud.pk, key): amount_parse(RESOURCES[key], text) for key, text in amounts.items()}
    if project is not None:
        return request_submit(
            actor=person, kind=Request.Kind.MORE, description=why, project=project, clouds=[cloud], lines=lines
        )
    return request_submit(
        actor=person,
        kind=Request.Kind.NEW,
        title=title,
        purpose=Project.Purpose.RESEARCH,
        description=why,
        institution=person.institution,
        starts_on=today,
        ends_on=today + timedelta(days=330),
        clouds=[cloud],
        lines=lines,
    )


def _approved(people: Mapping[str, Person], cloud: Cloud) -> Project:
    asked = _ask(
        people["mira"],
        cloud,
        "Coastal genomics",
        "Assembly and annotation of coastal plankton genomes from the autumn cruise.",
        {
            "compute.vcpu": "128",
            "compute.memory": "480",
            "compute.instances": "40",
            "storage.volume": "4096",
            "storage.volumes": "40",
            "network.floating_ips": "8",
        },
    )
    request_approve(actor=people["lena"], request=asked, reason="Within the call of this year.")
    asked.refresh_from_db()
    if asked.project is None:
        raise RuntimeError("an approved request has a project")
    return asked.project


def _members(people: Mapping[str, Person], project: Project) -> None:
    for username, role in (("ana", "manager"), ("tomas", "member"), ("sofia", "viewer")):
        member_add(actor=people["mira"], project=project, person=people[username], role=role)


def _adopt(people: Mapping[str, Person], cloud: Cloud) -> None:
    """Take over some projects that lived on the cloud before; the others stay unmanaged, as drift to look at."""
    survey.run(cloud.pk, claims.holder_name())
    unmanaged = DriftLine.objects.filter(cloud=cloud, tenancy=None, gone_at=None).order_by("object")
    for (title, owner, house), line in zip(ADOPTED, list(unmanaged), strict=False):
        project = project_create(
            actor=None,
            title=title,
            description=f"Runs on {cloud} since before Tenantry came.",
            purpose=Project.Purpose.RESEARCH,
            institution=Institution.objects.get(slug=house),
            starts_on=date(clock.now().year, 1, 1),
            ends_on=clock.now().date() + timedelta(days=200),
            owner=people[owner],
        )
        tenancy_adopt(actor=people["jonas"], cloud=cloud, native_id=line.native_id, name=line.object, project=project)


def _make_it_so(cloud: Cloud) -> None:
    holder = claims.holder_name()
    run.work_due(holder, patience=run.UNHURRIED)
    left = Tenancy.objects.unsettled().filter(cloud=cloud)
    if left.exists():
        raise RuntimeError(f"the demo's tenancies did not settle: {', '.join(map(str, left))}")


def _live(project: Project) -> None:
    """Give the new project's tenancy living servers, since two days after it was approved."""
    since = (clock.now() - BACK + timedelta(days=2)).strftime("%Y-%m-%dT%H:%M:%SZ")
    for tenancy in project.tenancies.all():
        body = {"project_id": tenancy.native_id, "servers": 9, "volumes": 7, "floating_ips": 3, "since": since}
        _control("life", body)


def _waiting(people: Mapping[str, Person], cloud: Cloud, today: datetime) -> None:
    """Requests that wait, so that the queue is not empty."""
    _go_to(today - timedelta(days=3, hours=2))
    _ask(
        people["noor"],
        cloud,
        "Urban heat islands",
        "Hourly microclimate runs for twelve districts, with sensor data of two summers.",
        {"compute.vcpu": "64", "compute.memory": "256", "storage.volume": "2048"},
    )
    _go_to(today - timedelta(hours=26))
    _ask(
        people["tomas"],
        cloud,
        "Soil moisture course",
        "Practical course for 30 students, three weeks in spring.",
        {"compute.vcpu": "30", "compute.memory": "60", "compute.instances": "30"},
    )
    _go_to(today - timedelta(minutes=50))
    project = Project.objects.get(slug="coastal-genomics")
    _ask(
        people["mira"],
        cloud,
        "",
        "Second assembly run before the deadline in December.",
        {"compute.vcpu": "160"},
        project,
    )
