"""/v3/users, /v3/groups and their members, and the identity providers people come from."""

from emulator import seed
from emulator.openstack.keystone.common import (
    check_enabled,
    check_name,
    conflict,
    find,
    forbid,
    keep_if,
    missing,
    page,
    require_admin,
    require_admin_or_manager,
    routes,
    self_link,
    visible_domain,
)
from emulator.openstack.keystone.projects import extras
from emulator.openstack.keystone.tokens import check_password, unauthorized
from emulator.tables import Row
from emulator.wire import ApiError, Body, Call, Reply, without

ROUTES = routes()
NAME_LENGTH = 255
_PRIVATE = ("password_digest", "seeded_password", "password", "original_password", "links", "federated")
USER_FIELDS = ("id", "name", "domain_id", "enabled", "default_project_id", "password_expires_at", "options", *_PRIVATE)


def user_body(call: Call, row: Row) -> Body:
    fixed = {field: row[field] for field in ("id", "name", "domain_id", "enabled")}
    if row.get("default_project_id"):
        fixed["default_project_id"] = row["default_project_id"]
    fixed |= {"password_expires_at": row["password_expires_at"], "options": row["options"]}
    return {**extras(row, USER_FIELDS), **fixed, "links": self_link(call, f"users/{row['id']}")}


def _federated(call: Call, row: Row) -> bool:
    """The filters idp_id, protocol_id and unique_id look into the user's federated objects."""
    for one in row.get("federated", []):
        for protocol in one["protocols"]:
            have = {"idp_id": one["idp_id"], **protocol}
            if all(call.args.get(key) in (None, have[key]) for key in ("idp_id", "protocol_id", "unique_id")):
                return True
    return False


@ROUTES.get("/users")
def user_list(call: Call) -> Reply:
    domain = visible_domain(call, "list_users")
    rows = (
        call.world["users"].find("name", call.args["name"]) if "name" in call.args else call.world["users"].in_order()
    )
    for test in keep_if(call, ("name", "domain_id", "enabled")):
        rows = [row for row in rows if test(row)]
    if any(key in call.args for key in ("idp_id", "protocol_id", "unique_id")):
        rows = [row for row in rows if _federated(call, row)]
    rows = [row for row in rows if domain in (None, row["domain_id"])]
    return page(call, "users", rows, lambda row: user_body(call, row))


def _check_federated(call: Call, given: Body) -> None:
    for one in given.get("federated", []):
        if not isinstance(one, dict) or not one.get("protocols"):
            raise ApiError(
                400, f"Invalid input for field/attribute federated. Value: {one}. 'protocols' is a required property"
            )
        if one.get("idp_id") not in call.world["identity_providers"]:
            raise ApiError(400, f"Could not find Identity Provider: {one.get('idp_id')}.")


def _store(call: Call, row: Row, given: Body) -> Row:
    """The row with the new values; the password becomes a digest."""
    row = {**row, **without(given, "id", "links", "password", "original_password", "extra")}
    if given.get("password"):
        row["password_digest"] = seed.digest(call.world, row["id"], str(given["password"]))
    if row.get("default_project_id") is None:
        row.pop("default_project_id", None)
    return call.world["users"].put(row)


def _check_free(call: Call, name: str, domain: str) -> None:
    if any(row["domain_id"] == domain for row in call.world["users"].find("name", name)):
        raise conflict("user", f"Duplicate entry found with name {name} at domain ID {domain}.")


@ROUTES.post("/users")
def user_create(call: Call) -> Reply:
    given = call.document("user")
    name = check_name(given.get("name"), longest=NAME_LENGTH)
    check_enabled(given)
    domain = given.get("domain_id") or call.actor.domain_id or call.actor.user_domain
    require_admin_or_manager(call, "create_user", domain)
    find(call.world["domains"], "domain", domain)
    _check_free(call, name, domain)
    _check_federated(call, given)
    blank: Row = {"id": call.world.new_id(), "enabled": True, "password_expires_at": None, "options": {}}
    row = _store(call, blank, {**given, "domain_id": domain})
    body = user_body(call, row)
    if row.get("federated"):
        body["federated"] = row["federated"]
    return Reply(201, {"user": body})


