"""/v3/projects, their tags, and /v3/domains."""

from typing import Any

from emulator.openstack.keystone.common import (
    check_enabled,
    check_name,
    conflict,
    find,
    forbid,
    is_domain_manager,
    keep_if,
    missing,
    page,
    require_admin,
    require_admin_or_manager,
    routes,
    self_link,
    visible_domain,
)
from emulator.openstack.tokens import ancestors
from emulator.tables import Row
from emulator.wire import ApiError, Body, Call, Reply, without

ROUTES = routes()
NAME_LENGTH = 64
PROJECT_FIELDS = ("id", "name", "domain_id", "description", "enabled", "parent_id", "is_domain", "tags", "options")
_TAG_FILTERS = ("tags", "tags-any", "not-tags", "not-tags-any")


def project_body(call: Call, row: Row) -> Body:
    return {
        **extras(row, PROJECT_FIELDS),
        **{f: row[f] for f in PROJECT_FIELDS},
        "links": self_link(call, f"projects/{row['id']}"),
    }


def extras(row: Row, known: tuple[str, ...]) -> Row:
    """Keys of the caller's own that Keystone stores and gives back at top level."""
    return {key: value for key, value in row.items() if key not in known}


def _tagged(call: Call, rows: list[Row]) -> list[Row]:
    wanted = {name: set(call.args[name].split(",")) for name in _TAG_FILTERS if call.args.get(name)}
    for name, tags in wanted.items():
        has_all = {row["id"] for row in rows if tags <= set(row["tags"])}
        has_any = {row["id"] for row in rows if tags & set(row["tags"])}
        inside = has_any if name.endswith("-any") else has_all
        rows = [row for row in rows if (row["id"] in inside) != name.startswith("not-")]
    return rows


@ROUTES.get("/projects")
def project_list(call: Call) -> Reply:
    domain = visible_domain(call, "list_projects")
    table = call.world["projects"]
    if call.args.get("is_domain", "").lower() == "true":
        return page(call, "projects", [], lambda row: row)
    if "name" in call.args:
        rows = sorted(table.find("name", call.args["name"]), key=lambda row: str(row["id"]))
    elif "parent_id" in call.args:
        rows = sorted(table.find("parent_id", call.args["parent_id"]), key=lambda row: str(row["id"]))
    else:
        rows = table.in_order()
    for test in keep_if(call, ("name", "domain_id", "parent_id", "enabled")):
        rows = [row for row in rows if test(row)]
    rows = [row for row in _tagged(call, rows) if domain in (None, row["domain_id"])]
    return page(call, "projects", rows, lambda row: project_body(call, row), strict_marker=True)


@ROUTES.post("/projects")
def project_create(call: Call) -> Reply:
    given = call.document("project")
    name = check_name(given.get("name"), longest=NAME_LENGTH)
    check_enabled(given)
    parent = call.world["projects"].get(str(given.get("parent_id") or ""))
    domain = given.get("domain_id") or (
        parent["domain_id"] if parent else call.actor.domain_id or call.actor.user_domain
    )
    require_admin_or_manager(call, "create_project", domain)
    find(call.world["domains"], "domain", domain)
    if given.get("parent_id") and parent is None and given["parent_id"] != domain:
        raise missing("project", given["parent_id"])
    new_id = call.world.new_id()
    _check_free(call, name, domain, new_id)
    row = {
        **extras(given, PROJECT_FIELDS), "id": new_id, "name": name, "domain_id": domain,
        "description": given.get("description") or "", "enabled": given.get("enabled", True),
        "parent_id": given.get("parent_id") or domain, "is_domain": False,
        "tags": _check_tags(given.get("tags", [])), "options": given.get("options", {}),
    }  # fmt: skip
    return Reply(201, {"project": project_body(call, call.world["projects"].put(row))})


def _check_free(call: Call, name: str, domain: str, new_id: str) -> None:
    """The text of the conflict names the rejected new id, not the project that has the name."""
    if any(row["domain_id"] == domain for row in call.world["projects"].find("name", name)):
        text = (
            "it is not permitted to have two projects with either the same name or same id in the same domain: "
            f"name is {name}, project id {new_id}."
        )
        raise conflict("project", text)


