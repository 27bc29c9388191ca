"""Seeded life: the same for the same seed, steady over time, cheap at any size, and told alike by every API."""

from datetime import UTC, datetime
from itertools import pairwise

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from emulator.clock import DAY
from emulator.ids import Ids, Kind
from emulator.lives import FOREVER, LIVES, Population
from tests.emulator.cloud import Cloud


def moment(text: str) -> float:
    return datetime.fromisoformat(text.replace("Z", "+00:00")).replace(tzinfo=UTC).timestamp()


@given(st.sampled_from(list(Kind)), st.integers(0, 4095), st.integers(0, 2**32 - 1), st.integers())
def test_an_id_tells_which_thing_it_is(kind, population, index, seed):
    ids = Ids(seed)
    made = ids.living(kind, population, index)
    assert ids.which(made) == (kind, population, index)
    assert [len(part) for part in made.split("-")] == [8, 4, 4, 4, 12]
    assert made[14] == "4"
    assert made[19] in "89ab"
    assert Ids(seed + 1).which(made) is None


populations = st.builds(
    Population,
    number=st.integers(0, 9),
    kind=st.sampled_from(list(LIVES)),
    salt=st.integers(0, 2**64 - 1),
    origin=st.just(1_000_000),
    span=st.integers(DAY, 90 * DAY),
    living=st.integers(1, 300),
    wheel=st.lists(st.sampled_from("abcdef"), min_size=1, max_size=9),
)


@settings(max_examples=60, deadline=None)
@given(populations, st.floats(0, 2))
def test_births_come_in_order_and_every_project_has_its_own(population, part):
    now = population.origin + part * population.span
    indices = list(population.indices(now))
    births = [population.born(index) for index in indices]
    assert births == sorted(births, reverse=True)
    assert not births or (births[0] <= now and population.born(indices[0] + 1) > now)
    by_project = [index for project in set(population.wheel) for index in population.indices(now, project=project)]
    assert sorted(by_project) == sorted(indices)
    assert all(population.owner(i) == p for p in set(population.wheel) for i in population.indices(now, project=p))


@settings(max_examples=30, deadline=None)
@given(populations, st.integers(0, 50))
def test_a_page_goes_on_where_the_last_one_ended(population, cut):
    now = population.origin + population.span
    whole = list(population.survivors(now))
    assert all(population.born(index) <= now < end for index, end in whole)
    head = whole[:cut]
    rest = list(population.survivors(now, below=head[-1][0] if head else None))
    assert head + rest == whole


@pytest.mark.parametrize("kind", list(LIVES))
def test_about_the_wanted_number_lives_at_the_end(kind):
    population = Population(0, kind, 5, 0, 60 * DAY, 2000, ["p"])
    living = sum(1 for _ in population.survivors(60 * DAY))
    assert 1800 < living < 2200
    assert any(population.ends(index) == FOREVER for index in range(200))


def test_the_same_seed_is_the_same_world_and_another_is_not():
    one, same, other = (Cloud(projects=5, servers=30, volumes=20, seed=seed) for seed in (3, 3, 4))

    def told(cloud):
        return [
            cloud.get(*what).json for what in (("compute", "/servers/detail?all_tenants=1"), ("identity", "/users"))
        ]

    assert told(one) == told(same)
    assert told(one)[0] != told(other)[0]


def test_life_goes_on_when_the_clock_does():
    cloud = Cloud(projects=5, servers=40, volumes=30, seed=3, token_seconds=400 * DAY)
    before = {one["id"]: one for one in cloud.get("compute", "/servers/detail?all_tenants=1").json["servers"]}
    cloud.advance(20 * DAY)
    after = {one["id"]: one for one in cloud.get("compute", "/servers/detail?all_tenants=1").json["servers"]}
    assert after.keys() - before.keys(), "some were born"
    assert before.keys() - after.keys(), "some died"
    assert any(before[one]["status"] != after[one]["status"] for one in before.keys() & after.keys()), "some stopped"
    assert all(before[one]["created"] == after[one]["created"] for one in before.keys() & after.keys())


