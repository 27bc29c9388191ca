"""Which versions of the services we know, in one table, and which one is spoken to this cloud.

Sources: "API version history" of each service's API reference. Below ``least`` something the connector rests on is
missing; ``most`` is what we were tried with, a newer server is asked to behave like that.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from connectors.errors import Unsupported
from connectors.types import ServiceVersion

Version = tuple[int, int]


class Service(StrEnum):
    """Service types as the catalog calls them (keystoneauth knows their older names)."""

    IDENTITY = "identity"
    COMPUTE = "compute"
    VOLUME = "block-storage"
    NETWORK = "network"
    IMAGE = "image"
    PLACEMENT = "placement"


@dataclass(frozen=True, slots=True)
class Known:
    """``path`` is the version's segment in the URL; ``why`` says what is lost below ``least``."""

    path: str
    least: Version
    most: Version
    why: str
    microversions: bool = False


KNOWN = {
    Service.IDENTITY: Known("v3", (3, 10), (3, 14), "project tags"),
    Service.COMPUTE: Known("v2.1", (2, 57), (2, 96), "one fixed set of quotas", microversions=True),
    Service.VOLUME: Known("v3", (3, 40), (3, 60), "all_tenants lists as we read them", microversions=True),
    Service.NETWORK: Known("v2.0", (2, 0), (2, 0), ""),
    Service.IMAGE: Known("v2", (2, 0), (2, 99), ""),
    Service.PLACEMENT: Known("", (1, 0), (1, 99), ""),
}
# From Yoga on Cinder takes URLs without a project; older ones need that of the token in it.
VOLUME_WITHOUT_PROJECT: Version = (3, 67)


def text(version: Version | None) -> str:
    return f"{version[0]}.{version[1]}" if version else ""


def choose(service: Service, found: Version | None, lowest: Version | None = None) -> Version:
    """The version to speak: the newest both sides know. Raises ``Unsupported`` if there is none."""
    known = KNOWN[service]
    if found is None or found < known.least or (lowest is not None and lowest > known.most):
        raise Unsupported(
            f"The {service} service speaks {text(found) or 'no version we could read'}; Tenantry needs "
            f"{text(known.least)} to {text(known.most)}" + (f" ({known.why})." if known.why else ".")
        )
    return min(found, known.most)


def describe(service: Service, found: Version | None, used: Version | None) -> ServiceVersion:
    known = KNOWN[service]
    supported = f"{text(known.least)} or newer, used up to {text(known.most)}"
    return ServiceVersion(service, text(found), text(used), supported, used is not None)
