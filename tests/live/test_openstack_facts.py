"""What the OpenStack connector leans on, asked of real servers: each test is one fact, by its name.

When a new OpenStack release breaks one of these, the connector has to change with it.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

import pytest
from keystoneauth1 import exceptions as keystone_errors
from openstack import exceptions
from openstack.connection import Connection

from tests.live.openstack.member import Member, until
from tests.live.servers import OpenStackLab

pytestmark = [
    pytest.mark.live,
    # The SDK uses parts of itself that it calls outdated.
    pytest.mark.filterwarnings("ignore::PendingDeprecationWarning:openstack"),
]

COMPUTE_VERSION = "2.96"


@pytest.fixture(scope="module")
def admin(openstack_lab: OpenStackLab) -> Connection:
    return openstack_lab.connect()


@pytest.fixture
def member(admin: Connection) -> Iterator[Member]:
    member = Member(admin, name="facts")
    yield member
    member.discard()


@dataclass(frozen=True)
class Life:
    """An instance that was stopped, started, resized from m1.test to m1.big, stopped and deleted, as it was seen."""

    id: str
    project: str
    booted: Any
    resized: Any


@pytest.fixture(scope="module")
def life(admin: Connection) -> Iterator[Life]:
    member = Member(admin, name="facts-life")
    compute = member.cloud.compute
    server = member.boot(name="whole-life")
    booted = admin.compute.get_server(server.id)
    compute.stop_server(server)
    member.await_status(server, "SHUTOFF")
    compute.start_server(server)
    member.await_status(server, "ACTIVE")
    member.resize(server, "m1.big")
    resized = admin.compute.get_server(server.id)
    compute.stop_server(server)
    member.await_status(server, "SHUTOFF")
    member.delete(server)
    # The instance is gone some seconds before Nova finishes the event that says so.
    until("the deletion is recorded", lambda: is_recorded(admin, server.id))
    yield Life(id=server.id, project=member.project.id, booted=booted, resized=resized)
    member.discard()


def nova(cloud: Connection, path: str) -> Any:
    """Nova's reply as it comes, whatever the SDK makes of it."""
    return cloud.compute.get(path, microversion=COMPUTE_VERSION)


def actions_of(cloud: Connection, server: str) -> list[dict[str, Any]]:
    """Oldest first."""
    reply = nova(cloud, f"/servers/{server}/os-instance-actions")
    assert reply.status_code == 200
    return list(reversed(reply.json()["instanceActions"]))


def events_of(cloud: Connection, server: str, action: dict[str, Any]) -> dict[str, dict[str, Any]]:
    reply = nova(cloud, f"/servers/{server}/os-instance-actions/{action['request_id']}")
    return {event["event"]: event for event in reply.json()["instanceAction"]["events"]}


def is_recorded(cloud: Connection, server: str) -> bool:
    events = events_of(cloud, server, actions_of(cloud, server)[-1]).values()
    return bool(events) and all(event["finish_time"] for event in events)


def when(text: str) -> datetime:
    return datetime.fromisoformat(text.removesuffix("Z")).replace(tzinfo=UTC)


# Nova: the past of an instance


def test_instance_actions_of_a_deleted_instance_can_still_be_read(admin: Connection, life: Life) -> None:
    assert nova(admin, f"/servers/{life.id}").status_code == 404
    names = [action["action"] for action in actions_of(admin, life.id)]
    assert names == ["create", "stop", "start", "resize", "confirmResize", "stop", "delete"]


def test_each_action_has_an_event_that_says_when_it_had_happened(admin: Connection, life: Life) -> None:
    decisive = {
        "create": "compute__do_build_and_run_instance",
        "stop": "compute_stop_instance",
        "start": "compute_start_instance",
        "resize": "compute_finish_resize",
        "confirmResize": "compute_confirm_resize",
        "delete": "compute_terminate_instance",
    }
    for action in actions_of(admin, life.id):
        event = events_of(admin, life.id, action)[decisive[action["action"]]]
        assert event["result"] == "Success"
        assert when(action["start_time"]) <= when(event["start_time"]) <= when(event["finish_time"])


