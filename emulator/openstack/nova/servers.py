"""Servers: create, list, show, rename, delete."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from emulator.clock import parse_time
from emulator.ids import dashed
from emulator.openstack.nova import quotas
from emulator.openstack.nova.bodies import server_body, short_body
from emulator.openstack.nova.common import bad, forbid, invalid, is_admin, links, require_role, routes
from emulator.openstack.nova.flavors import find_flavor
from emulator.stories import BOOTING, DELETING, Action, Phase, Server
from emulator.tables import Row
from emulator.wire import ApiError, Body, Call, Reply, take

ROUTES = routes()
PAGE = 1000


def find_server(call: Call, server_id: str, *, dead: bool = False) -> Server:
    """A server the caller may see: another project's does not exist for a member. 404 when it is gone."""
    server: Server | None = call.world.servers.find(server_id, call.now)
    mine = server is not None and (is_admin(call) or server.project_id == call.actor.project_id)
    if server is None or not mine or (server.ends <= call.now and not dead):
        raise ApiError(404, f"Instance {server_id} could not be found.")
    return server


def _wanted(call: Call) -> Iterator[Server]:
    """The servers the query asks for, newest first."""
    everywhere = call.flag("all_tenants") or call.flag("all_projects")
    if everywhere and not is_admin(call):
        raise forbid(
            "servers:index:get_all_tenants" if not call.path.endswith("detail") else "servers:detail:get_all_tenants"
        )
    own = None if everywhere else require_role(call, "reader", "servers:index")
    project = own or call.args.get("project_id") or call.args.get("tenant_id")
    since = _since(call)
    deleted = call.flag("deleted") and is_admin(call)
    ended_since = since if since is not None else 0.0 if deleted else None
    try:
        found = call.world.servers.walk(
            call.now, project=project, marker=call.args.get("marker"), ended_since=ended_since
        )
    except LookupError as error:
        raise bad(f"marker [{error.args[0]}] not found") from None
    return _filtered(call, found, since, deleted)


def _since(call: Call) -> float | None:
    text = call.args.get("changes-since")
    if text is None:
        return None
    try:
        return parse_time(text)
    except ValueError:
        raise invalid("query parameters changes-since", text, f"{text!r} is not a 'date-time'") from None


def _filtered(call: Call, found: Iterator[Server], since: float | None, deleted: bool) -> Iterator[Server]:
    args, now = call.args, call.now
    status, name, user = args.get("status", "").upper(), args.get("name"), args.get("user_id")
    for server in found:
        if since is not None and server.updated(now) < since:
            continue
        if deleted and server.ends > now:
            continue
        if status and server.phase(now).status != status:
            continue
        if (name is not None and name not in server.name) or user not in (None, server.user_id):
            continue
        yield server


def _listed(call: Call, body: Any) -> Reply:
    limit = min(call.number("limit") or PAGE, PAGE)
    page = take(_wanted(call), limit)
    answer: Body = {"servers": [body(call, server) for server in page]}
    if len(page) == limit:  # a full page always promises another, even an empty one
        answer["servers_links"] = [
            {"rel": "next", "href": call.page_url(limit=call.args.get("limit"), marker=page[-1].id)}
        ]
    return Reply(200, answer)


@ROUTES.get("/servers")
def server_list(call: Call) -> Reply:
    return _listed(call, short_body)


@ROUTES.get("/servers/detail")
def server_detail(call: Call) -> Reply:
    return _listed(call, server_body)


@ROUTES.get("/servers/<server_id>")
def server_show(call: Call, server_id: str) -> Reply:
    require_role(call, "reader", "servers:show")
    return Reply(200, {"server": server_body(call, find_server(call, server_id))})


@ROUTES.post("/servers")
def server_create(call: Call) -> Reply:
    project = require_role(call, "member", "servers:create")
    given = call.document("server")
    name = given.get("name")
    if not isinstance(name, str) or not name.strip():
        raise invalid("name", name, f"{name!r} is too short")
    flavor = _flavor(call, str(given.get("flavorRef", "")))
    count = max(call.whole(given, "min_count", 1), call.whole(given, "max_count", 1))
    late = check_quota(call, project, count, flavor)
    image, network = _image(call, given), _network(call, given, project)
    names = [name] if count == 1 else [f"{name}-{n + 1}" for n in range(count)]
    plan = _Boot(project=project, flavor=flavor["id"], image=image, network=network, given=given, refused=late)
    first, *_ = [_boot(call, plan, one) for one in names]
    body: Body = {
        "id": first.id, "links": links(call, f"servers/{first.id}"), "OS-DCF:diskConfig": "MANUAL",
        "security_groups": [{"name": "default"}], "adminPass": call.world.ids.secret("admin-pass", first.id, size=6),
    }  # fmt: skip
    return Reply(202, {"server": body}, {"Location": body["links"][0]["href"]})


def _flavor(call: Call, given: str) -> Row:
    try:
        return find_flavor(call, given.rstrip("/").rpartition("/")[2])
    except ApiError as error:
        raise bad(error.message) from None


