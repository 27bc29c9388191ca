"""Unified limits: /v3/registered_limits, /v3/limits, flat model."""

from emulator.openstack.keystone.common import conflict, find, page, require_admin, routes, self_link
from emulator.tables import Row, Table
from emulator.wire import ApiError, Body, Call, Reply

ROUTES = routes()


def _body(call: Call, kind: str, row: Row) -> Body:
    return {**row, "links": self_link(call, f"{kind}/{row['id']}")}


def _given(call: Call, key: str) -> list[Body]:
    found = call.json().get(key)
    if not isinstance(found, list) or not found or not all(isinstance(one, dict) for one in found):
        raise ApiError(
            400, f"Invalid input for field/attribute {key}. Value: {found}. {found!r} is not a non-empty array"
        )
    return found


def _same(row: Row, given: Body, *fields: str) -> bool:
    return all(row.get(field) == given.get(field) for field in fields)


def _amount(given: Body, field: str) -> int:
    value = given.get(field)
    if not isinstance(value, int) or isinstance(value, bool) or value < -1:
        raise ApiError(
            400, f"Invalid input for field/attribute {field}. Value: {value}. {value!r} is not of type 'integer'"
        )
    return value


def _filtered(call: Call, table: Table, *fields: str) -> list[Row]:
    rows = table.in_order()
    for field in fields:
        if field in call.args:
            rows = [row for row in rows if row.get(field) == call.args[field]]
    return rows


@ROUTES.get("/registered_limits")
def registered_list(call: Call) -> Reply:
    rows = _filtered(call, call.world["registered_limits"], "service_id", "region_id", "resource_name")
    return page(call, "registered_limits", rows, lambda row: _body(call, "registered_limits", row), paged=False)


@ROUTES.post("/registered_limits")
def registered_create(call: Call) -> Reply:
    require_admin(call, "create_registered_limits")
    table, made = call.world["registered_limits"], []
    given = _given(call, "registered_limits")
    for one in given:
        if any(_same(row, one, "service_id", "region_id", "resource_name") for row in table):
            raise conflict("registered_limit", "Duplicate entry.")
    for one in given:
        row = {
            "id": call.world.new_id(), "service_id": one.get("service_id"), "region_id": one.get("region_id"),
            "resource_name": one.get("resource_name"), "default_limit": _amount(one, "default_limit"),
            "description": one.get("description"),
        }  # fmt: skip
        made.append(_body(call, "registered_limits", table.put(row)))
    return Reply(201, {"registered_limits": made})


@ROUTES.get("/registered_limits/<limit_id>")
def registered_show(call: Call, limit_id: str) -> Reply:
    row = find(call.world["registered_limits"], "registered limit", limit_id)
    return Reply(200, {"registered_limit": _body(call, "registered_limits", row)})


def _uses(call: Call, row: Row) -> bool:
    return any(_same(limit, row, "service_id", "region_id", "resource_name") for limit in call.world["limits"])


@ROUTES.patch("/registered_limits/<limit_id>")
def registered_update(call: Call, limit_id: str) -> Reply:
    require_admin(call, "update_registered_limit")
    row = find(call.world["registered_limits"], "registered limit", limit_id)
    given = call.document("registered_limit")
    if _uses(call, row) and set(given) & {"service_id", "region_id", "resource_name"}:
        raise _in_use(limit_id)
    fields = {
        key: given[key]
        for key in ("service_id", "region_id", "resource_name", "default_limit", "description")
        if key in given
    }
    return Reply(
        200,
        {
            "registered_limit": _body(
                call, "registered_limits", call.world["registered_limits"].update(limit_id, **fields)
            )
        },
    )


def _in_use(limit_id: str) -> ApiError:
    return ApiError(
        403,
        f"Unable to update or delete registered limit {limit_id} because there are project limits associated with it.",
    )


@ROUTES.delete("/registered_limits/<limit_id>")
def registered_delete(call: Call, limit_id: str) -> Reply:
    require_admin(call, "delete_registered_limit")
    if _uses(call, find(call.world["registered_limits"], "registered limit", limit_id)):
        raise _in_use(limit_id)
    call.world["registered_limits"].remove(limit_id)
    return Reply(204)


@ROUTES.get("/limits/model")
def limit_model(call: Call) -> Reply:
    text = "Limit enforcement and validation does not take project hierarchy into consideration."
    return Reply(200, {"model": {"name": "flat", "description": text}})


@ROUTES.get("/limits")
def limit_list(call: Call) -> Reply:
    """Everything for the admin; anybody else sees the limits of the project the token is for."""
    rows = _filtered(call, call.world["limits"], "project_id", "domain_id", "service_id", "region_id", "resource_name")
    if not (call.actor.is_admin or call.actor.system):
        rows = [row for row in rows if row["project_id"] is not None and row["project_id"] == call.actor.project_id]
    return page(call, "limits", rows, lambda row: _body(call, "limits", row), paged=False)


@ROUTES.post("/limits")
def limit_create(call: Call) -> Reply:
    require_admin(call, "create_limits")
    table, made = call.world["limits"], []
    given = _given(call, "limits")
    for one in given:
        if not any(
            _same(row, one, "service_id", "region_id", "resource_name") for row in call.world["registered_limits"]
        ):
            raise ApiError(403, "Unable to create a limit that has no corresponding registered limit.")
        if any(_same(row, one, "project_id", "domain_id", "service_id", "region_id", "resource_name") for row in table):
            raise conflict("limit", "Duplicate entry.")
    for one in given:
        row = {
            "id": call.world.new_id(), "project_id": one.get("project_id"), "domain_id": one.get("domain_id"),
            "resource_limit": _amount(one, "resource_limit"), "description": one.get("description"),
            "service_id": one.get("service_id"), "region_id": one.get("region_id"),
            "resource_name": one.get("resource_name"),
        }  # fmt: skip
        made.append(_body(call, "limits", table.put(row)))
    return Reply(201, {"limits": made})


@ROUTES.get("/limits/<limit_id>")
def limit_show(call: Call, limit_id: str) -> Reply:
    return Reply(200, {"limit": _body(call, "limits", find(call.world["limits"], "limit", limit_id))})


@ROUTES.patch("/limits/<limit_id>")
def limit_update(call: Call, limit_id: str) -> Reply:
    require_admin(call, "update_limit")
    find(call.world["limits"], "limit", limit_id)
    given = call.document("limit")
    fields = {}
    if "resource_limit" in given:
        fields["resource_limit"] = _amount(given, "resource_limit")
    if "description" in given:
        fields["description"] = given["description"]
    return Reply(200, {"limit": _body(call, "limits", call.world["limits"].update(limit_id, **fields))})


@ROUTES.delete("/limits/<limit_id>")
def limit_delete(call: Call, limit_id: str) -> Reply:
    require_admin(call, "delete_limit")
    find(call.world["limits"], "limit", limit_id)
    call.world["limits"].remove(limit_id)
    return Reply(204)
