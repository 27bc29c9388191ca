"""OpenStack: projects, people, limits and usage of one region, by its own APIs."""

from __future__ import annotations

from types import MappingProxyType

from connectors.openstack.connector import OpenStackConnector
from connectors.openstack.limits import RESOURCES
from connectors.openstack.settings import HINT, SECRETS, parse
from connectors.registry import ConnectorKind
from connectors.types import Role

KIND = ConnectorKind(
    kind="openstack",
    title="OpenStack",
    connect=OpenStackConnector,
    parse=parse,
    resources=RESOURCES,
    # Owners and managers decide in Tenantry; on the cloud they need no more than members do.
    default_roles=MappingProxyType(
        {Role.OWNER: "member", Role.MANAGER: "member", Role.MEMBER: "member", Role.VIEWER: "reader"}
    ),
    secrets=SECRETS,
    settings_hint=HINT,
)
