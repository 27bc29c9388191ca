"""os-quota-sets, os-quota-class-sets and limits."""

from emulator.openstack.keystone.catalog import service_id
from emulator.openstack.nova.common import bad, invalid, require_admin, require_project, require_role, routes
from emulator.wire import Body, Call, Reply

ROUTES = routes()
DEFAULTS = {
    "cores": 20, "instances": 10, "key_pairs": 100, "metadata_items": 128, "ram": 51200, "server_group_members": 10,
    "server_groups": 10,
}  # fmt: skip
# Until 2.35 and 2.56 Nova still listed what it had once limited itself.
_DEAD_NETWORK = {"fixed_ips": -1, "floating_ips": -1, "security_group_rules": -1, "security_groups": -1}
_DEAD_FILES = {"injected_file_content_bytes": 10240, "injected_file_path_bytes": 255, "injected_files": 5}
_HIGHEST = 2_147_483_647
_UNIFIED = {"cores": "class:VCPU", "instances": "servers", "ram": "class:MEMORY_MB"}


def _keys(call: Call) -> Body:
    found = dict(DEFAULTS)
    if call.version < (2, 57):
        found |= _DEAD_FILES
    if call.version < (2, 36):
        found |= _DEAD_NETWORK
    return dict(sorted(found.items()))


def class_limits(call: Call) -> Body:
    """The site's defaults."""
    row = call.world["compute_quota_class"].get("default") or {}
    return {key: row.get(key, value) for key, value in _keys(call).items()}


def limits_of(call: Call, project_id: str) -> Body:
    if call.world.config.unified_limits:
        return _unified(call, project_id)
    row = call.world["compute_quotas"].get(project_id) or {}
    return {key: row.get(key, value) for key, value in class_limits(call).items()}


def _unified(call: Call, project_id: str) -> Body:
    """Keystone's numbers; what is not registered there reads 0."""
    nova = service_id(call.world, "nova")
    found = dict.fromkeys(_keys(call), 0)
    for key, resource in _UNIFIED.items():
        for row in call.world["registered_limits"]:
            if row["service_id"] == nova and row["resource_name"] == resource:
                found[key] = row["default_limit"]
        for row in call.world["limits"].find("project_id", project_id):
            if row["service_id"] == nova and row["resource_name"] == resource:
                found[key] = row["resource_limit"]
    return found


def in_use(call: Call, project_id: str) -> dict[str, int]:
    instances, cores, ram = call.world.compute_use(project_id)
    return {"cores": cores, "instances": instances, "ram": ram}


def _known(call: Call, project_id: str) -> None:
    """Nova asks Keystone whether the project exists (Cinder and Neutron do not)."""
    if project_id not in call.world["projects"]:
        raise bad(f"Project ID {project_id} is not a valid project.")


@ROUTES.get("/os-quota-sets/<project_id>")
def quota_show(call: Call, project_id: str) -> Reply:
    require_project(call, project_id, "os-quota-sets:show")
    _known(call, project_id)
    found = limits_of(call, project_id)
    if user := call.args.get("user_id"):
        found |= _user_limits(call, project_id, user)
    return Reply(200, {"quota_set": {"id": project_id, **found}})


def _user_limits(call: Call, project_id: str, user_id: str) -> Body:
    row = call.world["compute_user_quotas"].get(f"{project_id}|{user_id}") or {}
    return {key: value for key, value in row.items() if key != "id"}


@ROUTES.get("/os-quota-sets/<project_id>/detail")
def quota_detail(call: Call, project_id: str) -> Reply:
    require_project(call, project_id, "os-quota-sets:detail")
    _known(call, project_id)
    used = in_use(call, project_id)
    found = {
        key: {"limit": limit, "in_use": used.get(key, 0), "reserved": 0}
        for key, limit in limits_of(call, project_id).items()
    }
    return Reply(200, {"quota_set": {"id": project_id, **found}})


@ROUTES.get("/os-quota-sets/<project_id>/defaults")
def quota_defaults(call: Call, project_id: str) -> Reply:
    _known(call, project_id)
    found = _unified(call, "") if call.world.config.unified_limits else class_limits(call)
    return Reply(200, {"quota_set": {"id": project_id, **found}})


