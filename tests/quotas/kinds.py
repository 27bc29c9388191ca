"""Two made-up kinds of cloud: one that enforces every resource of the catalog, one that enforces volumes alone."""

from types import MappingProxyType

from connectors.registry import ConnectorKind
from connectors.types import NativeResource
from quotas.catalog import RESOURCES


def _no_connection(endpoint):
    raise AssertionError("these tests never reach a cloud")


def made_up(name, keys):
    return ConnectorKind(
        kind=name,
        title=name,
        connect=_no_connection,
        parse=lambda name, text: {},
        resources=tuple(NativeResource(key, key, f"limits.{key.split('.')[0]}", 1) for key in keys),
        default_roles=MappingProxyType({}),
        secrets=(),
    )


ALL = made_up("everything", tuple(RESOURCES))
DISKS = made_up("disks", ("storage.volume", "storage.volumes"))
