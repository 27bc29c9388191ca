"""os-quota-sets, os-quota-class-sets and limits: Cinder believes any project id."""

from emulator.openstack.cinder.common import bad, forbid, is_admin, require_admin, routes
from emulator.wire import Body, Call, Reply

ROUTES = routes()
TYPE = "__DEFAULT__"
DEFAULTS = {
    "volumes": 10, "per_volume_gigabytes": -1, "snapshots": 10, "gigabytes": 1000, "backups": 10,
    "backup_gigabytes": 1000,
    f"volumes_{TYPE}": -1, f"gigabytes_{TYPE}": -1, f"snapshots_{TYPE}": -1, "groups": 10,
}  # fmt: skip
_HIGHEST = 2_147_483_647


def class_limits(call: Call) -> Body:
    row = call.world["volume_quota_class"].get("default") or {}
    return {key: row.get(key, value) for key, value in DEFAULTS.items()}


def limits_of(call: Call, project_id: str) -> Body:
    row = call.world["volume_quotas"].get(project_id) or {}
    return {key: row.get(key, value) for key, value in class_limits(call).items()}


def in_use(call: Call, project_id: str) -> dict[str, int]:
    used = call.world.volume_use(project_id)
    return {
        "volumes": used["volumes"], "snapshots": used["snapshots"], "gigabytes": used["gigabytes"],
        f"volumes_{TYPE}": used["volumes"], f"gigabytes_{TYPE}": used["gigabytes"],
        f"snapshots_{TYPE}": used["snapshots"],
    }  # fmt: skip


def _may_show(call: Call, project_id: str) -> None:
    if not is_admin(call) and (call.actor.project_id != project_id or "reader" not in call.actor.roles):
        raise forbid("volume_extension:quotas:show")


@ROUTES.get("/os-quota-sets/<project_id>")
def quota_show(call: Call, project_id: str) -> Reply:
    _may_show(call, project_id)
    found = limits_of(call, project_id)
    if call.flag("usage"):
        used = in_use(call, project_id)
        found = {key: {"limit": limit, "in_use": used.get(key, 0), "reserved": 0} for key, limit in found.items()}
    return Reply(200, {"quota_set": {**found, "id": project_id}})


@ROUTES.get("/os-quota-sets/<project_id>/defaults")
def quota_defaults(call: Call, project_id: str) -> Reply:
    _may_show(call, project_id)
    return Reply(200, {"quota_set": {**class_limits(call), "id": project_id}})


def _checked(given: Body) -> Body:
    given = {key: value for key, value in given.items() if key not in ("tenant_id", "id")}
    unknown = [key for key in given if key not in DEFAULTS]
    if unknown:
        raise bad(f"Invalid input received: Bad key(s) in quota set: {', '.join(unknown)}")
    for key, value in given.items():
        try:
            number = int(value)
        except (TypeError, ValueError):
            raise bad(
                f"Invalid input for field/attribute {key}. Value: {value}. {value!r} is not of type 'integer', 'string'"
            ) from None
        if not -1 <= number <= _HIGHEST:
            side = "less than the minimum of -1" if number < -1 else f"greater than the maximum of {_HIGHEST}"
            raise bad(f"Invalid input for field/attribute {key}. Value: {value}. {number} is {side}")
        given[key] = number
    return given


@ROUTES.put("/os-quota-sets/<project_id>")
def quota_update(call: Call, project_id: str) -> Reply:
    """200 for any id: the quota of a typo is stored, and nobody will ever see it."""
    require_admin(call, "volume_extension:quotas:update")
    given = _checked(call.document("quota_set"))
    # Newer releases ignore the parameter and always refuse.
    if not (call.world.config.release == "zed" and call.flag("skip_validation")):
        _not_below_use(call, project_id, given)
    row = call.world["volume_quotas"].get(project_id) or {"id": project_id}
    call.world["volume_quotas"].put({**row, **given})
    return Reply(200, {"quota_set": limits_of(call, project_id)})


def _not_below_use(call: Call, project_id: str, given: Body) -> None:
    used = in_use(call, project_id)
    for key, limit in given.items():
        if 0 <= limit < used.get(key, 0):
            raise bad(
                f"Quota {key} limit must be equal or greater than existing resources. "
                f"Current usage is {used[key]} and the requested limit is {limit}."
            )


@ROUTES.delete("/os-quota-sets/<project_id>")
def quota_delete(call: Call, project_id: str) -> Reply:
    require_admin(call, "volume_extension:quotas:delete")
    call.world["volume_quotas"].remove(project_id)
    return Reply(200)


@ROUTES.get("/os-quota-class-sets/<name>")
def class_show(call: Call, name: str) -> Reply:
    require_admin(call, "volume_extension:quota_classes:get")
    return Reply(200, {"quota_class_set": {**class_limits(call), "id": name}})


@ROUTES.put("/os-quota-class-sets/<name>")
def class_update(call: Call, name: str) -> Reply:
    require_admin(call, "volume_extension:quota_classes:update")
    row = call.world["volume_quota_class"].get(name) or {"id": name}
    call.world["volume_quota_class"].put({**row, **_checked(call.document("quota_class_set"))})
    return Reply(200, {"quota_class_set": class_limits(call)})


@ROUTES.get("/limits")
def limits_show(call: Call) -> Reply:
    project_id = call.actor.project_id or ""
    if is_admin(call) and call.args.get("project_id"):
        project_id = call.args["project_id"]
    limits, used = limits_of(call, project_id), in_use(call, project_id)
    absolute = {
        "maxTotalVolumes": limits["volumes"], "maxTotalSnapshots": limits["snapshots"],
        "maxTotalVolumeGigabytes": limits["gigabytes"], "maxTotalBackups": limits["backups"],
        "maxTotalBackupGigabytes": limits["backup_gigabytes"], "totalVolumesUsed": used["volumes"],
        "totalGigabytesUsed": used["gigabytes"], "totalSnapshotsUsed": used["snapshots"], "totalBackupsUsed": 0,
        "totalBackupGigabytesUsed": 0,
    }  # fmt: skip
    return Reply(200, {"limits": {"rate": [], "absolute": absolute}})
