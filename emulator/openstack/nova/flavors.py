"""Flavors, key pairs and availability zones."""

from emulator.clock import iso_micro
from emulator.ids import dashed
from emulator.openstack.nova.bodies import HOSTS
from emulator.openstack.nova.common import bad, links, require_admin, routes
from emulator.tables import Row
from emulator.wire import ApiError, Body, Call, Reply

ROUTES = routes()


def _body(call: Call, row: Row) -> Body:
    body: Body = {
        "id": row["id"], "name": row["name"], "ram": row["ram"], "disk": row["disk"],
        "swap": row["swap"] or ("" if call.version < (2, 75) else 0), "OS-FLV-EXT-DATA:ephemeral": row["ephemeral"],
        "OS-FLV-DISABLED:disabled": False, "vcpus": row["vcpus"], "os-flavor-access:is_public": row["is_public"],
        "rxtx_factor": 1.0, "links": links(call, f"flavors/{row['id']}"),
    }  # fmt: skip
    if call.version >= (2, 55):
        body["description"] = row["description"]
    if call.version >= (2, 61):
        body["extra_specs"] = row["extra_specs"]
    return body


def _short(call: Call, row: Row) -> Body:
    body = {"id": row["id"], "name": row["name"], "links": links(call, f"flavors/{row['id']}")}
    return body | ({"description": row["description"]} if call.version >= (2, 55) else {})


def _visible(call: Call) -> list[Row]:
    rows = sorted(call.world["flavors"], key=lambda row: (row["ram"], row["vcpus"], row["id"]))
    if not call.actor.is_admin:
        rows = [row for row in rows if row["is_public"]]
    marker = call.args.get("marker")
    if marker:
        place = next((n for n, row in enumerate(rows) if row["id"] == marker), None)
        if place is None:
            raise bad(f"marker [{marker}] not found")
        rows = rows[place + 1 :]
    return rows[: call.number("limit") or 1000]


@ROUTES.get("/flavors")
def flavor_list(call: Call) -> Reply:
    return Reply(200, {"flavors": [_short(call, row) for row in _visible(call)]})


@ROUTES.get("/flavors/detail")
def flavor_detail(call: Call) -> Reply:
    return Reply(200, {"flavors": [_body(call, row) for row in _visible(call)]})


def find_flavor(call: Call, flavor_id: str) -> Row:
    row = call.world["flavors"].get(flavor_id)
    if row is None:
        raise ApiError(404, f"Flavor {flavor_id} could not be found.")
    return row


@ROUTES.get("/flavors/<flavor_id>")
def flavor_show(call: Call, flavor_id: str) -> Reply:
    return Reply(200, {"flavor": _body(call, find_flavor(call, flavor_id))})


@ROUTES.get("/flavors/<flavor_id>/os-extra_specs")
def flavor_specs(call: Call, flavor_id: str) -> Reply:
    return Reply(200, {"extra_specs": find_flavor(call, flavor_id)["extra_specs"]})


@ROUTES.post("/flavors")
def flavor_create(call: Call) -> Reply:
    require_admin(call, "os-flavor-manage:create")
    given = call.document("flavor")
    if call.world["flavors"].find("name", given.get("name")):
        raise ApiError(409, f"Flavor with name {given['name']} already exists.")
    try:
        row: Row = {
            "id": str(given.get("id") or dashed(call.world.new_id())),
            "name": str(given["name"]), "vcpus": int(given["vcpus"]),
            "ram": int(given["ram"]), "disk": int(given["disk"]), "swap": int(given.get("swap") or 0),
            "ephemeral": int(given.get("OS-FLV-EXT-DATA:ephemeral") or 0),
            "is_public": bool(given.get("os-flavor-access:is_public", True)), "description": given.get("description"),
            "extra_specs": {},
        }  # fmt: skip
    except (KeyError, TypeError, ValueError) as error:
        raise bad(f"Invalid input for field/attribute flavor. Value: {given}. {error}") from None
    return Reply(200, {"flavor": _body(call, call.world["flavors"].put(row))})


@ROUTES.delete("/flavors/<flavor_id>")
def flavor_delete(call: Call, flavor_id: str) -> Reply:
    require_admin(call, "os-flavor-manage:delete")
    find_flavor(call, flavor_id)
    call.world["flavors"].remove(flavor_id)
    return Reply(202)


@ROUTES.get("/os-keypairs")
def keypair_list(call: Call) -> Reply:
    rows = call.world["keypairs"].find("user_id", call.args.get("user_id") or call.actor.user_id)
    return Reply(200, {"keypairs": [{"keypair": row["keypair"]} for row in rows]})


@ROUTES.get("/os-availability-zone")
def zone_list(call: Call) -> Reply:
    return Reply(200, {"availabilityZoneInfo": [{"zoneName": "nova", "zoneState": {"available": True}, "hosts": None}]})


@ROUTES.get("/os-availability-zone/detail")
def zone_detail(call: Call) -> Reply:
    require_admin(call, "os-availability-zone:detail")
    service = {"nova-compute": {"available": True, "active": True, "updated_at": iso_micro(call.now - 4)}}
    hosts = {f"host{number + 1}": service for number in range(HOSTS)}
    return Reply(
        200, {"availabilityZoneInfo": [{"zoneName": "nova", "zoneState": {"available": True}, "hosts": hosts}]}
    )
