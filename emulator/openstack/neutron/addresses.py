"""Floating IPs and security groups."""

from emulator import seed
from emulator.clock import iso_z
from emulator.ids import dashed
from emulator.openstack.neutron.common import (
    bad,
    changed,
    default_group,
    find,
    is_admin,
    listed,
    missing,
    owner,
    require_role,
    routes,
    stamps,
    visible_project,
)
from emulator.openstack.neutron.ports import find_port, port_details
from emulator.openstack.neutron.use import check_quota
from emulator.stories import FloatingIp
from emulator.tables import Row
from emulator.wire import ApiError, Body, Call, Reply

ROUTES = routes()


def _body(call: Call, address: FloatingIp) -> Body:
    details = None
    if address.port_id:
        try:
            details = port_details(find_port(call, address.port_id))
        except ApiError:
            details = None  # the server behind it is gone; Neutron forgets the port likewise
    return {
        "id": address.id, "tenant_id": address.project_id, "project_id": address.project_id,
        "floating_ip_address": address.address, "floating_network_id": address.network_id,
        "router_id": address.router_id if details else None, "port_id": address.port_id if details else None,
        "fixed_ip_address": address.fixed_address if details else None, "status": "ACTIVE" if details else "DOWN",
        "description": address.description, "port_details": details, "tags": [], "created_at": iso_z(address.created),
        "updated_at": iso_z(address.created), "revision_number": 0,
    }  # fmt: skip


@ROUTES.get("/floatingips")
def address_list(call: Call) -> Reply:
    project = visible_project(call)
    try:
        found = call.world.floating_ips.walk(call.now, project=project, marker=call.args.get("marker"))
    except LookupError as error:
        raise bad(f"Invalid input for operation: marker {error.args[0]} not found.") from None
    return listed(call, "floatingips", (_body(call, address) for address in found), marked=True)


@ROUTES.post("/floatingips")
def address_create(call: Call) -> Reply:
    given = call.document("floatingip")
    project = owner(call, given, "create_floatingip")
    network = find(call, "networks", "Network", str(given.get("floating_network_id")))
    if not network["external"]:
        text = f"Bad floatingip request: Network {network['id']} is not a valid external network."
        raise ApiError(400, text, kind="BadRequest")
    check_quota(call, project, "floatingip")
    number = len(call.world["floating_ips"])
    address = FloatingIp(
        id=dashed(call.world.new_id()),
        project_id=project,
        network_id=network["id"],
        address=f"198.51.{100 + number // 250 % 150}.{number % 250 + 2}",
        created=int(call.now),
        description=str(given.get("description") or ""),
    )
    _attach(call, address, given.get("port_id"))
    call.world.floating_ips.put(address)
    return Reply(201, {"floatingip": _body(call, address)})


def _attach(call: Call, address: FloatingIp, port: str | None) -> None:
    address.port_id, address.fixed_address, address.router_id = port, None, None
    if port:
        body = find_port(call, port)
        address.fixed_address = body["fixed_ips"][0]["ip_address"] if body["fixed_ips"] else None
        routers = call.world["routers"].find("project_id", address.project_id)
        address.router_id = routers[0]["id"] if routers else None


def _find(call: Call, address_id: str) -> FloatingIp:
    address: FloatingIp | None = call.world.floating_ips.find(address_id, call.now)
    mine = address is not None and (is_admin(call) or address.project_id == call.actor.project_id)
    if address is None or not mine or address.ends <= call.now:
        raise ApiError(404, f"Floating IP {address_id} could not be found", kind="FloatingIPNotFound")
    return address


@ROUTES.get("/floatingips/<address_id>")
def address_show(call: Call, address_id: str) -> Reply:
    require_role(call, "reader", "get_floatingip")
    return Reply(200, {"floatingip": _body(call, _find(call, address_id))})


@ROUTES.put("/floatingips/<address_id>")
def address_update(call: Call, address_id: str) -> Reply:
    require_role(call, "member", "update_floatingip")
    address, given = _find(call, address_id), call.document("floatingip")
    if "port_id" in given:
        _attach(call, address, given["port_id"])
    address.description = str(given.get("description", address.description))
    call.world.floating_ips.put(address)
    return Reply(200, {"floatingip": _body(call, address)})


@ROUTES.delete("/floatingips/<address_id>")
def address_delete(call: Call, address_id: str) -> Reply:
    require_role(call, "member", "delete_floatingip")
    address = _find(call, address_id)
    address.ends = int(call.now)
    call.world.floating_ips.put(address)
    return Reply(204)


def _group_body(row: Row) -> Body:
    return {
        "id": row["id"], "name": row["name"], "stateful": True, "tenant_id": row["project_id"],
        "project_id": row["project_id"], "security_group_rules": row["rules"], "shared": False, **stamps(row),
    }  # fmt: skip


@ROUTES.get("/security-groups")
def group_list(call: Call) -> Reply:
    project = visible_project(call)
    if project is not None and project in call.world["projects"]:
        default_group(call, project)
    table = call.world["security_groups"]
    rows = table.in_order() if project is None else table.find("project_id", project)
    return listed(call, "security_groups", (_group_body(row) for row in rows))


@ROUTES.get("/security-group-rules")
def rule_list(call: Call) -> Reply:
    project = visible_project(call)
    table = call.world["security_groups"]
    rows = table.in_order() if project is None else table.find("project_id", project)
    return listed(call, "security_group_rules", (rule for row in rows for rule in row["rules"]))


@ROUTES.post("/security-groups")
def group_create(call: Call) -> Reply:
    given = call.document("security_group")
    project = owner(call, given, "create_security_group")
    default_group(call, project)
    check_quota(call, project, "security_group")
    group, at = dashed(call.world.new_id()), int(call.now)
    row = {
        "id": group, "name": str(given.get("name", "")), "project_id": project, "created": at, "updated": at,
        "description": given.get("description", ""),
        "rules": [seed.security_rule(call.world, group, project, "egress", v, None) for v in ("IPv4", "IPv6")],
    }  # fmt: skip
    return Reply(201, {"security_group": _group_body(call.world["security_groups"].put(row))})


@ROUTES.get("/security-groups/<group_id>")
def group_show(call: Call, group_id: str) -> Reply:
    return Reply(200, {"security_group": _group_body(find(call, "security_groups", "Security group", group_id))})


@ROUTES.put("/security-groups/<group_id>")
def group_update(call: Call, group_id: str) -> Reply:
    row = find(call, "security_groups", "Security group", group_id, writing=True)
    row = changed(call, "security_groups", row, call.document("security_group"), ("name", "description"))
    return Reply(200, {"security_group": _group_body(row)})


@ROUTES.delete("/security-groups/<group_id>")
def group_delete(call: Call, group_id: str) -> Reply:
    row = call.world["security_groups"].get(group_id)
    if row is None:
        raise missing("Security group", group_id)
    find(call, "security_groups", "Security group", group_id, writing=True)
    if row["name"] == "default" and row["project_id"] in call.world["projects"] and not is_admin(call):
        raise ApiError(
            409, "Insufficient rights for removing default security group.", kind="SecurityGroupCannotRemoveDefault"
        )
    call.world["security_groups"].remove(group_id)
    return Reply(204)
