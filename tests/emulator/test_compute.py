"""Nova's rules and traps: lives by the clock, quotas, pages, usage, history."""

from urllib.parse import urlsplit

import pytest

from tests.emulator.cloud import Cloud


@pytest.fixture
def member(cloud):
    """(cloud, token, project) of somebody with room for six tiny servers."""
    token, _, project = cloud.member("ada", "p1")
    quota = {"quota_set": {"cores": 6, "instances": 6, "ram": 64_000}}
    assert cloud.put("compute", f"/os-quota-sets/{project}", quota, version="2.57").status_code == 200
    return cloud, token, project


def status(cloud, token, server, version="2.96"):
    return cloud.get("compute", f"/servers/{server}", token=token, version=version).json["server"]["status"]


def test_a_server_boots_lives_and_goes_by_the_clock(member):
    cloud, token, _ = member
    server = cloud.boot(token, "s", wait=0).json["server"]["id"]
    assert status(cloud, token, server) == "BUILD"
    cloud.advance(10)
    assert status(cloud, token, server) == "ACTIVE"
    assert cloud.delete("compute", f"/servers/{server}", token=token).status_code == 204
    body = cloud.get("compute", f"/servers/{server}", token=token).json["server"]
    assert (body["status"], body["OS-EXT-STS:task_state"]) == ("ACTIVE", "deleting")
    cloud.advance(10)
    assert cloud.get("compute", f"/servers/{server}", token=token).status_code == 404
    assert cloud.get("compute", "/servers", token=token).json["servers"] == []


def test_actions_take_a_moment_and_refuse_a_wrong_state(member):
    cloud, token, _ = member
    server = cloud.boot(token, "s").json["server"]["id"]
    assert cloud.act(token, server, os_stop=None).status_code == 202
    assert status(cloud, token, server) == "SHUTOFF"
    assert cloud.act(token, server, os_stop=None).status_code == 409
    assert cloud.act(token, server, os_start=None).status_code == 202
    assert cloud.act(token, server, shelve=None).status_code == 202
    assert status(cloud, token, server) == "SHELVED_OFFLOADED"
    assert cloud.act(token, server, unshelve=None).status_code == 202
    assert cloud.act(token, server, pause=None).status_code == 202
    assert status(cloud, token, server) == "PAUSED"
    assert cloud.act(token, server, unpause=None).status_code == 202
    assert cloud.act(token, server, reboot={"type": "SOFT"}, wait=0).status_code == 202
    assert status(cloud, token, server) == "REBOOT"
    assert cloud.act(token, server, os_stop=None, wait=5).status_code == 409, "busy"
    assert status(cloud, token, server) == "ACTIVE"
    assert cloud.act(token, server, nonsense=None).status_code == 400


def test_resize_confirmed_and_reverted(member):
    cloud, token, project = member
    server = cloud.boot(token, "s").json["server"]["id"]

    def cores():
        return cloud.get("compute", f"/os-quota-sets/{project}/detail", version="2.57").json["quota_set"]["cores"][
            "in_use"
        ]

    assert cloud.act(token, server, resize={"flavorRef": cloud.flavor("m1.large")}).status_code == 202
    assert (status(cloud, token, server), cores()) == ("VERIFY_RESIZE", 4)
    assert cloud.act(token, server, revertResize=None).status_code == 202
    assert (status(cloud, token, server), cores()) == ("ACTIVE", 1)
    cloud.act(token, server, resize={"flavorRef": cloud.flavor("m1.medium")})
    assert cloud.act(token, server, confirmResize=None).status_code == 204
    assert (status(cloud, token, server), cores()) == ("ACTIVE", 2)
    reply = cloud.act(token, server, resize={"flavorRef": cloud.flavor("m1.xlarge")})
    assert reply.status_code == 403
    assert reply.json["forbidden"]["message"] == "Quota exceeded for cores: Requested 6, but already used 2 of 6 cores"


