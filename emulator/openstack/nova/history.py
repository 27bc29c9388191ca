"""os-instance-actions: what happened to a server and when, also after it is gone."""

from emulator.clock import iso_micro
from emulator.openstack.nova.bodies import host_name
from emulator.openstack.nova.common import bad, require_role, routes
from emulator.openstack.nova.servers import find_server
from emulator.stories import Action, Server
from emulator.wire import ApiError, Body, Call, Reply

ROUTES = routes()
_EVENTS = {
    "create": "compute__do_build_and_run_instance", "delete": "compute_terminate_instance",
    "stop": "compute_stop_instance",
    "start": "compute_start_instance", "reboot": "compute_reboot_instance", "resize": "compute_finish_resize",
    "confirmResize": "compute_confirm_resize", "revertResize": "compute_finish_revert_resize",
    "pause": "compute_pause_instance", "unpause": "compute_unpause_instance", "shelve": "compute_shelve_instance",
    "unshelve": "compute_unshelve_instance",
}  # fmt: skip


def _request_id(call: Call, server: Server, action: Action) -> str:
    digits = call.world.ids.named("action", server.id, action.name, action.start)
    return f"req-{digits[:8]}-{digits[8:12]}-{digits[12:16]}-{digits[16:20]}-{digits[20:]}"


def _body(call: Call, server: Server, action: Action) -> Body:
    failed = action.name == "create" and server.fault is not None
    body: Body = {
        "action": action.name, "instance_uuid": server.id, "request_id": _request_id(call, server, action),
        "user_id": action.user_id, "project_id": server.project_id, "start_time": iso_micro(action.start),
        "message": "Error" if failed else None,
    }  # fmt: skip
    if call.version >= (2, 58):
        body["updated_at"] = iso_micro(min(action.finish, call.now))
    return body


def _happened(call: Call, server_id: str) -> tuple[Server, list[Action]]:
    """Newest first. From 2.21 on a deleted server still has its history."""
    require_role(call, "reader", "os-instance-actions:list")
    server = find_server(call, server_id, dead=call.version >= (2, 21))
    return server, sorted((a for a in server.actions if a.start <= call.now), key=lambda a: a.start, reverse=True)


@ROUTES.get("/servers/<server_id>/os-instance-actions")
def action_list(call: Call, server_id: str) -> Reply:
    server, actions = _happened(call, server_id)
    if call.version < (2, 58):
        return Reply(200, {"instanceActions": [_body(call, server, action) for action in actions]})
    marker, limit = call.args.get("marker"), call.number("limit") or 1000
    if marker:
        place = next((n for n, action in enumerate(actions) if _request_id(call, server, action) == marker), None)
        if place is None:
            raise bad(f"marker [{marker}] not found")
        actions = actions[place + 1 :]
    page = actions[:limit]
    body: Body = {"instanceActions": [_body(call, server, action) for action in page]}
    if len(page) == limit:
        last = _request_id(call, server, page[-1])
        body["links"] = [{"rel": "next", "href": call.page_url(limit=call.args.get("limit"), marker=last)}]
    return Reply(200, body)


@ROUTES.get("/servers/<server_id>/os-instance-actions/<request_id>")
def action_show(call: Call, server_id: str, request_id: str) -> Reply:
    server, actions = _happened(call, server_id)
    for action in actions:
        if _request_id(call, server, action) == request_id:
            body = _body(call, server, action)
            if call.actor.is_admin or call.version >= (2, 51):
                body["events"] = [_event(call, server, action)]
            return Reply(200, {"instanceAction": body})
    raise ApiError(404, f"Action for request_id {request_id} on instance {server_id} not found")


def _event(call: Call, server: Server, action: Action) -> Body:
    failed = action.name == "create" and server.fault is not None
    done = action.finish <= call.now
    event: Body = {
        "event": _EVENTS[action.name], "start_time": iso_micro(action.start),
        "finish_time": iso_micro(action.finish) if done else None,
        "result": ("Error" if failed else "Success") if done else None,
    }  # fmt: skip
    if call.actor.is_admin or call.version < (2, 51):
        event["traceback"] = None
    if call.version >= (2, 62):
        event["hostId"] = call.world.ids.secret("host", host_name(server), server.project_id, size=28)
        if call.actor.is_admin:
            event["host"] = host_name(server)
    if call.version >= (2, 84):
        event["details"] = server.fault if failed else None
    return event
