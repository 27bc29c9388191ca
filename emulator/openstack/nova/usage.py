"""os-simple-tenant-usage with its dates, its zero window and its pages of instances."""

from collections.abc import Iterator
from itertools import groupby

from emulator.clock import iso_micro, parse_naive
from emulator.openstack.nova.bodies import vm_state
from emulator.openstack.nova.common import bad, require_admin, require_project, routes
from emulator.stories import Server
from emulator.wire import Body, Call, Reply, take

ROUTES = routes()
PAGE = 1000
_FORMATS = ("%Y-%m-%dT%H:%M:%S", "%Y-%m-%dT%H:%M:%S.%f", "%Y-%m-%d %H:%M:%S.%f")
_TICK = 7e-6  # what passes between two readings of the clock: the window of a request without a start


def _time(call: Call, name: str) -> float | None:
    text = call.args.get(name)
    if text is None:
        return None
    try:
        return parse_naive(text, *_FORMATS)
    except ValueError:
        raise bad("Invalid datetime string: Datetime is in invalid format") from None


def _window(call: Call) -> tuple[float, float]:
    """(start, stop): without a start it is now, and the window next to nothing; a stop in the future is now."""
    start, stop = _time(call, "start"), _time(call, "end")
    now = call.now
    start = now if start is None else start
    stop = now + _TICK if stop is None or stop > now else stop
    if start >= stop:
        raise bad("Invalid start time. The start time cannot occur after the end time.")
    return start, stop


def _counted(call: Call, project: str, start: float, stop: float) -> Iterator[Server]:
    """Launched before the end of the window and not gone before its start; what never started is not there."""
    for server in call.world.servers.walk(call.now, project=project, ended_since=start):
        launched = server.launched(call.now)
        if launched is not None and launched <= stop:
            yield server


def _line(call: Call, server: Server, start: float, stop: float) -> Body:
    """As Nova reckons: from the last launch on, with the flavor of today, stopped or not."""
    now, phase = call.now, server.phase(call.now)
    launched = server.launched(now) or server.created
    ended = server.ends if phase.status == "DELETED" else None
    hours = max(0.0, min(stop, ended if ended is not None else stop) - max(start, launched)) / 3600
    flavor = call.world["flavors"].rows[phase.flavor]
    return {
        "hours": hours, "flavor": flavor["name"], "instance_id": server.id, "name": server.name,
        "tenant_id": server.project_id, "memory_mb": flavor["ram"], "local_gb": flavor["disk"] + flavor["ephemeral"],
        "vcpus": flavor["vcpus"], "started_at": iso_micro(launched),
        "ended_at": None if ended is None else iso_micro(ended),
        "state": "terminated" if ended is not None else vm_state(phase), "uptime": int((ended or now) - launched),
    }  # fmt: skip


def _total(project: str, lines: list[Body], start: float, stop: float, detailed: bool) -> Body:
    body: Body = {"tenant_id": project, "server_usages": lines} if detailed else {"tenant_id": project}
    return body | {
        "total_local_gb_usage": sum(line["hours"] * line["local_gb"] for line in lines),
        "total_vcpus_usage": sum(line["hours"] * line["vcpus"] for line in lines),
        "total_memory_mb_usage": sum(line["hours"] * line["memory_mb"] for line in lines),
        "total_hours": sum(line["hours"] for line in lines), "start": iso_micro(start), "stop": iso_micro(stop),
    }  # fmt: skip


def _after_marker(call: Call, projects: list[str], start: float, stop: float) -> Iterator[Server]:
    """Instances in order of project and id, from the marker on: so one project's totals may be split over pages."""
    marker, paged = call.args.get("marker"), call.version >= (2, 40)
    seen = None
    if marker and paged:
        seen = call.world.servers.find(marker, call.now)
        if seen is None:
            raise bad(f"marker [{marker}] not found")
    for project in projects:
        if seen is not None and project < seen.project_id:
            continue
        servers = sorted(_counted(call, project, start, stop), key=lambda server: server.id)
        for server in servers:
            if seen is None or project > seen.project_id or server.id > seen.id:
                yield server


def _page(call: Call, projects: list[str], start: float, stop: float) -> tuple[list[Server], str | None]:
    found = _after_marker(call, projects, start, stop)
    if call.version < (2, 40):
        return list(found), None
    limit = min(call.number("limit") or PAGE, PAGE)
    page = take(found, limit)
    return page, page[-1].id if len(page) == limit else None


def _next(call: Call, key: str, marker: str | None) -> Body:
    if marker is None:
        return {}
    return {key: [{"rel": "next", "href": call.page_url(limit=call.args.get("limit"), marker=marker)}]}


@ROUTES.get("/os-simple-tenant-usage")
def usage_list(call: Call) -> Reply:
    require_admin(call, "os-simple-tenant-usage:list")
    start, stop = _window(call)
    page, marker = _page(call, _projects(call), start, stop)
    detailed = call.args.get("detailed") == "1"
    usages = [
        _total(project, [_line(call, server, start, stop) for server in servers], start, stop, detailed)
        for project, servers in groupby(page, key=lambda server: server.project_id)
    ]
    return Reply(200, {"tenant_usages": usages, **_next(call, "tenant_usages_links", marker)})


def _projects(call: Call) -> list[str]:
    """Every project that ever had a server, dead projects included."""
    world = call.world
    found = {row["project_id"] for row in world["servers"]} | set(world.wheel)
    return sorted(found | {row["project_id"] for row in world["populations"]})


@ROUTES.get("/os-simple-tenant-usage/<project_id>")
def usage_show(call: Call, project_id: str) -> Reply:
    """An unknown project is an empty usage, not a 404."""
    require_project(call, project_id, "os-simple-tenant-usage:show")
    start, stop = _window(call)
    page, marker = _page(call, [project_id], start, stop)
    if not page:
        return Reply(200, {"tenant_usage": {}})
    usage = _total(project_id, [_line(call, server, start, stop) for server in page], start, stop, detailed=True)
    return Reply(200, {"tenant_usage": usage, **_next(call, "tenant_usage_links", marker)})
