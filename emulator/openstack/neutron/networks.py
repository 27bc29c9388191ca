"""Networks and subnets."""

import ipaddress

from emulator import seed
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
    require_admin,
    routes,
    stamps,
    visible_project,
)
from emulator.openstack.neutron.ports import ports_on
from emulator.openstack.neutron.use import check_quota
from emulator.tables import Row
from emulator.wire import ApiError, Body, Call, Reply

ROUTES = routes()


def _network_body(call: Call, row: Row) -> Body:
    subnets = [subnet["id"] for subnet in call.world["subnets"].find("network_id", row["id"])]
    body = {
        "id": row["id"], "name": row["name"], "tenant_id": row["project_id"], "project_id": row["project_id"],
        "admin_state_up": row["admin_state_up"], "mtu": row["mtu"], "status": "ACTIVE", "subnets": subnets,
        "shared": row["shared"], "availability_zone_hints": [], "availability_zones": [], "ipv4_address_scope": None,
        "ipv6_address_scope": None, "router:external": row["external"], "qinq": False, "vlan_transparent": False,
        **stamps(row),
    }  # fmt: skip
    if is_admin(call):
        body |= {
            "provider:network_type": "flat" if row["external"] else "vxlan",
            "provider:physical_network": "public" if row["external"] else None,
            "provider:segmentation_id": None if row["external"] else row["segment"],
        }
    return body


@ROUTES.get("/networks")
def network_list(call: Call) -> Reply:
    project, table = visible_project(call), call.world["networks"]
    rows = table.in_order() if project is None else table.find("project_id", project)
    if project is not None and not (call.args.get("project_id") or call.args.get("tenant_id")):
        rows = rows + [row for row in _common(call) if row["project_id"] != project]
    return listed(call, "networks", (_network_body(call, row) for row in rows))


def _common(call: Call) -> list[Row]:
    """What every project sees: shared and external networks."""
    return [row for row in call.world["networks"] if row["shared"] or row["external"]]


@ROUTES.post("/networks")
def network_create(call: Call) -> Reply:
    given = call.document("network")
    project = owner(call, given, "create_network")
    if given.get("shared") or given.get("router:external"):
        require_admin(call, "create_network")
    check_quota(call, project, "network")
    default_group(call, project)
    row = seed.network_row(
        dashed(call.world.new_id()),
        str(given.get("name", "")),
        project,
        int(call.now),
        external=bool(given.get("router:external")),
        segment=5000 + len(call.world["networks"]),
    )
    row |= {"shared": bool(given.get("shared")), "description": given.get("description", "")}
    body = _network_body(call, call.world["networks"].put(row))
    shown = {key: value for key, value in body.items() if is_admin(call) or not key.startswith("provider:")}
    return Reply(201, {"network": {**shown, "is_default": False}})


@ROUTES.get("/networks/<network_id>")
def network_show(call: Call, network_id: str) -> Reply:
    return Reply(200, {"network": _network_body(call, find(call, "networks", "Network", network_id))})


@ROUTES.put("/networks/<network_id>")
def network_update(call: Call, network_id: str) -> Reply:
    row = find(call, "networks", "Network", network_id, writing=True)
    row = changed(call, "networks", row, call.document("network"), ("name", "description", "admin_state_up", "shared"))
    return Reply(200, {"network": _network_body(call, row)})


@ROUTES.delete("/networks/<network_id>")
def network_delete(call: Call, network_id: str) -> Reply:
    row = find(call, "networks", "Network", network_id, writing=True)
    ports = ports_on(call, row)
    if ports:
        raise ApiError(
            409,
            f"Unable to complete operation on network {network_id}. "
            "There are one or more ports still in use on the network, "
            f"id for these ports is: {','.join(ports)}.",
            kind="NetworkInUse",
        )
    for subnet in call.world["subnets"].find("network_id", network_id):
        call.world["subnets"].remove(subnet["id"])
    call.world["networks"].remove(network_id)
    return Reply(204)


def _subnet_body(row: Row) -> Body:
    block = ipaddress.ip_network(row["cidr"])
    first = block.network_address + (2 if row["gateway_ip"] else 1)
    return {
        "id": row["id"], "name": row["name"], "project_id": row["project_id"], "network_id": row["network_id"],
        "ip_version": row["ip_version"], "subnetpool_id": None, "enable_dhcp": row["enable_dhcp"], "ipv6_ra_mode": None,
        "ipv6_address_mode": None, "gateway_ip": row["gateway_ip"], "cidr": row["cidr"],
        "allocation_pools": [{"start": str(first), "end": str(block.broadcast_address - 1)}], "host_routes": [],
        "dns_nameservers": row["dns_nameservers"], "router:external": False, "service_types": [],
        **stamps(row, revision=0), "tenant_id": row["project_id"],
    }  # fmt: skip


@ROUTES.get("/subnets")
def subnet_list(call: Call) -> Reply:
    project, table = visible_project(call), call.world["subnets"]
    if network := call.args.get("network_id"):
        rows = [row for row in table.find("network_id", network) if project in (None, row["project_id"])]
    else:
        rows = table.in_order() if project is None else table.find("project_id", project)
    return listed(call, "subnets", (_subnet_body(row) for row in rows))


@ROUTES.post("/subnets")
def subnet_create(call: Call) -> Reply:
    given = call.document("subnet")
    project = owner(call, given, "create_subnet")
    network = find(call, "networks", "Network", str(given.get("network_id")))
    try:
        block = ipaddress.ip_network(str(given.get("cidr")))
    except ValueError:
        raise bad(f"Invalid input for cidr. Reason: '{given.get('cidr')}' is not a valid IP subnet.") from None
    check_quota(call, project, "subnet")
    gateway = given["gateway_ip"] if "gateway_ip" in given else str(block.network_address + 1)
    row = seed.subnet_row(
        dashed(call.world.new_id()),
        str(given.get("name", "")),
        {**network, "project_id": project},
        str(block),
        gateway,
        int(call.now),
    )
    row |= {"enable_dhcp": bool(given.get("enable_dhcp", True)), "dns_nameservers": given.get("dns_nameservers", [])}
    return Reply(201, {"subnet": _subnet_body(call.world["subnets"].put(row))})


@ROUTES.get("/subnets/<subnet_id>")
def subnet_show(call: Call, subnet_id: str) -> Reply:
    return Reply(200, {"subnet": _subnet_body(find(call, "subnets", "Subnet", subnet_id))})


@ROUTES.delete("/subnets/<subnet_id>")
def subnet_delete(call: Call, subnet_id: str) -> Reply:
    row = find(call, "subnets", "Subnet", subnet_id, writing=True)
    network = call.world["networks"].get(row["network_id"])
    if network is None:
        raise missing("Network", row["network_id"])
    if ports_on(call, network):
        why = "One or more ports have an IP allocation from this subnet."
        raise ApiError(409, f"Unable to complete operation on subnet {subnet_id}: {why}", kind="SubnetInUse")
    call.world["subnets"].remove(subnet_id)
    return Reply(204)