def test_history_is_newest_first_and_survives_the_server(member):
    cloud, token, _ = member
    server = cloud.boot(token, "s").json["server"]["id"]
    cloud.act(token, server, os_stop=None)
    cloud.delete("compute", f"/servers/{server}", token=token)
    cloud.advance(10)
    path = f"/servers/{server}/os-instance-actions"
    assert cloud.get("compute", path, version="2.20").status_code == 404
    actions = cloud.get("compute", path, version="2.58").json["instanceActions"]
    assert [action["action"] for action in actions] == ["delete", "stop", "create"]
    first = cloud.get("compute", f"{path}?limit=1", version="2.58").json
    assert [action["action"] for action in first["instanceActions"]] == ["delete"]
    rest = urlsplit(first["links"][0]["href"])
    following = cloud.ask(
        "GET", f"{rest.path}?{rest.query}", token=cloud.admin, OpenStack_API_Version="compute 2.58"
    ).json
    assert [action["action"] for action in following["instanceActions"]] == ["stop"]
    shown = cloud.get("compute", f"{path}/{actions[1]['request_id']}", version="2.58").json["instanceAction"]
    assert (shown["start_time"], shown["events"][0]["result"]) == ("2026-11-20T08:00:10.000000", "Success")
    assert shown["events"][0]["finish_time"] == "2026-11-20T08:00:12.000000"


def test_quota_is_enforced_with_a_403(member):
    cloud, token, project = member
    cloud.put("compute", f"/os-quota-sets/{project}", {"quota_set": {"cores": 1}})
    assert cloud.boot(token, "a").status_code == 202
    reply = cloud.boot(token, "b")
    assert reply.status_code == 403
    assert reply.json["forbidden"]["message"] == "Quota exceeded for cores: Requested 1, but already used 1 of 1 cores"


def test_two_quick_boots_race_and_the_loser_counts_as_used(member):
    cloud, token, project = member
    cloud.put("compute", f"/os-quota-sets/{project}", {"quota_set": {"instances": 1}})
    replies = [cloud.boot(token, name, wait=0) for name in ("a", "b")]
    assert [reply.status_code for reply in replies] == [202, 202]
    cloud.advance(10)
    loser = cloud.get("compute", f"/servers/{replies[1].json['server']['id']}", token=token).json["server"]
    assert (loser["status"], loser["fault"]["code"]) == ("ERROR", 413)
    detail = cloud.get("compute", f"/os-quota-sets/{project}/detail").json["quota_set"]
    assert detail["instances"] == {"limit": 1, "in_use": 2, "reserved": 0}


def test_quota_below_use_needs_force_and_minus_one_is_unlimited(member):
    cloud, token, project = member
    cloud.boot(token, "a", "m1.medium")
    path = f"/os-quota-sets/{project}"
    assert cloud.put("compute", path, {"quota_set": {"cores": 1}}).status_code == 400
    assert cloud.put("compute", path, {"quota_set": {"cores": 1, "force": True}}).json["quota_set"]["cores"] == 1
    assert cloud.put("compute", path, {"quota_set": {"cores": -1}}).json["quota_set"]["cores"] == -1
    assert cloud.put("compute", path, {"quota_set": {"cores": 2_147_483_648}}).status_code == 400
    assert cloud.delete("compute", path).status_code == 202
    assert cloud.get("compute", path).json["quota_set"]["cores"] == 20


def test_defaults_move_every_project_without_an_override(member):
    cloud, _, project = member
    other = cloud.make_project("p2")
    cloud.put("compute", "/os-quota-class-sets/default", {"quota_class_set": {"cores": 33}})
    read = {p: cloud.get("compute", f"/os-quota-sets/{p}").json["quota_set"]["cores"] for p in (project, other)}
    assert read == {project: 6, other: 33}
    assert cloud.get("compute", f"/os-quota-sets/{project}/defaults").json["quota_set"]["cores"] == 33


def test_a_per_user_limit_is_invisible_in_the_project(member):
    cloud, _, project = member
    assert cloud.put("compute", f"/os-quota-sets/{project}?user_id=u", {"quota_set": {"cores": 2}}).status_code == 200
    assert cloud.get("compute", f"/os-quota-sets/{project}").json["quota_set"]["cores"] == 6
    assert cloud.get("compute", f"/os-quota-sets/{project}?user_id=u").json["quota_set"]["cores"] == 2


