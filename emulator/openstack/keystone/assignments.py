"""Grants of roles on projects, domains and the system, and the one list of them all."""

from collections.abc import Iterator
from typing import NamedTuple

from emulator import seed
from emulator.openstack.keystone.common import (
    V3,
    domain_name,
    find,
    forbid,
    is_domain_manager,
    page,
    routes,
    visible_domain,
)
from emulator.openstack.keystone.roles import role_body
from emulator.openstack.tokens import ScopeKind
from emulator.tables import Row
from emulator.wire import ApiError, Body, Call, Reply

ROUTES = routes()
MANAGED_ROLES = ("manager", "member", "reader")
_KINDS: dict[str, ScopeKind] = {"projects": "project", "domains": "domain"}


class _Names(NamedTuple):
    """What the URL of a grant names; `target` is projects, domains or system, `actor` is users or groups."""

    target: str
    target_id: str
    actor: str
    actor_id: str
    role: str


def _grant(call: Call, names: _Names, action: str, inherited: bool) -> Row:
    """The row the URL speaks of (there or not), after checking that all three exist and that the caller may."""
    world, kind, actor = call.world, _KINDS.get(names.target, "system"), names.actor[:-1]
    who = find(world[names.actor], actor, names.actor_id)
    what = find(world[names.target], kind, names.target_id) if kind != "system" else {}
    known_role = find(world["roles"], "role", names.role)
    if not call.actor.is_admin:
        domain = what.get("domain_id", names.target_id)
        allowed = is_domain_manager(call) and domain == call.actor.domain_id == who["domain_id"]
        if not allowed or known_role["name"] not in MANAGED_ROLES:
            raise forbid(action)
    place = "system:all" if kind == "system" else f"{kind}:{names.target_id}"
    return seed.grant_row(f"{actor}:{names.actor_id}", place, names.role, inherited=inherited)


def _missing(row: Row) -> ApiError:
    target, actor = row["target"].partition(":")[2], row["actor"].partition(":")[2]
    return ApiError(
        404,
        f"Could not find role assignment with role: {row['role_id']}, user or group: {actor}, "
        f"project, domain, or system: {target}.",
    )


def _revoke_tokens(call: Call, row: Row) -> None:
    """Removing a role kills the tokens it stood behind; giving it back does not bring them to life."""
    kind, _, actor_id = row["actor"].partition(":")
    scope, _, scope_id = row["target"].partition(":")
    members = (
        [actor_id] if kind == "user" else [m["user_id"] for m in call.world["group_members"].find("group_id", actor_id)]
    )
    for user_id in members:
        if row["inherited"] or scope == "domain":
            call.tokens.revoke(user_id=user_id)
        else:
            call.tokens.revoke(user_id=user_id, scope=scope, scope_id=scope_id)


def _grant_put(call: Call, names: _Names, *, inherited: bool = False) -> Reply:
    row = _grant(call, names, "create_grant", inherited)
    if row["id"] not in call.world["grants"]:
        call.world["grants"].put(row)
    return Reply(204)


def _grant_check(call: Call, names: _Names, *, inherited: bool = False) -> Reply:
    row = _grant(call, names, "check_grant", inherited)
    if row["id"] not in call.world["grants"]:
        raise _missing(row)
    return Reply(204)


def _grant_delete(call: Call, names: _Names, *, inherited: bool = False) -> Reply:
    row = _grant(call, names, "revoke_grant", inherited)
    if row["id"] not in call.world["grants"]:
        raise _missing(row)
    call.world["grants"].remove(row["id"])
    _revoke_tokens(call, row)
    return Reply(204)


def _grant_list(call: Call, target: str, target_id: str, actor: str, actor_id: str) -> Reply:
    if not (call.actor.is_admin or is_domain_manager(call)):
        raise forbid("list_grants")
    world, kind = call.world, _KINDS.get(target, "system")
    find(world["users" if actor == "users" else "groups"], actor[:-1], actor_id)
    place = "system:all" if kind == "system" else f"{kind}:{find(world[target], kind, target_id)['id']}"
    rows = [
        g
        for g in world["grants"].find("target", place)
        if g["actor"] == f"{actor[:-1]}:{actor_id}" and not g["inherited"]
    ]
    roles = sorted((world["roles"].rows[g["role_id"]] for g in rows), key=lambda row: str(row["id"]))
    return page(call, "roles", roles, lambda row: role_body(call, row), paged=False)


