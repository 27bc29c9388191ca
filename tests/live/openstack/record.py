"""Records real replies of the lab as JSON files, one a request, with tokens and passwords replaced.

    lab.sh run python tests/live/openstack/record.py

A member's instance lives through stop, start, two resizes, shelving and a deletion, with a volume, a snapshot and a
floating IP beside it, so that what an administrator reads afterwards is a whole life. All of it is deleted at the end.
"""

import json
import secrets
from pathlib import Path
from typing import Any

import openstack
import requests
from member import Member, until
from openstack.connection import Connection

FOLDER = Path(__file__).parents[1] / "recorded"
COMPUTE_VERSION = "2.96"
VOLUME_VERSION = "3.71"
SECRET_HEADERS = {"x-auth-token", "x-subject-token"}
SECRET_KEYS = {"password", "secret"}
KEPT_REQUEST_HEADERS = {"openstack-api-version", "content-type"}
DROPPED_HEADERS = {"date", "connection", "content-length"}


def without_secrets(value: Any) -> Any:
    if isinstance(value, dict):
        return {k: "<removed>" if k in SECRET_KEYS else without_secrets(v) for k, v in value.items()}
    if isinstance(value, list):
        return [without_secrets(item) for item in value]
    return value


def body_of(text: str | bytes | None) -> Any:
    if not text:
        return None
    try:
        return without_secrets(json.loads(text))
    except ValueError:
        return text if isinstance(text, str) else text.decode()


class Recorder:
    def __init__(self, cloud: Connection) -> None:
        self.cloud = cloud

    def __call__(
        self, name: str, service: str, method: str, path: str, *, body: Any = None, version: str | None = None
    ) -> Any:
        """Send the request, write tests/live/recorded/<name>.json, return the reply's body."""
        session = self.cloud.session
        endpoint = session.get_endpoint(service_type=service, region_name=self.cloud.config.region_name)
        headers = (
            {"OpenStack-API-Version": f"{service.replace('block-storage', 'volume')} {version}"} if version else {}
        )
        reply: requests.Response = session.request(
            endpoint.rstrip("/") + path, method, json=body, headers=headers, raise_exc=False
        )
        record = {
            "request": {
                "method": method,
                "url": reply.request.url,
                "headers": {k: v for k, v in reply.request.headers.items() if k.lower() in KEPT_REQUEST_HEADERS},
                "body": without_secrets(body),
            },
            "response": {
                "status": reply.status_code,
                "headers": {
                    k: "<removed>" if k.lower() in SECRET_HEADERS else v
                    for k, v in reply.headers.items()
                    if k.lower() not in DROPPED_HEADERS
                },
                "body": body_of(reply.text),
            },
        }
        FOLDER.mkdir(exist_ok=True)
        (FOLDER / f"{name}.json").write_text(json.dumps(record, indent=1) + "\n")
        return body_of(reply.text)