def test_a_resize_moves_launched_at_so_that_it_is_not_the_start_of_use(admin: Connection, life: Life) -> None:
    assert when(life.resized.launched_at) > when(life.booted.launched_at)
    assert life.resized.created_at == life.booted.created_at


def test_nothing_that_is_left_of_a_deleted_instance_names_its_old_flavor(admin: Connection, life: Life) -> None:
    resize = next(action for action in actions_of(admin, life.id) if action["action"] == "resize")
    told = nova(admin, f"/servers/{life.id}/os-instance-actions/{resize['request_id']}").text
    assert "m1.test" not in told
    assert nova(admin, f"/os-migrations?instance_uuid={life.id}").json()["migrations"] == []


def test_while_an_instance_lives_its_migration_holds_both_flavors_but_by_a_number_no_flavor_shows(
    admin: Connection, member: Member
) -> None:
    member.resize(member.boot(name="resized"), "m1.big")
    path = f"/os-migrations?migration_type=resize&project_id={member.project.id}"
    (migration,) = nova(admin, path).json()["migrations"]
    old, new = migration["old_instance_type_id"], migration["new_instance_type_id"]
    assert (migration["status"], old == new) == ("confirmed", False)
    shown = nova(admin, "/flavors/detail").json()["flavors"]
    assert not {str(old), str(new)} & {flavor["id"] for flavor in shown}


def test_novas_own_usage_forgets_the_hours_before_a_resize(admin: Connection, life: Life) -> None:
    reply = nova(admin, f"/os-simple-tenant-usage/{life.project}?start=2020-01-01T00:00:00")
    usage = reply.json()["tenant_usage"]["server_usages"][0]
    assert when(usage["started_at"]) == when(life.resized.launched_at)
    assert usage["flavor"] == "m1.big"


def test_changes_since_lists_the_deleted_with_their_end(admin: Connection, life: Life) -> None:
    path = f"/servers/detail?all_tenants=1&project_id={life.project}&changes-since={life.booted.created_at}"
    (server,) = nova(admin, path).json()["servers"]
    assert (server["id"], server["status"]) == (life.id, "DELETED")
    assert when(server["OS-SRV-USG:terminated_at"]) > when(life.resized.launched_at)
    assert server["flavor"]["original_name"] == "m1.big"


def test_changes_since_the_future_lists_nothing(admin: Connection, life: Life) -> None:
    path = f"/servers/detail?all_tenants=1&project_id={life.project}&changes-since=2999-01-01T00:00:00Z"
    assert nova(admin, path).json()["servers"] == []


# Keystone: what Tenantry makes


def test_a_project_is_made_with_its_tags_and_found_by_them(admin: Connection, member: Member) -> None:
    tag = f"tenantry:project={member.project.id}"
    body = {"name": f"tagged-{member.project.id[:8]}", "domain_id": "default", "tags": [tag]}
    made = admin.identity.post("/projects", json={"project": body}).json()["project"]
    try:
        found = admin.identity.get("/projects", params={"tags": tag}).json()["projects"]
        assert [project["id"] for project in found] == [made["id"]]
    finally:
        admin.identity.delete_project(made["id"])


@pytest.fixture
def identity_provider(admin: Connection, member: Member) -> Iterator[str]:
    name = f"idp-{member.project.id[:8]}"
    base = f"/OS-FEDERATION/identity_providers/{name}"
    rules = [{"local": [{"user": {"name": "{0}"}}], "remote": [{"type": "HTTP_OIDC_SUB"}]}]
    # Without a domain Keystone makes one for the provider, which then outlives it.
    admin.identity.put(base, json={"identity_provider": {"enabled": True, "domain_id": "default"}})
    admin.identity.put(f"/OS-FEDERATION/mappings/{name}", json={"mapping": {"rules": rules}})
    admin.identity.put(f"{base}/protocols/openid", json={"protocol": {"mapping_id": name}})
    yield name
    admin.identity.delete(base)
    admin.identity.delete(f"/OS-FEDERATION/mappings/{name}")


