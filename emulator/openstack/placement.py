"""Placement: one resource provider for each compute host, its inventory and its use."""

from emulator.openstack.nova.hosts import hypervisor_ids, provider_sizes, site_use
from emulator.wire import ApiError, Body, Call, Reply, Routes

ROUTES = Routes("/placement")
_CLASSES = ("VCPU", "MEMORY_MB", "DISK_GB")
_RATIOS = {"VCPU": 4.0, "MEMORY_MB": 1.0, "DISK_GB": 1.0}


def _require_admin(call: Call) -> None:
    if not (call.actor.is_admin and call.actor.project_id) and "service" not in call.actor.roles:
        raise ApiError(403, "Policy does not allow this request to be performed.")


def _provider(call: Call, uuid: str, name: str) -> Body:
    path = f"/placement/resource_providers/{uuid}"
    rels = ("self", "aggregates", "inventories", "usages", "allocations", "traits")
    links = [{"rel": rel, "href": path if rel == "self" else f"{path}/{rel}"} for rel in rels]
    body: Body = {"uuid": uuid, "name": name, "generation": 1, "links": links}
    if call.version >= (1, 14):
        body |= {"root_provider_uuid": uuid, "parent_provider_uuid": None}
    return body


@ROUTES.get("/resource_providers")
def provider_list(call: Call) -> Reply:
    _require_admin(call)
    found = [one for one in hypervisor_ids(call) if call.args.get("name") in (None, one[1])]
    return Reply(200, {"resource_providers": [_provider(call, *one) for one in found]})


def _known(call: Call, uuid: str) -> str:
    _require_admin(call)
    for found, name in hypervisor_ids(call):
        if found == uuid:
            return name
    raise ApiError(404, f"No resource provider with uuid {uuid} found : No resource provider with uuid {uuid} found")


@ROUTES.get("/resource_providers/<uuid>")
def provider_show(call: Call, uuid: str) -> Reply:
    return Reply(200, _provider(call, uuid, _known(call, uuid)))


@ROUTES.get("/resource_providers/<uuid>/inventories")
def inventories(call: Call, uuid: str) -> Reply:
    _known(call, uuid)
    sizes = dict(zip(_CLASSES, provider_sizes(call), strict=True))
    found = {
        name: {
            "total": size, "reserved": 0, "min_unit": 1, "max_unit": size, "step_size": 1,
            "allocation_ratio": _RATIOS[name],
        }
        for name, size in sizes.items()
    }  # fmt: skip
    return Reply(200, {"resource_provider_generation": 1, "inventories": found})


@ROUTES.get("/resource_providers/<uuid>/usages")
def provider_usages(call: Call, uuid: str) -> Reply:
    _known(call, uuid)
    _, *used = site_use(call)
    share = {name: amount // len(hypervisor_ids(call)) for name, amount in zip(_CLASSES, used, strict=True)}
    return Reply(200, {"resource_provider_generation": 1, "usages": share})


@ROUTES.get("/usages")
def usages(call: Call) -> Reply:
    """Of one project, from 1.9 on."""
    project = call.args.get("project_id")
    if not project:
        raise ApiError(400, "Invalid query string parameters: 'project_id' is a required property")
    if project != call.actor.project_id:
        _require_admin(call)
    flavors = call.world["flavors"].rows
    found = dict.fromkeys(_CLASSES, 0)
    for server in call.world.servers.walk(call.now, project=project):
        flavor = flavors[server.phase(call.now).flavor]
        for name, key in zip(_CLASSES, ("vcpus", "ram", "disk"), strict=True):
            found[name] += flavor[key]
    return Reply(200, {"usages": {name: amount for name, amount in found.items() if amount}})