class Life:
    """One instance of a member, from boot to deletion, and what hangs on it."""

    def __init__(self, admin: Connection) -> None:
        self.record = Recorder(admin)
        self.member = Member(admin, name="recorded")

    def build(self) -> None:
        member, network, storage = self.member, self.member.cloud.network, self.member.cloud.block_storage
        self.server = member.boot(name="whole-life", network=member.make_network())
        address = network.create_ip(floating_network_id=network.find_network("public").id)
        network.update_ip(address, port_id=next(iter(network.ports(device_id=self.server.id))).id)
        volume = storage.create_volume(size=5, name="data")
        storage.wait_for_status(volume, "available", wait=60)
        storage.extend_volume(volume, 7)
        until("the volume is extended", lambda: storage.get_volume(volume).status == "available")
        snapshot = storage.create_snapshot(volume_id=volume.id, name="before")
        storage.wait_for_status(snapshot, "available", wait=60)

    def live(self) -> None:
        member, compute, server = self.member, self.member.cloud.compute, self.server

        def record(name: str) -> None:
            self.record(name, "compute", "GET", f"/servers/{server.id}", version=COMPUTE_VERSION)

        record("nova_server_active")
        compute.stop_server(server)
        member.await_status(server, "SHUTOFF")
        record("nova_server_stopped")
        compute.start_server(server)
        member.await_status(server, "ACTIVE")
        compute.resize_server(server, compute.find_flavor("m1.big").id)
        member.await_status(server, "VERIFY_RESIZE")
        record("nova_server_verify_resize")
        compute.confirm_server_resize(server)
        member.await_status(server, "ACTIVE")
        record("nova_server_resized")
        compute.resize_server(server, compute.find_flavor("m1.test").id)
        member.await_status(server, "VERIFY_RESIZE")
        compute.revert_server_resize(server)
        member.await_status(server, "ACTIVE")
        compute.shelve_server(server)
        member.await_status(server, "SHELVED_OFFLOADED")
        record("nova_server_shelved")
        compute.unshelve_server(server)
        member.await_status(server, "ACTIVE")
        compute.stop_server(server)
        member.await_status(server, "SHUTOFF")

    def record_living(self) -> None:
        r, p = self.record, self.member.project.id
        r(
            "nova_servers_detail",
            "compute",
            "GET",
            f"/servers/detail?all_tenants=1&project_id={p}",
            version=COMPUTE_VERSION,
        )
        r(
            "nova_migrations",
            "compute",
            "GET",
            f"/os-migrations?instance_uuid={self.server.id}",
            version=COMPUTE_VERSION,
        )
        r("neutron_floatingips", "network", "GET", f"/v2.0/floatingips?project_id={p}")
        r("neutron_ports", "network", "GET", f"/v2.0/ports?project_id={p}")
        r("neutron_routers", "network", "GET", f"/v2.0/routers?project_id={p}")
        r("neutron_security_groups", "network", "GET", f"/v2.0/security-groups?project_id={p}")
        r("glance_images", "image", "GET", "/v2/images?limit=10")
        v = VOLUME_VERSION
        r("cinder_volumes_detail", "block-storage", "GET", f"/volumes/detail?all_tenants=1&project_id={p}", version=v)
        r(
            "cinder_snapshots_detail",
            "block-storage",
            "GET",
            f"/snapshots/detail?all_tenants=1&project_id={p}",
            version=v,
        )

    def end(self) -> None:
        self.member.delete(self.server)

    def record_dead(self) -> None:
        r, server = self.record, self.server.id
        listed = r(
            "nova_instance_actions_deleted_server",
            "compute",
            "GET",
            f"/servers/{server}/os-instance-actions",
            version=COMPUTE_VERSION,
        )
        seen: dict[str, int] = {}
        for action in reversed(listed["instanceActions"]):
            seen[action["action"]] = number = seen.get(action["action"], 0) + 1
            r(
                f"nova_instance_action_{action['action']}_{number}",
                "compute",
                "GET",
                f"/servers/{server}/os-instance-actions/{action['request_id']}",
                version=COMPUTE_VERSION,
            )
        p, since = self.member.project.id, "2020-01-01T00:00:00"
        path = f"/servers/detail?all_tenants=1&project_id={p}&changes-since={since}Z"
        r("nova_servers_changes_since_deleted", "compute", "GET", path, version=COMPUTE_VERSION)
        r("nova_server_deleted_by_id", "compute", "GET", f"/servers/{server}", version=COMPUTE_VERSION)
        path = f"/os-migrations?instance_uuid={server}"
        r("nova_migrations_deleted_server", "compute", "GET", path, version=COMPUTE_VERSION)
        usage = f"/os-simple-tenant-usage/{p}?start={since}"
        r("nova_usage_show_deleted", "compute", "GET", usage, version=COMPUTE_VERSION)
        r("nova_usage_show_detailed_400", "compute", "GET", usage + "&detailed=1", version=COMPUTE_VERSION)
        self.member.discard()


def record_identity(record: Recorder) -> None:
    """What Tenantry makes in Keystone: a project with tags, and a person known by an outside identity provider."""
    mark = secrets.token_hex(4)
    identity = record.cloud.identity
    project = {"name": f"tagged-{mark}", "domain_id": "default", "tags": ["tenantry:project=42"]}
    made = record("keystone_project_create_with_tags", "identity", "POST", "/projects", body={"project": project})
    record("keystone_projects_by_tag", "identity", "GET", "/projects?tags=tenantry:project=42")
    identity.delete_project(made["project"]["id"])

    provider = f"idp-{mark}"
    subject = {"protocol_id": "openid", "unique_id": f"subject-{mark}"}
    user = {
        "name": f"ada-{mark}",
        "domain_id": "default",
        "federated": [{"idp_id": provider, "protocols": [subject]}],
    }
    record("keystone_user_create_federated_unknown_idp", "identity", "POST", "/users", body={"user": user})
    body: dict[str, Any] = {
        "identity_provider": {"domain_id": "default", "remote_ids": [f"https://{mark}.example.org"]}
    }
    record("keystone_idp_create", "identity", "PUT", f"/OS-FEDERATION/identity_providers/{provider}", body=body)
    rules = [{"local": [{"user": {"name": "{0}"}}], "remote": [{"type": "HTTP_OIDC_SUB"}]}]
    body = {"mapping": {"rules": rules}}
    record("keystone_mapping_create", "identity", "PUT", f"/OS-FEDERATION/mappings/{provider}", body=body)
    path = f"/OS-FEDERATION/identity_providers/{provider}/protocols/openid"
    record("keystone_protocol_create", "identity", "PUT", path, body={"protocol": {"mapping_id": provider}})
    made = record("keystone_user_create_federated", "identity", "POST", "/users", body={"user": user})
    query = f"/users?idp_id={provider}&protocol_id=openid&unique_id={subject['unique_id']}"
    record("keystone_users_by_federated_identity", "identity", "GET", query)
    user["name"] = f"eve-{mark}"
    record("keystone_user_create_federated_409", "identity", "POST", "/users", body={"user": user})
    left = record("keystone_user_left_by_409", "identity", "GET", f"/users?name={user['name']}")
    for person in (made["user"], *left["users"]):
        identity.delete_user(person["id"])
    record("keystone_idp_delete", "identity", "DELETE", f"/OS-FEDERATION/identity_providers/{provider}")
    identity.delete_mapping(provider)


def main() -> None:
    cloud = openstack.connect()
    record_identity(Recorder(cloud))
    print("record_identity done")
    life = Life(cloud)
    for chapter in (life.build, life.live, life.record_living, life.end, life.record_dead):
        chapter()
        print(chapter.__name__, "done")


if __name__ == "__main__":
    main()