@pytest.fixture
def federated(admin: Connection, identity_provider: str) -> Iterator[dict[str, Any]]:
    """The body of a federated user, made once as "ada"; whoever has a name of this provider is deleted at the end."""
    subject = {"protocol_id": "openid", "unique_id": f"subject of {identity_provider}"}
    body = {"domain_id": "default", "federated": [{"idp_id": identity_provider, "protocols": [subject]}]}
    made = admin.identity.post("/users", json={"user": body | {"name": f"ada of {identity_provider}"}})
    assert made.status_code == 201
    yield body | {"made": made.json()["user"]["id"], "query": {"idp_id": identity_provider, **subject}}
    for person in admin.identity.get("/users", params={"name__endswith": f" of {identity_provider}"}).json()["users"]:
        admin.identity.delete_user(person["id"])


def test_a_federated_user_is_found_by_its_subject(admin: Connection, federated: dict[str, Any]) -> None:
    found = admin.identity.get("/users", params=federated["query"]).json()["users"]
    assert [person["id"] for person in found] == [federated["made"]]


def test_a_second_user_of_a_subject_is_refused_and_left_behind_without_an_identity(
    admin: Connection, federated: dict[str, Any]
) -> None:
    name = f"eve of {federated['query']['idp_id']}"
    body = {"domain_id": "default", "federated": federated["federated"], "name": name}
    assert admin.identity.post("/users", json={"user": body}).status_code == 409
    (left,) = admin.identity.get("/users", params={"name": name}).json()["users"]
    shown = admin.identity.get(f"/users/{left['id']}").json()["user"]
    assert not shown.get("federated")
    found = admin.identity.get("/users", params=federated["query"]).json()["users"]
    assert [person["id"] for person in found] == [federated["made"]]


def test_a_federated_user_of_an_unknown_provider_is_refused(admin: Connection) -> None:
    protocols = [{"protocol_id": "openid", "unique_id": "somebody"}]
    body = {"name": "nobody", "domain_id": "default", "federated": [{"idp_id": "unheard-of", "protocols": protocols}]}
    reply = admin.identity.post("/users", json={"user": body})
    assert reply.status_code == 400
    assert "Could not find Identity Provider: unheard-of" in reply.text


def test_an_application_credential_may_do_what_its_user_may(openstack_lab: OpenStackLab, member: Member) -> None:
    cloud = openstack_lab.connect(openstack_lab.application_credential_cloud)
    rows = list(cloud.identity.role_assignments(scope_project_id=member.project.id, include_names=True))
    assert [(row.user["name"], row.role["name"]) for row in rows] == [(member.user.name, "member")]


# What is left after access or a project is taken away


def test_without_the_role_keystone_refuses_at_once_and_nova_only_when_its_cache_expires(
    admin: Connection, member: Member
) -> None:
    list(member.cloud.compute.servers())
    before = [nova(member.cloud, "/servers").status_code for _ in range(10)]
    admin.identity.unassign_project_role_from_user(member.project, member.user, member.role)
    with pytest.raises(keystone_errors.Unauthorized):
        member.log_in().session.get_token()
    after = [nova(member.cloud, "/servers").status_code for _ in range(10)]
    assert set(before) == {200}
    assert 200 in after


def test_deleting_a_project_leaves_its_instance_running(admin: Connection, member: Member) -> None:
    server = member.boot(name="left-behind")
    admin.identity.delete_project(member.project)
    orphan = admin.compute.get_server(server.id)
    assert (orphan.status, orphan.project_id) == ("ACTIVE", member.project.id)
    admin.compute.delete_server(orphan)
    until("the orphan is gone", lambda: admin.compute.find_server(server.id, all_projects=True) is None)


