"""Cinder's and Neutron's rules and traps."""

import pytest

from tests.emulator.cloud import Cloud


@pytest.fixture
def member(cloud):
    token, _, project = cloud.member("ada", "p1")
    return cloud, token, project


def test_a_volume_is_made_extended_and_gone_by_the_clock(member):
    cloud, token, project = member
    volume = cloud.post("volume", "/volumes", {"volume": {"size": 4, "name": "v"}}, token=token).json["volume"]
    assert (volume["status"], volume["updated_at"]) == ("creating", None)
    cloud.advance(5)
    path = f"/volumes/{volume['id']}"
    assert cloud.get("volume", path, token=token).json["volume"]["status"] == "available"
    assert cloud.post("volume", f"{path}/action", {"os-extend": {"new_size": 9}}, token=token).status_code == 202
    cloud.advance(5)
    assert cloud.get("volume", path, token=token).json["volume"]["size"] == 9
    used = cloud.get("volume", f"/os-quota-sets/{project}?usage=True").json["quota_set"]
    assert (used["gigabytes"]["in_use"], used["volumes"]["in_use"]) == (9, 1)
    assert cloud.delete("volume", path, token=token).status_code == 202
    cloud.advance(5)
    assert cloud.get("volume", path, token=token).status_code == 404, "Cinder keeps no history"


def test_snapshots_hold_their_volume_and_count_in_gigabytes(member):
    cloud, token, project = member
    volume = cloud.post("volume", "/volumes", {"volume": {"size": 4}}, token=token).json["volume"]["id"]
    cloud.advance(5)
    made = cloud.post("volume", "/snapshots", {"snapshot": {"volume_id": volume, "name": "s"}}, token=token)
    assert made.status_code == 202
    cloud.advance(5)
    used = cloud.get("volume", f"/os-quota-sets/{project}?usage=True").json["quota_set"]
    assert (used["gigabytes"]["in_use"], used["snapshots"]["in_use"]) == (8, 1)
    assert cloud.delete("volume", f"/volumes/{volume}", token=token).status_code == 400
    assert cloud.delete("volume", f"/snapshots/{made.json['snapshot']['id']}", token=token).status_code == 202
    cloud.advance(5)
    assert cloud.get("volume", "/snapshots/detail", token=token).json["snapshots"] == []
    assert cloud.delete("volume", f"/volumes/{volume}", token=token).status_code == 202


def test_over_quota_is_413_with_a_retry_after_of_zero(member):
    cloud, token, project = member
    cloud.put("volume", f"/os-quota-sets/{project}", {"quota_set": {"volumes": 1}})
    assert cloud.post("volume", "/volumes", {"volume": {"size": 1}}, token=token).status_code == 202
    reply = cloud.post("volume", "/volumes", {"volume": {"size": 1}}, token=token)
    assert (reply.status_code, reply.headers["Retry-After"]) == (413, "0")
    assert "overLimit" in reply.json


def test_quotas_of_a_typo_are_stored_in_silence(cloud):
    assert cloud.put("volume", "/os-quota-sets/typo", {"quota_set": {"volumes": 3}}).status_code == 200
    assert cloud.get("volume", "/os-quota-sets/typo").json["quota_set"]["volumes"] == 3
    assert cloud.delete("volume", "/os-quota-sets/typo").status_code == 200
    assert cloud.put("network", "/quotas/typo", {"quota": {"network": 3}}).status_code == 200
    assert [row["project_id"] for row in cloud.get("network", "/quotas").json["quotas"]] == ["typo"]
    assert [cloud.delete("network", "/quotas/typo").status_code for _ in range(2)] == [204, 404]


def test_below_use_is_refused_by_cinder_and_needs_force_at_neutron(member):
    cloud, token, project = member
    cloud.post("volume", "/volumes", {"volume": {"size": 4}}, token=token)
    path = f"/os-quota-sets/{project}"
    less = {"quota_set": {"gigabytes": 1}}
    assert cloud.put("volume", path, less).status_code == 400
    assert cloud.put("volume", path, {"quota_set": {"gigabytes": 1, "force": True}}).status_code == 400, (
        "an unknown key"
    )
    assert cloud.put("volume", f"{path}?skip_validation=True", less).status_code == 400, "unknown to newer releases"
    for name in ("a", "b"):
        cloud.post("network", "/networks", {"network": {"name": name}}, token=token)
    assert cloud.put("network", f"/quotas/{project}", {"quota": {"network": 1}}).status_code == 400
    assert (
        cloud.put("network", f"/quotas/{project}", {"quota": {"network": 1, "force": True}}).json["quota"]["network"]
        == 1
    )


