"""/v3/auth: tokens are issued, shown, checked and revoked; what the caller may be scoped to."""

import hmac
from typing import Any

from emulator import seed
from emulator.clock import iso_micro
from emulator.openstack.keystone import catalog
from emulator.openstack.keystone.common import domain_name, find, page, routes
from emulator.openstack.keystone.projects import domain_body, project_body
from emulator.openstack.tokens import ScopeKind, Token
from emulator.services import UNAUTHORIZED
from emulator.tables import Row
from emulator.wire import ApiError, Body, Call, Reply

ROUTES = routes()


def unauthorized(call: Call) -> ApiError:
    """The one text for every reason: a caller cannot tell a wrong password from a missing role."""
    return ApiError(401, UNAUTHORIZED, headers={"WWW-Authenticate": f'Keystone uri="{call.base}/identity/v3"'})


@ROUTES.post("/auth/tokens", public=True)
def token_issue(call: Call) -> Reply:
    auth = call.document("auth")
    identity = auth.get("identity")
    if not isinstance(identity, dict) or not identity.get("methods"):
        raise ApiError(
            400,
            "Expecting to find identity in auth. The server could not comply with the request since it is either "
            "malformed or otherwise incorrect. The client is assumed to be in error.",
        )
    methods = list(identity["methods"])
    user_id, parent, credential = _identify(call, identity, methods)
    scope, scope_id = _scope(call, auth.get("scope"), user_id, credential)
    if scope and not call.tokens.roles_of(user_id, scope, scope_id):
        raise unauthorized(call)
    names = methods + [method for method in (parent.methods if parent else []) if method not in methods]
    token = call.tokens.issue(user_id, scope, scope_id, names, parent=parent, credential=credential)
    if call.tokens.validate(token.id) is None:
        raise unauthorized(call)
    return Reply(201, token_body(call, token), {"X-Subject-Token": token.id})


def _identify(call: Call, identity: Body, methods: list[str]) -> tuple[str, Token | None, Row | None]:
    """(user id, the token it was done with, the application credential it was done with)."""
    if methods == ["token"]:
        actor = call.tokens.validate(str(identity.get("token", {}).get("id", "")))
        if actor is None:
            raise unauthorized(call)
        return actor.user_id, actor.token, None
    if methods == ["application_credential"]:
        credential = _credential(call, identity.get("application_credential", {}))
        return credential["user_id"], None, credential
    if methods == ["password"]:
        return _password(call, identity.get("password", {}).get("user", {})), None, None
    raise unauthorized(call)


def _domain_id(call: Call, given: Any) -> str | None:
    if not isinstance(given, dict):
        return None
    if "id" in given:
        return str(given["id"])
    rows = call.world["domains"].find("name", given.get("name"))
    return rows[0]["id"] if rows else None


def _named(call: Call, table: str, given: Body) -> Row | None:
    """A user or project named by id, or by name and domain."""
    if "id" in given:
        return call.world[table].get(str(given["id"]))
    domain = _domain_id(call, given.get("domain"))
    return next((row for row in call.world[table].find("name", given.get("name")) if row["domain_id"] == domain), None)


def check_password(call: Call, user: Row, password: str) -> bool:
    kept = user.get("password_digest")
    if kept is not None:
        return hmac.compare_digest(kept, seed.digest(call.world, user["id"], password))
    return bool(user.get("seeded_password")) and password == seed.seeded_password(user["name"])


def _password(call: Call, given: Body) -> str:
    user = _named(call, "users", given)
    if user is None or not user["enabled"] or not check_password(call, user, str(given.get("password", ""))):
        raise unauthorized(call)
    return str(user["id"])


def _credential(call: Call, given: Body) -> Row:
    if "id" in given:
        row = call.world["application_credentials"].get(str(given["id"]))
    else:
        user = _named(call, "users", given.get("user", {}))
        mine = call.world["application_credentials"].find("user_id", user["id"]) if user else []
        row = next((one for one in mine if one["name"] == given.get("name")), None)
    if row is None or (row["expires"] is not None and row["expires"] <= call.now):
        raise unauthorized(call)
    digest = seed.digest(call.world, row["id"], str(given.get("secret", "")))
    if not hmac.compare_digest(row["secret_digest"], digest):
        raise unauthorized(call)
    return row


def _scope(call: Call, given: Any, user_id: str, credential: Row | None) -> tuple[ScopeKind, str]:
    if credential is not None:
        return "project", credential["project_id"]
    if not isinstance(given, dict):
        return _default_scope(call, user_id) if given is None else ("", "")
    if "project" in given:
        project = _named(call, "projects", given["project"])
        if project is None:
            raise unauthorized(call)
        return "project", project["id"]
    if "domain" in given:
        domain = _domain_id(call, given["domain"])
        if domain is None or domain not in call.world["domains"]:
            raise unauthorized(call)
        return "domain", domain
    if "system" in given:
        return "system", "all"
    raise unauthorized(call)


def _default_scope(call: Call, user_id: str) -> tuple[ScopeKind, str]:
    user = call.world["users"].rows[user_id]
    project = user.get("default_project_id")
    if project and call.tokens.roles_of(user_id, "project", project):
        return "project", project
    return "", ""