@pytest.fixture(scope="module")
def month():
    """A cloud whose API-made project got a month of life, and the project's id."""
    cloud = Cloud(projects=3, servers=20, volumes=10, seed=5, token_seconds=400 * DAY)
    project = cloud.make_project("demo")
    given_life = {
        "project_id": project,
        "servers": 25,
        "volumes": 12,
        "floating_ips": 4,
        "since": "2026-10-20T00:00:00Z",
    }
    cloud.control("POST", "life", given_life)
    return cloud, project


def test_life_can_be_given_to_any_project(month):
    cloud, project = month
    servers = cloud.get("compute", f"/servers/detail?all_tenants=1&project_id={project}").json["servers"]
    assert 10 < len(servers) < 45
    assert all(one["created"] >= "2026-10-20" for one in servers)
    assert cloud.get("volume", f"/volumes?all_tenants=1&project_id={project}").json["volumes"]
    assert cloud.get("network", f"/floatingips?project_id={project}").json["floatingips"]
    detail = cloud.get("compute", f"/os-quota-sets/{project}/detail", version="2.57").json["quota_set"]
    assert detail["instances"]["in_use"] == len(servers)
    usage = cloud.get("compute", f"/os-simple-tenant-usage/{project}?start=2026-10-20T00:00:00").json["tenant_usage"]
    assert usage["total_hours"] > 1000
    assert any(one["state"] == "terminated" for one in usage["server_usages"])


def test_the_accounting_tells_what_the_servers_tell(month):
    """Independent ways to the same truth: intervals of the accounting against lists, histories and quota use."""
    cloud, project = month
    book = cloud.control("GET", f"accounting?project_id={project}")
    url = f"/servers/detail?all_tenants=1&project_id={project}&changes-since=2026-10-01T00:00:00Z"
    listed = {one["id"]: one for one in cloud.get("compute", url, version="2.96").json["servers"]}
    assert {one["id"] for one in book["servers"]} == set(listed)
    for one in book["servers"]:
        server, spans = listed[one["id"]], one["intervals"]
        assert spans[0]["from"] == server["created"]
        assert all(a["to"] == b["from"] for a, b in pairwise(spans)), "no hole, no overlap"
        assert (spans[-1]["vcpus"], spans[-1]["ram"]) == (server["flavor"]["vcpus"], server["flavor"]["ram"])
        if server["status"] == "DELETED":
            assert one["deleted"] == spans[-1]["to"] == server["OS-SRV-USG:terminated_at"][:19] + "Z"
        else:
            assert (spans[-1]["status"], one["deleted"]) == (server["status"], None)


def test_the_accounting_agrees_with_the_history_of_stops(month):
    cloud, project = month
    book = cloud.control("GET", f"accounting?project_id={project}")["servers"]
    stopped = [one for one in book if any(span["status"] == "SHUTOFF" for span in one["intervals"])]
    resized = [one for one in book if any(span["status"] == "VERIFY_RESIZE" for span in one["intervals"])]
    assert stopped
    assert resized
    for one in stopped:
        path = f"/servers/{one['id']}/os-instance-actions"
        actions = cloud.get("compute", path, version="2.58").json["instanceActions"]
        stops = [moment(action["start_time"][:19] + "Z") for action in actions if action["action"] == "stop"]
        offs = [moment(span["from"]) for span in one["intervals"] if span["status"] == "SHUTOFF"]
        assert sorted(offs) == sorted(at + 2 for at in stops)
    for one in resized:
        sizes = {span["vcpus"] for span in one["intervals"]} | {span["ram"] for span in one["intervals"]}
        assert len(sizes) > 2