# Limits


def test_a_limit_below_use_needs_force(admin: Connection, member: Member) -> None:
    member.boot(name="two-cores")
    with pytest.raises(exceptions.BadRequestException, match="already used and reserved 2"):
        admin.compute.update_quota_set(member.project.id, cores=1)
    assert admin.compute.update_quota_set(member.project.id, cores=1, force=True).cores == 1


def test_cinder_stores_the_quota_of_a_project_that_does_not_exist(admin: Connection) -> None:
    assert admin.block_storage.update_quota_set("no-such-project", gigabytes=7).gigabytes == 7
    admin.block_storage.delete("/os-quota-sets/no-such-project")


def test_a_nova_with_unified_limits_answers_a_quota_write_with_200_and_keeps_the_old_number(
    openstack_lab: OpenStackLab, member: Member
) -> None:
    compute = openstack_lab.connect(openstack_lab.unified_cloud).compute
    path = f"/os-quota-sets/{member.project.id}"
    before = compute.get(path, microversion=COMPUTE_VERSION).json()["quota_set"]["cores"]
    reply = compute.put(path, json={"quota_set": {"cores": before + 5}}, microversion=COMPUTE_VERSION)
    after = compute.get(path, microversion=COMPUTE_VERSION).json()["quota_set"]["cores"]
    assert (reply.status_code, after) == (200, before)


def test_a_unified_limit_is_moved_in_keystone(openstack_lab: OpenStackLab, admin: Connection, member: Member) -> None:
    cloud = openstack_lab.connect(openstack_lab.unified_cloud)
    row = {
        "service_id": admin.identity.find_service("nova").id,
        "region_id": cloud.config.region_name,
        "project_id": member.project.id,
        "resource_name": "class:VCPU",
        "resource_limit": 7,
    }
    assert cloud.identity.post("/limits", json={"limits": [row]}).status_code == 201
    path = f"/os-quota-sets/{member.project.id}"
    assert cloud.compute.get(path, microversion=COMPUTE_VERSION).json()["quota_set"]["cores"] == 7


# Volumes and addresses: no history, so what is listed now is all there is


def test_a_deleted_volume_leaves_no_trace_and_an_extended_one_only_its_new_size(
    admin: Connection, member: Member
) -> None:
    storage = member.cloud.block_storage
    volume = storage.create_volume(size=1, name="grows")
    storage.wait_for_status(volume, "available", wait=60)
    storage.extend_volume(volume, 3)
    until("the volume is extended", lambda: storage.get_volume(volume).status == "available")
    path = f"/volumes/detail?all_tenants=1&project_id={member.project.id}"
    (listed,) = admin.block_storage.get(path).json()["volumes"]
    assert listed["size"] == 3
    assert "1" not in {str(value) for value in listed.values()}
    storage.delete_volume(volume)
    until("the volume is gone", lambda: not list(storage.volumes()))
    assert admin.block_storage.get(path).json()["volumes"] == []


def test_a_floating_ip_names_its_project_and_the_time_it_was_taken(admin: Connection, member: Member) -> None:
    member.make_network()
    network = member.cloud.network
    address = network.create_ip(floating_network_id=network.find_network("public").id)
    (row,) = admin.network.get(f"/floatingips?project_id={member.project.id}").json()["floatingips"]
    assert (row["id"], row["project_id"], row["created_at"]) == (address.id, member.project.id, address.created_at)
    assert when(row["created_at"]) <= when(row["updated_at"])


def test_the_official_command_speaks_to_the_lab(openstack_lab: OpenStackLab, member: Member) -> None:
    named = openstack_lab.ask("project", "show", member.project.name)
    assert named["id"] == member.project.id