def token_body(call: Call, token: Token) -> Body:
    world = call.world
    user = world["users"].rows[token.user_id]
    body: Body = {
        "methods": token.methods,
        "user": {
            "domain": {"id": user["domain_id"], "name": domain_name(world, user["domain_id"])},
            "id": user["id"], "name": user["name"], "password_expires_at": None,
        },
        "audit_ids": token.audit_ids,
        "expires_at": iso_micro(token.expires, zone="Z"),
        "issued_at": iso_micro(token.issued, zone="Z"),
    }  # fmt: skip
    if token.scope == "project":
        project = world["projects"].rows[token.scope_id]
        domain = {"id": project["domain_id"], "name": domain_name(world, project["domain_id"])}
        body |= {"project": {"domain": domain, "id": project["id"], "name": project["name"]}, "is_domain": False}
    elif token.scope == "domain":
        body["domain"] = {"id": token.scope_id, "name": domain_name(world, token.scope_id)}
    elif token.scope == "system":
        body["system"] = {"all": True}
    if token.credential_id is not None:
        row = world["application_credentials"].rows[token.credential_id]
        restricted = not row["unrestricted"]
        body["application_credential"] = {"id": row["id"], "name": row["name"], "restricted": restricted}
    if token.scope:
        body |= {"roles": _roles(call, token), "catalog": catalog.token_catalog(call)}
    return {"token": body}


def _roles(call: Call, token: Token) -> list[Body]:
    roles = call.tokens.roles_of(token.user_id, token.scope, token.scope_id)
    if token.credential_id is not None:
        roles = call.tokens.implied(set(call.world["application_credentials"].rows[token.credential_id]["role_ids"]))
    return [{"id": role, "name": call.world["roles"].rows[role]["name"]} for role in sorted(roles)]


def _subject(call: Call) -> Token:
    token_id = call.request.headers.get("X-Subject-Token", "")
    token = call.tokens.tokens.get(token_id)
    own = token_id == call.request.headers.get("X-Auth-Token")
    if not own and not call.actor.is_admin and "service" not in call.actor.roles:
        raise ApiError(403, "You are not authorized to perform the requested action: identity:validate_token.")
    alive = call.tokens.validate(token_id) is not None
    expired_only = token is not None and call.flag("allow_expired") and _still_known(call, token)
    if token is None or not (alive or expired_only):
        raise ApiError(404, "Failed to validate token")
    return token


def _still_known(call: Call, token: Token) -> bool:
    """Nothing but its age speaks against the token."""
    scope = token.scope != "project" or token.scope_id in call.world["projects"]
    return not token.revoked and token.user_id in call.world["users"] and scope


@ROUTES.get("/auth/tokens")
def token_show(call: Call) -> Reply:
    token = _subject(call)
    return Reply(200, token_body(call, token), {"X-Subject-Token": token.id})


@ROUTES.delete("/auth/tokens")
def token_revoke(call: Call) -> Reply:
    call.tokens.revoke_one(_subject(call))
    return Reply(204)


def scopes_of(call: Call, user_id: str) -> list[Row]:
    """Projects on which the user has any role, in order of id."""
    actors = {f"user:{user_id}"} | {
        f"group:{g['group_id']}" for g in call.world["group_members"].find("user_id", user_id)
    }
    targets = {grant["target"] for actor in actors for grant in call.world["grants"].find("actor", actor)}
    direct = {target[8:] for target in targets if target.startswith("project:")}
    above = {target for target in targets if target.startswith("domain:")}
    inherited = [grant for actor in actors for grant in call.world["grants"].find("actor", actor) if grant["inherited"]]
    candidates = set(call.world["projects"].rows) if above or inherited else direct
    rows = call.world["projects"]
    return [rows.rows[p] for p in sorted(candidates) if p in rows and call.tokens.roles_of(user_id, "project", p)]


@ROUTES.get("/auth/projects")
def auth_projects(call: Call) -> Reply:
    return page(call, "projects", scopes_of(call, call.actor.user_id), lambda row: project_body(call, row), paged=False)


@ROUTES.get("/auth/domains")
def auth_domains(call: Call) -> Reply:
    domains = [
        row for row in call.world["domains"].in_order() if call.tokens.roles_of(call.actor.user_id, "domain", row["id"])
    ]
    return page(call, "domains", domains, lambda row: domain_body(call, row), paged=False)


@ROUTES.get("/auth/system")
def auth_system(call: Call) -> Reply:
    allowed = bool(call.tokens.roles_of(call.actor.user_id, "system", "all"))
    return Reply(200, {"system": [{"all": True}] if allowed else []})


@ROUTES.get("/auth/catalog")
def auth_catalog(call: Call) -> Reply:
    links = {"next": None, "self": f"{call.base}{call.path}", "previous": None}
    return Reply(200, {"catalog": catalog.token_catalog(call), "links": links})


@ROUTES.get("/users/<user_id>/projects")
def user_projects(call: Call, user_id: str) -> Reply:
    if user_id != call.actor.user_id and not call.actor.is_admin:
        raise ApiError(403, "You are not authorized to perform the requested action: identity:list_user_projects.")
    find(call.world["users"], "user", user_id)
    return page(call, "projects", scopes_of(call, user_id), lambda row: project_body(call, row), paged=False)
