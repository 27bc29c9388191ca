"""Requests recorded on real services, asked again: status, headers, shape and error texts must agree.

The story below makes what the recordings speak of, in their order. Ids differ, so the ids of the recording are mapped
to the emulator's as they appear; an error must then be the same to the letter, any other body the same in shape.
"""

import json
import re
from pathlib import Path
from typing import Any

import pytest

from tests.emulator.cloud import Cloud

FOLDER = Path(__file__).parent / "recorded"
PORTS = {
    "15000": "/identity",
    "15001": "/identity",
    "18774": "/compute",
    "18775": "/compute",
    "18776": "/volume",
    "19696": "/network",
}
ID = re.compile(r"[0-9a-f]{32}|[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}")
# Request and response headers that say nothing about the service.
IGNORED_HEADERS = {"date", "content-length"}


class Replay:
    """One cloud, the ids learnt so far, and what did not agree, by name of the recording."""

    def __init__(self, cloud: Cloud) -> None:
        self.cloud = cloud
        self.known: dict[str, str] = {}
        self.wrong: dict[str, list[str]] = {}

    @staticmethod
    def recorded(name: str) -> Any:
        return json.loads((FOLDER / f"{name}.json").read_text())

    def prime(self) -> None:
        """Ids that both clouds had from the beginning, found by name."""
        roles = {role["name"]: role["id"] for role in self.cloud.get("identity", "/roles").json["roles"]}
        token = self.cloud.get("identity", "/role_assignments?include_names=true").json["role_assignments"]
        admin = next(row for row in token if row["user"]["name"] == "admin" and "project" in row["scope"])
        for recorded, mine in (
            ("fb68c4776ffc40c38360e29be9acad5a", admin["user"]["id"]),
            ("b7827e5a50454a9293faed24ecb7814c", admin["scope"]["project"]["id"]),
            ("4277fa80374e4d2287d94824a3527f49", roles["admin"]),
            ("05d01678068d4d41b547c964a7c0f34f", roles["manager"]),
            ("4f7f1f54969d419aadacdc626a9d0bf6", roles["member"]),
            ("36d419e47f80475092b6ee0f1a99d31b", roles["reader"]),
            ("1feaaf25-547f-42ae-b94f-52bbfada5095", self.cloud.get("image", "/images").json["images"][0]["id"]),
            ("46877a60-d675-4172-91e9-2bc958157a96", self.cloud.get("network", "/networks").json["networks"][0]["id"]),
        ):
            self.known[recorded] = mine
        flavor = {"name": "m1.test", "vcpus": 2, "ram": 1024, "disk": 10}
        made = self.cloud.post("compute", "/flavors", {"flavor": flavor}).json["flavor"]
        self.known["03bcf498-03e3-42a0-a07e-0bfd6b3571dd"] = made["id"]

    def mapped(self, text: str) -> str:
        return ID.sub(lambda found: self.known.get(found[0], found[0]), text)

    def ask(self, name: str, token: str | None, subject: str | None = None, password: str = "pw") -> Any:
        """Ask what recording `name` asked, note what differs, give back the answer."""
        recorded = self.recorded(name)
        request, response = recorded["request"], recorded["response"]
        port, _, path = request["url"].removeprefix("http://127.0.0.1:").partition("/")
        body = json.dumps(request["body"]).replace("REDACTED", password)
        headers = {key.replace("-", "_"): value for key, value in request["headers"].items()}
        if subject:
            headers["X_Subject_Token"] = subject
        body_sent = json.loads(self.mapped(body)) if request["body"] is not None else None
        reply = self.cloud.ask(
            request["method"], self.mapped(f"{PORTS[port]}/{path}"), body_sent, token=token, **headers
        )
        self.wrong[name] = self.differences(response, reply)
        return reply.json if reply.text else None

    def differences(self, response: Any, reply: Any) -> list[str]:
        found = []
        if reply.status_code != response["status"]:
            found.append(f"status {reply.status_code}, recorded {response['status']}: {reply.text[:300]}")
        theirs = {name.lower() for name in response["headers"]} - IGNORED_HEADERS
        ours = {name.lower() for name, _ in reply.headers} - IGNORED_HEADERS
        if theirs - ours:
            found.append(f"headers missing: {sorted(theirs - ours)}")
        if ours - theirs:
            found.append(f"headers too many: {sorted(ours - theirs)}")
        if bool(response["body"]) != bool(reply.text):
            found.append(f"body {reply.text[:200]!r}, recorded {response['body']!r}")
        elif response["body"]:
            self.learn(response["body"], reply.json)
            if response["status"] >= 400:
                if self.comparable(response["body"]) != reply.json:
                    found.append(f"{reply.json}, recorded {response['body']}")
            else:
                found += compare(response["body"], reply.json, "")
        return found

    def comparable(self, body: Any) -> Any:
        """The recorded error with our ids; an id that only the recording could know is not compared."""
        return json.loads(self.mapped(json.dumps(body)))

    def learn(self, theirs: Any, ours: Any) -> None:
        if isinstance(theirs, dict) and isinstance(ours, dict):
            for key in theirs.keys() & ours.keys():
                self.learn(theirs[key], ours[key])
        elif isinstance(theirs, list) and isinstance(ours, list):
            for one, other in zip(theirs, ours, strict=False):
                self.learn(one, other)
        elif isinstance(theirs, str) and isinstance(ours, str) and ID.fullmatch(theirs) and ID.fullmatch(ours):
            self.known.setdefault(theirs, ours)


