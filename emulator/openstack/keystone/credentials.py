"""Application credentials: made only by the user they are for, bound to the roles of that moment."""

from emulator import seed
from emulator.clock import iso_micro, parse_time
from emulator.openstack.keystone.common import conflict, find, forbid, missing, page, routes, self_link
from emulator.tables import Row
from emulator.wire import ApiError, Body, Call, Reply

ROUTES = routes()
_PATH = "/users/<user_id>/application_credentials"


def _body(call: Call, row: Row) -> Body:
    roles = [call.world["roles"].rows[role] for role in row["role_ids"] if role in call.world["roles"]]
    return {
        "id": row["id"], "name": row["name"], "description": row["description"], "user_id": row["user_id"],
        "project_id": row["project_id"], "system": None,
        "expires_at": None if row["expires"] is None else iso_micro(row["expires"]),
        "unrestricted": row["unrestricted"], "roles": roles,
        "links": self_link(call, f"application_credentials/{row['id']}"),
    }  # fmt: skip


def _mine(call: Call, user_id: str, action: str, *, reading: bool) -> None:
    """Admins may look and delete, but not even they may make one for somebody else."""
    if call.actor.user_id == user_id:
        return
    if not (reading and (call.actor.is_admin or call.actor.system)):
        raise forbid(action)


@ROUTES.get(_PATH)
def credential_list(call: Call, user_id: str) -> Reply:
    _mine(call, user_id, "list_application_credentials", reading=True)
    rows = sorted(call.world["application_credentials"].find("user_id", user_id), key=lambda row: str(row["id"]))
    rows = [row for row in rows if call.args.get("name") in (None, row["name"])]
    return page(call, "application_credentials", rows, lambda row: _body(call, row), paged=False)


@ROUTES.post(_PATH)
def credential_create(call: Call, user_id: str) -> Reply:
    _mine(call, user_id, "create_application_credential", reading=False)
    _unrestricted(call)
    if call.actor.project_id is None:
        raise ApiError(400, "Invalid application credential: a project-scoped token is needed.")
    given = call.document("application_credential")
    name = given.get("name")
    if not isinstance(name, str) or not name:
        raise ApiError(400, "Invalid input for field/attribute application_credential. 'name' is a required property")
    if any(row["name"] == name for row in call.world["application_credentials"].find("user_id", user_id)):
        raise conflict("application_credential", f"Duplicate entry found with name {name}.")
    new_id = call.world.new_id()
    secret = str(given.get("secret") or call.world.ids.secret("application-credential", new_id, size=43))
    row = {
        "id": new_id, "name": name, "description": given.get("description"), "user_id": user_id,
        "project_id": call.actor.project_id, "expires": _expiry(call, given), "unrestricted": given.get("unrestricted"),
        "role_ids": _roles(call, given), "secret_digest": seed.digest(call.world, new_id, secret),
    }  # fmt: skip
    body = _body(call, call.world["application_credentials"].put(row))
    return Reply(201, {"application_credential": {**body, "secret": secret}})


def _unrestricted(call: Call) -> None:
    if not call.actor.restricted:
        return
    credential = call.world["application_credentials"].get(call.actor.token.credential_id or "")
    if not (credential and credential["unrestricted"]):
        raise ApiError(
            403,
            "You are not authorized to perform the requested action: Using method 'application_credential' is not "
            "allowed for managing additional application credentials..",
        )


def _expiry(call: Call, given: Body) -> float | None:
    text = given.get("expires_at")
    if text is None:
        return None
    try:
        moment = parse_time(str(text))
    except ValueError:
        raise ApiError(
            400, f"Invalid input for field/attribute expires_at. Value: {text}. {text!r} is not a 'date-time'"
        ) from None
    if moment <= call.now:
        raise ApiError(400, "Invalid application credential: the expiry lies in the past.")
    return moment


def _roles(call: Call, given: Body) -> list[str]:
    """Ids of the roles asked for (all of the token's without), with what they imply; 400 for one the user has not."""
    held = call.tokens.roles_of(call.actor.user_id, "project", call.actor.project_id or "")
    if not given.get("roles"):
        return sorted(held)
    wanted = set()
    for one in given["roles"]:
        found = (
            call.world["roles"].get(one["id"])
            if "id" in one
            else next(iter(call.world["roles"].find("name", one.get("name"))), None)
        )
        if found is None or found["id"] not in held:
            raise missing("role", str(one.get("id") or one.get("name")))
        wanted.add(found["id"])
    return sorted(call.tokens.implied(wanted))


def _find(call: Call, user_id: str, credential_id: str) -> Row:
    row = find(call.world["application_credentials"], "Application Credential", credential_id)
    if row["user_id"] != user_id:
        raise missing("Application Credential", credential_id)
    return row


@ROUTES.get(f"{_PATH}/<credential_id>")
def credential_show(call: Call, user_id: str, credential_id: str) -> Reply:
    _mine(call, user_id, "get_application_credential", reading=True)
    return Reply(200, {"application_credential": _body(call, _find(call, user_id, credential_id))})


@ROUTES.delete(f"{_PATH}/<credential_id>")
def credential_delete(call: Call, user_id: str, credential_id: str) -> Reply:
    _mine(call, user_id, "delete_application_credential", reading=True)
    _unrestricted(call)
    call.world["application_credentials"].remove(_find(call, user_id, credential_id)["id"])
    return Reply(204)
