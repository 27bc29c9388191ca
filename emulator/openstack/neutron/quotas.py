"""Quotas: overrides only in the list, `used` in the details, and any project id is believed."""

from emulator.openstack.neutron.common import bad, forbid, is_admin, require_admin, routes
from emulator.openstack.neutron.use import DEFAULTS, in_use, limits_of
from emulator.tables import Row
from emulator.wire import ApiError, Body, Call, Reply

ROUTES = routes()
_HIGHEST = 2_147_483_647


def _may_show(call: Call, project_id: str) -> None:
    if not is_admin(call) and (call.actor.project_id != project_id or "reader" not in call.actor.roles):
        raise forbid("get_quota")


def _owned(call: Call, row: Row) -> Body:
    return {**limits_of(call, row["id"]), "project_id": row["id"], "tenant_id": row["id"]}


@ROUTES.get("/quotas")
def quota_list(call: Call) -> Reply:
    """Only projects with an override."""
    require_admin(call, "get_quota")
    return Reply(200, {"quotas": [_owned(call, row) for row in call.world["network_quotas"].in_order()]})


@ROUTES.get("/quotas/<project_id>")
@ROUTES.get("/quotas/<project_id>.json")
def quota_show(call: Call, project_id: str) -> Reply:
    _may_show(call, project_id)
    return Reply(200, {"quota": limits_of(call, project_id)})


@ROUTES.get("/quotas/<project_id>/default")
@ROUTES.get("/quotas/<project_id>/default.json")
def quota_default(call: Call, project_id: str) -> Reply:
    _may_show(call, project_id)
    return Reply(200, {"quota": dict(DEFAULTS)})


@ROUTES.get("/quotas/<project_id>/details")
@ROUTES.get("/quotas/<project_id>/details.json")
def quota_details(call: Call, project_id: str) -> Reply:
    _may_show(call, project_id)
    used = in_use(call, project_id)
    limits = limits_of(call, project_id)
    return Reply(
        200,
        {"quota": {key: {"limit": limit, "used": used.get(key, 0), "reserved": 0} for key, limit in limits.items()}},
    )


@ROUTES.put("/quotas/<project_id>")
@ROUTES.put("/quotas/<project_id>.json")
def quota_update(call: Call, project_id: str) -> Reply:
    """200 for any id. Below use is a 400 with or without check_limit; `force` gets through."""
    require_admin(call, "update_quota")
    given = dict(call.document("quota"))
    force, _ = bool(given.pop("force", False)), given.pop("check_limit", None)
    for own in ("tenant_id", "project_id"):
        given.pop(own, None)
    _check(given)
    if not force:
        used = in_use(call, project_id)
        for key, limit in given.items():
            if 0 <= limit < used.get(key, 0):
                raise bad(f"Quota limit {limit} for {key} must be greater than or equal to already used {used[key]}")
    row = call.world["network_quotas"].get(project_id) or {"id": project_id}
    call.world["network_quotas"].put({**row, **given})
    return Reply(200, {"quota": limits_of(call, project_id)})


def _check(given: Body) -> None:
    unknown = [key for key in given if key not in DEFAULTS]
    if unknown:
        raise bad(f"Unrecognized attribute(s) '{', '.join(unknown)}'")
    for key, value in given.items():
        try:
            number = int(value)
        except (TypeError, ValueError):
            raise bad(f"Invalid input for {key}. Reason: '{value}' is not an integer.") from None
        if number < -1:
            raise bad(f"Invalid input for {key}. Reason: '{value}' is too small - must be at least '-1'.")
        if number > _HIGHEST:
            raise bad(f"Invalid input for {key}. Reason: '{value}' is too large - must be no larger than '{_HIGHEST}'.")
        given[key] = number


@ROUTES.delete("/quotas/<project_id>")
@ROUTES.delete("/quotas/<project_id>.json")
def quota_delete(call: Call, project_id: str) -> Reply:
    require_admin(call, "delete_quota")
    if project_id not in call.world["network_quotas"]:
        raise ApiError(404, f"Quota for project {project_id} could not be found.", kind="TenantQuotaNotFound")
    call.world["network_quotas"].remove(project_id)
    return Reply(204)