def compare(theirs: Any, ours: Any, where: str) -> list[str]:
    """Same keys, same types; of a list the first rows. None may stand for any value: it depends on the moment."""
    if theirs is None or ours is None:
        return []
    if isinstance(theirs, dict) and isinstance(ours, dict):
        found = [f"{where}/{key} missing" for key in theirs.keys() - ours.keys()]
        found += [f"{where}/{key} too many" for key in ours.keys() - theirs.keys()]
        return found + [
            line for key in theirs.keys() & ours.keys() for line in compare(theirs[key], ours[key], f"{where}/{key}")
        ]
    if isinstance(theirs, list) and isinstance(ours, list):
        if theirs and not ours:
            return [f"{where} is empty"]
        return compare_rows(theirs, ours, where)
    number = isinstance(theirs, int | float) and isinstance(ours, int | float)
    if isinstance(theirs, bool) != isinstance(ours, bool) or not (number or type(theirs) is type(ours)):
        return [f"{where} is {type(ours).__name__}, recorded {type(theirs).__name__}"]
    return (
        [f"{where}: {ours!r} looks unlike {theirs!r}"]
        if isinstance(theirs, str) and _form(theirs) != _form(ours)
        else []
    )


def compare_rows(theirs: list[Any], ours: list[Any], where: str) -> list[str]:
    """Each recorded row must be like one of ours: which row comes first depends on ids."""
    found = []
    for number, row in enumerate(theirs):
        tries = [compare(row, other, f"{where}[{number}]") for other in ours]
        found += min(tries, key=len)
    return found


def _form(text: str) -> str:
    """How an id or a time is written; other texts are free."""
    if ID.fullmatch(text):
        return "dashed id" if "-" in text else "id"
    if re.match(r"\d{4}-\d\d-\d\dT", text):
        return re.sub(r"\d", "9", text).removesuffix("-99:99")
    return "text"


@pytest.fixture(scope="module")
def replay() -> Replay:
    r = Replay(Cloud())
    r.prime()
    _identity(r)
    _limits(r)
    _compute(r)
    _volumes(r)
    _networks(r)
    _ending(r)
    unified = Replay(Cloud(unified_limits=True))
    _unified(unified)
    r.wrong |= unified.wrong
    return r