_ON = "/<any(projects, domains):target>/<target_id>/<any(users, groups):actor>/<actor_id>/roles"
_INHERITED = f"/OS-INHERIT{_ON}/<role>/inherited_to_projects"


@ROUTES.get(_ON)
def grant_list(call: Call, target: str, target_id: str, actor: str, actor_id: str) -> Reply:
    return _grant_list(call, target, target_id, actor, actor_id)


@ROUTES.get(f"{_ON}/<role>")
def grant_check(call: Call, **names: str) -> Reply:
    return _grant_check(call, _Names(**names))


@ROUTES.put(f"{_ON}/<role>")
def grant_put(call: Call, **names: str) -> Reply:
    return _grant_put(call, _Names(**names))


@ROUTES.delete(f"{_ON}/<role>")
def grant_delete(call: Call, **names: str) -> Reply:
    return _grant_delete(call, _Names(**names))


@ROUTES.get(_INHERITED)
def inherited_check(call: Call, **names: str) -> Reply:
    return _grant_check(call, _Names(**names), inherited=True)


@ROUTES.put(_INHERITED)
def inherited_put(call: Call, **names: str) -> Reply:
    return _grant_put(call, _Names(**names), inherited=True)


@ROUTES.delete(_INHERITED)
def inherited_delete(call: Call, **names: str) -> Reply:
    return _grant_delete(call, _Names(**names), inherited=True)


_SYSTEM = "/system/<any(users, groups):actor>/<actor_id>/roles"


@ROUTES.get(_SYSTEM)
def system_list(call: Call, actor: str, actor_id: str) -> Reply:
    return _grant_list(call, "system", "all", actor, actor_id)


@ROUTES.get(f"{_SYSTEM}/<role>")
def system_check(call: Call, actor: str, actor_id: str, role: str) -> Reply:
    return _grant_check(call, _Names("system", "all", actor, actor_id, role))


@ROUTES.put(f"{_SYSTEM}/<role>")
def system_put(call: Call, actor: str, actor_id: str, role: str) -> Reply:
    return _grant_put(call, _Names("system", "all", actor, actor_id, role))


@ROUTES.delete(f"{_SYSTEM}/<role>")
def system_delete(call: Call, actor: str, actor_id: str, role: str) -> Reply:
    return _grant_delete(call, _Names("system", "all", actor, actor_id, role))


@ROUTES.get("/role_assignments")
def assignment_list(call: Call) -> Reply:
    """One reply, whatever its size: limit, marker and list_limit do nothing here."""
    domain = visible_domain(call, "list_role_assignments")
    rows = _found(call)
    if domain is not None:
        rows = [row for row in rows if _domain_of(call, row) == domain]
    if call.flag_or_bare("effective"):
        rows = list(_effective(call, rows))
    names = call.flag_or_bare("include_names")
    shown = [_assignment(call, row, names) for row in rows]
    query = call.request.query_string.decode()
    own = f"{call.base}{call.path}" + (f"?{query}" if query else "")
    return Reply(200, {"role_assignments": shown, "links": {"next": None, "self": own, "previous": None}})


def _found(call: Call) -> list[Row]:
    args, grants = call.args, call.world["grants"]
    targets: list[str] | None = None
    if project := args.get("scope.project.id"):
        targets = [f"project:{project}"]
        if call.flag_or_bare("include_subtree"):
            targets += [f"project:{row['id']}" for row in call.world["projects"].find("parent_id", project)]
    elif domain := args.get("scope.domain.id"):
        targets = [f"domain:{domain}"]
    elif "scope.system" in args:
        targets = ["system:all"]
    actor = (
        f"user:{args['user.id']}" if "user.id" in args else f"group:{args['group.id']}" if "group.id" in args else None
    )
    if targets is not None:
        rows = [row for target in targets for row in grants.find("target", target)]
        rows = [row for row in rows if actor in (None, row["actor"])]
    else:
        rows = grants.find("actor", actor) if actor else grants.in_order()
    if "role.id" in args:
        rows = [row for row in rows if row["role_id"] == args["role.id"]]
    if "scope.OS-INHERIT:inherited_to" in args:
        rows = [row for row in rows if row["inherited"]]
    return rows


