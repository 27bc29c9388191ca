"""os-services and os-hypervisors: a site of a few hosts that is big enough for what lives on it."""

from emulator.clock import iso_micro
from emulator.openstack.nova.bodies import HOSTS
from emulator.openstack.nova.common import require_admin, routes
from emulator.wire import ApiError, Body, Call, Reply

ROUTES = routes()


def provider_sizes(call: Call) -> tuple[int, int, int]:
    """(vCPUs, MiB, GiB) of one host."""
    share = max(20, call.world.config.servers // HOSTS + 10)
    return 8 * share, 16_384 * share, 200 * share


def site_use(call: Call) -> tuple[int, int, int, int]:
    """(instances, vCPUs, MiB, GiB) on the whole site, up to a minute old: compute hosts report no oftener."""
    return call.world.site_use(int(call.now // 60))


@ROUTES.get("/os-services")
def service_list(call: Call) -> Reply:
    require_admin(call, "os-services:list")
    found = [("nova-scheduler", "control1", "internal"), ("nova-conductor", "control1", "internal")]
    found += [("nova-compute", f"host{n + 1}", "nova") for n in range(HOSTS)]
    services = [
        {
            "id": _id(call, "service", f"{binary}/{host}") if call.version >= (2, 53) else number + 1, "binary": binary,
            "host": host, "zone": zone, "status": "enabled", "state": "up", "updated_at": iso_micro(call.now - 4),
            "disabled_reason": None,
        }
        for number, (binary, host, zone) in enumerate(found)
        if call.args.get("binary") in (None, binary) and call.args.get("host") in (None, host)
    ]  # fmt: skip
    for service in services:
        if call.version >= (2, 11):
            service["forced_down"] = False
    return Reply(200, {"services": services})


def _id(call: Call, kind: str, name: str) -> str:
    digits = call.world.ids.named(kind, name)
    return f"{digits[:8]}-{digits[8:12]}-{digits[12:16]}-{digits[16:20]}-{digits[20:]}"


def hypervisor_ids(call: Call) -> list[tuple[str, str]]:
    return [(_id(call, "hypervisor", f"host{n + 1}"), f"host{n + 1}") for n in range(HOSTS)]


def _short(call: Call, number: int, uuid: str, name: str) -> Body:
    return {
        "id": uuid if call.version >= (2, 53) else number + 1, "hypervisor_hostname": name, "state": "up",
        "status": "enabled",
    }  # fmt: skip


def _detail(call: Call, number: int, uuid: str, name: str, use: tuple[int, int, int, int]) -> Body:
    cores, ram, disk = provider_sizes(call)
    body = _short(call, number, uuid, name) | {
        "hypervisor_type": "QEMU", "hypervisor_version": 8_002_002, "host_ip": f"192.0.2.{number + 11}",
        "service": {"id": _id(call, "service", f"nova-compute/{name}"), "host": name, "disabled_reason": None},
    }  # fmt: skip
    if call.version >= (2, 88):
        return body | {"uptime": None}
    instances, used_cores, used_ram, used_disk = (amount // HOSTS for amount in use)
    return body | {
        "vcpus": cores, "memory_mb": ram, "local_gb": disk, "vcpus_used": used_cores, "memory_mb_used": used_ram,
        "local_gb_used": used_disk, "free_ram_mb": ram - used_ram, "free_disk_gb": disk - used_disk,
        "current_workload": 0,
        "running_vms": instances, "disk_available_least": disk - used_disk, "cpu_info": {},
    }  # fmt: skip


@ROUTES.get("/os-hypervisors")
def hypervisor_list(call: Call) -> Reply:
    require_admin(call, "os-hypervisors:list")
    return Reply(200, {"hypervisors": [_short(call, n, *one) for n, one in enumerate(hypervisor_ids(call))]})


@ROUTES.get("/os-hypervisors/detail")
def hypervisor_detail(call: Call) -> Reply:
    require_admin(call, "os-hypervisors:list-detail")
    use = site_use(call) if call.version < (2, 88) else (0, 0, 0, 0)
    return Reply(200, {"hypervisors": [_detail(call, n, *one, use) for n, one in enumerate(hypervisor_ids(call))]})


@ROUTES.get("/os-hypervisors/statistics")
def hypervisor_statistics(call: Call) -> Reply:
    """Gone from 2.88 on."""
    require_admin(call, "os-hypervisors:statistics")
    if call.version >= (2, 88):
        raise ApiError(404, "The resource could not be found.")
    cores, ram, disk = (size * HOSTS for size in provider_sizes(call))
    instances, used_cores, used_ram, used_disk = site_use(call)
    numbers = {
        "count": HOSTS, "current_workload": 0, "disk_available_least": disk - used_disk,
        "free_disk_gb": disk - used_disk,
        "free_ram_mb": ram - used_ram, "local_gb": disk, "local_gb_used": used_disk, "memory_mb": ram,
        "memory_mb_used": used_ram, "running_vms": instances, "vcpus": cores, "vcpus_used": used_cores,
    }  # fmt: skip
    return Reply(200, {"hypervisor_statistics": numbers})
