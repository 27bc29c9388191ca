"""Glance: images, enough to boot from and to count."""

from emulator.clock import iso_z
from emulator.tables import Row
from emulator.wire import ApiError, Body, Call, Reply, Routes

ROUTES = Routes("/image/v2")
_PAGE = 25


def _visible(call: Call, row: Row) -> bool:
    return row["visibility"] == "public" or call.actor.is_admin or row["owner"] == call.actor.project_id


def _body(call: Call, row: Row) -> Body:
    path = f"/v2/images/{row['id']}"
    made = iso_z(row["created"])
    return {
        "id": row["id"], "name": row["name"], "status": "active", "visibility": row["visibility"],
        "owner": row["owner"],
        "size": row["size"], "virtual_size": None, "min_disk": row["min_disk"], "min_ram": 0, "disk_format": "qcow2",
        "container_format": "bare", "protected": False, "os_hidden": False, "tags": [],
        "checksum": row["id"].replace("-", ""),
        "os_hash_algo": "sha512", "os_hash_value": call.world.ids.secret("image", row["id"], size=64),
        "created_at": made,
        "updated_at": made, "self": path, "file": f"{path}/file", "schema": "/v2/schemas/image",
    }  # fmt: skip


@ROUTES.get("/images")
def image_list(call: Call) -> Reply:
    rows = [row for row in call.world["images"].in_order() if _visible(call, row)]
    for key in ("owner", "name", "visibility"):
        if key in call.args and (key, call.args[key]) != ("visibility", "all"):
            rows = [row for row in rows if row[key] == call.args[key]]
    if call.args.get("os_hidden", "").lower() == "true":
        rows = []
    if marker := call.args.get("marker"):
        rows = [row for row in rows if row["id"] > marker]
    limit = min(call.number("limit") or _PAGE, 1000)
    page = rows[:limit]
    body: Body = {"images": [_body(call, row) for row in page], "first": "/v2/images", "schema": "/v2/schemas/images"}
    if len(rows) > limit:
        body["next"] = f"/v2/images?limit={limit}&marker={page[-1]['id']}"
    return Reply(200, body)


@ROUTES.get("/images/<image_id>")
def image_show(call: Call, image_id: str) -> Reply:
    row = call.world["images"].get(image_id)
    if row is None or not _visible(call, row):
        raise ApiError(404, f"No image found with ID {image_id}")
    return Reply(200, _body(call, row))