def _domain_of(call: Call, row: Row) -> str | None:
    kind, _, target = row["target"].partition(":")
    if kind == "project":
        project = call.world["projects"].get(target)
        return str(project["domain_id"]) if project else None
    return target if kind == "domain" else None


def _effective(call: Call, rows: list[Row]) -> Iterator[Row]:
    """Groups become their members, inheritance reaches the children, a role brings what it implies."""
    for row in rows:
        actors = [row["actor"]]
        if row["actor"].startswith("group:"):
            members = call.world["group_members"].find("group_id", row["actor"][6:])
            actors = [f"user:{member['user_id']}" for member in members]
        targets = _heirs(call, row["target"]) if row["inherited"] else [row["target"]]
        for actor in actors:
            for target in targets:
                for role in sorted(call.tokens.implied({row["role_id"]})):
                    yield {**row, "actor": actor, "target": target, "role_id": role, "from": row}


def _heirs(call: Call, target: str) -> list[str]:
    kind, _, target_id = target.partition(":")
    if kind == "domain":
        return [f"project:{row['id']}" for row in call.world["projects"].find("domain_id", target_id)]
    children = [row["id"] for row in call.world["projects"].find("parent_id", target_id)]
    return [f"project:{child}" for child in children] + [
        heir for child in children for heir in _heirs(call, f"project:{child}")
    ]


def _assignment(call: Call, row: Row, names: bool) -> Body:
    """The row's own link points at the grant it comes from; an implied role names its way there, too."""
    world, source = call.world, row.get("from", row)
    kind, _, target = row["target"].partition(":")
    actor_kind, _, actor = row["actor"].partition(":")
    body: Body = {"links": {"assignment": _grant_url(call, source)}, "scope": _scope_body(call, kind, target, names)}
    if source["inherited"]:
        body["scope"]["OS-INHERIT:inherited_to"] = "projects"
    if row["role_id"] != source["role_id"]:
        body["links"]["prior_role"] = f"{call.base}{V3}/prior_role/{row['role_id']}/implies/{source['role_id']}"
    if not names:
        return body | {actor_kind: {"id": actor}, "role": {"id": row["role_id"]}}
    person = world["users" if actor_kind == "user" else "groups"].get(actor)
    domain = person["domain_id"] if person else ""
    who = {
        "id": actor,
        "name": person["name"] if person else "",
        "domain": {"id": domain, "name": domain_name(world, domain)},
    }
    role = world["roles"].rows[row["role_id"]]
    return body | {actor_kind: who, "role": {"id": role["id"], "name": role["name"]}}


def _scope_body(call: Call, kind: str, target: str, names: bool) -> Body:
    if kind == "system":
        return {"system": {"all": True}}
    if not names:
        return {kind: {"id": target}}
    row = call.world["projects" if kind == "project" else "domains"].get(target)
    body: Body = {"id": target, "name": row["name"] if row else ""}
    if kind == "project" and row:
        body["domain"] = {"id": row["domain_id"], "name": domain_name(call.world, row["domain_id"])}
    return {kind: body}


def _grant_url(call: Call, row: Row) -> str:
    kind, _, target = row["target"].partition(":")
    actor_kind, _, actor = row["actor"].partition(":")
    place = "system" if kind == "system" else f"{kind}s/{target}"
    path = f"{place}/{actor_kind}s/{actor}/roles/{row['role_id']}"
    if row["inherited"]:
        path = f"OS-INHERIT/{path}/inherited_to_projects"
    return f"{call.base}{V3}/{path}"
