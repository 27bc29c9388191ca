"""A test of the connection: versions, every right we need tried by a harmless read, who we are, and the clock.

Nothing is written. A right that cannot be tried by reading (giving a role, setting a quota) is judged by the read
that needs the same role in the services' default policies.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from types import MappingProxyType
from typing import Any

from connectors.errors import ConnectorError, Forbidden, NotFound, Unauthorized
from connectors.openstack import limit_changes
from connectors.openstack.errors import readable
from connectors.openstack.identity import Directory
from connectors.openstack.pages import one_of, rows_of
from connectors.openstack.session import OpenStack, at
from connectors.openstack.versions import KNOWN, Service, choose, describe
from connectors.types import Probe, Right, ServiceVersion

PROBED = (Service.IDENTITY, Service.COMPUTE, Service.VOLUME, Service.NETWORK)
OPTIONAL = (Service.IMAGE, Service.PLACEMENT)


@dataclass(frozen=True, slots=True)
class Try:
    name: str
    needed_for: str
    call: Callable[[], Any]


def probe(cloud: OpenStack, directory: Directory) -> Probe:
    """Raises what makes any further test pointless: a refused credential, an unreachable or wrong address."""
    own_user, own_project = cloud.own_user, cloud.own_project
    versions = _versions(cloud)
    rights = [_tried(one) for one in _tries(cloud, directory)]
    rights += _mapped_roles(cloud, directory)
    return Probe(
        at=cloud.host_now(),
        versions=versions,
        rights=tuple(rights),
        capabilities=MappingProxyType(_capabilities(cloud, directory, versions)),
        own_account=own_user,
        own_tenancy=own_project,
        roles=_roles(directory),
        skew_seconds=cloud.line.skew,
    )


def _versions(cloud: OpenStack) -> tuple[ServiceVersion, ...]:
    found = []
    for service in (*PROBED, *(one for one in OPTIONAL if cloud.has(one))):
        try:
            lowest, highest = cloud.found_version(service)
        except Unauthorized:
            raise
        except ConnectorError:
            # Why it could not be asked is told by the rights of this service.
            found.append(replace(describe(service, None, None), found="unknown"))
            continue
        try:
            used = choose(service, highest, lowest)
        except ConnectorError:
            used = None
        found.append(describe(service, highest, used))
    return tuple(found)


def _tries(cloud: OpenStack, directory: Directory) -> tuple[Try, ...]:
    """Needs of the default policies: the admin role; read as “what fails without it”."""
    own = cloud.own_project
    return (
        Try("identity: list projects", "finding and making projects", lambda: _keystone(cloud, "/projects")),
        Try("identity: list people", "finding and making accounts", lambda: _keystone(cloud, "/users")),
        Try("identity: list roles", "giving roles", directory.roles),
        Try(
            "identity: list role assignments",
            "seeing and changing who is a member",
            lambda: directory.effective(own),
        ),
        Try(
            "compute: another project's quota",
            "limits of vCPU, memory and instances",
            lambda: cloud.get(Service.COMPUTE, "/os-quota-class-sets/default"),
        ),
        Try(
            "compute: everybody's servers",
            "usage, and stopping servers of closed projects",
            lambda: cloud.get(Service.COMPUTE, "/servers", all_tenants="1", limit=1),
        ),
        Try(
            "block-storage: another project's quota",
            "limits of volumes and snapshots",
            lambda: cloud.get(Service.VOLUME, "/os-quota-class-sets/default"),
        ),
        Try(
            "block-storage: everybody's volumes",
            "usage of volumes and snapshots; without it the list is silently our own only",
            # A member's list of all volumes is shortened without a word; the list of services is refused.
            lambda: cloud.get(Service.VOLUME, "/os-services"),
        ),
        Try(
            "network: everybody's quota",
            "limits of networks, and counting them",
            lambda: cloud.get(Service.NETWORK, "/quotas"),
        ),
    )


def _keystone(cloud: OpenStack, path: str) -> Any:
    return cloud.identity(lambda client: client.projects.client.get(f"{path}?limit=1")[1])


def _tried(one: Try) -> Right:
    try:
        with readable(one.name):
            one.call()
    except ConnectorError as error:
        # What is down now says nothing about our rights.
        ok = None if error.retry else False
        return Right(one.name, one.needed_for, ok, error.info())
    return Right(one.name, one.needed_for, True)


def _roles(directory: Directory) -> tuple[str, ...]:
    try:
        return tuple(sorted(directory.roles()))
    except ConnectorError:
        return ()


def _mapped_roles(cloud: OpenStack, directory: Directory) -> list[Right]:
    known = _roles(directory)
    if not known:
        return []
    found = []
    for name in dict.fromkeys(cloud.endpoint.roles.values()):
        users = ", ".join(sorted(str(ours) for ours, theirs in cloud.endpoint.roles.items() if theirs == name))
        error = None if name in known else NotFound(f"The cloud has no role “{name}”.").info()
        found.append(Right(f"role “{name}” exists", f"the project role {users}", error is None, error))
    return found


def _capabilities(cloud: OpenStack, directory: Directory, versions: tuple[ServiceVersion, ...]) -> dict[str, str]:
    found = {f"{one.service}.version": one.found for one in versions if one.ok}
    found |= {f"{service}.present": "no" for service in KNOWN if not cloud.has(service)}
    found["own.roles"] = ", ".join(sorted(cloud.own_roles))
    found["nova.limits"] = _asked(lambda: _nova_limits(cloud, directory))
    found["neutron.quota-check-limit"] = _asked(lambda: _neutron_extension(cloud, "quota-check-limit"))
    return found


def _asked(ask: Callable[[], str]) -> str:
    try:
        with readable("capabilities"):
            return ask()
    except ConnectorError:
        return "unknown"


def _nova_limits(cloud: OpenStack, directory: Directory) -> str:
    body = cloud.get(Service.COMPUTE, at("/os-quota-sets/{}/defaults", cloud.own_project))
    return limit_changes.mode(directory, one_of(body, "quota_set"))


def _neutron_extension(cloud: OpenStack, alias: str) -> str:
    rows = rows_of(cloud.get(Service.NETWORK, "/extensions", fields="alias"), "extensions")
    return "yes" if any(row["alias"] == alias for row in rows) else "no"


def sees_everything(cloud: OpenStack, service: Service) -> ConnectorError | None:
    """What hides other projects' things from us in lists that are shortened without a word; None if nothing does."""
    if "admin" in cloud.own_roles:
        return None
    checks: Mapping[Service, Callable[[], Any]] = {
        Service.VOLUME: lambda: cloud.get(Service.VOLUME, "/os-services"),
        Service.NETWORK: lambda: cloud.get(Service.NETWORK, "/quotas"),
    }
    try:
        if service in checks:
            checks[service]()
            return None
    except ConnectorError as error:
        return error
    return Forbidden(f"The {service} service shows a user without the admin role only its own things.")