@ROUTES.get("/users/<user_id>")
def user_show(call: Call, user_id: str) -> Reply:
    row = call.world["users"].get(user_id)
    actor = call.actor
    if user_id != actor.user_id and not (
        actor.is_admin or actor.system or (row is not None and actor.domain_id == row["domain_id"])
    ):
        raise forbid("get_user")
    if row is None:
        raise missing("user", user_id)
    body = user_body(call, row)
    if row.get("federated"):  # shown by GET of one user only; a list leaves it out
        body["federated"] = row["federated"]
    return Reply(200, {"user": body})


@ROUTES.patch("/users/<user_id>")
def user_update(call: Call, user_id: str) -> Reply:
    row = find(call.world["users"], "user", user_id)
    require_admin_or_manager(call, "update_user", row["domain_id"])
    given = call.document("user")
    check_enabled(given)
    if "name" in given and given["name"] != row["name"]:
        _check_free(call, check_name(given["name"], longest=NAME_LENGTH), row["domain_id"])
    if "domain_id" in given and given["domain_id"] != row["domain_id"]:
        raise ApiError(400, "Update of `domain_id` is not allowed.")
    _check_federated(call, given)
    row = _store(call, row, given)
    if not row["enabled"] or given.get("password"):
        call.tokens.revoke(user_id=user_id)
    return Reply(200, {"user": {**user_body(call, row), "extra": extras(row, USER_FIELDS)}})


@ROUTES.delete("/users/<user_id>")
def user_delete(call: Call, user_id: str) -> Reply:
    world = call.world
    row = find(world["users"], "user", user_id)
    require_admin_or_manager(call, "delete_user", row["domain_id"])
    world["users"].remove(user_id)
    for grant in world["grants"].find("actor", f"user:{user_id}"):
        world["grants"].remove(grant["id"])
    for table in ("application_credentials", "group_members"):
        for mine in world[table].find("user_id", user_id):
            world[table].remove(mine["id"])
    call.tokens.revoke(user_id=user_id)
    return Reply(204)


@ROUTES.post("/users/<user_id>/password")
def password_change(call: Call, user_id: str) -> Reply:
    """By the user, with the old password; every token of the user dies."""
    row = find(call.world["users"], "user", user_id)
    given = call.document("user")
    if call.actor.user_id != user_id or not check_password(call, row, str(given.get("original_password", ""))):
        raise unauthorized(call)
    if not given.get("password"):
        raise ApiError(400, "Invalid input for field/attribute user. 'password' is a required property")
    _store(call, row, {"password": given["password"]})
    call.tokens.revoke(user_id=user_id)
    return Reply(204)


def _group_body(call: Call, row: Row) -> Body:
    return {**row, "links": self_link(call, f"groups/{row['id']}")}


@ROUTES.get("/groups")
def group_list(call: Call) -> Reply:
    domain = visible_domain(call, "list_groups")
    rows = [row for row in call.world["groups"].in_order() if domain in (None, row["domain_id"])]
    for test in keep_if(call, ("name", "domain_id")):
        rows = [row for row in rows if test(row)]
    return page(call, "groups", rows, lambda row: _group_body(call, row), strict_marker=True)


@ROUTES.post("/groups")
def group_create(call: Call) -> Reply:
    given = call.document("group")
    name = check_name(given.get("name"), longest=NAME_LENGTH)
    domain = given.get("domain_id") or call.actor.domain_id or call.actor.user_domain
    require_admin_or_manager(call, "create_group", domain)
    if any(row["domain_id"] == domain for row in call.world["groups"].find("name", name)):
        raise conflict("group", f"Duplicate entry found with name {name} at domain ID {domain}.")
    row = {"id": call.world.new_id(), "name": name, "domain_id": domain, "description": given.get("description") or ""}
    return Reply(201, {"group": _group_body(call, call.world["groups"].put(row))})


@ROUTES.get("/groups/<group_id>")
def group_show(call: Call, group_id: str) -> Reply:
    visible_domain(call, "get_group")
    return Reply(200, {"group": _group_body(call, find(call.world["groups"], "group", group_id))})