def _identity(r: Replay) -> None:
    c, admin = r.cloud, r.cloud.admin
    for name in ("keystone_versions", "keystone_v3", "nova_versions", "cinder_versions", "neutron_versions"):
        r.ask(name, None)
    r.ask("keystone_auth_password_project", None, password="emulator-secret")
    r.ask("keystone_err_401_wrong_password", None, password="wrong")
    r.ask("keystone_err_401_no_token", None)
    r.ask("keystone_err_401_bad_token", "gAAAAAnonsense")
    for name in (
        "keystone_project_create",
        "keystone_project_create_400",
        "keystone_project_404",
        "keystone_project_list_name",
    ):
        r.ask(name, admin)
    project = r.known["77c5de8c769f4d2aa58600c89369c60a"]
    r.ask("keystone_project_get", admin)
    for name in ("keystone_user_create", "keystone_user_create_409", "keystone_user_list"):
        r.ask(name, admin)
    alice = r.known["2c72dc4085d242f0a63ffaffbc7197a7"]
    r.ask("keystone_auth_no_role_401", None)
    for name in ("keystone_assign_put", "keystone_assign_head", "keystone_unassign_404"):
        r.ask(name, admin)
    r.ask("keystone_auth_member", None)
    member = c.login("alice", "pw", project="proj-a")
    r.ask("keystone_token_validate", admin, subject=member)
    r.ask("keystone_err_403_member_lists_users", member)
    child = c.make_project("child", parent_id=project)
    r.known["1df75bfb24b94b6689ae35a0f88da42b"] = child
    inherited = f"/OS-INHERIT/projects/{project}/users/{alice}/roles/{c.role('reader')}/inherited_to_projects"
    assert c.put("identity", inherited).status_code == 204
    for name in ("keystone_auth_projects",):
        r.ask(name, member)
    for name in (
        "keystone_project_patch", "keystone_project_delete_nonleaf", "keystone_role_assignments_include_names",
        "keystone_role_assignments_effective", "keystone_role_assignments_system", "keystone_role_inferences",
        "keystone_roles", "keystone_role_create", "keystone_implied_put", "keystone_users_limit_2",
        "keystone_domain_create", "keystone_domain_delete_enabled_403",
    ):  # fmt: skip
        r.ask(name, admin)
    _domain_manager(r)
    _application_credentials(r, member)
    spare = c.login("alice", "pw", project="proj-a")
    r.ask("keystone_token_revoke", admin, subject=spare)
    r.ask("keystone_token_validate_revoked_404", admin, subject=spare)
    r.ask("nova_err_401_revoked_token", spare)


def _domain_manager(r: Replay) -> None:
    c = r.cloud
    domain = r.known["171e1379b5b744dc958eac94713a0ac0"]
    manager = c.make_user("dommgr", domain_id=domain)
    c.put("identity", f"/domains/{domain}/users/{manager}/roles/{c.role('manager')}")
    r.known["4efad9039d8e4f158b2d8c5f8d3bc664"] = manager
    r.ask("keystone_auth_domain_scoped", None)
    user = {"id": manager, "password": "pw"}
    auth = {"identity": {"methods": ["password"], "password": {"user": user}}, "scope": {"domain": {"id": domain}}}
    token = c.ask("POST", "/identity/v3/auth/tokens", {"auth": auth}).headers["X-Subject-Token"]
    r.known["4db9c46a9b424a21860b395219189933"] = project = c.make_project("dm-proj", domain_id=domain)
    r.known["b70e61c8fd004ab4956c04faea6cc695"] = user_id = c.make_user("dm-user", domain_id=domain)
    assert (
        c.put("identity", f"/projects/{project}/users/{user_id}/roles/{c.role('member')}", token=token).status_code
        == 204
    )
    for name in (
        "keystone_domain_manager_lists_projects", "keystone_domain_manager_role_assignments",
        "keystone_domain_manager_403_admin_role", "keystone_domain_manager_foreign_user",
    ):  # fmt: skip
        r.ask(name, token)


