"""Faults by rule: each kind does what it says, to the requests it names and to no others."""

import time

import pytest

from emulator.faults import ConnectionCut, Hang
from tests.emulator.cloud import Cloud


def names(cloud: Cloud) -> set[str]:
    return {project["name"] for project in cloud.get("identity", "/projects").json["projects"]} - {"admin", "service"}


def outcomes(cloud: Cloud) -> list[str]:
    return [entry["outcome"] for entry in cloud.control("GET", "writes")["writes"]]


CREATE = {"project": {"name": "p1", "domain_id": "default"}}


@pytest.mark.parametrize(
    ("service", "path", "root"),
    [
        ("identity", "/projects", "error"), ("compute", "/servers", "serviceUnavailable"),
        ("volume", "/volumes", "serviceUnavailable"), ("network", "/networks", "NeutronError"),
        ("placement", "/resource_providers", "errors"), ("image", "/images", "message"),
    ],
)  # fmt: skip
def test_a_status_comes_in_the_services_own_form(cloud, service, path, root):
    cloud.fault(service=service, status=503, message="Out for lunch.")
    reply = cloud.get(service, path)
    assert reply.status_code == 503
    assert root in reply.json
    assert "Out for lunch." in reply.text
    assert reply.headers["x-openstack-request-id"].startswith("req-")


def test_429_carries_retry_after(cloud):
    cloud.fault(service="compute", status=429, retry_after=7)
    reply = cloud.get("compute", "/servers")
    assert (reply.status_code, reply.headers["Retry-After"]) == (429, "7")
    assert reply.json["overLimit"]["retryAfter"] == "7"


def test_only_what_matches_is_hit(cloud):
    cloud.fault(method="GET", service="identity", path="/users$", query="name=", status=500)
    assert cloud.get("identity", "/users").status_code == 200
    assert cloud.get("identity", "/users?name=x").status_code == 500
    assert cloud.get("identity", "/projects?name=x").status_code == 200


@pytest.mark.parametrize(
    ("when", "hit"),
    [
        ({"nth": 3}, [0, 0, 1, 0, 0, 0]), ({"every": 2}, [0, 1, 0, 1, 0, 1]), ({"times": 2}, [1, 1, 0, 0, 0, 0]),
        ({"after": 2, "times": 1}, [0, 0, 1, 0, 0, 0]), ({"after": 1, "every": 2}, [0, 0, 1, 0, 1, 0]),
    ],
)  # fmt: skip
def test_when_a_rule_fires(cloud, when, hit):
    cloud.fault(service="network", status=500, **when)
    got = [cloud.get("network", "/networks").status_code == 500 for _ in range(6)]
    assert got == [bool(one) for one in hit]


def test_probability_comes_from_the_seed():
    def series(seed):
        cloud = Cloud(seed=seed)
        cloud.fault(service="network", status=500, probability=0.3)
        return [cloud.get("network", "/networks").status_code for _ in range(200)]

    assert series(1) == series(1)
    assert series(1) != series(2)
    assert 30 < series(1).count(500) < 90


def test_page_n_of_a_listing_fails(town):
    rule = town.fault(service="compute", path="/servers/detail", page=2, status=500)
    first = town.get("compute", "/servers/detail?all_tenants=1&limit=5")
    assert first.status_code == 200
    marker = first.json["servers"][-1]["id"]
    assert town.get("compute", f"/servers/detail?all_tenants=1&limit=5&marker={marker}").status_code == 500
    assert town.get("compute", "/servers/detail?all_tenants=1&limit=5").status_code == 200
    assert town.control("DELETE", f"faults/{rule}")["removed"][0]["fired"] == 1


@pytest.mark.parametrize(
    ("rule", "error"), [({"cut": True}, ConnectionCut), ({"hang": 5}, Hang), ({"hang": True}, Hang)]
)
def test_a_request_without_an_answer_changes_nothing(cloud, rule, error):
    cloud.fault(path="/projects", method="POST", **rule)
    with pytest.raises(error):
        cloud.post("identity", "/projects", CREATE)
    assert names(cloud) == set()
    assert outcomes(cloud) == []


@pytest.mark.parametrize(("how", "error"), [(True, ConnectionCut), ("cut", ConnectionCut), ("hang", Hang)])
def test_a_lost_answer_leaves_the_write(cloud, how, error):
    cloud.fault(path="/projects", method="POST", lose_answer=how)
    with pytest.raises(error):
        cloud.post("identity", "/projects", CREATE)
    assert names(cloud) == {"p1"}
    assert outcomes(cloud) == ["applied"]


def test_a_lost_answer_may_be_a_504(cloud):
    cloud.fault(path="/projects", method="POST", lose_answer=504)
    assert cloud.post("identity", "/projects", CREATE).status_code == 504
    assert names(cloud) == {"p1"}


def test_a_lie_answers_as_if_and_changes_nothing(cloud):
    token, user, project = cloud.member("ada", "p2")
    rule = cloud.fault(writes=True, lie=True)
    made = cloud.post("identity", "/projects", CREATE)
    assert (made.status_code, made.json["project"]["name"]) == (201, "p1")
    assert cloud.get("identity", f"/projects/{made.json['project']['id']}").status_code == 404
    quota = cloud.put("compute", f"/os-quota-sets/{project}", {"quota_set": {"cores": 7}})
    assert quota.json["quota_set"]["cores"] == 7
    assert cloud.get("compute", f"/os-quota-sets/{project}").json["quota_set"]["cores"] == 20
    assert cloud.delete("identity", f"/projects/{project}/users/{user}/roles/{cloud.role('member')}").status_code == 204
    assert cloud.get("identity", "/auth/projects", token=token).status_code == 200, "even the token is as it was"
    assert outcomes(cloud)[-3:] == ["lied"] * 3
    cloud.control("DELETE", f"faults/{rule}")
    assert cloud.post("identity", "/projects", CREATE).status_code == 201


