"""The whole story on real OpenStack services, confirmed by the official `openstack` command and a member's own tokens.

Request, approval, provisioning, a member added, the limit raised, an instance's life measured, the report, the member
removed, the project archived: and nobody gets in.
"""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

import openstack
import pytest
from django.test import Client
from openstack.connection import Connection
from openstack.exceptions import SDKException

from config import clock
from onboarding.models import Request
from onboarding.services import request_approve, request_submit
from reporting.models import Span
from reporting.services import cloud_collect
from tenancy.loop import claims, run
from tenancy.models import Account, Cloud, Membership, Person, Project, SiteRole, Tenancy
from tenancy.services import (
    account_secret_issue,
    cloud_connect,
    cloud_mode_set,
    member_add,
    member_remove,
    person_create,
    project_archive,
)
from tenancy.services.clouds import Connection as Credential
from tests.live.openstack.member import until
from tests.live.servers import OpenStackLab

pytestmark = [
    pytest.mark.live,
    pytest.mark.django_db,
    pytest.mark.filterwarnings("ignore::PendingDeprecationWarning:openstack"),
]


@dataclass
class Scene:
    lab: OpenStackLab
    admin: Connection
    cloud: Cloud
    operator: Person
    owner: Person
    member: Person

    def work(self) -> None:
        """What the workers would do, until nothing is due; then nothing may be open."""
        run.work_due(claims.holder_name())
        left = Tenancy.objects.unsettled()
        assert not left.exists(), [(c.section, c.reason) for t in left for c in t.conditions.all()]

    def token(self, person: Person, password: str, project_id: str) -> Connection:
        """A session of the person's own on the cloud; signs in at once."""
        account = Account.objects.get(person=person, cloud=self.cloud)
        session = openstack.connect(
            auth_url=self.lab.auth_url,
            username=account.name,
            password=password,
            project_id=project_id,
            user_domain_id="default",
            region_name="RegionOne",
            load_yaml_config=False,
            load_envvars=False,
        )
        session.authorize()
        return session


@pytest.fixture
def scene(openstack_lab: OpenStackLab) -> Iterator[Scene]:
    mark = clock.now().strftime("%H%M%S")
    credential = Credential("openstack", openstack_lab.clouds_yaml.read_text(), openstack_lab.cloud)
    cloud = cloud_connect(actor=None, title="Lab", slug=f"lab-{mark}", connection=credential)
    cloud_mode_set(actor=None, cloud=cloud, mode=Cloud.Mode.ENFORCE)
    people = [
        person_create(actor=None, username=f"{name}-{mark}", name=name.title(), email=f"{name}@lab.example")
        for name in ("jonas", "mira", "tomas")
    ]
    SiteRole.objects.create(person=people[0], role=SiteRole.Role.OPERATOR)
    admin = openstack_lab.connect()
    yield Scene(openstack_lab, admin, cloud, *people)
    for tenancy in Tenancy.objects.exclude(native_id=""):
        _sweep_up(admin, tenancy.native_id)
    for account in Account.objects.exclude(native_id=""):
        admin.identity.delete_user(account.native_id, ignore_missing=True)


def _sweep_up(admin: Connection, project_id: str) -> None:
    everywhere: dict[str, Any] = {"all_projects": True, "project_id": project_id}
    for server in admin.compute.servers(**everywhere):
        admin.compute.delete_server(server, ignore_missing=True)
    for volume in admin.block_storage.volumes(**everywhere):
        admin.block_storage.delete_volume(volume, ignore_missing=True)
    admin.identity.delete_project(project_id, ignore_missing=True)


AMOUNTS = {
    "compute.vcpu": 8_000,
    "compute.memory": 32768,
    "compute.instances": 4,
    "storage.volume": 20 * 1024,
    "storage.volumes": 4,
}


def ask(scene: Scene, kind: Request.Kind, amounts: dict[str, int], project: Project | None = None) -> Project:
    today = clock.now().date()
    new: dict[str, Any] = {
        "title": f"Coastal genomics {scene.cloud.slug}",
        "purpose": Project.Purpose.RESEARCH,
        "starts_on": today,
        "ends_on": today + timedelta(days=90),
    }
    request = request_submit(
        actor=scene.owner,
        kind=kind,
        description="Assembly of plankton genomes.",
        clouds=[scene.cloud],
        lines={(scene.cloud.pk, key): amount for key, amount in amounts.items()},
        **({"project": project} if project else new),
    )
    request_approve(actor=scene.operator, request=request, reason="Within the call.")
    request.refresh_from_db()
    assert request.project is not None
    return request.project


