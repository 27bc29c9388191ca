"""Limits of three services: what they are called, reading them for all projects, and setting one.

Amounts outside are in base units; ``-1`` is unlimited everywhere and 0 is 0. Facts 5.2 to 5.4.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Mapping
from concurrent.futures import ThreadPoolExecutor
from typing import Any

from connectors.errors import ConnectorError, Refused, ServerFault
from connectors.openstack.pages import listed, one_of, rows_of
from connectors.openstack.session import OpenStack, at
from connectors.openstack.versions import Service
from connectors.types import UNLIMITED, FoundLimit, NativeResource

COMPUTE, VOLUME, NETWORK = "limits.compute", "limits.volume", "limits.network"
SERVICES = {COMPUTE: Service.COMPUTE, VOLUME: Service.VOLUME, NETWORK: Service.NETWORK}
RESOURCES = (
    NativeResource("compute.vcpu", "cores", COMPUTE, 1000),
    NativeResource("compute.memory", "ram", COMPUTE, 1),
    NativeResource("compute.instances", "instances", COMPUTE, 1),
    NativeResource("storage.volume", "gigabytes", VOLUME, 1024),
    NativeResource("storage.volumes", "volumes", VOLUME, 1),
    NativeResource("storage.snapshots", "snapshots", VOLUME, 1),
    NativeResource("network.floating_ips", "floatingip", NETWORK, 1),
    NativeResource("network.ports", "port", NETWORK, 1),
    NativeResource("network.networks", "network", NETWORK, 1),
    NativeResource("network.routers", "router", NETWORK, 1),
    NativeResource("network.security_groups", "security_group", NETWORK, 1),
)
BY_KEY = {resource.key: resource for resource in RESOURCES}
# The list that is counted for what is in use of each of Neutron's resources.
_COUNTED = {
    "floatingip": ("/floatingips", "floatingips"),
    "port": ("/ports", "ports"),
    "network": ("/networks", "networks"),
    "router": ("/routers", "routers"),
    "security_group": ("/security-groups", "security_groups"),
}
# After so many failed projects the service is left alone: a thousand more would fail the same way.
GIVE_UP_AFTER = 5


def of_section(section: str) -> tuple[NativeResource, ...]:
    return tuple(resource for resource in RESOURCES if resource.section == section)


def to_base(resource: NativeResource, native: int) -> int:
    return UNLIMITED if native < 0 else native * resource.factor


def to_native(resource: NativeResource, amount: int) -> int:
    """Whole native units. Raises ``Refused`` for an amount this cloud cannot express."""
    if amount == UNLIMITED:
        return UNLIMITED
    if amount < 0 or amount % resource.factor:
        raise Refused(
            f"{amount} of {resource.key} is not a whole number of {resource.native} ({resource.factor} each).",
            remedy=f"Choose a multiple of {resource.factor}.",
        )
    native = amount // resource.factor
    if native > resource.maximum:
        raise Refused(f"{native} {resource.native} is more than the cloud can store ({resource.maximum}).")
    return native


# --- reading ---


def survey_section(
    cloud: OpenStack, section: str, projects: Iterable[str], pool: ThreadPoolExecutor, *, scoped: bool
) -> tuple[list[FoundLimit], ConnectorError | None]:
    """Limits and use of one service; the error says why some are missing."""
    if section == NETWORK and not scoped:
        return _network_of_all(cloud, tuple(projects), pool)
    readers: Mapping[str, Callable[[OpenStack, str], list[FoundLimit]]] = {
        COMPUTE: compute_of,
        VOLUME: volume_of,
        NETWORK: network_of,
    }
    return _each(cloud, readers[section], tuple(projects), pool)


def _each(
    cloud: OpenStack,
    read: Callable[[OpenStack, str], list[FoundLimit]],
    projects: tuple[str, ...],
    pool: ThreadPoolExecutor,
) -> tuple[list[FoundLimit], ConnectorError | None]:
    failed: list[ConnectorError] = []

    def one(project: str) -> list[FoundLimit]:
        if len(failed) >= GIVE_UP_AFTER:
            return []
        try:
            return read(cloud, project)
        except ConnectorError as error:
            failed.append(error)
            return []

    rows = [row for found in pool.map(one, projects) for row in found]
    return rows, failed[0] if failed else None


def compute_of(cloud: OpenStack, project: str) -> list[FoundLimit]:
    body = cloud.get(Service.COMPUTE, at("/os-quota-sets/{}/detail", project))
    return _details(project, COMPUTE, one_of(body, "quota_set"), "in_use")


def volume_of(cloud: OpenStack, project: str) -> list[FoundLimit]:
    body = cloud.get(Service.VOLUME, at("/os-quota-sets/{}", project), usage="True")
    return _details(project, VOLUME, one_of(body, "quota_set"), "in_use")


def network_of(cloud: OpenStack, project: str) -> list[FoundLimit]:
    body = cloud.get(Service.NETWORK, at("/quotas/{}/details.json", project))
    return _details(project, NETWORK, one_of(body, "quota"), "used")


def _details(project: str, section: str, quotas: Mapping[str, Any], used: str) -> list[FoundLimit]:
    found = []
    for resource in of_section(section):
        quota = quotas.get(resource.native)
        if quota is None:
            continue
        # What is reserved is on its way to being used and already counts against the limit.
        in_use = (int(quota[used]) + int(quota.get("reserved") or 0)) * resource.factor
        floor = in_use if section == VOLUME else None
        found.append(FoundLimit(project, resource.key, to_base(resource, int(quota["limit"])), in_use, section, floor))
    return found


def _network_of_all(
    cloud: OpenStack, projects: tuple[str, ...], pool: ThreadPoolExecutor
) -> tuple[list[FoundLimit], ConnectorError | None]:
    """Overrides and defaults in two calls, use by counting lists: not a call per project."""
    if not projects:
        return [], None
    try:
        overrides = {
            str(row.get("project_id") or row["tenant_id"]): row
            for row in rows_of(cloud.get(Service.NETWORK, "/quotas"), "quotas")
        }
        default = one_of(cloud.get(Service.NETWORK, at("/quotas/{}/default", projects[0])), "quota")
    except ConnectorError as error:
        return [], error
    failed: list[ConnectorError] = []

    def count(resource: NativeResource) -> tuple[str, Counter[str] | None]:
        try:
            return resource.native, _count(cloud, resource.native)
        except ConnectorError as error:
            failed.append(error)
            return resource.native, None

    used = dict(pool.map(count, of_section(NETWORK)))
    found = []
    for project in projects:
        quota = overrides.get(project, default)
        for resource in of_section(NETWORK):
            counted = used[resource.native]
            native = quota.get(resource.native, default.get(resource.native))
            if native is not None:
                in_use = None if counted is None else counted[project] * resource.factor
                found.append(FoundLimit(project, resource.key, to_base(resource, int(native)), in_use, NETWORK))
    return found, failed[0] if failed else None


def _count(cloud: OpenStack, native: str) -> Counter[str]:
    path, key = _COUNTED[native]
    counter: Counter[str] = Counter()
    for page in listed(cloud, Service.NETWORK, path, key, fields=["id", "project_id"]):
        counter.update(str(row["project_id"]) for row in page)
    return counter


# --- setting one ---


def read_one(cloud: OpenStack, resource: NativeResource, project: str) -> int:
    """The limit as it is now, in base units."""
    return to_base(resource, _READ[resource.section](cloud, resource.native, project))


def write_one(cloud: OpenStack, resource: NativeResource, project: str, native: int) -> None:
    """Set one limit, below the present use if need be: what is over the limit keeps running."""
    _WRITE[resource.section](cloud, resource.native, project, native)


def _compute_read(cloud: OpenStack, native: str, project: str) -> int:
    return _plain(one_of(cloud.get(Service.COMPUTE, at("/os-quota-sets/{}", project)), "quota_set"), native)


def _volume_read(cloud: OpenStack, native: str, project: str) -> int:
    return _plain(one_of(cloud.get(Service.VOLUME, at("/os-quota-sets/{}", project)), "quota_set"), native)


def _network_read(cloud: OpenStack, native: str, project: str) -> int:
    return _plain(one_of(cloud.get(Service.NETWORK, at("/quotas/{}", project)), "quota"), native)


def _plain(quotas: Mapping[str, Any], native: str) -> int:
    if native not in quotas:
        raise ServerFault(f"The cloud does not tell its limit of {native}.")
    return int(quotas[native])


def _compute_write(cloud: OpenStack, native: str, project: str, value: int) -> None:
    cloud.put(Service.COMPUTE, at("/os-quota-sets/{}", project), {"quota_set": {native: value, "force": True}})


def _volume_write(cloud: OpenStack, native: str, project: str, value: int) -> None:
    path = at("/os-quota-sets/{}", project)
    try:
        # The planner asks for no less than ``FoundLimit.floor``; this is for what was made between survey and write.
        # Older Cinder lets an admin go below what is in use by this; newer ones ignore it and always refuse.
        cloud.put(Service.VOLUME, path, {"quota_set": {native: value}}, skip_validation="True")
    except Refused as error:
        error.remedy = "Cinder takes no limit below what is in use: delete some of it, or choose at least that much."
        raise


def _network_write(cloud: OpenStack, native: str, project: str, value: int) -> None:
    path = at("/quotas/{}", project)
    try:
        cloud.put(Service.NETWORK, path, {"quota": {native: value, "force": True}})
    except Refused as error:
        if "force" not in error.verbatim:
            raise
        # Older Neutron does not know the word and does not check either.
        cloud.put(Service.NETWORK, path, {"quota": {native: value}})


_READ = {COMPUTE: _compute_read, VOLUME: _volume_read, NETWORK: _network_read}
_WRITE = {COMPUTE: _compute_write, VOLUME: _volume_write, NETWORK: _network_write}
