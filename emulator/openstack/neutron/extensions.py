"""Which extensions this Neutron has, and the agents it has not."""

from emulator.openstack.neutron.common import is_admin, listed, require_admin, routes
from emulator.wire import ApiError, Body, Call, Reply

ROUTES = routes()
_EXTENSIONS = (
    ("Neutron external network", "external-net", "Adds external network attribute to network resource.", False),
    ("Neutron L3 Router", "router", "Router abstraction for basic L3 forwarding between L2 Neutron networks.", False),
    ("Pagination support", "pagination", "Extension that indicates that pagination is enabled.", False),
    ("Sorting support", "sorting", "Extension that indicates that sorting is enabled.", False),
    ("project_id field enabled", "project-id", "Extension that indicates that project_id field is enabled.", False),
    ("Quota management support", "quotas", "Expose functions for quotas management per project", False),
    ("Quota details management support", "quota_details", "Quota usage statistics per project", False),
    ("Quota engine limit check", "quota-check-limit", "Checks the resource usage before a new limit", True),
    ("Quota engine limit check by default", "quota-check-limit-default", "The limit check is enabled by default", True),
    ("security-group", "security-group", "The security groups extension.", False),
    ("agent", "agent", "The agent management extension.", False),
    ("Standard Attribute Timestamps", "standard-attr-timestamp", "Adds created_at and updated_at fields.", False),
)  # fmt: skip


def _offered(call: Call) -> list[Body]:
    return [
        {"name": name, "alias": alias, "description": text, "updated": "2020-07-15T10:00:00-00:00", "links": []}
        for name, alias, text, newer in _EXTENSIONS
        if not newer or call.world.config.release != "zed"
    ]


@ROUTES.get("/extensions")
def extension_list(call: Call) -> Reply:
    return Reply(200, {"extensions": _offered(call)})


@ROUTES.get("/extensions/<alias>")
def extension_show(call: Call, alias: str) -> Reply:
    for one in _offered(call):
        if one["alias"] == alias:
            return Reply(200, {"extension": one})
    raise ApiError(404, f"Extension with alias {alias} does not exist", kind="HTTPNotFound")


@ROUTES.get("/agents")
def agent_list(call: Call) -> Reply:
    require_admin(call, "get_agent")
    return listed(call, "agents", [])


@ROUTES.get("/availability_zones")
def zone_list(call: Call) -> Reply:
    zones = (
        [{"name": "nova", "state": "available", "resource": kind} for kind in ("network", "router")]
        if is_admin(call)
        else []
    )
    return Reply(200, {"availability_zones": zones})