def _image(call: Call, given: Body) -> str | None:
    image = str(given.get("imageRef") or "").rpartition("/")[2]
    if not image:
        if given.get("block_device_mapping_v2"):
            return None
        raise bad("Invalid imageRef provided.")
    if image not in call.world["images"]:
        raise bad(f"Can not find requested image {image}.")
    return image


def _network(call: Call, given: Body, project: str) -> str | None:
    wanted = given.get("networks")
    if wanted == "none":
        return None
    if isinstance(wanted, list) and wanted:
        network = str(wanted[0].get("uuid") or "")
        if network and network not in call.world["networks"]:
            raise bad(f"Network {network} could not be found.")
        return network or None
    own = call.world["networks"].find("project_id", project)
    if wanted is None and call.version >= (2, 37):
        raise invalid("server", given, "'networks' is a required property")
    if len(own) > 1 and wanted != "auto":
        raise ApiError(409, "Multiple possible networks found, use a Network ID to be more specific.")
    return str(own[0]["id"]) if own else None


def check_quota(call: Call, project: str, count: int, flavor: Row) -> str | None:
    """403 in Nova's words when it does not fit. Boots of this very second are not seen yet by the first look.

    So two quick boots may both be accepted; the second look finds the later one and its text is returned: that server
    goes to ERROR, and counts as used all the same.
    """
    limits, used = quotas.limits_of(call, project), quotas.in_use(call, project)
    more = {"cores": count * flavor["vcpus"], "instances": count, "ram": count * flavor["ram"]}
    seen = dict(used)
    for server in call.world.servers.stored(project):
        if server.created == int(call.now):
            size = call.world["flavors"].rows[server.phases[0].flavor]
            for key, amount in (("cores", size["vcpus"]), ("instances", 1), ("ram", size["ram"])):
                seen[key] -= amount
    if text := _exceeded(limits, seen, more):
        raise ApiError(403, text)
    return _exceeded(limits, used, more)


def _exceeded(limits: Body, used: dict[str, int], more: dict[str, int]) -> str | None:
    over = [key for key in ("cores", "instances", "ram") if 0 <= limits[key] < used[key] + more[key]]
    if not over:
        return None
    text = f"Quota exceeded for {', '.join(over)}: Requested {_join(more, over)}, but already used {_join(used, over)}"
    return f"{text} of {_join(limits, over)} {', '.join(over)}"


def _join(numbers: dict[str, Any], keys: list[str]) -> str:
    return ", ".join(str(numbers[key]) for key in keys)


@dataclass(frozen=True, slots=True)
class _Boot:
    """What all servers of one request share; `refused` is why they will go to ERROR."""

    project: str
    flavor: str
    image: str | None
    network: str | None
    given: Body
    refused: str | None


def _boot(call: Call, plan: _Boot, name: str) -> Server:
    world, at, number = call.world, int(call.now), len(call.world["servers"])
    built = Phase(at + 1, "ERROR", plan.flavor) if plan.refused else Phase(at + BOOTING, "ACTIVE", plan.flavor)
    server = Server(
        id=dashed(world.new_id()),
        name=name,
        project_id=plan.project,
        user_id=call.actor.user_id,
        created=at,
        phases=[Phase(at, "BUILD", plan.flavor, "spawning"), built],
        actions=[Action("create", at, built.at, call.actor.user_id)],
        launches=[] if plan.refused else [built.at],
        fault=plan.refused,
        fault_code=413 if plan.refused else 500,
        image_id=plan.image,
        number=900_000_000 + number,
        network_id=plan.network,
        address=world.address_on(plan.network, number) if plan.network else None,
        key_name=plan.given.get("key_name"),
        description=plan.given.get("description"),
        metadata=dict(plan.given.get("metadata") or {}),
    )
    world.servers.put(server)
    return server


@ROUTES.put("/servers/<server_id>")
def server_update(call: Call, server_id: str) -> Reply:
    require_role(call, "member", "servers:update")
    server = find_server(call, server_id)
    given = call.document("server")
    server.name = str(given.get("name", server.name))
    server.description = given.get("description", server.description)
    call.world.servers.put(server)
    return Reply(200, {"server": server_body(call, server)})


@ROUTES.delete("/servers/<server_id>")
def server_delete(call: Call, server_id: str) -> Reply:
    """204 at once; gone some seconds later, and then only in lists with changes-since or deleted."""
    require_role(call, "member", "servers:delete")
    server = find_server(call, server_id)
    at, last = int(call.now), server.phase(call.now)
    if last.task == "deleting":
        return Reply(204)
    server.forget_future(call.now)
    server.phases += [Phase(at, last.status, last.flavor, "deleting"), Phase(at + DELETING, "DELETED", last.flavor)]
    server.actions.append(Action("delete", at, at + DELETING, call.actor.user_id))
    server.ends = at + DELETING
    call.world.servers.put(server)
    return Reply(204)
