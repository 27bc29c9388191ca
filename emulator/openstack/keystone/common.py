"""What all of Keystone shares: who may, how a list pages, how an object looks and is not found."""

from collections.abc import Callable, Sequence
from typing import Any

from emulator.tables import Row, Table
from emulator.wire import ApiError, Body, Call, Reply, Routes
from emulator.world import World

V3 = "/identity/v3"
READER = "reader"
# Query words that are never filters.
_NOT_FILTERS = frozenset(("limit", "marker", "sort_key", "sort_dir"))
_COMPARE: dict[str, Callable[[str, str], bool]] = {
    "contains": lambda have, want: want in have,
    "startswith": lambda have, want: have.startswith(want),
    "endswith": lambda have, want: have.endswith(want),
    "icontains": lambda have, want: want.lower() in have.lower(),
}


def routes() -> Routes:
    return Routes(V3)


def forbid(action: str) -> ApiError:
    return ApiError(403, f"You are not authorized to perform the requested action: identity:{action}.")


def is_domain_manager(call: Call) -> bool:
    return call.actor.domain_id is not None and "manager" in call.actor.roles


def require_admin(call: Call, action: str) -> None:
    if not call.actor.is_admin:
        raise forbid(action)


def require_admin_or_manager(call: Call, action: str, domain: str | None) -> None:
    """The cloud admin, or a manager of the domain the thing is in."""
    if not (call.actor.is_admin or (is_domain_manager(call) and call.actor.domain_id == domain)):
        raise forbid(action)


def may_read_all(call: Call) -> bool:
    return call.actor.is_admin or (call.actor.system and READER in call.actor.roles)


def visible_domain(call: Call, action: str) -> str | None:
    """None: may list everything; a domain id: only that domain's. Raises 403 for everybody else."""
    if may_read_all(call):
        return None
    if call.actor.domain_id is not None and READER in call.actor.roles:
        return call.actor.domain_id
    raise forbid(action)


def missing(kind: str, row_id: str) -> ApiError:
    return ApiError(404, f"Could not find {kind}: {row_id}.")


def find(table: Table, kind: str, row_id: str) -> Row:
    row = table.get(row_id)
    if row is None:
        raise missing(kind, row_id)
    return row


def self_link(call: Call, path: str) -> Body:
    return {"self": f"{call.base}{V3}/{path}"}


def conflict(kind: str, detail: str) -> ApiError:
    return ApiError(409, f"Conflict occurred attempting to store {kind} - {detail}")


def check_name(name: Any, *, longest: int) -> str:
    if not isinstance(name, str) or not name.strip():
        raise ApiError(400, f"Invalid input for field/attribute name. Value: {name}. {name!r} is too short")
    if len(name) > longest:
        raise ApiError(400, f"Invalid input for field/attribute name. Value: {name}. {name!r} is too long")
    return name


def check_enabled(given: Body) -> None:
    value = given.get("enabled", True)
    if not isinstance(value, bool):
        raise ApiError(
            400, f"Invalid input for field/attribute enabled. Value: {value}. {value!r} is not of type 'boolean'"
        )


def keep_if(call: Call, known: Sequence[str]) -> list[Callable[[Row], bool]]:
    """The filters of the query that Keystone knows; unknown ones are ignored without a word, as the real one does."""
    tests: list[Callable[[Row], bool]] = []
    for key, value in call.args.items():
        name, _, how = key.partition("__")
        if name not in known or key in _NOT_FILTERS:
            continue
        if how:
            compare = _COMPARE.get(how)
            if compare is not None:
                tests.append(lambda row, n=name, c=compare, v=value: c(str(row.get(n) or ""), v))  # type: ignore[misc]
        elif name in ("enabled", "is_domain"):
            wanted = value.lower() not in ("0", "false")
            tests.append(lambda row, n=name, w=wanted: row.get(n) == w)  # type: ignore[misc]
        else:
            tests.append(lambda row, n=name, v=value: str(row.get(n) if row.get(n) is not None else "") == v)  # type: ignore[misc]
    return tests


def page(
    call: Call,
    key: str,
    rows: Sequence[Row],
    render: Callable[[Row], Body],
    *,
    paged: bool = True,
    strict_marker: bool = False,
) -> Reply:
    """One list reply. `paged` obeys limit, marker and list_limit; `strict_marker` answers 404 to a strange marker."""
    found, newest = list(rows), call.world.config.release != "zed"
    limit = call.number("limit") if paged and newest else None
    marker = call.args.get("marker") if paged and newest else None
    if marker:
        place = next((n for n, row in enumerate(found) if row["id"] == marker), None)
        if place is None and strict_marker:
            raise ApiError(404, f"Marker {marker} could not be found")
        found = found[place + 1 :] if place is not None else [row for row in found if row["id"] > marker]
    caps = [cap for cap in (limit, call.world.config.list_limit if paged else None) if cap]
    size = min(caps, default=len(found))
    truncated = len(found) > size
    found = found[:size]
    body: Body = {key: [render(row) for row in found], "links": {"next": None, "self": _self(call), "previous": None}}
    if truncated:
        body["truncated"] = True
        if newest:  # before paging came, a truncated list said so and gave no way on
            body["links"]["next"] = _next(call, found[-1]["id"], size)
    return Reply(200, body)


def _self(call: Call) -> str:
    query = call.request.query_string.decode()
    return f"{call.base}{call.path}" + (f"?{query}" if query else "")


def _next(call: Call, marker: str, size: int) -> str:
    if call.args.get("limit"):
        return call.page_url(limit=call.args["limit"], marker=marker)
    return call.page_url(marker=marker, limit=size)


def domain_name(world: World, domain_id: str) -> str:
    row = world["domains"].get(domain_id)
    return str(row["name"]) if row else domain_id
