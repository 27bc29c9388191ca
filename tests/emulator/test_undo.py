"""A lie changes nothing and a late write changes the same as a prompt one, whatever the write was."""

import json

from hypothesis import given, settings
from hypothesis import strategies as st

from emulator import state
from tests.emulator.cloud import Cloud

# What one may do with a project, a user, a server, a volume and a network that are there from the beginning.
WRITES = {
    "make project": lambda c, w: c.post("identity", "/projects", {"project": {"name": "new", "domain_id": "default"}}),
    "tag project": lambda c, w: c.put("identity", f"/projects/{w['project']}/tags/t"),
    "disable project": lambda c, w: c.patch("identity", f"/projects/{w['project']}", {"project": {"enabled": False}}),
    "delete project": lambda c, w: c.delete("identity", f"/projects/{w['project']}"),
    "make user": lambda c, w: c.post("identity", "/users", {"user": {"name": "new", "domain_id": "default"}}),
    "delete user": lambda c, w: c.delete("identity", f"/users/{w['user']}"),
    "revoke": lambda c, w: c.delete("identity", f"/projects/{w['project']}/users/{w['user']}/roles/{w['role']}"),
    "cores": lambda c, w: c.put("compute", f"/os-quota-sets/{w['project']}", {"quota_set": {"cores": 9}}),
    "no cores": lambda c, w: c.delete("compute", f"/os-quota-sets/{w['project']}"),
    "gigabytes": lambda c, w: c.put("volume", f"/os-quota-sets/{w['project']}", {"quota_set": {"gigabytes": 99}}),
    "networks": lambda c, w: c.put("network", f"/quotas/{w['project']}", {"quota": {"network": 9}}),
    "stop server": lambda c, w: c.post("compute", f"/servers/{w['server']}/action", {"os-stop": None}),
    "delete server": lambda c, w: c.delete("compute", f"/servers/{w['server']}"),
    "delete seeded server": lambda c, w: c.delete("compute", f"/servers/{w['seeded']}"),
    "make volume": lambda c, w: c.post("volume", "/volumes", {"volume": {"size": 1}}),
    "extend volume": lambda c, w: c.post("volume", f"/volumes/{w['volume']}/action", {"os-extend": {"new_size": 9}}),
    "make network": lambda c, w: c.post("network", "/networks", {"network": {"name": "new"}}),
    "delete network": lambda c, w: c.delete("network", f"/networks/{w['network']}"),
}  # fmt: skip
some_writes = st.lists(st.sampled_from(sorted(WRITES)), min_size=1, max_size=5)


def fresh() -> tuple[Cloud, dict[str, str]]:
    cloud = Cloud(projects=2, servers=6, seed=9)
    token, user, project = cloud.member("ada", "p1")
    things = {
        "project": project, "user": user, "role": cloud.role("member"),
        "server": cloud.boot(token, "s").json["server"]["id"],
        "volume": cloud.post("volume", "/volumes", {"volume": {"size": 2}}, token=token).json["volume"]["id"],
        "network": cloud.post("network", "/networks", {"network": {"name": "n"}}, token=token).json["network"]["id"],
        "seeded": cloud.get("compute", "/servers?all_tenants=1&status=ACTIVE").json["servers"][-1]["id"],
    }  # fmt: skip
    cloud.advance(10)
    return cloud, things


def held(cloud: Cloud) -> str:
    """Every row of every table, and which tokens are dead: what a write can change."""
    rows = {name: table.rows for name, table in cloud.world.tables.items()}
    revoked = sorted(token.id for token in cloud.app.tokens.tokens.values() if token.revoked)
    return json.dumps([rows, revoked], sort_keys=True)


@settings(max_examples=25, deadline=None)
@given(some_writes)
def test_a_lie_leaves_no_trace(names):
    cloud, things = fresh()
    before = held(cloud)
    cloud.fault(writes=True, lie=True)
    statuses = [WRITES[name](cloud, things).status_code for name in names]
    assert all(status < 300 or status in (409, 400) for status in statuses), list(zip(names, statuses, strict=True))
    assert held(cloud) == before


@settings(max_examples=25, deadline=None)
@given(some_writes)
def test_a_stale_view_leaves_no_trace(names):
    cloud, things = fresh()
    lists = (("identity", "/projects"), ("compute", "/servers?all_tenants=1"), ("identity", "/projects"))
    old = [cloud.get(*one).json for one in lists]
    cloud.fault(method="GET", path="/projects|/servers", stale=True)
    for name in names:
        WRITES[name](cloud, things)
    before = held(cloud)
    for one, told in zip(lists, old, strict=True):
        assert cloud.get(*one).json == told
        assert held(cloud) == before


@settings(max_examples=25, deadline=None)
@given(st.sampled_from(sorted(WRITES)))
def test_a_late_write_is_the_write_itself(name):
    prompt, late = fresh(), fresh()
    late[0].fault(writes=True, late=60, times=1)
    for cloud, things in (late, prompt):
        if cloud is prompt[0]:
            cloud.advance(60)
        assert WRITES[name](cloud, things).status_code < 300
    late[0].advance(60)
    late[0].world.settle()
    assert state.differences(late[0].world)["tables"] == state.differences(prompt[0].world)["tables"]
