"""Routers and their interfaces."""

from emulator import seed
from emulator.ids import dashed
from emulator.openstack.neutron.common import (
    bad,
    changed,
    find,
    is_admin,
    listed,
    owner,
    routes,
    stamps,
    visible_project,
)
from emulator.openstack.neutron.use import check_quota
from emulator.tables import Row
from emulator.wire import ApiError, Body, Call, Reply

ROUTES = routes()


def _body(call: Call, row: Row) -> Body:
    gateway = None
    if row["external_network"]:
        gateway = {"network_id": row["external_network"], "enable_snat": True, "external_fixed_ips": []}
    body = {
        "id": row["id"], "name": row["name"], "tenant_id": row["project_id"], "project_id": row["project_id"],
        "admin_state_up": row["admin_state_up"], "status": "ACTIVE", "external_gateway_info": gateway,
        "availability_zone_hints": [], "availability_zones": ["nova"], "routes": [], "flavor_id": None, **stamps(row),
    }  # fmt: skip
    return body | ({"distributed": False, "ha": False} if is_admin(call) else {})


def _gateway(call: Call, given: Body) -> str | None:
    network = (given.get("external_gateway_info") or {}).get("network_id")
    if network and not find(call, "networks", "Network", str(network))["external"]:
        raise bad(f"Bad router request: Network {network} is not an external network.")
    return str(network) if network else None


@ROUTES.get("/routers")
def router_list(call: Call) -> Reply:
    project, table = visible_project(call), call.world["routers"]
    rows = table.in_order() if project is None else table.find("project_id", project)
    return listed(call, "routers", (_body(call, row) for row in rows))


@ROUTES.post("/routers")
def router_create(call: Call) -> Reply:
    given = call.document("router")
    project = owner(call, given, "create_router")
    check_quota(call, project, "router")
    row = seed.router_row(
        dashed(call.world.new_id()), str(given.get("name", "")), project, int(call.now), _gateway(call, given)
    )
    return Reply(201, {"router": _body(call, call.world["routers"].put(row))})


@ROUTES.get("/routers/<router_id>")
def router_show(call: Call, router_id: str) -> Reply:
    return Reply(200, {"router": _body(call, find(call, "routers", "Router", router_id))})


@ROUTES.put("/routers/<router_id>")
def router_update(call: Call, router_id: str) -> Reply:
    row = find(call, "routers", "Router", router_id, writing=True)
    given = dict(call.document("router"))
    if "external_gateway_info" in given:
        row = {**row, "external_network": _gateway(call, given)}
        del given["external_gateway_info"]
    row = changed(call, "routers", row, given, ("name", "description", "admin_state_up"))
    return Reply(200, {"router": _body(call, row)})


@ROUTES.delete("/routers/<router_id>")
def router_delete(call: Call, router_id: str) -> Reply:
    find(call, "routers", "Router", router_id, writing=True)
    if call.world["router_ports"].find("router_id", router_id):
        raise ApiError(409, f"Router {router_id} still has ports", kind="RouterInUse")
    call.world["routers"].remove(router_id)
    return Reply(204)


@ROUTES.put("/routers/<router_id>/add_router_interface")
def interface_add(call: Call, router_id: str) -> Reply:
    router = find(call, "routers", "Router", router_id, writing=True)
    subnet = find(call, "subnets", "Subnet", str(call.json().get("subnet_id")))
    if any(row["subnet_id"] == subnet["id"] for row in call.world["router_ports"].find("router_id", router_id)):
        raise bad(f"Bad router request: Router already has a port on subnet {subnet['id']}.")
    row = {
        "id": dashed(call.world.new_id()), "project_id": router["project_id"], "router_id": router_id,
        "network_id": subnet["network_id"], "subnet_id": subnet["id"], "address": subnet["gateway_ip"],
        "created": int(call.now),
    }  # fmt: skip
    return Reply(200, _interface(router, call.world["router_ports"].put(row)))


@ROUTES.put("/routers/<router_id>/remove_router_interface")
def interface_remove(call: Call, router_id: str) -> Reply:
    router = find(call, "routers", "Router", router_id, writing=True)
    given = call.json()
    for row in call.world["router_ports"].find("router_id", router_id):
        if given.get("subnet_id") == row["subnet_id"] or given.get("port_id") == row["id"]:
            call.world["router_ports"].remove(row["id"])
            return Reply(200, _interface(router, row))
    text = f"Router {router_id} does not have an interface with id {given.get('port_id') or given.get('subnet_id')}"
    raise ApiError(404, text, kind="RouterInterfaceNotFound")


def _interface(router: Row, row: Row) -> Body:
    return {
        "id": router["id"], "tenant_id": router["project_id"], "port_id": row["id"], "network_id": row["network_id"],
        "subnet_id": row["subnet_id"], "subnet_ids": [row["subnet_id"]],
    }  # fmt: skip
