"""Volumes, their types, their summary, and the services that keep them."""

from collections.abc import Iterator

from emulator.clock import iso_micro, parse_naive
from emulator.ids import dashed
from emulator.openstack.cinder.common import bad, is_admin, links, over_quota, require_admin, require_role, routes
from emulator.openstack.cinder.quotas import TYPE, in_use, limits_of
from emulator.stories import SHORT, Volume, VolumePhase
from emulator.wire import ApiError, Body, Call, Reply, take

ROUTES = routes()
PAGE = 1000


def find_volume(call: Call, volume_id: str) -> Volume:
    volume: Volume | None = call.world.volumes.find(volume_id, call.now)
    mine = volume is not None and (is_admin(call) or volume.project_id == call.actor.project_id)
    if volume is None or not mine or volume.ends <= call.now:
        raise ApiError(404, f"Volume {volume_id} could not be found.")
    return volume


def _type_id(call: Call) -> str:
    return dashed(call.world.ids.named("volume-type", TYPE))


def _short(call: Call, volume: Volume) -> Body:
    return {"id": volume.id, "name": volume.name, "links": links(call, f"volumes/{volume.id}")}


def volume_body(call: Call, volume: Volume) -> Body:
    phase = volume.phase(call.now)
    new = phase.at == volume.created and phase.status == "creating"
    body: Body = {
        "id": volume.id, "status": phase.status, "size": phase.size, "availability_zone": "nova",
        "created_at": iso_micro(volume.created), "updated_at": None if new else iso_micro(phase.at),
        "name": volume.name,
        "description": volume.description, "volume_type": volume.type, "snapshot_id": None, "source_volid": None,
        "metadata": volume.metadata, "links": links(call, f"volumes/{volume.id}"), "user_id": volume.user_id,
        "bootable": "false", "encrypted": False, "replication_status": None, "consistencygroup_id": None,
        "multiattach": False, "attachments": [],
    }  # fmt: skip
    return body


def _full_body(call: Call, volume: Volume) -> Body:
    """As lists and GET show it: more with every microversion, and the owner for admins."""
    body = volume_body(call, volume) | {"migration_status": None}
    if call.version >= (3, 13):
        body["group_id"] = None
    if call.version >= (3, 21):
        body["provider_id"] = None
    if call.version >= (3, 48):
        body |= {"shared_targets": False, "service_uuid": dashed(call.world.ids.named("volume-service", 1))}
    if call.version >= (3, 61):
        body["cluster_name"] = None
    if call.version >= (3, 63):
        body["volume_type_id"] = _type_id(call)
    if call.version >= (3, 65):
        body["consumes_quota"] = True
    body["os-vol-tenant-attr:tenant_id"] = volume.project_id
    if is_admin(call):
        body |= {
            "os-vol-mig-status-attr:migstat": None, "os-vol-mig-status-attr:name_id": None,
            "os-vol-host-attr:host": "store1@rbd#rbd",
        }  # fmt: skip
    return body


def project_asked(call: Call) -> str | None:
    """Whose things: a member who asks for all tenants gets only its own, without a word."""
    own = require_role(call, "reader", "volume:get_all")
    if is_admin(call) and (call.flag("all_tenants") or call.args.get("project_id")):
        return call.args.get("project_id")
    return own


def _found(call: Call) -> Iterator[Volume]:
    try:
        found = call.world.volumes.walk(call.now, project=project_asked(call), marker=call.args.get("marker"))
    except LookupError as error:
        raise bad(f"marker [{error.args[0]}] not found") from None
    status, name = call.args.get("status"), call.args.get("name")
    compare = _created(call)
    for volume in found:
        if status not in (None, volume.phase(call.now).status) or name not in (None, volume.name):
            continue
        if compare is None or compare[0] < volume.created < compare[1]:
            yield volume


def _created(call: Call) -> tuple[float, float] | None:
    """`created_at=gt:...,lt:...`, from 3.60 on."""
    text = call.args.get("created_at")
    if text is None or call.version < (3, 60):
        return None
    low, high = float("-inf"), float("inf")
    for part in text.split(","):
        how, _, value = part.strip().partition(":")
        try:
            moment = parse_naive(
                value.removesuffix("Z"), "%Y-%m-%dT%H:%M:%S", "%Y-%m-%dT%H:%M:%S.%f", "%Y-%m-%d %H:%M:%S"
            )
        except ValueError:
            raise bad(f"The specified created_at is invalid: {value}") from None
        if how in ("gt", "gte"):
            low = moment - (how == "gte")
        elif how in ("lt", "lte"):
            high = moment + (how == "lte")
    return low, high


def _listed(call: Call, detailed: bool) -> Reply:
    limit = min(call.number("limit") or PAGE, PAGE)
    page = take(_found(call), limit)
    body: Body = {"volumes": [_full_body(call, volume) if detailed else _short(call, volume) for volume in page]}
    if len(page) == limit:
        body["volumes_links"] = [
            {"rel": "next", "href": call.page_url(limit=call.args.get("limit"), marker=page[-1].id)}
        ]
    return Reply(200, body)


@ROUTES.get("/volumes")
def volume_list(call: Call) -> Reply:
    return _listed(call, detailed=False)


@ROUTES.get("/volumes/detail")
def volume_detail(call: Call) -> Reply:
    return _listed(call, detailed=True)


@ROUTES.get("/volumes/summary")
def volume_summary(call: Call) -> Reply:
    sizes = [volume.phase(call.now).size for volume in _found(call)]
    body: Body = {"total_count": len(sizes), "total_size": sum(sizes)}
    if call.version >= (3, 36):
        body["metadata"] = {}
    return Reply(200, {"volume-summary": body})