def test_unified_limits_make_quota_writes_a_lie():
    cloud = Cloud(unified_limits=True)
    project = cloud.make_project("p1")
    nova = cloud.get("identity", "/services?type=compute").json["services"][0]["id"]
    registered = {"service_id": nova, "region_id": "RegionOne", "resource_name": "class:VCPU", "default_limit": 20}
    cloud.post("identity", "/registered_limits", {"registered_limits": [registered]})
    path = f"/os-quota-sets/{project}"
    reply = cloud.put("compute", path, {"quota_set": {"cores": 7}}, version="2.57")
    assert (reply.status_code, reply.json["quota_set"]["cores"]) == (200, 20)
    assert cloud.delete("compute", path).status_code == 202
    assert cloud.get("compute", path, version="2.57").json["quota_set"] == {
        "id": project, "cores": 20, "instances": 0, "key_pairs": 0, "metadata_items": 0, "ram": 0,
        "server_group_members": 0, "server_groups": 0,
    }  # fmt: skip
    limit = {
        "service_id": nova,
        "region_id": "RegionOne",
        "resource_name": "class:VCPU",
        "resource_limit": 5,
        "project_id": project,
    }
    assert cloud.post("identity", "/limits", {"limits": [limit]}).status_code == 201
    assert cloud.get("compute", path).json["quota_set"]["cores"] == 5


def test_a_member_sees_only_its_project(member):
    cloud, token, _ = member
    server = cloud.boot(token, "s").json["server"]["id"]
    stranger, _, _ = cloud.member("eve", "p2")
    assert cloud.get("compute", f"/servers/{server}", token=stranger).status_code == 404
    assert cloud.delete("compute", f"/servers/{server}", token=stranger).status_code == 404
    assert cloud.get("compute", "/servers/detail?all_tenants=1", token=stranger).status_code == 403
    reader_token, _, _ = cloud.member("rea", "p3", "reader")
    assert cloud.get("compute", "/servers", token=reader_token).status_code == 200
    assert cloud.boot(reader_token, "no").status_code == 403


def pages(cloud, path, key):
    """Every page of a listing, following its links."""
    found, url = [], f"/compute/v2.1{path}"
    while url and len(found) < 200:
        body = cloud.ask("GET", url, token=cloud.admin, OpenStack_API_Version="compute 2.96").json
        found.append(body[key])
        links = body.get(f"{key}_links", [])
        parts = urlsplit(links[0]["href"]) if links else None
        url = parts and f"{parts.path}?{parts.query}"
    return found


@pytest.mark.parametrize("query", ["", "&changes-since=2026-11-01T00:00:00Z", "&deleted=True", "&status=SHUTOFF"])
def test_pages_of_servers_add_up_to_the_whole(town, query):
    whole = town.get("compute", f"/servers?all_tenants=1{query}", version="2.96").json["servers"]
    found = pages(town, f"/servers?all_tenants=1&limit=7{query}", "servers")
    assert whole
    assert [one["id"] for page in found for one in page] == [one["id"] for one in whole]
    assert all(len(page) == 7 for page in found[:-1])


def test_lists_are_newest_first_and_filters_hold(town):
    servers = town.get("compute", "/servers/detail?all_tenants=1", version="2.96").json["servers"]
    assert [one["created"] for one in servers] == sorted((one["created"] for one in servers), reverse=True)
    project = servers[0]["tenant_id"]
    own = town.get("compute", f"/servers/detail?all_tenants=1&project_id={project}").json["servers"]
    assert {one["id"] for one in own} == {one["id"] for one in servers if one["tenant_id"] == project}


def test_changes_since_finds_the_changed_and_the_dead(town):
    since = "2026-11-18T00:00:00Z"
    found = town.get("compute", f"/servers/detail?all_tenants=1&changes-since={since}", version="2.96").json["servers"]
    assert all(one["updated"] >= since for one in found)
    dead = [one for one in found if one["status"] == "DELETED"]
    assert dead
    assert all(one["OS-SRV-USG:terminated_at"] >= "2026-11-18" for one in dead)
    everything = town.get("compute", "/servers/detail?all_tenants=1", version="2.96").json["servers"]
    missed = [one for one in everything if one["updated"] >= since and one["id"] not in {two["id"] for two in found}]
    assert missed == []