def _application_credentials(r: Replay, member: str) -> None:
    made = r.ask("keystone_appcred_create", member)["application_credential"]
    r.ask("keystone_appcred_409", member)
    r.ask("keystone_appcred_by_other_403", r.cloud.admin)
    r.ask("keystone_appcred_list_admin", r.cloud.admin)
    r.ask("keystone_auth_appcred", None, password=made["secret"])
    credential = {"id": made["id"], "secret": made["secret"]}
    auth = {"identity": {"methods": ["application_credential"], "application_credential": credential}}
    token = r.cloud.ask("POST", "/identity/v3/auth/tokens", {"auth": auth}).headers["X-Subject-Token"]
    r.ask("keystone_appcred_restricted_403", token)
    alice, project = made["user_id"], made["project_id"]
    r.cloud.revoke(alice, project)
    r.ask("keystone_appcred_after_role_removed", None, password=made["secret"])
    r.cloud.grant(alice, project)


def _limits(r: Replay) -> None:
    services = r.cloud.get("identity", "/services?type=compute").json["services"]
    r.known["d568637d123645bb90b0d8b25a3d3068"] = services[0]["id"]
    for name in (
        "keystone_registered_limits_post", "keystone_registered_limits_409", "keystone_limits_model",
        "keystone_limits_post",
        "keystone_limits_409", "keystone_limits_no_registered_403", "keystone_limits_patch", "keystone_limits_list",
        "keystone_registered_limits_delete_in_use_403",
    ):  # fmt: skip
        r.ask(name, r.cloud.admin)


def _compute(r: Replay) -> None:
    c, admin = r.cloud, r.cloud.admin
    for name in (
        "nova_quota_get_2_1", "nova_quota_get_2_57", "nova_quota_detail", "nova_quota_defaults",
        "nova_quota_class_default",
        "nova_quota_bogus_project_400", "nova_quota_put", "nova_quota_put_minus2_400", "nova_quota_put_unknown_key_400",
        "nova_flavors", "nova_hypervisors", "nova_hypervisor_stats", "nova_microversion_406", "nova_usage_bad_date_400",
        "nova_usage_show_bogus", "nova_servers_bad_marker_400",
    ):  # fmt: skip
        r.ask(name, admin)
    r.ask("nova_err_401_no_token", None)
    member = c.login("alice", "pw", project="proj-a")
    for name in ("nova_quota_put_member_403", "nova_usage_list_member_403", "nova_servers_all_tenants_member_403"):
        r.ask(name, member)
    c.put("compute", f"/os-quota-sets/{r.known['77c5de8c769f4d2aa58600c89369c60a']}", {"quota_set": {"cores": 2}})
    first = c.boot(member, "a0", "m1.test", wait=0).json["server"]["id"]
    c.boot(member, "a1", "m1.test")  # quick enough to be accepted, and to fail
    c.put("compute", f"/os-quota-sets/{r.known['77c5de8c769f4d2aa58600c89369c60a']}", {"quota_set": {"cores": 4}})
    r.known["ece4c609-6fd4-40a7-b8a2-81541245d6df"] = first
    for name in (
        "nova_quota_detail_used", "nova_limits_tenant", "nova_quota_put_below_usage_400",
        "nova_servers_all_tenants_page1",
        "nova_usage_list_detailed_2_1", "nova_usage_list_detailed_2_40", "nova_usage_show",
        "nova_servers_changes_page1",
    ):  # fmt: skip
        r.ask(name, admin)
    r.ask("nova_server_delete", member)
    c.advance(10)
    r.ask("nova_server_deleted_404", member)
    project = r.known["77c5de8c769f4d2aa58600c89369c60a"]
    c.put("compute", f"/os-quota-sets/{project}", {"quota_set": {"cores": 2}})
    r.ask("nova_server_create_over_quota_403", member)
    for name in ("nova_servers_deleted", "nova_usage_after_delete", "nova_quota_put_force", "nova_quota_delete"):
        r.ask(name, admin)


