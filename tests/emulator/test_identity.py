"""Keystone's rules and traps: who may what, what is ignored in silence, what dies with what."""

import pytest

from tests.emulator.cloud import Cloud


def tokens(cloud: Cloud, body):
    return cloud.ask("POST", "/identity/v3/auth/tokens", {"auth": body})


def test_wrong_password_missing_role_and_disabled_user_look_the_same(cloud):
    cloud.make_project("p1")
    user = cloud.make_user("ada")
    scope = {"project": {"name": "p1", "domain": {"id": "default"}}}
    answers = [
        cloud.try_login("ada", "wrong", scope),
        cloud.try_login("ada", "pw", scope),
        cloud.try_login("nobody", "pw", scope),
    ]
    cloud.patch("identity", f"/users/{user}", {"user": {"enabled": False}})
    answers.append(cloud.try_login("ada", "pw"))
    assert {reply.status_code for reply in answers} == {401}
    assert len({reply.text for reply in answers}) == 1


def test_a_new_password_replaces_the_old_one_and_kills_the_tokens(cloud):
    token, user, _ = cloud.member("ada", "p1")
    change = {"user": {"password": "new", "original_password": "pw"}}
    assert cloud.post("identity", f"/users/{user}/password", change, token=token).status_code == 204
    assert cloud.get("identity", "/auth/projects", token=token).status_code == 401
    assert cloud.try_login("ada", "pw").status_code == 401
    assert cloud.try_login("ada", "new").status_code == 201


def test_disabling_a_user_kills_tokens_for_ever(cloud):
    token, user, _ = cloud.member("ada", "p1")
    for enabled in (False, True):
        cloud.patch("identity", f"/users/{user}", {"user": {"enabled": enabled}})
        assert cloud.get("identity", "/auth/projects", token=token).status_code == 401
    assert cloud.try_login("ada", "pw").status_code == 201


def test_tokens_expire_by_the_world_clock(cloud):
    token, _, _ = cloud.member("ada", "p1")
    cloud.advance(3599)
    assert cloud.get("identity", "/auth/projects", token=token).status_code == 200
    cloud.advance(2)
    assert cloud.get("identity", "/auth/projects", token=token).status_code == 401


def test_a_rescoped_token_lives_no_longer_than_its_parent(cloud):
    token, _, project = cloud.member("ada", "p1")
    cloud.advance(1000)
    body = {"identity": {"methods": ["token"], "token": {"id": token}}, "scope": {"project": {"id": project}}}
    child = tokens(cloud, body)
    assert child.status_code == 201
    assert child.json["token"]["methods"] == ["token", "password"]
    assert child.json["token"]["expires_at"] == "2026-11-20T09:00:00.000000Z"


@pytest.mark.parametrize(("cache", "status"), [(True, 200), (False, 401)])
def test_services_believe_a_token_they_know_for_five_minutes(cache, status):
    cloud = Cloud(token_cache=cache)
    token, user, project = cloud.member("ada", "p1")
    assert cloud.get("compute", "/servers", token=token).status_code == 200
    cloud.revoke(user, project)
    assert cloud.get("identity", "/auth/projects", token=token).status_code == 401
    assert cloud.get("volume", "/volumes", token=token).status_code == 401, "Cinder had not seen it"
    cloud.advance(299)
    assert cloud.get("compute", "/servers", token=token).status_code == status
    cloud.advance(2)
    assert cloud.get("compute", "/servers", token=token).status_code == 401


def test_unknown_filters_are_ignored_in_silence(cloud):
    for name in ("ada", "bob"):
        cloud.make_user(name, email=f"{name}@campus.example")
    everybody = cloud.get("identity", "/users").json["users"]
    assert cloud.get("identity", "/users?email=ada@campus.example").json["users"] == everybody
    assert {u["name"] for u in cloud.get("identity", "/users?name__startswith=ad").json["users"]} == {"admin", "ada"}


