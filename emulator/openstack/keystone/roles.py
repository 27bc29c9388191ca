"""/v3/roles and what a role implies."""

from emulator import seed
from emulator.openstack.keystone.common import (
    check_name,
    conflict,
    find,
    forbid,
    keep_if,
    page,
    require_admin,
    routes,
    self_link,
)
from emulator.tables import Row
from emulator.wire import ApiError, Body, Call, Reply, without

ROUTES = routes()


def role_body(call: Call, row: Row) -> Body:
    return {**row, "links": self_link(call, f"roles/{row['id']}")}


def _may_read(call: Call, action: str) -> None:
    actor = call.actor
    if not (actor.is_admin or actor.system or (actor.domain_id and "manager" in actor.roles)):
        raise forbid(action)


@ROUTES.get("/roles")
def role_list(call: Call) -> Reply:
    _may_read(call, "list_roles")
    rows = [row for row in call.world["roles"].in_order() if row["domain_id"] == call.args.get("domain_id")]
    for test in keep_if(call, ("name",)):
        rows = [row for row in rows if test(row)]
    return page(call, "roles", rows, lambda row: role_body(call, row))


@ROUTES.post("/roles")
def role_create(call: Call) -> Reply:
    require_admin(call, "create_role")
    given = call.document("role")
    name = check_name(given.get("name"), longest=255)
    if any(row["domain_id"] == given.get("domain_id") for row in call.world["roles"].find("name", name)):
        raise conflict("role", f"Duplicate entry found with name {name}.")
    row = {
        "id": call.world.new_id(), "name": name, "domain_id": given.get("domain_id"),
        "description": given.get("description"), "options": given.get("options", {}),
    }  # fmt: skip
    return Reply(201, {"role": role_body(call, call.world["roles"].put(row))})


@ROUTES.get("/roles/<role_id>")
def role_show(call: Call, role_id: str) -> Reply:
    _may_read(call, "get_role")
    return Reply(200, {"role": role_body(call, find(call.world["roles"], "role", role_id))})


def _changeable(call: Call, role_id: str, action: str) -> None:
    require_admin(call, action)
    if find(call.world["roles"], "role", role_id)["options"].get("immutable"):
        raise ApiError(403, f"Cannot {action.split('_', maxsplit=1)[0]} immutable role {role_id}.")


@ROUTES.patch("/roles/<role_id>")
def role_update(call: Call, role_id: str) -> Reply:
    _changeable(call, role_id, "update_role")
    row = call.world["roles"].update(role_id, **without(call.document("role"), "id", "links"))
    return Reply(200, {"role": role_body(call, row)})


@ROUTES.delete("/roles/<role_id>")
def role_delete(call: Call, role_id: str) -> Reply:
    _changeable(call, role_id, "delete_role")
    for grant in call.world["grants"].find("role_id", role_id):
        call.world["grants"].remove(grant["id"])
    for row in [r for r in call.world["role_inferences"] if role_id in (r["prior_role_id"], r["implied_role_id"])]:
        call.world["role_inferences"].remove(row["id"])
    call.world["roles"].remove(role_id)
    return Reply(204)


def _named(call: Call, role_id: str) -> Body:
    row = call.world["roles"].rows[role_id]
    return {"id": role_id, "links": self_link(call, f"roles/{role_id}"), "name": row["name"]}


@ROUTES.get("/role_inferences")
def inference_list(call: Call) -> Reply:
    require_admin(call, "list_role_inference_rules")
    table = call.world["role_inferences"]
    priors = sorted({row["prior_role_id"] for row in table})
    rules = [
        {
            "prior_role": _named(call, prior),
            "implies": [_named(call, row["implied_role_id"]) for row in table.find("prior_role_id", prior)],
        }
        for prior in priors
    ]
    return Reply(200, {"role_inferences": rules})


@ROUTES.get("/roles/<prior>/implies")
def implied_list(call: Call, prior: str) -> Reply:
    require_admin(call, "list_implied_roles")
    find(call.world["roles"], "role", prior)
    implied = [
        _named(call, row["implied_role_id"]) for row in call.world["role_inferences"].find("prior_role_id", prior)
    ]
    body: Body = {"role_inference": {"prior_role": _named(call, prior), "implies": implied}}
    return Reply(200, body | {"links": self_link(call, f"roles/{prior}/implies")})


@ROUTES.put("/roles/<prior>/implies/<implied>")
def implied_add(call: Call, prior: str, implied: str) -> Reply:
    require_admin(call, "create_implied_role")
    find(call.world["roles"], "role", prior)
    find(call.world["roles"], "role", implied)
    call.world["role_inferences"].put(seed.inference_row(prior, implied))
    body: Body = {"role_inference": {"prior_role": _named(call, prior), "implies": _named(call, implied)}}
    return Reply(201, body | {"links": self_link(call, f"roles/{prior}/implies/{implied}")})


@ROUTES.delete("/roles/<prior>/implies/<implied>")
def implied_remove(call: Call, prior: str, implied: str) -> Reply:
    require_admin(call, "delete_implied_role")
    find(call.world["role_inferences"], "implied role", f"{prior}|{implied}")
    call.world["role_inferences"].remove(f"{prior}|{implied}")
    return Reply(204)