def _volumes(r: Replay) -> None:
    c, admin = r.cloud, r.cloud.admin
    r.ask("cinder_err_401", None)
    member = c.login("alice", "pw", project="proj-a")
    for name in (
        "cinder_quota_get", "cinder_quota_usage", "cinder_quota_defaults", "cinder_quota_class",
        "cinder_quota_bogus_project",
        "cinder_quota_put", "cinder_quota_put_unknown_key", "cinder_types", "cinder_microversion_406",
        "cinder_volume_404",
    ):  # fmt: skip
        r.ask(name, admin)
    r.ask("cinder_quota_put_member_403", member)
    r.ask("cinder_url_project_mismatch_400", member)
    r.ask("cinder_volume_create", member)
    assert c.post("volume", "/volumes", {"volume": {"size": 4, "name": "v0"}}, token=member).status_code == 202
    c.advance(5)
    r.ask("cinder_volume_over_quota_413", member)
    r.ask("cinder_volumes_all_tenants_member", member)
    for name in (
        "cinder_quota_usage_used", "cinder_quota_put_below_usage", "cinder_limits", "cinder_volumes_all_tenants",
        "cinder_orphan_volumes", "cinder_volumes_summary",
    ):  # fmt: skip
        r.ask(name, admin)
    project, volume = r.known["77c5de8c769f4d2aa58600c89369c60a"], r.known["bf11422a-fa79-457b-a98d-fb8a8843f99f"]
    roomy = {"quota_set": {"gigabytes": 100, "gigabytes___DEFAULT__": 100}}
    c.put("volume", f"/os-quota-sets/{project}", roomy)
    assert (
        c.post("volume", "/snapshots", {"snapshot": {"volume_id": volume, "name": "s1"}}, token=member).status_code
        == 202
    )
    c.advance(5)
    r.ask("cinder_snapshots", admin)
    r.ask("cinder_orphan_delete_unscoped", admin)
    r.ask("cinder_quota_delete", admin)


def _networks(r: Replay) -> None:
    c, admin = r.cloud, r.cloud.admin
    r.ask("neutron_err_401", None)
    member = c.login("alice", "pw", project="proj-a")
    for name in (
        "neutron_quota_list", "neutron_quota_get", "neutron_quota_default", "neutron_quota_details",
        "neutron_quota_bogus_project", "neutron_quota_delete_404", "neutron_quota_put_unknown_key",
        "neutron_quota_put_minus5",
        "neutron_404", "neutron_extensions",
    ):  # fmt: skip
        r.ask(name, admin)
    r.ask("neutron_quota_put_member_403", member)
    other = c.post("network", "/networks", {"network": {"name": "n0"}}, token=member).json["network"]["id"]
    r.known["9307731a-dbc9-4830-980f-3fb7afcd3d02"] = other
    for name in ("neutron_network_create", "neutron_subnet_create", "neutron_port_create"):
        r.ask(name, member)
    r.ask("neutron_quota_put", admin)
    r.ask("neutron_quota_list_after", admin)
    r.ask("neutron_quota_details_used", admin)
    for name in (
        "neutron_quota_put_below_usage",
        "neutron_quota_put_below_usage_check_limit",
        "neutron_networks_paged",
    ):
        r.ask(name, admin)
    c.put("network", f"/quotas/{r.known['77c5de8c769f4d2aa58600c89369c60a']}", {"quota": {"network": 2}})
    r.ask("neutron_over_quota_409", member)
    r.ask("neutron_network_delete_in_use", member)
    _bound_port(r)
    r.ask("neutron_floatingip_create", admin)


