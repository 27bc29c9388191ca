"""Snapshots of volumes."""

from emulator.clock import iso_micro
from emulator.ids import dashed
from emulator.openstack.cinder.common import bad, is_admin, require_role, routes
from emulator.openstack.cinder.volumes import PAGE, check_quota, find_volume, project_asked
from emulator.stories import SHORT, Snapshot
from emulator.wire import ApiError, Body, Call, Reply, take

ROUTES = routes()


def _body(call: Call, snapshot: Snapshot, detailed: bool) -> Body:
    new = call.now < snapshot.created + SHORT
    status = "creating" if new else "deleting" if call.now >= snapshot.ends - SHORT else "available"
    body: Body = {
        "id": snapshot.id, "created_at": iso_micro(snapshot.created),
        "updated_at": None if new else iso_micro(snapshot.created + SHORT), "name": snapshot.name,
        "description": snapshot.description, "volume_id": snapshot.volume_id, "status": status, "size": snapshot.size,
        "metadata": snapshot.metadata,
    }  # fmt: skip
    if detailed:
        body |= {
            "os-extended-snapshot-attributes:project_id": snapshot.project_id,
            "os-extended-snapshot-attributes:progress": "0%" if new else "100%",
        }
    if call.version >= (3, 41):
        body["user_id"] = snapshot.user_id
    if call.version >= (3, 65):
        body["consumes_quota"] = True
    return body


def _listed(call: Call, detailed: bool) -> Reply:
    found = call.world.snapshots(project=project_asked(call), volume=call.args.get("volume_id"))
    if marker := call.args.get("marker"):
        if call.world.find_snapshot(marker) is None:
            raise bad(f"marker [{marker}] not found")
        for snapshot in found:
            if snapshot.id == marker:
                break
    limit = min(call.number("limit") or PAGE, PAGE)
    page = take(found, limit)
    body: Body = {"snapshots": [_body(call, snapshot, detailed) for snapshot in page]}
    if len(page) == limit:
        href = call.page_url(limit=call.args.get("limit"), marker=page[-1].id)
        body["snapshots_links"] = [{"rel": "next", "href": href}]
    return Reply(200, body)


@ROUTES.get("/snapshots")
def snapshot_list(call: Call) -> Reply:
    return _listed(call, detailed=False)


@ROUTES.get("/snapshots/detail")
def snapshot_detail(call: Call) -> Reply:
    return _listed(call, detailed=True)


def _find(call: Call, snapshot_id: str) -> Snapshot:
    snapshot = call.world.find_snapshot(snapshot_id)
    mine = snapshot is not None and (is_admin(call) or snapshot.project_id == call.actor.project_id)
    if snapshot is None or not mine or snapshot.ends <= call.now:
        raise ApiError(404, f"Snapshot {snapshot_id} could not be found.")
    return snapshot


@ROUTES.get("/snapshots/<snapshot_id>")
def snapshot_show(call: Call, snapshot_id: str) -> Reply:
    require_role(call, "reader", "volume:get_snapshot")
    return Reply(200, {"snapshot": _body(call, _find(call, snapshot_id), detailed=True)})


@ROUTES.post("/snapshots")
def snapshot_create(call: Call) -> Reply:
    project = require_role(call, "member", "volume:create_snapshot")
    given = call.document("snapshot")
    volume = find_volume(call, str(given.get("volume_id")))
    phase = volume.phase(call.now)
    if phase.status != "available":
        raise bad(
            f"Invalid volume: Volume {volume.id} status must be available, but current status is: {phase.status}."
        )
    check_quota(call, project, snapshots=1, gigabytes=phase.size)
    snapshot = Snapshot(
        id=dashed(call.world.new_id()),
        name=str(given.get("name") or ""),
        project_id=volume.project_id,
        user_id=call.actor.user_id,
        volume_id=volume.id,
        size=phase.size,
        created=int(call.now),
        description=given.get("description"),
        metadata=dict(given.get("metadata") or {}),
    )
    call.world["snapshots"].put(snapshot.row())
    return Reply(202, {"snapshot": _body(call, snapshot, detailed=False)})


@ROUTES.delete("/snapshots/<snapshot_id>")
def snapshot_delete(call: Call, snapshot_id: str) -> Reply:
    require_role(call, "member", "volume:delete_snapshot")
    snapshot = _find(call, snapshot_id)
    snapshot.ends = int(call.now) + SHORT
    call.world["snapshots"].put(snapshot.row())
    return Reply(202)