def test_a_member_asking_for_all_tenants_gets_its_own_in_silence(member):
    cloud, token, _ = member
    cloud.post("volume", "/volumes", {"volume": {"size": 1, "name": "mine"}}, token=token)
    other, _, _ = cloud.member("eve", "p2")
    cloud.post("volume", "/volumes", {"volume": {"size": 1, "name": "hers"}}, token=other)
    seen = cloud.get("volume", "/volumes?all_tenants=1", token=token).json["volumes"]
    assert [volume["name"] for volume in seen] == ["mine"]
    assert len(cloud.get("volume", "/volumes?all_tenants=1").json["volumes"]) == 2


def test_a_project_id_in_the_url_must_be_the_tokens(member):
    cloud, token, project = member
    assert cloud.get("volume", f"/{project}/volumes", token=token).status_code == 200
    reply = cloud.get("volume", f"/{project}/volumes")
    assert (reply.status_code, reply.json["badRequest"]["message"]) == (400, "Malformed request url")


def test_created_at_filters_from_3_60(town):
    whole = town.get("volume", "/volumes/detail?all_tenants=1", version="3.70").json["volumes"]
    line = sorted(volume["created_at"] for volume in whole)[len(whole) // 2][:19]
    newer = town.get("volume", f"/volumes/detail?all_tenants=1&created_at=gt:{line}", version="3.60").json["volumes"]
    assert 0 < len(newer) < len(whole)
    assert all(volume["created_at"][:19] > line for volume in newer)
    assert len(
        town.get("volume", f"/volumes/detail?all_tenants=1&created_at=gt:{line}", version="3.59").json["volumes"]
    ) == len(whole)


def test_the_summary_and_the_limits_agree_with_the_list(town):
    volumes = town.get("volume", "/volumes/detail?all_tenants=1").json["volumes"]
    summary = town.get("volume", "/volumes/summary?all_tenants=1", version="3.70").json["volume-summary"]
    assert (summary["total_count"], summary["total_size"]) == (len(volumes), sum(one["size"] for one in volumes))
    project = volumes[0]["os-vol-tenant-attr:tenant_id"]
    own = [one for one in volumes if one["os-vol-tenant-attr:tenant_id"] == project]
    limits = town.get("volume", f"/limits?project_id={project}").json["limits"]["absolute"]
    assert limits["totalVolumesUsed"] == len(own)


@pytest.mark.parametrize(
    ("service", "path", "key"), [("volume", "/volumes", "volumes"), ("volume", "/snapshots", "snapshots")]
)
def test_volume_pages_add_up(town, service, path, key):
    whole = [one["id"] for one in town.get(service, f"{path}?all_tenants=1").json[key]]
    found, marker = [], ""
    while len(found) < 1000:
        body = town.get(service, f"{path}?all_tenants=1&limit=4{marker}").json
        found += [one["id"] for one in body[key]]
        if f"{key}_links" not in body:
            break
        marker = f"&marker={found[-1]}"
    assert found == whole
    assert whole


@pytest.mark.parametrize("key", ["networks", "ports", "routers", "subnets", "floatingips"])
def test_network_pages_and_fields(town, key):
    whole = [one["id"] for one in town.get("network", f"/{key}?fields=id").json[key]]
    found, marker = [], ""
    while len(found) < 1000:
        body = town.get("network", f"/{key}?fields=id&limit=5{marker}").json
        found += [one["id"] for one in body[key]]
        if not any(link["rel"] == "next" for link in body.get(f"{key}_links", [])):
            break
        marker = f"&marker={found[-1]}"
    assert found == whole
    assert whole
    assert all(
        set(one) == {"id", "name"} for one in town.get("network", "/networks?fields=id&fields=name").json["networks"]
    )


def test_every_living_server_has_its_port_and_the_details_count_it(town):
    network = next(n for n in town.get("network", "/networks").json["networks"] if not n["router:external"])
    project = network["project_id"]
    servers = town.get("compute", f"/servers/detail?all_tenants=1&project_id={project}", version="2.96").json["servers"]
    ports = town.get("network", f"/ports?project_id={project}").json["ports"]
    bound = {
        port["device_id"]: port["fixed_ips"][0]["ip_address"]
        for port in ports
        if port["device_owner"] == "compute:nova"
    }
    living = {one["id"]: one["addresses"][network["name"]][0]["addr"] for one in servers if one["addresses"]}
    assert bound == living
    used = town.get("network", f"/quotas/{project}/details.json").json["quota"]
    assert (
        used["network"]["used"]
        == used["subnet"]["used"]
        == used["router"]["used"]
        == used["security_group"]["used"]
        == 1
    )
    assert used["port"]["used"] == len(ports)


def test_a_router_and_a_port_keep_their_network(member):
    cloud, token, _ = member
    network = cloud.post("network", "/networks", {"network": {"name": "n"}}, token=token).json["network"]["id"]
    given = {"subnet": {"network_id": network, "cidr": "10.1.0.0/24", "ip_version": 4}}
    subnet = cloud.post("network", "/subnets", given, token=token).json["subnet"]["id"]
    router = cloud.post("network", "/routers", {"router": {"name": "r"}}, token=token).json["router"]["id"]
    interface = {"subnet_id": subnet}
    assert cloud.put("network", f"/routers/{router}/add_router_interface", interface, token=token).status_code == 200
    assert cloud.delete("network", f"/routers/{router}", token=token).status_code == 409
    reply = cloud.delete("network", f"/networks/{network}", token=token)
    assert (reply.status_code, reply.json["NeutronError"]["type"]) == (409, "NetworkInUse")
    assert cloud.put("network", f"/routers/{router}/remove_router_interface", interface, token=token).status_code == 200
    assert cloud.delete("network", f"/routers/{router}", token=token).status_code == 204
    assert cloud.delete("network", f"/networks/{network}", token=token).status_code == 204
    assert cloud.get("network", f"/subnets/{subnet}", token=token).status_code == 404


def test_a_project_gets_its_default_security_group_when_it_is_looked_at(member):
    cloud, token, project = member
    details = cloud.get("network", f"/quotas/{project}/details.json").json["quota"]
    assert details["security_group"]["used"] == 0
    groups = cloud.get("network", "/security-groups", token=token).json["security_groups"]
    assert [group["name"] for group in groups] == ["default"]
    details = cloud.get("network", f"/quotas/{project}/details.json").json["quota"]
    assert (details["security_group"]["used"], details["security_group_rule"]["used"]) == (1, 4)


def test_the_older_neutron_does_not_tell_of_the_limit_check():
    new, old = (
        {one["alias"] for one in Cloud(release=release).get("network", "/extensions").json["extensions"]}
        for release in ("2026.1", "zed")
    )
    assert new - old == {"quota-check-limit", "quota-check-limit-default"}


def test_images_are_shown_to_those_who_may(town):
    images = town.get("image", "/images").json["images"]
    owner = images[0]["owner"]
    assert town.get("image", f"/images?owner={owner}").json["images"] == images
    assert town.get("image", "/images?owner=nobody").json["images"] == []
    first = town.get("image", "/images?limit=3").json
    rest = town.get("image", first["next"].removeprefix("/v2")).json
    assert [i["id"] for i in first["images"] + rest["images"]] == [i["id"] for i in images]


def test_placement_tells_what_a_project_uses(town):
    server = town.get("compute", "/servers/detail?all_tenants=1", version="2.96").json["servers"][0]
    project = server["tenant_id"]
    used = town.get("placement", f"/usages?project_id={project}", version="1.10").json["usages"]
    cores = town.get("compute", f"/os-quota-sets/{project}/detail").json["quota_set"]["cores"]["in_use"]
    assert used["VCPU"] == cores
    provider = town.get("placement", "/resource_providers").json["resource_providers"][0]["uuid"]
    assert town.get("placement", f"/resource_providers/{provider}/inventories").json["inventories"]["VCPU"]["total"] > 0
    assert town.get("placement", "/resource_providers/none").status_code == 404