@ROUTES.delete("/groups/<group_id>")
def group_delete(call: Call, group_id: str) -> Reply:
    row = find(call.world["groups"], "group", group_id)
    require_admin_or_manager(call, "delete_group", row["domain_id"])
    for grant in call.world["grants"].find("actor", f"group:{group_id}"):
        call.world["grants"].remove(grant["id"])
    for member in call.world["group_members"].find("group_id", group_id):
        call.world["group_members"].remove(member["id"])
        call.tokens.revoke(user_id=member["user_id"])
    call.world["groups"].remove(group_id)
    return Reply(204)


@ROUTES.get("/groups/<group_id>/users")
def group_users(call: Call, group_id: str) -> Reply:
    visible_domain(call, "list_users_in_group")
    find(call.world["groups"], "group", group_id)
    members = sorted(row["user_id"] for row in call.world["group_members"].find("group_id", group_id))
    rows = [call.world["users"].rows[user] for user in members if user in call.world["users"]]
    return page(call, "users", rows, lambda row: user_body(call, row))


@ROUTES.get("/users/<user_id>/groups")
def user_groups(call: Call, user_id: str) -> Reply:
    if user_id != call.actor.user_id:
        visible_domain(call, "list_groups_for_user")
    find(call.world["users"], "user", user_id)
    groups = sorted(row["group_id"] for row in call.world["group_members"].find("user_id", user_id))
    return page(call, "groups", [call.world["groups"].rows[g] for g in groups], lambda row: _group_body(call, row))


def _member(call: Call, group_id: str, user_id: str, action: str) -> str:
    group = find(call.world["groups"], "group", group_id)
    find(call.world["users"], "user", user_id)
    require_admin_or_manager(call, action, group["domain_id"])
    return f"{group_id}|{user_id}"


@ROUTES.put("/groups/<group_id>/users/<user_id>")
def group_add(call: Call, group_id: str, user_id: str) -> Reply:
    key = _member(call, group_id, user_id, "add_user_to_group")
    call.world["group_members"].put({"id": key, "group_id": group_id, "user_id": user_id})
    return Reply(204)


@ROUTES.get("/groups/<group_id>/users/<user_id>")
def group_has(call: Call, group_id: str, user_id: str) -> Reply:
    if _member(call, group_id, user_id, "check_user_in_group") not in call.world["group_members"]:
        raise ApiError(404, f"Could not find user: {user_id}.")
    return Reply(204)


@ROUTES.delete("/groups/<group_id>/users/<user_id>")
def group_drop(call: Call, group_id: str, user_id: str) -> Reply:
    key = _member(call, group_id, user_id, "remove_user_from_group")
    if key not in call.world["group_members"]:
        raise ApiError(404, f"Could not find user: {user_id}.")
    call.world["group_members"].remove(key)
    call.tokens.revoke(user_id=user_id)
    return Reply(204)


def _provider_body(call: Call, row: Row) -> Body:
    path = f"OS-FEDERATION/identity_providers/{row['id']}"
    links = {**self_link(call, path), "protocols": f"{call.base}/identity/v3/{path}/protocols"}
    return {**without(row, "protocols"), "links": links}


@ROUTES.get("/OS-FEDERATION/identity_providers")
def provider_list(call: Call) -> Reply:
    require_admin(call, "list_identity_providers")
    rows = call.world["identity_providers"].in_order()
    return page(call, "identity_providers", rows, lambda row: _provider_body(call, row), paged=False)


@ROUTES.get("/OS-FEDERATION/identity_providers/<provider_id>")
def provider_show(call: Call, provider_id: str) -> Reply:
    require_admin(call, "get_identity_provider")
    row = find(call.world["identity_providers"], "identity provider", provider_id)
    return Reply(200, {"identity_provider": _provider_body(call, row)})


@ROUTES.get("/OS-FEDERATION/identity_providers/<provider_id>/protocols")
def protocol_list(call: Call, provider_id: str) -> Reply:
    require_admin(call, "list_protocols")
    row = find(call.world["identity_providers"], "identity provider", provider_id)
    path = f"OS-FEDERATION/identity_providers/{provider_id}"
    protocols = [{"id": name, "mapping_id": mapping, "remote_id_attribute": None} for name, mapping in row["protocols"]]

    def body(protocol: Row) -> Body:
        return {
            **protocol,
            "links": {
                **self_link(call, f"{path}/protocols/{protocol['id']}"),
                "identity_provider": f"{call.base}/identity/v3/{path}",
            },
        }

    return page(call, "protocols", protocols, body, paged=False)