def test_usage_pages_split_a_project_and_add_up(town):
    window = "start=2026-11-01T00:00:00&end=2026-11-20T00:00:00&detailed=1"
    whole = town.get("compute", f"/os-simple-tenant-usage?{window}").json["tenant_usages"]
    found = [one for page in pages(town, f"/os-simple-tenant-usage?{window}&limit=5", "tenant_usages") for one in page]
    assert len(found) > len(whole), "some project is split over pages"
    for usage in whole:
        parts = [one for one in found if one["tenant_id"] == usage["tenant_id"]]
        assert sum(one["total_vcpus_usage"] for one in parts) == pytest.approx(usage["total_vcpus_usage"])
        assert sum(len(one["server_usages"]) for one in parts) == len(usage["server_usages"])


@pytest.mark.parametrize(
    "text", ["2026-11-01", "2026-11-01T00:00:00Z", "2026-11-01T00:00:00%2B00:00", "2026-13-01T00:00:00"]
)
def test_usage_takes_naive_times_only(town, text):
    assert town.get("compute", f"/os-simple-tenant-usage?start={text}").status_code == 400


def test_usage_without_a_start_is_next_to_nothing_and_the_future_is_now(member):
    cloud, token, project = member
    cloud.boot(token, "s")
    cloud.advance(3600)
    cloud.admin = cloud.login("admin", "emulator-secret", project="admin")
    path = f"/os-simple-tenant-usage/{project}"
    assert cloud.get("compute", path).json["tenant_usage"]["total_hours"] < 1e-6
    usage = cloud.get("compute", f"{path}?start=2026-11-20T00:00:00&end=2027-01-01T00:00:00").json["tenant_usage"]
    assert usage["total_hours"] == pytest.approx((3600 + 10 - 6) / 3600, abs=1e-6)
    assert usage["stop"].startswith("2026-11-20T09:00:10")


def test_a_resize_makes_usage_forget_what_was_before(member):
    """Nova counts from its last launch with the flavor of today: a ledger must not be built on it."""
    cloud, token, project = member
    server = cloud.boot(token, "s").json["server"]["id"]
    cloud.advance(1800)
    cloud.act(token, server, resize={"flavorRef": cloud.flavor("m1.medium")})
    cloud.act(token, server, confirmResize=None)
    usage = cloud.get("compute", f"/os-simple-tenant-usage/{project}?start=2026-11-20T00:00:00").json["tenant_usage"]
    assert usage["server_usages"][0]["vcpus"] == 2
    assert usage["total_hours"] < 0.1


def test_the_embedded_flavor_and_the_older_reference(member):
    cloud, token, _ = member
    server = cloud.boot(token, "s").json["server"]["id"]
    old = cloud.get("compute", f"/servers/{server}", version="2.46").json["server"]["flavor"]
    new = cloud.get("compute", f"/servers/{server}", version="2.47").json["server"]["flavor"]
    assert set(old) == {"id", "links"}
    assert (new["original_name"], new["vcpus"], "id" in new) == ("m1.tiny", 1, False)


def test_statistics_are_gone_from_2_88(town):
    assert (
        town.get("compute", "/os-hypervisors/statistics", version="2.87").json["hypervisor_statistics"]["running_vms"]
        > 0
    )
    assert town.get("compute", "/os-hypervisors/statistics", version="2.88").status_code == 404


@pytest.mark.parametrize("asked", ["2.1", "2.57", "latest"])
def test_microversions_are_negotiated(town, asked):
    reply = town.get("compute", "/servers", version=asked)
    assert reply.headers["OpenStack-API-Version"] == f"compute {'2.103' if asked == 'latest' else asked}"


def test_a_malformed_microversion_is_a_400(town):
    assert town.get("compute", "/servers", version="two").status_code == 400