def test_the_story_on_real_servers(scene: Scene) -> None:
    began = int(clock.now().timestamp())
    project = ask(scene, Request.Kind.NEW, AMOUNTS)
    scene.work()
    tenancy = Tenancy.objects.get(project=project)
    assert _quota(scene, tenancy) == (8, 32768, 20)
    member_add(actor=scene.owner, project=project, person=scene.member, role="member")
    scene.work()
    assert len(_assignments(scene, tenancy)) == 2

    password = account_secret_issue(actor=scene.member, account=_account(scene, scene.member)).secret
    inside = scene.token(scene.member, password, tenancy.native_id)
    assert list(inside.compute.servers()) == []

    ask(scene, Request.Kind.MORE, {"compute.vcpu": 12_000}, project)
    scene.work()
    assert _quota(scene, tenancy)[0] == 12

    server = _life(inside, lambda: _collect(scene, began))
    volume = inside.block_storage.create_volume(size=3, name="data")
    until("the volume is there", lambda: inside.block_storage.get_volume(volume).status == "available")
    made = clock.now()
    until("the volume is some seconds old", lambda: clock.now() > made + timedelta(seconds=5))
    _collect(scene, began)
    _measured(scene, server, volume.id)
    _reported(scene, project)

    membership = Membership.objects.get(project=project, person=scene.member)
    member_remove(actor=scene.owner, membership=membership)
    scene.work()
    assert len(_assignments(scene, tenancy)) == 1
    with pytest.raises(SDKException, match="401"):
        scene.token(scene.member, password, tenancy.native_id)

    owner_password = account_secret_issue(actor=scene.owner, account=_account(scene, scene.owner)).secret
    scene.token(scene.owner, owner_password, tenancy.native_id)
    project_archive(actor=scene.owner, project=project, reason="The cruise is over.")
    scene.work()
    with pytest.raises(SDKException, match="401"):
        scene.token(scene.owner, owner_password, tenancy.native_id)
    assert _assignments(scene, tenancy) == []
    assert scene.lab.ask("project", "show", tenancy.native_id)["enabled"] is False
    assert set(tenancy.proofs.values_list("ok", flat=True)) == {True}


def _account(scene: Scene, person: Person) -> Account:
    return Account.objects.get(person=person, cloud=scene.cloud)


def _quota(scene: Scene, tenancy: Tenancy) -> tuple[int, int, int]:
    rows = scene.lab.ask("quota", "show", tenancy.native_id)
    limits = {row["Resource"]: row["Limit"] for row in rows}
    return limits["cores"], limits["ram"], limits["gigabytes"]


def _assignments(scene: Scene, tenancy: Tenancy) -> list[dict[str, str]]:
    rows: list[dict[str, str]] = scene.lab.ask("role", "assignment", "list", "--project", tenancy.native_id)
    return rows


def _collect(scene: Scene, began: int) -> None:
    found = cloud_collect(cloud=scene.cloud, since=datetime.fromtimestamp(began, UTC), until=clock.now())
    assert found.complete


def _life(inside: Connection, collect: Callable[[], None]) -> str:
    """An instance that is booted, stopped, started, resized, stopped and deleted by the member.

    Usage is collected before the resize, as it is every hour: Nova forgets the flavor that an instance had before.
    """
    compute = inside.compute
    server = compute.create_server(
        name="assembly",
        image_id=inside.image.find_image("tiny").id,
        flavor_id=compute.find_flavor("m1.test").id,
        networks="none",
    )

    def becomes(status: str) -> None:
        until(f"assembly is {status}", lambda: compute.get_server(server.id).status == status)

    becomes("ACTIVE")
    compute.stop_server(server)
    becomes("SHUTOFF")
    compute.start_server(server)
    becomes("ACTIVE")
    collect()
    compute.resize_server(server, compute.find_flavor("m1.big").id)
    becomes("VERIFY_RESIZE")
    compute.confirm_server_resize(server)
    becomes("ACTIVE")
    compute.stop_server(server)
    becomes("SHUTOFF")
    compute.delete_server(server)
    until("assembly is gone", lambda: not any(one.id == server.id for one in compute.servers()))
    return str(server.id)


def _measured(scene: Scene, server: str, volume: str) -> None:
    """The ledger agrees with the server's own actions: states in order, quantities of both flavors, exact ends."""
    spans = list(Span.objects.filter(thing__native_id=server, meter__key="compute.vcpu").order_by("start"))
    small, big = (int(scene.admin.compute.find_flavor(name).vcpus) * 1000 for name in ("m1.test", "m1.big"))
    used = [(span.state, span.quantity) for span in spans if span.state in ("running", "stopped")]
    assert used == [("running", small), ("stopped", small), ("running", small), ("running", big), ("stopped", big)], (
        used
    )
    assert all(before.end <= after.start for before, after in itertools.pairwise(spans))
    actions = {a.action: a for a in scene.admin.compute.server_actions(server)}
    deleted = datetime.fromisoformat(str(actions["delete"].start_time)).replace(tzinfo=UTC).timestamp()
    assert abs(spans[-1].end - deleted) <= 10
    (held,) = Span.objects.filter(thing__native_id=volume, meter__key="storage.volume")
    assert held.quantity == 3 * 1024
    assert held.accuracy == "sampled"


def _reported(scene: Scene, project: Project) -> None:
    client = Client()
    client.force_login(scene.owner)
    month = clock.now().strftime("%Y-%m")
    page = client.get(f"/reports/{month}/{project.slug}/")
    assert page.status_code == 200
    assert project.title in page.content.decode()