def test_the_accounting_is_cut_at_its_edges(month):
    cloud, project = month
    whole = cloud.control("GET", f"accounting?project_id={project}")
    parts = [
        cloud.control("GET", f"accounting?project_id={project}&from={start}&to={end}")
        for start, end in (("2026-10-01", "2026-11-05T12:00:00Z"), ("2026-11-05T12:00:00Z", "2026-12-01"))
    ]

    def seconds(book, kind):
        return sum(span["seconds"] for one in book[kind] for span in one["intervals"])

    for kind in ("servers", "volumes", "snapshots", "floating_ips"):
        assert sum(seconds(part, kind) for part in parts) == seconds(whole, kind)
        assert seconds(whole, kind) > 0


def test_what_the_api_does_is_in_the_accounting(cloud):
    token, _, project = cloud.member("ada", "p1")
    server = cloud.boot(token, "s").json["server"]["id"]
    cloud.advance(590)
    cloud.act(token, server, os_stop=None, wait=600)
    cloud.act(token, server, os_start=None, wait=600)
    cloud.delete("compute", f"/servers/{server}", token=token)
    cloud.advance(100)
    (one,) = cloud.control("GET", f"accounting?project_id={project}")["servers"]
    told = [(span["status"], span["from"][11:19], span["to"][11:19]) for span in one["intervals"]]
    assert told == [
        ("BUILD", "08:00:00", "08:00:06"),
        ("ACTIVE", "08:00:06", "08:10:02"),
        ("SHUTOFF", "08:10:02", "08:20:02"),
        ("ACTIVE", "08:20:02", "08:30:05"),
    ]


def test_a_seeded_server_obeys_the_api_and_forgets_its_own_plans():
    cloud = Cloud(projects=3, servers=20, seed=5, token_seconds=400 * DAY)
    server = next(
        one
        for one in cloud.get("compute", "/servers/detail?all_tenants=1").json["servers"]
        if one["status"] == "ACTIVE"
    )
    listed = [one["id"] for one in cloud.get("compute", "/servers?all_tenants=1").json["servers"]]
    assert cloud.act(cloud.admin, server["id"], os_stop=None).status_code == 202
    cloud.advance(90 * DAY)
    shown = cloud.get("compute", f"/servers/{server['id']}").json["server"]
    assert (shown["status"], shown["created"], shown["name"]) == ("SHUTOFF", server["created"], server["name"])
    now = [one["id"] for one in cloud.get("compute", "/servers?all_tenants=1").json["servers"]]
    assert now.count(server["id"]) == 1
    assert [one for one in now if one in listed] == [one for one in listed if one in now], "the order is kept"
    cloud.delete("compute", f"/servers/{server['id']}")
    cloud.advance(10)
    assert cloud.get("compute", f"/servers/{server['id']}").status_code == 404


def test_quota_use_of_every_project_is_what_its_servers_have(town):
    servers = town.get("compute", "/servers/detail?all_tenants=1", version="2.96").json["servers"]
    for project in {one["tenant_id"] for one in servers}:
        own = [one["flavor"] for one in servers if one["tenant_id"] == project]
        used = town.get("compute", f"/os-quota-sets/{project}/detail").json["quota_set"]
        assert used["instances"]["in_use"] == len(own)
        assert used["cores"]["in_use"] == sum(flavor["vcpus"] for flavor in own)
        assert used["ram"]["in_use"] == sum(flavor["ram"] for flavor in own)
    totals = town.get("compute", "/os-hypervisors/statistics", version="2.87").json["hypervisor_statistics"]
    assert totals["running_vms"] == len(servers)
    assert totals["vcpus_used"] == sum(one["flavor"]["vcpus"] for one in servers)


def test_a_large_world_starts_at_once_and_lists_a_page():
    cloud = Cloud(projects=1000, servers=100_000, volumes=20_000)
    page = cloud.get("compute", "/servers/detail?all_tenants=1&limit=50", version="2.96").json
    assert len(page["servers"]) == 50
    marker = page["servers"][-1]["id"]
    following = cloud.get("compute", f"/servers/detail?all_tenants=1&limit=50&marker={marker}").json["servers"]
    assert following[0]["created"] <= page["servers"][-1]["created"]
    assert len(cloud.get("identity", "/projects").json["projects"]) == 1002
