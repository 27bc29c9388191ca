"""POST /servers/{id}/action: what people do with a server; each takes a moment of the world's time."""

from collections.abc import Callable

from emulator.openstack.nova import quotas
from emulator.openstack.nova.bodies import vm_state
from emulator.openstack.nova.common import bad, require_role, routes
from emulator.openstack.nova.flavors import find_flavor
from emulator.openstack.nova.servers import find_server
from emulator.stories import BOOTING, MIGRATING, SHORT, Action, Phase, Server
from emulator.tables import Row
from emulator.wire import ApiError, Body, Call, Reply

ROUTES = routes()


def _state(call: Call, server: Server, verb: str, *allowed: str) -> Phase:
    """The phase the server is in; 409 in Nova's words when it is busy or in another state."""
    phase = server.phase(call.now)
    if phase.task is not None:
        raise ApiError(409, f"Cannot '{verb}' instance {server.id} while it is in task_state {phase.task}")
    if phase.status not in allowed:
        raise ApiError(409, f"Cannot '{verb}' instance {server.id} while it is in vm_state {vm_state(phase)}")
    return phase


def _go(
    call: Call, server: Server, name: str, takes: int, task: str, now: Phase, after: str, flavor: str | None = None
) -> None:
    """Leave `now` with a task, be `after` when it is done."""
    at = int(call.now)
    server.forget_future(call.now)
    server.phases += [Phase(at, now.status, now.flavor, task), Phase(at + takes, after, flavor or now.flavor)]
    server.actions.append(Action(name, at, at + takes, call.actor.user_id))


def _stop(call: Call, server: Server, given: Body) -> int:
    phase = _state(call, server, "stop", "ACTIVE", "ERROR", "PAUSED")
    _go(call, server, "stop", SHORT, "powering-off", phase, "SHUTOFF")
    return 202


def _start(call: Call, server: Server, given: Body) -> int:
    phase = _state(call, server, "start", "SHUTOFF")
    _go(call, server, "start", SHORT, "powering-on", phase, "ACTIVE")
    return 202


def _reboot(call: Call, server: Server, given: Body) -> int:
    phase = _state(call, server, "reboot", "ACTIVE", "SHUTOFF", "PAUSED")
    if given.get("type") not in ("SOFT", "HARD"):
        raise bad(f"Invalid input for field/attribute type. Value: {given.get('type')}. not one of ['SOFT', 'HARD']")
    _go(call, server, "reboot", SHORT, "rebooting", Phase(phase.at, "REBOOT", phase.flavor), "ACTIVE")
    return 202


def _pause(call: Call, server: Server, given: Body) -> int:
    phase = _state(call, server, "pause", "ACTIVE")
    _go(call, server, "pause", 1, "pausing", phase, "PAUSED")
    return 202


def _unpause(call: Call, server: Server, given: Body) -> int:
    phase = _state(call, server, "unpause", "PAUSED")
    _go(call, server, "unpause", 1, "unpausing", phase, "ACTIVE")
    return 202


def _shelve(call: Call, server: Server, given: Body) -> int:
    phase = _state(call, server, "shelve", "ACTIVE", "SHUTOFF", "PAUSED")
    _go(call, server, "shelve", 2 * SHORT, "shelving", phase, "SHELVED_OFFLOADED")
    return 202


def _unshelve(call: Call, server: Server, given: Body) -> int:
    phase = _state(call, server, "unshelve", "SHELVED_OFFLOADED")
    _go(call, server, "unshelve", BOOTING, "unshelving", phase, "ACTIVE")
    server.launches.append(int(call.now) + BOOTING)
    return 202


def _resize(call: Call, server: Server, given: Body) -> int:
    phase = _state(call, server, "resize", "ACTIVE", "SHUTOFF")
    try:
        new = find_flavor(call, str(given.get("flavorRef", "")))
    except ApiError as error:
        raise bad(error.message) from None
    if new["id"] == phase.flavor:
        raise bad("When resizing, instances must change flavor!")
    _check_growth(call, server, call.world["flavors"].rows[phase.flavor], new)
    _go(
        call,
        server,
        "resize",
        MIGRATING,
        "resize_migrating",
        Phase(phase.at, "RESIZE", phase.flavor),
        "VERIFY_RESIZE",
        new["id"],
    )
    server.launches.append(int(call.now) + MIGRATING)
    return 202


def _check_growth(call: Call, server: Server, old: Row, new: Row) -> None:
    """Only what a resize adds counts; a smaller flavor always fits."""
    limits, used = quotas.limits_of(call, server.project_id), quotas.in_use(call, server.project_id)
    for key, more in (("cores", new["vcpus"] - old["vcpus"]), ("ram", new["ram"] - old["ram"])):
        if more > 0 and 0 <= limits[key] < used[key] + more:
            raise ApiError(
                403, f"Quota exceeded for {key}: Requested {more}, but already used {used[key]} of {limits[key]} {key}"
            )


def _confirm(call: Call, server: Server, given: Body) -> int:
    phase = _state(call, server, "confirmResize", "VERIFY_RESIZE")
    _go(call, server, "confirmResize", 1, "resize_confirming", phase, "ACTIVE")
    return 204


def _revert(call: Call, server: Server, given: Body) -> int:
    phase = _state(call, server, "revertResize", "VERIFY_RESIZE")
    before = next(old.flavor for old in reversed(server.phases) if old.flavor != phase.flavor)
    _go(
        call,
        server,
        "revertResize",
        MIGRATING,
        "resize_reverting",
        Phase(phase.at, "REVERT_RESIZE", phase.flavor),
        "ACTIVE",
        before,
    )
    server.launches.append(int(call.now) + MIGRATING)
    return 202


_VERBS: dict[str, Callable[[Call, Server, Body], int]] = {
    "os-stop": _stop, "os-start": _start, "reboot": _reboot, "pause": _pause, "unpause": _unpause, "shelve": _shelve,
    "unshelve": _unshelve, "resize": _resize, "confirmResize": _confirm, "revertResize": _revert,
}  # fmt: skip


@ROUTES.post("/servers/<server_id>/action")
def server_action(call: Call, server_id: str) -> Reply:
    require_role(call, "member", "servers:action")
    body = call.json()
    verb = next(iter(body), "")
    if len(body) != 1 or verb not in _VERBS:
        raise bad(f"There is no such action: {', '.join(body)}")
    server = find_server(call, server_id)
    given = body[verb] if isinstance(body[verb], dict) else {}
    status = _VERBS[verb](call, server, given)
    call.world.servers.put(server)
    return Reply(status)