@ROUTES.get("/volumes/<volume_id>")
def volume_show(call: Call, volume_id: str) -> Reply:
    require_role(call, "reader", "volume:get")
    return Reply(200, {"volume": _full_body(call, find_volume(call, volume_id))})


def check_quota(call: Call, project: str, **more: int) -> None:
    limits, used = limits_of(call, project), in_use(call, project)
    for name in (f"gigabytes_{TYPE}", "gigabytes", f"volumes_{TYPE}", "volumes", f"snapshots_{TYPE}", "snapshots"):
        asked = more.get(name.split("_")[0], 0)
        if asked and 0 <= limits[name] < used[name] + asked:
            raise over_quota(name, asked, limits[name], used[name])


@ROUTES.post("/volumes")
def volume_create(call: Call) -> Reply:
    project = require_role(call, "member", "volume:create")
    given = call.document("volume")
    size = call.whole(given, "size")
    if given.get("volume_type") not in (None, TYPE, _type_id(call)):
        raise ApiError(404, f"Volume type with name {given['volume_type']} could not be found.")
    check_quota(call, project, volumes=1, gigabytes=size)
    at = int(call.now)
    volume = Volume(
        id=dashed(call.world.new_id()),
        name=str(given.get("name") or ""),
        project_id=project,
        user_id=call.actor.user_id,
        created=at,
        phases=[VolumePhase(at, "creating", size), VolumePhase(at + SHORT, "available", size)],
        description=given.get("description"),
        metadata=dict(given.get("metadata") or {}),
    )
    call.world.volumes.put(volume)
    return Reply(202, {"volume": volume_body(call, volume)})


@ROUTES.put("/volumes/<volume_id>")
def volume_update(call: Call, volume_id: str) -> Reply:
    require_role(call, "member", "volume:update")
    volume, given = find_volume(call, volume_id), call.document("volume")
    volume.name = str(given.get("name", volume.name))
    volume.description = given.get("description", volume.description)
    call.world.volumes.put(volume)
    return Reply(200, {"volume": volume_body(call, volume)})


_DELETABLE = ("available", "error", "error_restoring", "error_extending", "error_managing")


@ROUTES.delete("/volumes/<volume_id>")
def volume_delete(call: Call, volume_id: str) -> Reply:
    """202; gone a moment later. A volume with snapshots stays."""
    require_role(call, "member", "volume:delete")
    volume = find_volume(call, volume_id)
    phase = volume.phase(call.now)
    if phase.status not in _DELETABLE or any(call.world.snapshots(project=volume.project_id, volume=volume_id)):
        raise bad(
            "Invalid volume: Volume status must be available or error or error_restoring or error_extending or "
            "error_managing and must not be migrating, attached, belong to a group, have snapshots, awaiting a "
            "transfer, or be disassociated from snapshots after volume transfer."
        )
    at = int(call.now)
    volume.forget_future(call.now)
    volume.phases += [VolumePhase(at, "deleting", phase.size), VolumePhase(at + SHORT, "deleted", phase.size)]
    volume.ends = at + SHORT
    call.world.volumes.put(volume)
    return Reply(202)


@ROUTES.post("/volumes/<volume_id>/action")
def volume_action(call: Call, volume_id: str) -> Reply:
    require_role(call, "member", "volume:extend")
    body = call.json()
    if list(body) != ["os-extend"]:
        raise bad(f"There is no such action: {', '.join(body)}")
    volume = find_volume(call, volume_id)
    phase, size = volume.phase(call.now), call.whole(dict(body["os-extend"]), "new_size")
    if phase.status != "available":
        raise bad(f"Invalid volume: Volume {volume_id} status must be 'available' to extend, currently {phase.status}.")
    if size <= phase.size:
        raise bad(
            "Invalid input received: New size for extend must be greater than current size. "
            f"(current: {phase.size}, extended: {size})."
        )
    check_quota(call, volume.project_id, gigabytes=size - phase.size)
    at = int(call.now)
    volume.forget_future(call.now)
    volume.phases += [VolumePhase(at, "extending", phase.size), VolumePhase(at + SHORT, "available", size)]
    call.world.volumes.put(volume)
    return Reply(202)


def _type(call: Call) -> Body:
    return {
        "id": _type_id(call), "name": TYPE, "is_public": True, "description": "Default Volume Type", "extra_specs": {},
        "qos_specs_id": None, "os-volume-type-access:is_public": True,
    }  # fmt: skip


@ROUTES.get("/types")
def type_list(call: Call) -> Reply:
    return Reply(200, {"volume_types": [_type(call)]})


@ROUTES.get("/types/<type_id>")
def type_show(call: Call, type_id: str) -> Reply:
    if type_id not in ("default", _type_id(call)):
        raise ApiError(404, f"Volume type {type_id} could not be found.")
    return Reply(200, {"volume_type": _type(call)})


@ROUTES.get("/os-services")
def service_list(call: Call) -> Reply:
    require_admin(call, "volume_extension:services:index")
    services = [
        {
            "binary": binary, "host": host, "zone": "nova", "status": "enabled", "state": "up",
            "updated_at": iso_micro(call.now - 5), "disabled_reason": None,
        }
        for binary, host in (("cinder-scheduler", "control1"), ("cinder-volume", "store1@rbd"))
    ]  # fmt: skip
    return Reply(200, {"services": services})
