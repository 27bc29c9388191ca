"""Ports: one for each living server on a network, those of routers, and those made by hand."""

from collections.abc import Iterator

from emulator import seed
from emulator.ids import Kind, dashed
from emulator.openstack.neutron.common import (
    both,
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
from emulator.openstack.neutron.use import check_quota
from emulator.stories import Server
from emulator.tables import Row
from emulator.wire import ApiError, Body, Call, Reply

ROUTES = routes()


def port_id(call: Call, server: Server) -> str:
    if server.population is not None and server.index is not None:
        return call.world.ids.living(Kind.PORT, server.population, server.index)
    return dashed(call.world.ids.named("port", server.id))


def _mac(text: str) -> str:
    return f"fa:16:3e:{text[:2]}:{text[2:4]}:{text[4:6]}"


def _body(
    call: Call, row: Row, network: str, device: str, device_owner: str, address: str | None, subnet: str | None
) -> Body:
    bound = bool(device)
    groups = [] if device_owner.startswith("network:") else [seed.default_group_id(call.world, row["project_id"])]
    body = {
        "id": row["id"], "name": row.get("name", ""), "network_id": network, "project_id": row["project_id"],
        "mac_address": _mac(row["id"]), "admin_state_up": True, "status": "ACTIVE" if bound else "DOWN",
        "device_id": device,
        "device_owner": device_owner,
        "fixed_ips": [{"subnet_id": subnet, "ip_address": address}] if address and subnet else [],
        "allowed_address_pairs": [], "extra_dhcp_opts": [], "security_groups": row.get("security_groups") or groups,
        "binding:vnic_type": "normal", **stamps(row), "tenant_id": row["project_id"],
    }  # fmt: skip
    if is_admin(call):
        body |= {
            "binding:profile": {}, "binding:host_id": "host1" if bound else "",
            "binding:vif_type": "ovs" if bound else "unbound",
            "binding:vif_details": {"port_filter": True, "bound_drivers": {"0": "openvswitch"}} if bound else {},
        }  # fmt: skip
    return body


def _subnet(call: Call, network: str) -> str | None:
    subnets = call.world["subnets"].find("network_id", network)
    return subnets[0]["id"] if subnets else None


def _server_port(call: Call, server: Server) -> Body | None:
    if server.network_id is None or not server.launches:
        return None
    row = {"id": port_id(call, server), "project_id": server.project_id, "created": server.created}
    subnet = _subnet(call, server.network_id)
    return _body(call, row, server.network_id, server.id, "compute:nova", server.address, subnet)


def _router_port(call: Call, row: Row) -> Body:
    return _body(
        call, row, row["network_id"], row["router_id"], "network:router_interface", row["address"], row["subnet_id"]
    )


def _own_port(call: Call, row: Row) -> Body:
    return _body(call, row, row["network_id"], row["device_id"], row["device_owner"], row["address"], row["subnet_id"])


def _server_ports(call: Call, project: str | None) -> Iterator[Body]:
    for server in call.world.servers.walk(call.now, project=project):
        body = _server_port(call, server)
        if body is not None:
            yield body


@ROUTES.get("/ports")
def port_list(call: Call) -> Reply:
    project, world = visible_project(call), call.world
    device = call.args.get("device_id")
    if device and (server := world.servers.find(device, call.now)) is not None:
        mine = project in (None, server.project_id) and server.ends > call.now
        body = _server_port(call, server) if mine else None
        return listed(call, "ports", [body] if body else [])
    made = world["ports"].in_order() if project is None else world["ports"].find("project_id", project)
    routers = world["router_ports"].in_order() if project is None else world["router_ports"].find("project_id", project)
    bodies = both(
        (_own_port(call, row) for row in made),
        (_router_port(call, row) for row in routers),
        _server_ports(call, project),
    )
    return listed(call, "ports", bodies)


def ports_on(call: Call, network: Row) -> list[str]:
    """Ids of the ports that keep a network from being deleted."""
    world = call.world
    made = [row["id"] for row in world["ports"].find("network_id", network["id"])]
    made += [row["id"] for row in world["router_ports"] if row["network_id"] == network["id"]]
    servers = world.servers.walk(call.now, project=network["project_id"])
    return made + [port_id(call, server) for server in servers if server.network_id == network["id"]]


@ROUTES.post("/ports")
def port_create(call: Call) -> Reply:
    given = call.document("port")
    project = owner(call, given, "create_port")
    network = find(call, "networks", "Network", str(given.get("network_id")))
    check_quota(call, project, "port")
    default_group(call, project)
    subnet = _subnet(call, network["id"])
    number = len(call.world["ports"])
    row = {
        "id": dashed(call.world.new_id()), "name": str(given.get("name", "")), "project_id": project,
        "network_id": network["id"], "device_id": str(given.get("device_id", "")),
        "device_owner": str(given.get("device_owner", "")), "subnet_id": subnet,
        "address": call.world.address_on(network["id"], number), "created": int(call.now),
        "security_groups": list(given.get("security_groups") or [seed.default_group_id(call.world, project)]),
    }  # fmt: skip
    return Reply(201, {"port": _own_port(call, call.world["ports"].put(row))})


def find_port(call: Call, wanted: str) -> Body:
    """Any kind of port, as the caller may see it."""
    row = call.world["ports"].get(wanted)
    body = _own_port(call, row) if row else None
    if row is None and (row := call.world["router_ports"].get(wanted)) is not None:
        body = _router_port(call, row)
    if body is None:
        server = _server_of(call, wanted)
        body = _server_port(call, server) if server is not None and server.ends > call.now else None
    if body is None or not (is_admin(call) or body["project_id"] == call.actor.project_id):
        raise missing("Port", wanted)
    return body


def _server_of(call: Call, wanted: str) -> Server | None:
    world = call.world
    which = world.ids.which(wanted)
    if which is not None and which[0] == Kind.PORT:
        found: Server | None = world.servers.find(world.ids.living(Kind.SERVER, which[1], which[2]), call.now)
        return found
    return next((s for s in world.servers.stored(None) if s.population is None and port_id(call, s) == wanted), None)


@ROUTES.get("/ports/<wanted>")
def port_show(call: Call, wanted: str) -> Reply:
    require_role(call, "reader", "get_port")
    return Reply(200, {"port": find_port(call, wanted)})


@ROUTES.put("/ports/<wanted>")
def port_update(call: Call, wanted: str) -> Reply:
    row = find(call, "ports", "Port", wanted, writing=True)
    given = call.document("port")
    row = changed(call, "ports", row, given, ("name", "description", "device_id", "device_owner", "security_groups"))
    return Reply(200, {"port": _own_port(call, row)})


@ROUTES.delete("/ports/<wanted>")
def port_delete(call: Call, wanted: str) -> Reply:
    body = find_port(call, wanted)
    if body["device_owner"] == "network:router_interface":
        text = f"Port {wanted} cannot be deleted directly via the port API: has device owner network:router_interface."
        raise ApiError(409, text, kind="ServicePortInUse")
    find(call, "ports", "Port", wanted, writing=True)
    call.world["ports"].remove(wanted)
    return Reply(204)


def port_details(body: Body) -> Body:
    """The part of a port that a floating IP repeats."""
    return {
        key: body[key]
        for key in ("name", "network_id", "mac_address", "admin_state_up", "status", "device_id", "device_owner")
    }
