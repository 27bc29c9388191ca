"""How a server looks in an answer, by microversion and by who asks."""

from emulator.clock import iso_micro, iso_z
from emulator.openstack.nova.common import links
from emulator.stories import Phase, Server
from emulator.wire import Body, Call

_VM = {
    "BUILD": ("building", 0), "ACTIVE": ("active", 1), "SHUTOFF": ("stopped", 4), "RESIZE": ("active", 1),
    "VERIFY_RESIZE": ("resized", 1), "PAUSED": ("paused", 3), "SHELVED_OFFLOADED": ("shelved_offloaded", 4),
    "REBOOT": ("active", 1), "ERROR": ("error", 0), "DELETED": ("deleted", 0), "REVERT_RESIZE": ("resized", 1),
}  # fmt: skip
_WITH_PROGRESS = ("ACTIVE", "BUILD", "REBOOT", "RESIZE", "REVERT_RESIZE", "SHUTOFF", "VERIFY_RESIZE", "PAUSED")
HOSTS = 8
_SINCE = (
    ((2, 9), "locked"), ((2, 19), "description"), ((2, 26), "tags"), ((2, 63), "trusted_image_certificates"),
    ((2, 71), "server_groups"), ((2, 73), "locked_reason"), ((2, 96), "pinned_availability_zone"),
)  # fmt: skip


def vm_state(phase: Phase) -> str:
    return _VM[phase.status][0]


def short_body(call: Call, server: Server) -> Body:
    return {"id": server.id, "name": server.name, "links": links(call, f"servers/{server.id}")}


def server_body(call: Call, server: Server) -> Body:
    phase, now = server.phase(call.now), call.now
    body: Body = {
        "accessIPv4": "", "accessIPv6": "", "addresses": _addresses(call, server, phase),
        "created": iso_z(server.created),
        "flavor": _flavor(call, phase), "hostId": _host_id(call, server), "id": server.id,
        "image": _image(call, server),
        "links": links(call, f"servers/{server.id}"), "metadata": server.metadata, "name": server.name,
        "status": phase.status, "tenant_id": server.project_id, "user_id": server.user_id,
        "updated": iso_z(server.updated(now)), "OS-DCF:diskConfig": "MANUAL",
    }  # fmt: skip
    if phase.status in _WITH_PROGRESS:
        body["progress"] = 0
    if server.fault and phase.status in ("ERROR", "DELETED"):
        body["fault"] = {"code": server.fault_code, "created": iso_z(server.created + 2), "message": server.fault}
    body |= _states(call, server, phase)
    later: Body = {"description": server.description, "tags": [], "server_groups": []}
    for since, key in _SINCE:
        if call.version >= since and (key != "server_groups" or call.path.endswith(server.id)):
            body[key] = later.get(key, False if key == "locked" else None)
    if call.version >= (2, 16) and call.actor.is_admin:
        body["host_status"] = "UP" if phase.status not in ("DELETED", "ERROR") and server.launches else ""
    return body


def _states(call: Call, server: Server, phase: Phase) -> Body:
    state, power = _VM[phase.status]
    launched = server.launched(call.now)
    body: Body = {
        "OS-EXT-AZ:availability_zone": "nova", "config_drive": "", "key_name": server.key_name,
        "OS-SRV-USG:launched_at": None if launched is None else iso_micro(launched),
        "OS-SRV-USG:terminated_at": iso_micro(server.ends) if phase.status == "DELETED" else None,
    }  # fmt: skip
    if call.actor.is_admin:
        host = host_name(server) if launched is not None else None
        body |= {
            "OS-EXT-SRV-ATTR:host": host, "OS-EXT-SRV-ATTR:instance_name": f"instance-{server.number:08x}",
            "OS-EXT-SRV-ATTR:hypervisor_hostname": host,
        }  # fmt: skip
        if call.version >= (2, 3):
            body |= {
                "OS-EXT-SRV-ATTR:hostname": server.name, "OS-EXT-SRV-ATTR:kernel_id": "",
                "OS-EXT-SRV-ATTR:launch_index": 0,
                "OS-EXT-SRV-ATTR:ramdisk_id": "", "OS-EXT-SRV-ATTR:reservation_id": f"r-{server.id[:8]}",
                "OS-EXT-SRV-ATTR:root_device_name": "/dev/sda" if host else None, "OS-EXT-SRV-ATTR:user_data": None,
            }  # fmt: skip
    elif call.version >= (2, 90):
        body["OS-EXT-SRV-ATTR:hostname"] = server.name
    body |= {
        "OS-EXT-STS:task_state": phase.task, "OS-EXT-STS:vm_state": state, "OS-EXT-STS:power_state": power,
        "os-extended-volumes:volumes_attached": [],
    }  # fmt: skip
    return body


def host_name(server: Server) -> str:
    return f"host{server.number % HOSTS + 1}"


def _host_id(call: Call, server: Server) -> str:
    return call.world.ids.secret("host", host_name(server), server.project_id, size=28) if server.launches else ""


def _image(call: Call, server: Server) -> Body | str:
    if server.image_id is None:
        return ""
    return {"id": server.image_id, "links": [links(call, f"images/{server.image_id}")[1]]}


def _flavor(call: Call, phase: Phase) -> Body:
    """From 2.47 on the values are embedded and the id of the flavor is gone."""
    if call.version < (2, 47):
        return {"id": phase.flavor, "links": [links(call, f"flavors/{phase.flavor}")[1]]}
    row = call.world["flavors"].rows[phase.flavor]
    return {
        "vcpus": row["vcpus"], "ram": row["ram"], "disk": row["disk"], "ephemeral": row["ephemeral"],
        "swap": row["swap"],
        "original_name": row["name"], "extra_specs": row["extra_specs"],
    }  # fmt: skip


def _addresses(call: Call, server: Server, phase: Phase) -> Body:
    network = call.world["networks"].get(server.network_id or "")
    if network is None or server.address is None or phase.status in ("BUILD", "ERROR", "DELETED"):
        return {}
    one = {
        "version": 4, "addr": server.address, "OS-EXT-IPS:type": "fixed", "OS-EXT-IPS-MAC:mac_addr": mac(server.id),
    }  # fmt: skip
    return {network["name"]: [one]}


def mac(server_id: str) -> str:
    return f"fa:16:3e:{server_id[:2]}:{server_id[2:4]}:{server_id[4:6]}"
