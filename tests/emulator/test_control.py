"""The control port: clock, counters, journal, life, clouds.yaml."""

import pytest

from emulator.openstack.routing import routes
from tests.emulator.cloud import Cloud


def test_the_date_of_every_reply_is_the_world_clock(cloud):
    assert cloud.get("identity", "/projects").headers["Date"] == "Fri, 20 Nov 2026 08:00:00 GMT"
    cloud.control("POST", "clock", {"advance": 3600.5})
    assert cloud.ask("GET", "/nowhere").headers["Date"] == "Fri, 20 Nov 2026 09:00:00 GMT"
    cloud.control("POST", "clock", {"now": "2027-01-01T00:00:00Z"})
    for path in ("/identity/v3", "/control/clock"):
        reply = cloud.client.head(path)
        assert (reply.status_code, reply.headers["Date"]) == (200, "Fri, 01 Jan 2027 00:00:00 GMT")


def test_speed_makes_host_seconds_longer(cloud):
    host = [100.0]
    cloud.world.clock._host = lambda: host[0]
    cloud.control("POST", "clock", {"now": "2026-11-20T08:00:00Z", "speed": 3600})
    host[0] += 2
    assert cloud.control("GET", "clock")["now"] == "2026-11-20T10:00:00.000000Z"
    cloud.control("POST", "clock", {"speed": 0})
    host[0] += 100
    assert cloud.control("GET", "clock")["now"] == "2026-11-20T10:00:00.000000Z"


@pytest.mark.parametrize("body", [{"advanec": 1}, {"now": "yesterday"}, {"speed": "fast"}])
def test_nonsense_for_the_clock_is_refused(cloud, body):
    assert cloud.client.post("/control/clock", json=body).status_code == 400


def test_counters_tell_reads_writes_tokens_and_the_unknown_apart(cloud):
    project = cloud.make_project("p")
    cloud.control("DELETE", "counters")
    cloud.get("identity", "/projects")
    cloud.get("identity", f"/projects/{project}")
    cloud.call("HEAD", "identity", f"/projects/{project}")
    cloud.patch("identity", f"/projects/{project}", {"project": {"description": "x"}})
    cloud.patch("identity", "/projects/none", {"project": {"description": "x"}})
    cloud.login("admin", "emulator-secret")
    cloud.get("identity", "/nonsense")
    counted = cloud.control("GET", "counters")
    assert counted["calls"] == {
        "GET /identity/v3/projects": 1,
        "GET /identity/v3/projects/<project_id>": 1,
        "HEAD /identity/v3/projects/<project_id>": 1,
        "PATCH /identity/v3/projects/<project_id>": 2,
        "POST /identity/v3/auth/tokens": 1,
        "GET /identity/v3/nonsense": 1,
    }
    assert {key: counted[key] for key in ("total", "writes", "tokens", "unknown")} == {
        "total": 7, "writes": 2, "tokens": 1, "unknown": 1,
    }  # fmt: skip
    assert counted["statuses"] == {"200": 4, "201": 1, "404": 2}
    assert (counted["in_flight_peak"], cloud.control("DELETE", "counters")["total"]) == (1, 7)
    assert cloud.control("GET", "counters")["total"] == 0


def test_the_journal_tells_every_write_and_no_secret(cloud):
    cloud.make_user("ada", "very-secret")
    cloud.get("identity", "/users")
    cloud.post("identity", "/users", {"user": {"name": "ada", "domain_id": "default", "password": "very-secret"}})
    writes = cloud.control("GET", "writes")["writes"]
    assert [(one["method"], one["path"], one["status"], one["outcome"]) for one in writes] == [
        ("POST", "/identity/v3/users", 201, "applied"), ("POST", "/identity/v3/users", 409, "refused"),
    ]  # fmt: skip
    assert writes[0]["body"] == {"user": {"name": "ada", "domain_id": "default", "password": "REDACTED"}}
    assert cloud.control("GET", "writes?last=1")["writes"] == writes[1:]


@pytest.mark.parametrize("path", ["/nix", "/compute/v2.1/nix", "/volume/v9/volumes", "/network/v2.0/nix"])
def test_an_unknown_path_is_refused_loudly(cloud, capsys, path):
    assert cloud.ask("GET", path, token=cloud.admin).status_code == 404
    assert f"no such endpoint: GET {path}" in capsys.readouterr().err
    assert cloud.control("GET", "counters")["unknown"] == 1


def test_a_wrong_method_is_405(cloud):
    assert cloud.ask("PUT", "/compute/v2.1/servers", token=cloud.admin).status_code == 405


def test_the_control_port_answers_on_loopback_only(cloud):
    assert cloud.client.get("/control/clock", environ_base={"REMOTE_ADDR": "192.0.2.7"}).status_code == 403
    assert cloud.client.get("/control/clock", environ_base={"REMOTE_ADDR": "127.0.0.1"}).status_code == 200


def test_clouds_yaml_signs_in(cloud):
    text = cloud.client.get("/control/clouds.yaml", base_url="http://127.0.0.1:8765").text
    assert "auth_url: http://127.0.0.1:8765/identity/v3" in text
    assert "password: emulator-secret" in text


@pytest.mark.parametrize(
    ("body", "status"),
    [
        ({"project_id": "none", "servers": 1}, 404), ({"project_id": "P", "since": "2030-01-01"}, 400),
        ({"project_id": "P", "severs": 1}, 400), ({"project_id": "P", "servers": "many"}, 400),
    ],
)  # fmt: skip
def test_life_needs_a_project_and_a_past(cloud, body, status):
    project = cloud.make_project("p")
    body = body | ({"project_id": project} if body["project_id"] == "P" else {})
    assert cloud.client.post("/control/life", json=body).status_code == status


def test_an_unknown_control_call_lists_the_known_ones(cloud):
    reply = cloud.client.get("/control/clcok")
    assert reply.status_code == 404
    assert "POST /control/clock" in reply.json["known"]


def test_the_catalog_speaks_of_the_address_it_was_asked_at(cloud):
    user = {"name": "admin", "domain": {"id": "default"}, "password": "emulator-secret"}
    scope = {"project": {"name": "admin", "domain": {"id": "default"}}}
    body = {"auth": {"identity": {"methods": ["password"], "password": {"user": user}}, "scope": scope}}
    reply = cloud.client.post("/identity/v3/auth/tokens", json=body, base_url="http://cloud.test:1234")
    urls = {endpoint["url"] for service in reply.json["token"]["catalog"] for endpoint in service["endpoints"]}
    assert "http://cloud.test:1234/compute/v2.1" in urls
    assert {service["type"] for service in reply.json["token"]["catalog"]} == {
        "identity", "compute", "block-storage", "network", "placement", "image",
    }  # fmt: skip


def test_every_endpoint_needs_a_token_but_the_version_documents(cloud):
    public = {"/identity/v3/auth/tokens"}
    for route in routes():
        path = route.template
        if route.public:
            assert path in public or path.count("/") <= 2, path
            continue
        for start, end in (("<", ">"),):
            while start in path:
                head, _, tail = path.partition(start)
                inside, _, rest = tail.partition(end)
                value = {"target": "projects", "actor": "users"}.get(inside.rpartition(":")[2], "x")
                path = head + value + rest
        reply = cloud.ask(route.method, path)
        assert reply.status_code == 401, (route.method, path, reply.text)


def test_a_cloud_can_have_its_own_password_and_region():
    cloud = Cloud(region="north")
    assert cloud.try_login("admin", "wrong").status_code == 401
    assert cloud.get("identity", "/regions").json["regions"][0]["id"] == "north"
