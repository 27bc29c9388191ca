"""What all of Neutron shares: rights, errors, fields, filters, pages."""

from collections.abc import Iterable, Iterator
from itertools import chain
from typing import Any

from emulator import seed
from emulator.clock import iso_z
from emulator.tables import Row
from emulator.wire import ApiError, Body, Call, Reply, Routes, take

PREFIX = "/network/v2.0"
PAGE = 1000
_CONTROLS = frozenset(("limit", "marker", "page_reverse", "fields", "sort_key", "sort_dir"))


def routes() -> Routes:
    return Routes(PREFIX)


def is_admin(call: Call) -> bool:
    return call.actor.is_admin and call.actor.project_id is not None


def forbid(rule: str) -> ApiError:
    return ApiError(403, f"rule:{rule} is disallowed by policy", kind="PolicyNotAuthorized")


def bad(message: str) -> ApiError:
    return ApiError(400, message, kind="HTTPBadRequest")


def missing(kind: str, row_id: str) -> ApiError:
    return ApiError(404, f"{kind} {row_id} could not be found.", kind=f"{kind.replace(' ', '')}NotFound")


def require_admin(call: Call, rule: str) -> None:
    if not is_admin(call):
        raise forbid(rule)


def require_role(call: Call, role: str, rule: str) -> str:
    if call.actor.project_id is None or role not in call.actor.roles:
        raise forbid(rule)
    return call.actor.project_id


def owner(call: Call, given: Body, rule: str) -> str:
    """The project a new thing is for: the caller's own, or any for an admin."""
    own = require_role(call, "member", rule)
    asked = given.get("project_id") or given.get("tenant_id") or own
    if asked != own:
        require_admin(call, rule)
    return str(asked)


def stamps(row: Row, *, revision: int = 1) -> Body:
    return {
        "description": row.get("description", ""), "tags": row.get("tags", []), "created_at": iso_z(row["created"]),
        "updated_at": iso_z(row["updated"] if "updated" in row else row["created"]), "revision_number": revision,
    }  # fmt: skip


def visible_project(call: Call) -> str | None:
    """The project a list is limited to: everything for admins who do not ask for one."""
    own = require_role(call, "reader", "get")
    asked = call.args.get("project_id") or call.args.get("tenant_id")
    return asked if is_admin(call) else own


def _fits(call: Call, body: Body) -> bool:
    for key in call.args:
        if key in _CONTROLS or key not in body:
            continue
        wanted = call.args.getlist(key)
        have = body[key]
        text = str(have).lower() if isinstance(have, bool) else "" if have is None else str(have)
        if not any(text == (want.lower() if isinstance(have, bool) else want) for want in wanted):
            return False
    return True


def fields(call: Call, body: Body) -> Body:
    wanted = call.args.getlist("fields")
    return {key: body[key] for key in wanted if key in body} if wanted else body


def listed(call: Call, key: str, bodies: Iterable[Body], *, marked: bool = False) -> Reply:
    """One list reply. `marked`: the marker has been obeyed already by the source of `bodies`."""
    found: Iterator[Body] = (body for body in bodies if _fits(call, body))
    limit, marker = call.number("limit"), call.args.get("marker")
    if marker and not marked:
        for body in found:
            if body["id"] == marker:
                break
        else:
            raise bad(f"Invalid input for operation: marker {marker} not found.")
    page = take(found, limit) if limit else list(found)
    answer: Body = {key: [fields(call, body) for body in page]}
    if limit:
        links = []
        if len(page) == limit:
            links.append({"rel": "next", "href": call.page_url(marker=page[-1]["id"])})
        if page:
            links.append({"rel": "previous", "href": call.page_url(marker=page[0]["id"], page_reverse=True)})
        if links:
            answer[f"{key}_links"] = links
    return Reply(200, answer)


def find(call: Call, table: str, kind: str, row_id: str, *, writing: bool = False) -> Row:
    """A row the caller may see (or change); another project's does not exist for it."""
    row = call.world[table].get(row_id)
    own = row is not None and (is_admin(call) or row["project_id"] == call.actor.project_id)
    shared = row is not None and not writing and (row.get("shared") or row.get("external"))
    if row is None or not (own or shared):
        raise missing(kind, row_id)
    if writing:
        require_role(call, "member", f"update_{table[:-1]}")
    return row


def changed(call: Call, table: str, row: Row, given: Body, allowed: tuple[str, ...]) -> Row:
    for key in given:
        if key not in allowed:
            raise bad(f"Unrecognized attribute(s) '{key}'")
    return call.world[table].put({**row, **given, "updated": int(call.now)})


def default_group(call: Call, project: str) -> None:
    """Neutron makes a project's default security group the first time the project has anything to do with it."""
    groups = call.world["security_groups"]
    if not any(row["name"] == "default" for row in groups.find("project_id", project)):
        groups.put(seed.default_group(call.world, project, int(call.now)))


def both(*parts: Iterable[Any]) -> Iterator[Any]:
    return chain(*parts)