def test_a_late_write_lands_with_the_id_it_was_promised(cloud):
    cloud.fault(path="/projects", method="POST", late=600, times=1)
    made = cloud.post("identity", "/projects", CREATE).json["project"]["id"]
    between = cloud.make_project("between")
    assert names(cloud) == {"between"}
    cloud.advance(599)
    assert names(cloud) == {"between"}
    cloud.advance(2)
    assert names(cloud) == {"between", "p1"}
    assert cloud.get("identity", f"/projects/{made}").json["project"]["name"] == "p1"
    assert made != between
    assert outcomes(cloud) == ["late", "applied", "landed"]


def test_a_late_write_whose_answer_is_lost_overrides_what_came_between(cloud):
    project = cloud.make_project("p")
    path = f"/os-quota-sets/{project}"
    cloud.fault(method="PUT", service="compute", late=600, lose_answer="cut", times=1)
    with pytest.raises(ConnectionCut):
        cloud.put("compute", path, {"quota_set": {"cores": 4}})
    cloud.put("compute", path, {"quota_set": {"cores": 9}})
    assert cloud.get("compute", path).json["quota_set"]["cores"] == 9
    cloud.advance(601)
    assert cloud.get("compute", path).json["quota_set"]["cores"] == 4


def test_a_late_write_that_cannot_land_is_told_in_the_journal(cloud):
    cloud.fault(path="/projects", method="POST", late=60, times=1)
    cloud.post("identity", "/projects", CREATE)
    cloud.make_project("p1")
    cloud.advance(61)
    assert outcomes(cloud)[-1] == "landed on 409"


def test_an_expired_token_stays_expired(cloud):
    cloud.fault(service="compute", expire_token=True, times=1)
    assert cloud.get("compute", "/servers").status_code == 401
    assert cloud.get("identity", "/projects").status_code == 401
    fresh = cloud.login("admin", "emulator-secret", project="admin")
    assert cloud.get("compute", "/servers", token=fresh).status_code == 200


def test_an_empty_list_says_200(town):
    rule = town.fault(path="/projects$", method="GET", empty=True)
    reply = town.get("identity", "/projects")
    assert (reply.status_code, reply.json["projects"]) == (200, [])
    town.control("DELETE", f"faults/{rule}")
    assert len(town.get("identity", "/projects").json["projects"]) == 14


def test_a_stale_list_shows_the_moment_the_rule_was_made(cloud):
    gone, kept = cloud.make_project("gone"), cloud.make_project("kept")
    token, _, _ = cloud.member("ada", "p2")
    before = names(cloud)
    rule = cloud.fault(path="/projects$|/servers", method="GET", stale=True)
    cloud.make_project("new")
    cloud.delete("identity", f"/projects/{gone}")
    cloud.patch("identity", f"/projects/{kept}", {"project": {"description": "changed"}})
    cloud.boot(token, "s")
    assert names(cloud) == before
    assert cloud.get("compute", "/servers?all_tenants=1").json["servers"] == []
    assert cloud.get("identity", f"/projects/{kept}").json["project"]["description"] == "changed", "not matched: fresh"
    cloud.control("DELETE", f"faults/{rule}")
    assert names(cloud) == {"kept", "new", "p2"}
    assert len(cloud.get("compute", "/servers?all_tenants=1").json["servers"]) == 1


def test_truncated_json_ends_in_the_middle(town):
    whole = town.get("identity", "/roles").text
    rule = town.fault(path="/roles$", truncate=True)
    assert town.get("identity", "/roles").text == whole[: len(whole) // 2]
    town.control("DELETE", f"faults/{rule}")


def test_latency_is_a_real_wait(cloud, monkeypatch):
    waits = []
    monkeypatch.setattr(time, "sleep", waits.append)
    cloud.fault(service="identity", latency=0.25)
    cloud.fault(path="/users", latency=0.5)
    assert cloud.get("identity", "/users").status_code == 200
    assert waits == [0.75]


def test_the_login_itself_can_fail(cloud):
    cloud.fault(path="/auth/tokens", status=503)
    assert cloud.try_login("admin", "emulator-secret").status_code == 503


@pytest.mark.parametrize(
    ("rule", "why"),
    [
        ({"statsu": 500}, "unknown key(s) in fault rule: statsu"), ({"path": "/x"}, "says what goes wrong"),
        ({"path": "(", "status": 500}, "missing ), unterminated subpattern"),
    ],
)  # fmt: skip
def test_a_misspelt_rule_is_refused(cloud, rule, why):
    reply = cloud.client.post("/control/faults", json=rule)
    assert reply.status_code == 400
    assert why in reply.json["error"]
    assert cloud.control("GET", "faults")["faults"] == []


def test_rules_are_listed_with_how_often_they_fired(cloud):
    cloud.fault(id="slow", service="compute", status=500, nth=2)
    for _ in range(3):
        cloud.get("compute", "/servers")
    assert cloud.control("GET", "faults")["faults"] == [
        {"id": "slow", "service": "compute", "status": 500, "nth": 2, "matched": 3, "fired": 1}
    ]
    assert cloud.client.delete("/control/faults/none").status_code == 404
    cloud.control("DELETE", "faults")
    assert cloud.control("GET", "faults") == {"faults": []}
