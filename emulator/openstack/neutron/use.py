"""What a project may have on the network and what it has: limits, use, and the refusal of one too many."""

from emulator.stories import fails
from emulator.wire import ApiError, Body, Call

DEFAULTS = {
    "network": 100, "subnet": 100, "subnetpool": -1, "port": 500, "router": 10, "floatingip": 50, "rbac_policy": 10,
    "security_group": 10, "security_group_rule": 100,
}  # fmt: skip


def limits_of(call: Call, project_id: str) -> Body:
    row = call.world["network_quotas"].get(project_id) or {}
    return {key: row.get(key, value) for key, value in DEFAULTS.items()}


def in_use(call: Call, project_id: str) -> dict[str, int]:
    world, now = call.world, call.now
    groups = world["security_groups"].find("project_id", project_id)
    return {
        "network": len(world["networks"].find("project_id", project_id)),
        "subnet": len(world["subnets"].find("project_id", project_id)),
        "port": port_count(call, project_id),
        "router": len(world["routers"].find("project_id", project_id)),
        "floatingip": sum(1 for _ in world.floating_ips.walk(now, project=project_id)),
        "security_group": len(groups),
        "security_group_rule": sum(len(group["rules"]) for group in groups),
    }


def port_count(call: Call, project: str) -> int:
    """Ports that count against the quota: of living servers on a network, of routers, and those made by hand."""
    world = call.world
    made = len(world["ports"].find("project_id", project)) + len(world["router_ports"].find("project_id", project))
    seeded = 0
    if world.network_of(project) is not None:
        born = world.servers.census(call.now, project)
        seeded = sum(1 for population, index, _ in born if not fails(population.draw(index)))
    stored = sum(1 for s in world.servers.stored(project) if s.network_id and s.launches and s.ends > call.now)
    return made + seeded + stored


def check_quota(call: Call, project_id: str, resource: str) -> None:
    limit = limits_of(call, project_id)[resource]
    if 0 <= limit < in_use(call, project_id)[resource] + 1:
        raise ApiError(409, f"Quota exceeded for resources: ['{resource}'].", kind="OverQuota")