def test_tags_filter_in_four_ways(cloud):
    for name, tags in (("a", ["x", "y"]), ("b", ["x"]), ("c", [])):
        cloud.make_project(name, tags=tags)

    def names(query):
        found = {project["name"] for project in cloud.get("identity", f"/projects?{query}").json["projects"]}
        return found - {"admin", "service"}

    assert names("tags=x,y") == {"a"}
    assert names("tags-any=x,y") == {"a", "b"}
    assert names("not-tags=x,y") == {"b", "c"}
    assert names("not-tags-any=x") == {"c"}


def test_one_tag_is_added_once_and_removed(cloud):
    project = cloud.make_project("a", tags=["x"])
    for _ in range(2):
        assert cloud.put("identity", f"/projects/{project}/tags/y").status_code == 201
    assert cloud.get("identity", f"/projects/{project}/tags").json["tags"] == ["x", "y"]
    assert cloud.delete("identity", f"/projects/{project}/tags/x").status_code == 204
    assert cloud.delete("identity", f"/projects/{project}/tags/x").status_code == 404
    assert cloud.get("identity", f"/projects/{project}").json["project"]["tags"] == ["y"]


def test_users_page_with_limit_and_marker(cloud):
    for number in range(7):
        cloud.make_user(f"u{number}")
    seen, path = [], "/users?limit=3"
    while path and len(seen) < 100:
        body = cloud.get("identity", path).json
        seen += [user["id"] for user in body["users"]]
        following = body["links"]["next"]
        assert body.get("truncated", False) == bool(following)
        path = following and following.partition("/identity/v3")[2]
    assert len(seen) == len(set(seen)) == 13


def test_list_limit_truncates_with_a_way_on(cloud):
    capped = Cloud(list_limit=3)
    body = capped.get("identity", "/users?limit=100").json
    assert len(body["users"]) == 3
    assert body["truncated"] is True
    assert "marker=" in body["links"]["next"]
    assert len(capped.get("identity", "/role_assignments").json["role_assignments"]) > 3, "not paged, not capped"


def test_strange_markers(cloud):
    assert cloud.get("identity", "/users?limit=1&marker=zzz").status_code == 200
    reply = cloud.get("identity", "/projects?limit=1&marker=zzz")
    assert reply.status_code == 404
    assert "Marker zzz could not be found" in reply.json["error"]["message"]


def test_the_older_release_does_not_page_users_and_has_no_manager():
    cloud = Cloud(release="zed", list_limit=3)
    body = cloud.get("identity", "/users?limit=1").json
    assert (len(body["users"]), body["truncated"], body["links"]["next"]) == (3, True, None)
    roles = Cloud(release="zed").get("identity", "/roles").json["roles"]
    assert {role["name"] for role in roles} == {"admin", "member", "reader"}
    assert {s["type"] for s in cloud.get("identity", "/services").json["services"]} >= {"volumev3"}
    assert cloud.get("compute", "/servers", version="2.94").status_code == 406
    assert cloud.get("volume", "/volumes", version="3.71").status_code == 406


def test_extra_keys_come_back_at_top_level_and_repeated_by_patch(cloud):
    project = cloud.make_project("a", x_cost_center="42")
    assert cloud.get("identity", f"/projects/{project}").json["project"]["x_cost_center"] == "42"
    body = cloud.patch("identity", f"/projects/{project}", {"project": {"description": "d"}}).json["project"]
    assert body["extra"] == {"x_cost_center": "42"}


def test_a_grant_is_idempotent_and_its_removal_is_not(cloud):
    _, user, project = cloud.member("ada", "p1")
    path = f"/projects/{project}/users/{user}/roles/{cloud.role('reader')}"
    assert [cloud.put("identity", path).status_code for _ in range(2)] == [204, 204]
    assert cloud.call("HEAD", "identity", path).status_code == 204
    assert [cloud.delete("identity", path).status_code for _ in range(2)] == [204, 404]
    assert cloud.call("HEAD", "identity", path).status_code == 404
    assert cloud.put("identity", path.replace(user, "0" * 32)).status_code == 404