def _check_tags(tags: Any) -> list[str]:
    if not isinstance(tags, list) or len(tags) > 80:
        raise ApiError(400, f"Invalid input for field/attribute tags. Value: {tags}. {tags!r} is too long")
    for tag in tags:
        if not isinstance(tag, str) or not 0 < len(tag) <= 255 or "," in tag or "/" in tag:
            raise ApiError(
                400, f"Invalid input for field/attribute tags. Value: {tag}. {tag!r} does not match '^[^,/]*$'"
            )
    return list(dict.fromkeys(tags))


def _readable(call: Call, row: Row, action: str) -> None:
    actor = call.actor
    if actor.is_admin or actor.system or actor.project_id == row["id"] or actor.domain_id == row["domain_id"]:
        return
    raise forbid(action)


@ROUTES.get("/projects/<project_id>")
def project_show(call: Call, project_id: str) -> Reply:
    row = call.world["projects"].get(project_id)
    if row is None:
        if not call.actor.is_admin:
            raise forbid("get_project")
        raise missing("project", project_id)
    _readable(call, row, "get_project")
    body = project_body(call, row)
    if "parents_as_list" in call.args:
        body["parents"] = [{"project": project_body(call, one)} for one in ancestors(call.world, row)]
    if "subtree_as_list" in call.args:
        body["subtree"] = [{"project": project_body(call, one)} for one in _subtree(call, project_id)]
    return Reply(200, {"project": body})


def _subtree(call: Call, project_id: str) -> list[Row]:
    found: list[Row] = []
    todo = [project_id]
    while todo:
        children = call.world["projects"].find("parent_id", todo.pop())
        found += children
        todo += [child["id"] for child in children]
    return found


@ROUTES.patch("/projects/<project_id>")
def project_update(call: Call, project_id: str) -> Reply:
    table = call.world["projects"]
    row = find(table, "project", project_id)
    require_admin_or_manager(call, "update_project", row["domain_id"])
    given = call.document("project")
    check_enabled(given)
    if given.get("enabled") is False and any(child["enabled"] for child in table.find("parent_id", project_id)):
        raise ApiError(403, f"Cannot disable project {project_id} since its subtree contains enabled projects.")
    if "name" in given and given["name"] != row["name"]:
        _check_free(call, check_name(given["name"], longest=NAME_LENGTH), row["domain_id"], project_id)
    if "tags" in given:
        given["tags"] = _check_tags(given["tags"])
    for fixed in ("domain_id", "parent_id"):
        if fixed in given and given[fixed] != row[fixed]:
            raise ApiError(400, f"Update of `{fixed}` is not allowed.")
    # The reply of PATCH repeats the caller's own keys under "extra"; a client that writes that back stores it again.
    row = table.update(project_id, **without(given, "id", "is_domain", "links"))
    if row["enabled"] is False:
        call.tokens.revoke(scope="project", scope_id=project_id)
    return Reply(200, {"project": {**project_body(call, row), "extra": extras(row, PROJECT_FIELDS)}})


@ROUTES.delete("/projects/<project_id>")
def project_delete(call: Call, project_id: str) -> Reply:
    """204 without a question about what lives in it: servers, volumes and networks stay, with a dead project id."""
    world = call.world
    row = find(world["projects"], "project", project_id)
    require_admin_or_manager(call, "delete_project", row["domain_id"])
    if world["projects"].find("parent_id", project_id):
        raise ApiError(
            403,
            f"Cannot delete the project {project_id} since it is not a leaf in the hierarchy. "
            "Use the cascade option if you want to delete a whole subtree.",
        )
    world["projects"].remove(project_id)
    for grant in world["grants"].find("target", f"project:{project_id}"):
        world["grants"].remove(grant["id"])
    for limit in world["limits"].find("project_id", project_id):
        world["limits"].remove(limit["id"])
    for user in [user for user in world["users"] if user.get("default_project_id") == project_id]:
        world["users"].put(without(user, "default_project_id"))
    call.tokens.revoke(scope="project", scope_id=project_id)
    return Reply(204)


@ROUTES.get("/projects/<project_id>/tags")
def tag_list(call: Call, project_id: str) -> Reply:
    row = find(call.world["projects"], "project", project_id)
    _readable(call, row, "list_project_tags")
    return Reply(200, {"tags": row["tags"], "links": {"next": None, "self": call.base + call.path, "previous": None}})