@ROUTES.put("/os-quota-sets/<project_id>")
def quota_update(call: Call, project_id: str) -> Reply:
    require_admin(call, "os-quota-sets:update")
    given = dict(call.document("quota_set"))
    force = bool(given.pop("force", False))
    given.pop("tenant_id", None)
    _check(call, given)
    _known(call, project_id)
    if call.world.config.unified_limits:  # a write that says 200 and changes nothing
        return Reply(200, {"quota_set": _unified(call, project_id)})
    if user := call.args.get("user_id"):
        row = call.world["compute_user_quotas"].get(f"{project_id}|{user}") or {"id": f"{project_id}|{user}"}
        call.world["compute_user_quotas"].put({**row, **given})
        return Reply(200, {"quota_set": limits_of(call, project_id) | _user_limits(call, project_id, user)})
    if not force:
        _not_below_use(call, project_id, given)
    row = call.world["compute_quotas"].get(project_id) or {"id": project_id}
    call.world["compute_quotas"].put({**row, **given})
    return Reply(200, {"quota_set": limits_of(call, project_id)})


def _check(call: Call, given: Body) -> None:
    unknown = [key for key in given if key not in _keys(call)]
    if unknown:
        names = ", ".join(repr(key) for key in unknown)
        verb = "was" if len(unknown) == 1 else "were"
        raise invalid("quota_set", given, f"Additional properties are not allowed ({names} {verb} unexpected)")
    for key, value in given.items():
        try:
            number = int(value)
        except (TypeError, ValueError):
            raise invalid(key, value, f"{value!r} is not of type 'integer', 'string'") from None
        if number < -1:
            raise invalid(key, value, f"{number} is less than the minimum of -1")
        if number > _HIGHEST:
            raise invalid(key, value, f"{number} is greater than the maximum of {_HIGHEST}")
        given[key] = number


def _not_below_use(call: Call, project_id: str, given: Body) -> None:
    used = in_use(call, project_id) if given.keys() & {"cores", "instances", "ram"} else {}
    for key, limit in given.items():
        if 0 <= limit < used.get(key, 0):
            raise bad(
                f"Quota limit {limit} for {key} must be greater than or equal to already used and reserved {used[key]}."
            )


@ROUTES.delete("/os-quota-sets/<project_id>")
def quota_delete(call: Call, project_id: str) -> Reply:
    """202 for any id, also for one that Keystone no longer knows."""
    require_admin(call, "os-quota-sets:delete")
    if not call.world.config.unified_limits:
        if user := call.args.get("user_id"):
            call.world["compute_user_quotas"].remove(f"{project_id}|{user}")
        else:
            call.world["compute_quotas"].remove(project_id)
    return Reply(202)


@ROUTES.get("/os-quota-class-sets/<name>")
def class_show(call: Call, name: str) -> Reply:
    require_admin(call, "os-quota-class-sets:show")
    return Reply(200, {"quota_class_set": {"id": name, **class_limits(call)}})


@ROUTES.put("/os-quota-class-sets/<name>")
def class_update(call: Call, name: str) -> Reply:
    require_admin(call, "os-quota-class-sets:update")
    given = dict(call.document("quota_class_set"))
    _check(call, given)
    row = call.world["compute_quota_class"].get(name) or {"id": name}
    call.world["compute_quota_class"].put({**row, **given})
    return Reply(200, {"quota_class_set": class_limits(call)})


@ROUTES.get("/limits")
def limits_show(call: Call) -> Reply:
    project_id = call.args.get("tenant_id") or require_role(call, "reader", "limits")
    if project_id != call.actor.project_id:
        require_admin(call, "limits:other_project")
    limits, used = limits_of(call, project_id), in_use(call, project_id)
    absolute = {
        "maxTotalCores": limits["cores"], "maxTotalInstances": limits["instances"],
        "maxTotalKeypairs": limits["key_pairs"],
        "maxServerMeta": limits["metadata_items"], "maxTotalRAMSize": limits["ram"],
        "maxServerGroups": limits["server_groups"],
        "maxServerGroupMembers": limits["server_group_members"], "totalRAMUsed": used["ram"],
        "totalCoresUsed": used["cores"], "totalInstancesUsed": used["instances"], "totalServerGroupsUsed": 0,
    }  # fmt: skip
    if call.version < (2, 57):
        absolute |= {"maxPersonality": 5, "maxPersonalitySize": 10240}
    if call.version < (2, 36):
        absolute |= {
            "maxImageMeta": 128, "maxSecurityGroups": -1, "maxSecurityGroupRules": -1, "maxTotalFloatingIps": -1,
            "totalFloatingIpsUsed": 0, "totalSecurityGroupsUsed": 0,
        }  # fmt: skip
    return Reply(200, {"limits": {"rate": [], "absolute": absolute}})