def test_assignments_by_project_user_and_role(cloud):
    _, ada, first = cloud.member("ada", "p1")
    _, bob, second = cloud.member("bob", "p2", "reader")
    cloud.grant(ada, second)

    def found(query):
        rows = cloud.get("identity", f"/role_assignments?{query}").json["role_assignments"]
        return {(row["user"]["id"], row["scope"]["project"]["id"]) for row in rows if "project" in row["scope"]}

    assert found(f"scope.project.id={second}") == {(ada, second), (bob, second)}
    assert found(f"user.id={ada}") == {(ada, first), (ada, second)}
    assert found(f"role.id={cloud.role('reader')}") == {(bob, second)}


def test_a_group_grants_to_its_members_and_effective_shows_them(cloud):
    user, project = cloud.make_user("ada"), cloud.make_project("p1")
    group = cloud.post("identity", "/groups", {"group": {"name": "g", "domain_id": "default"}}).json["group"]["id"]
    cloud.put("identity", f"/groups/{group}/users/{user}")
    assert cloud.put("identity", f"/projects/{project}/groups/{group}/roles/{cloud.role('member')}").status_code == 204
    token = cloud.login("ada", "pw", project="p1")
    rows = cloud.get("identity", f"/role_assignments?effective&include_names&scope.project.id={project}").json
    assert {(row["user"]["name"], row["role"]["name"]) for row in rows["role_assignments"]} == {
        ("ada", "member"),
        ("ada", "reader"),
    }
    assert cloud.delete("identity", f"/groups/{group}/users/{user}").status_code == 204
    assert cloud.get("identity", "/auth/projects", token=token).status_code == 401


def test_a_custom_role_brings_what_it_implies(cloud):
    role = cloud.post("identity", "/roles", {"role": {"name": "lead"}}).json["role"]["id"]
    cloud.put("identity", f"/roles/{role}/implies/{cloud.role('member')}")
    user, project = cloud.make_user("ada"), cloud.make_project("p1")
    cloud.grant(user, project, "lead")
    token = cloud.login("ada", "pw", project="p1")
    body = cloud.ask("GET", "/identity/v3/auth/tokens", token=cloud.admin, X_Subject_Token=token).json["token"]
    assert {one["name"] for one in body["roles"]} == {"lead", "member", "reader"}


@pytest.fixture
def managed(cloud):
    """(cloud, token of a domain manager, its domain, a user and a project in it)."""
    domain = cloud.post("identity", "/domains", {"domain": {"name": "dom1"}}).json["domain"]["id"]
    manager = cloud.make_user("boss", domain_id=domain)
    cloud.put("identity", f"/domains/{domain}/users/{manager}/roles/{cloud.role('manager')}")
    user = {"id": manager, "password": "pw"}
    body = {"identity": {"methods": ["password"], "password": {"user": user}}, "scope": {"domain": {"id": domain}}}
    token = tokens(cloud, body).headers["X-Subject-Token"]
    return cloud, token, domain


def test_a_domain_manager_runs_the_identity_half(managed):
    cloud, token, domain = managed
    project = cloud.post("identity", "/projects", {"project": {"name": "p"}}, token=token)
    user = cloud.post("identity", "/users", {"user": {"name": "ada", "password": "pw"}}, token=token)
    assert (project.status_code, user.status_code) == (201, 201)
    assert project.json["project"]["domain_id"] == user.json["user"]["domain_id"] == domain
    path = f"/projects/{project.json['project']['id']}/users/{user.json['user']['id']}/roles"
    assert cloud.put("identity", f"{path}/{cloud.role('member')}", token=token).status_code == 204
    assert cloud.put("identity", f"{path}/{cloud.role('admin')}", token=token).status_code == 403
    assert [p["name"] for p in cloud.get("identity", "/projects", token=token).json["projects"]] == ["p"]
    assert {u["name"] for u in cloud.get("identity", "/users", token=token).json["users"]} == {"boss", "ada"}