@ROUTES.put("/projects/<project_id>/tags")
def tag_replace(call: Call, project_id: str) -> Reply:
    return _retag(call, project_id, _check_tags(call.json().get("tags", [])), "update_project_tags")


def _retag(call: Call, project_id: str, tags: list[str], action: str) -> Reply:
    row = find(call.world["projects"], "project", project_id)
    require_admin_or_manager(call, action, row["domain_id"])
    call.world["projects"].update(project_id, tags=tags)
    return Reply(200, {"tags": tags, "links": {"next": None, "self": call.base + call.path, "previous": None}})


@ROUTES.delete("/projects/<project_id>/tags")
def tag_clear(call: Call, project_id: str) -> Reply:
    _retag(call, project_id, [], "delete_project_tags")
    return Reply(204)


@ROUTES.get("/projects/<project_id>/tags/<tag>")
def tag_show(call: Call, project_id: str, tag: str) -> Reply:
    row = find(call.world["projects"], "project", project_id)
    _readable(call, row, "get_project_tag")
    if tag not in row["tags"]:
        raise missing("project tag", tag)
    return Reply(204)


@ROUTES.put("/projects/<project_id>/tags/<tag>")
def tag_add(call: Call, project_id: str, tag: str) -> Reply:
    row = find(call.world["projects"], "project", project_id)
    _retag(call, project_id, _check_tags([*row["tags"], tag]), "create_project_tag")
    return Reply(201, None, {"Location": call.base + call.path})


@ROUTES.delete("/projects/<project_id>/tags/<tag>")
def tag_remove(call: Call, project_id: str, tag: str) -> Reply:
    row = find(call.world["projects"], "project", project_id)
    if tag not in row["tags"]:
        raise missing("project tag", tag)
    _retag(call, project_id, [one for one in row["tags"] if one != tag], "delete_project_tag")
    return Reply(204)


def domain_body(call: Call, row: Row) -> Body:
    return {**row, "links": self_link(call, f"domains/{row['id']}")}


@ROUTES.get("/domains")
def domain_list(call: Call) -> Reply:
    domain = call.actor.domain_id if is_domain_manager(call) else visible_domain(call, "list_domains")
    rows = [row for row in call.world["domains"].in_order() if domain in (None, row["id"])]
    for test in keep_if(call, ("name", "enabled")):
        rows = [row for row in rows if test(row)]
    return page(call, "domains", rows, lambda row: domain_body(call, row), strict_marker=True)


@ROUTES.post("/domains")
def domain_create(call: Call) -> Reply:
    require_admin(call, "create_domain")
    given = call.document("domain")
    name = check_name(given.get("name"), longest=NAME_LENGTH)
    if call.world["domains"].find("name", name):
        raise conflict("domain", f"Duplicate entry found with name {name}.")
    row = {
        "id": call.world.new_id(), "name": name, "description": given.get("description") or "",
        "enabled": given.get("enabled", True), "tags": [], "options": {},
    }  # fmt: skip
    return Reply(201, {"domain": domain_body(call, call.world["domains"].put(row))})


@ROUTES.get("/domains/<domain_id>")
def domain_show(call: Call, domain_id: str) -> Reply:
    row = find(call.world["domains"], "domain", domain_id)
    if not (call.actor.is_admin or call.actor.system or domain_id in (call.actor.domain_id, call.actor.user_domain)):
        raise forbid("get_domain")
    return Reply(200, {"domain": domain_body(call, row)})


@ROUTES.patch("/domains/<domain_id>")
def domain_update(call: Call, domain_id: str) -> Reply:
    require_admin(call, "update_domain")
    find(call.world["domains"], "domain", domain_id)
    row = call.world["domains"].update(domain_id, **without(call.document("domain"), "id", "links"))
    return Reply(200, {"domain": domain_body(call, row)})


@ROUTES.delete("/domains/<domain_id>")
def domain_delete(call: Call, domain_id: str) -> Reply:
    require_admin(call, "delete_domain")
    if find(call.world["domains"], "domain", domain_id)["enabled"]:
        raise ApiError(403, "Cannot delete a domain that is enabled, please disable it first.")
    for table in ("projects", "users", "groups"):
        for row in [row for row in call.world[table] if row["domain_id"] == domain_id]:
            call.world[table].remove(row["id"])
    call.world["domains"].remove(domain_id)
    return Reply(204)
