"""The control port under /control: clock, life, faults, counters, writes, accounting, clouds.yaml. Loopback only."""

import json
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from werkzeug.wrappers import Request, Response

from emulator import accounting
from emulator.clock import DAY, iso_micro, parse_time
from emulator.ids import Kind
from emulator.tables import Row

if TYPE_CHECKING:
    from emulator.app import App

Answer = dict[str, Any] | str
LOOPBACK = ("127.0.0.1", "::1", "", None)
_LIVES = {"servers": Kind.SERVER, "volumes": Kind.VOLUME, "floating_ips": Kind.FLOATING_IP}


class Refused(Exception):
    """What the caller sent cannot be done; the text says why."""


def answer(app: "App", request: Request) -> Response:
    if request.remote_addr not in LOOPBACK:
        return _json({"error": "the control port answers on loopback only"}, 403)
    name, _, rest = request.path.removeprefix("/control").strip("/").partition("/")
    handler = _HANDLERS.get(("GET" if request.method == "HEAD" else request.method, name))
    if handler is None:
        known = sorted({f"{method} /control/{path}" for method, path in _HANDLERS})
        return _json({"error": f"no {request.method} /control/{name}", "known": known}, 404)
    try:
        found = handler(app, request, rest)
    except (Refused, ValueError, TypeError) as error:
        return _json({"error": str(error)}, 400)
    except LookupError as error:
        return _json({"error": f"there is no {error.args[0]}"}, 404)
    return Response(found, 200, content_type="text/yaml") if isinstance(found, str) else _json(found)


def _json(body: Answer, status: int = 200) -> Response:
    return Response(json.dumps(body), status, content_type="application/json")


def _body(request: Request) -> dict[str, Any]:
    raw = request.get_data()
    body = json.loads(raw) if raw else {}
    if not isinstance(body, dict):
        raise Refused("the body must be an object")
    return body


def clock_show(app: "App", request: Request | None = None, rest: str = "") -> Answer:
    clock = app.world.clock
    now = clock.now()
    return {
        "now": iso_micro(now, zone="Z"),
        "epoch": now,
        "speed": clock.speed,
        "origin": iso_micro(app.world.origin, zone="Z"),
    }


def clock_move(app: "App", request: Request, rest: str) -> Answer:
    """{"advance": seconds} or {"now": iso} and/or {"speed": x}; what is due in between happens."""
    body = _body(request)
    if unknown := set(body) - {"advance", "now", "speed"}:
        raise Refused(f"unknown key(s): {', '.join(sorted(unknown))}")
    with app.world.lock:
        if "now" in body:
            app.world.clock.set(parse_time(str(body["now"])))
        if "advance" in body:
            app.world.clock.advance(float(body["advance"]))
        if "speed" in body:
            app.world.clock.set_speed(float(body["speed"]))
        app.world.settle()
        return clock_show(app)


def life_give(app: "App", request: Request, rest: str) -> Answer:
    """{"project_id", "servers", "volumes", "floating_ips", "since"}: living things in any project, as if since then."""
    body = _body(request)
    if unknown := set(body) - {"project_id", "since", *_LIVES}:
        raise Refused(f"unknown key(s): {', '.join(sorted(unknown))}")
    world, project = app.world, str(body.get("project_id", ""))
    with world.lock:
        if project not in world["projects"]:
            raise LookupError(f"project {project}")
        since = int(parse_time(str(body["since"]))) if body.get("since") else world.origin
        if since >= world.now:
            raise Refused("since must lie in the past")
        span = max(DAY, int(world.now) - since)
        made = [
            _population(app, kind, project, int(body[name]), since, span)
            for name, kind in _LIVES.items()
            if body.get(name)
        ]
    return {"project_id": project, "since": iso_micro(since, zone="Z"), "populations": made}


def _population(app: "App", kind: Kind, project: str, living: int, since: int, span: int) -> Row:
    table = app.world["populations"]
    number = 1 + max((row["number"] for row in table), default=0)
    if number >= 1 << 12:
        raise Refused("too many populations")
    return table.put(
        {
            "id": str(number), "number": number, "kind": int(kind), "project_id": project, "living": living,
            "since": since, "span": span, "users": app.world.people_of(project),
        }
    )  # fmt: skip


def faults_list(app: "App", request: Request, rest: str) -> Answer:
    return {"faults": [rule.public() for rule in app.faults.all()]}


def faults_add(app: "App", request: Request, rest: str) -> Answer:
    """One rule, or {"faults": [rules]}."""
    body = _body(request)
    return {"faults": [app.add_fault(one).public() for one in body.get("faults", [body])]}


def faults_remove(app: "App", request: Request, rest: str) -> Answer:
    gone = app.remove_faults(rest or None)
    if rest and not gone:
        raise LookupError(f"fault rule {rest}")
    return {"removed": [rule.public() for rule in gone]}


def counters_show(app: "App", request: Request, rest: str) -> Answer:
    return app.counters.public()


def counters_reset(app: "App", request: Request, rest: str) -> Answer:
    """Counters and journal start again; answers what they held."""
    found = app.counters.public()
    app.counters.reset()
    return found


def writes_list(app: "App", request: Request, rest: str) -> Answer:
    last = int(request.args.get("last", "100"))
    return {"writes": list(app.counters.journal)[-last:] if last else []}


def accounting_show(app: "App", request: Request, rest: str) -> Answer:
    world = app.world
    with world.lock:
        world.settle()
        start = parse_time(request.args["from"]) if "from" in request.args else float(world.origin)
        end = min(parse_time(request.args["to"]), world.now) if "to" in request.args else world.now
        return accounting.account(world, request.args.get("project_id"), int(start), int(end))


def clouds_yaml(app: "App", request: Request, rest: str) -> Answer:
    """An entry for the cloud admin, ready for the openstack command."""
    config = app.world.config
    return f"""clouds:
  emulator:
    auth:
      auth_url: {request.host_url.rstrip("/")}/identity/v3
      username: admin
      password: {config.admin_password}
      project_name: admin
      user_domain_name: Default
      project_domain_name: Default
    region_name: {config.region}
    identity_api_version: 3
"""


def world_show(app: "App", request: Request, rest: str) -> Answer:
    world = app.world
    return {
        "config": world.config.fingerprint(),
        "clock": clock_show(app),
        "rows": {name: len(table) for name, table in world.tables.items() if len(table)},
        "changes": world.log.version,
    }


_HANDLERS: dict[tuple[str, str], Callable[["App", Request, str], Answer]] = {
    ("GET", ""): world_show,
    ("GET", "clock"): clock_show,
    ("POST", "clock"): clock_move,
    ("POST", "life"): life_give,
    ("GET", "faults"): faults_list,
    ("POST", "faults"): faults_add,
    ("DELETE", "faults"): faults_remove,
    ("GET", "counters"): counters_show,
    ("DELETE", "counters"): counters_reset,
    ("GET", "writes"): writes_list,
    ("GET", "accounting"): accounting_show,
    ("GET", "clouds.yaml"): clouds_yaml,
}