def test_a_domain_manager_touches_neither_other_domains_nor_quotas(managed):
    cloud, token, _ = managed
    foreign = cloud.make_project("elsewhere")
    assert (
        cloud.patch("identity", f"/projects/{foreign}", {"project": {"enabled": False}}, token=token).status_code == 403
    )
    assert cloud.delete("identity", f"/projects/{foreign}", token=token).status_code == 403
    quota = {"quota_set": {"cores": 1}}
    assert cloud.put("compute", f"/os-quota-sets/{foreign}", quota, token=token, version="2.57").status_code == 403


def test_an_application_credential_works_until_its_role_or_date_goes(cloud):
    token, user, project = cloud.member("ada", "p1")
    given = {"application_credential": {"name": "ci", "expires_at": "2026-11-20T08:30:00"}}
    made = cloud.post("identity", f"/users/{user}/application_credentials", given, token=token).json[
        "application_credential"
    ]
    body = {
        "identity": {
            "methods": ["application_credential"],
            "application_credential": {"id": made["id"], "secret": made["secret"]},
        }
    }
    assert tokens(cloud, body).json["token"]["project"]["id"] == project
    cloud.revoke(user, project)
    assert tokens(cloud, body).status_code == 401
    cloud.grant(user, project)
    assert tokens(cloud, body).status_code == 201
    cloud.advance(1801)
    assert tokens(cloud, body).status_code == 401


def test_secrets_never_come_back(cloud):
    token, user, _ = cloud.member("ada", "p1")
    given = {"application_credential": {"name": "ci", "secret": "known-only-once"}}
    cloud.post("identity", f"/users/{user}/application_credentials", given, token=token)
    for path in (f"/users/{user}/application_credentials", f"/users/{user}", "/users"):
        text = cloud.get("identity", path).text
        assert "known-only-once" not in text
        assert "digest" not in text
        assert "password" not in text.replace("password_expires_at", "")
    assert "known-only-once" not in str(cloud.control("GET", "writes"))
    assert "'pw'" not in str(cloud.control("GET", "writes"))


def test_federated_objects_are_shown_by_get_and_found_by_unique_id(town):
    users = town.get("identity", "/users?idp_id=campus").json["users"]
    assert users
    shown = town.get("identity", f"/users/{users[0]['id']}").json["user"]
    unique = shown["federated"][0]["protocols"][0]["unique_id"]
    assert unique == users[0]["email"]
    assert [u["id"] for u in town.get("identity", f"/users?unique_id={unique}").json["users"]] == [users[0]["id"]]
    assert "federated" not in users[0]


def test_deleting_a_project_asks_nothing_and_leaves_what_lives_in_it(cloud):
    token, user, project = cloud.member("ada", "p1")
    server = cloud.boot(token, "s").json["server"]["id"]
    cloud.post("volume", "/volumes", {"volume": {"size": 1}}, token=token)
    cloud.post("network", "/networks", {"network": {"name": "n"}}, token=token)
    cloud.patch("identity", f"/users/{user}", {"user": {"default_project_id": project}})
    assert cloud.delete("identity", f"/projects/{project}").status_code == 204
    assert "default_project_id" not in cloud.get("identity", f"/users/{user}").json["user"]
    assert cloud.get("identity", f"/role_assignments?user.id={user}").json["role_assignments"] == []
    alive = cloud.get("compute", f"/servers/detail?all_tenants=1&project_id={project}").json["servers"]
    assert [(one["id"], one["status"], one["tenant_id"]) for one in alive] == [(server, "ACTIVE", project)]
    cloud.advance(3600)
    fresh = cloud.login("admin", "emulator-secret", project="admin")
    usage = cloud.get("compute", f"/os-simple-tenant-usage/{project}?start=2026-11-20T08:00:00", token=fresh).json
    assert usage["tenant_usage"]["total_hours"] > 0.9
    assert len(cloud.get("network", f"/networks?project_id={project}", token=fresh).json["networks"]) == 1
    volumes = cloud.get("volume", f"/volumes?all_tenants=1&project_id={project}", token=fresh).json["volumes"]
    assert cloud.delete("volume", f"/volumes/{volumes[0]['id']}", token=fresh).status_code == 202
    assert cloud.delete("compute", f"/servers/{server}", token=fresh).status_code == 204