def _bound_port(r: Replay) -> None:
    """A server on a network: its port is there and bound."""
    c, image = r.cloud, r.known["1feaaf25-547f-42ae-b94f-52bbfada5095"]
    server = {
        "name": "net1",
        "flavorRef": c.flavor(),
        "imageRef": image,
        "networks": [{"uuid": r.known["50da3f9b-0eb8-452f-a912-0da9dcbc28f3"]}],
    }
    c.post(
        "network",
        "/subnets",
        {"subnet": {"network_id": server["networks"][0]["uuid"], "cidr": "10.8.0.0/24", "ip_version": 4}},
    )
    made = c.post("compute", "/servers", {"server": server}, version="2.96")
    r.known["8efc2e8c-abd7-4999-bcf7-a4e167b344eb"] = made.json["server"]["id"]
    c.advance(10)
    r.ask("neutron_port_bound", c.admin)
    r.ask("nova_usage_page1", c.admin)


def _unified(r: Replay) -> None:
    """A second Nova, on Keystone's limits: what is not registered reads 0, and a write changes nothing."""
    c = r.cloud
    r.known["77c5de8c769f4d2aa58600c89369c60a"] = project = c.make_project("proj-a")
    nova = c.get("identity", "/services?type=compute").json["services"][0]["id"]
    common = {"service_id": nova, "region_id": "RegionOne"}
    registered = [
        {**common, "resource_name": name, "default_limit": n} for name, n in (("servers", 5), ("class:VCPU", 20))
    ]
    c.post("identity", "/registered_limits", {"registered_limits": registered})
    c.control("POST", "life", {"project_id": project, "servers": 2})
    for name in ("nova_unified_limits", "nova_unified_quota_detail", "nova_unified_quota_put"):
        told = r.ask(name, c.admin)
    assert told["quota_set"] == r.recorded("nova_unified_quota_put")["response"]["body"]["quota_set"]


def _ending(r: Replay) -> None:
    """A disabled user, an expired token, and a project that is deleted while things live in it."""
    c, admin = r.cloud, r.cloud.admin
    alice, project = r.known["2c72dc4085d242f0a63ffaffbc7197a7"], r.known["77c5de8c769f4d2aa58600c89369c60a"]
    member = c.login("alice", "pw", project="proj-a")
    assert c.get("compute", "/servers", token=member).status_code == 200  # now Nova has seen it
    c.delete("identity", f"/projects/{r.known['1df75bfb24b94b6689ae35a0f88da42b']}")
    c.boot(member, "live", "m1.test")
    r.ask("keystone_project_delete_live", admin)
    r.ask("nova_after_project_deleted", member)
    r.ask("nova_quota_get_after_project_delete_400", admin)
    r.ask("nova_quota_delete_after_project_delete", admin)
    r.ask("nova_orphan_servers", admin)
    left = c.get("compute", f"/servers?all_tenants=1&project_id={project}").json["servers"]
    r.known["6dc0772b-a6ff-49e3-897c-150e62b60a88"] = left[0]["id"]
    r.ask("nova_orphan_delete", admin)
    r.ask("neutron_orphan_networks", admin)
    c.advance(301)
    r.ask("nova_after_role_removed", member)
    c.patch("identity", f"/users/{alice}", {"user": {"enabled": False}})
    r.ask("keystone_auth_disabled_user", None)
    r.ask("keystone_user_delete", admin)
    r.ask("keystone_user_404", admin)
    c.advance(4000)
    fresh = c.login("admin", "emulator-secret", project="admin")
    r.ask("keystone_err_401_expired_token", admin)
    r.ask("nova_err_401_expired_token", admin)
    r.ask("keystone_token_validate_expired_404", fresh, subject=admin)


@pytest.mark.parametrize("name", sorted(path.stem for path in FOLDER.glob("*.json")))
def test_answers_as_recorded(replay: Replay, name: str) -> None:
    assert replay.wrong[name] == []
