"""What the samples share: units, clouds, badges, an answer of a cloud."""

from __future__ import annotations

from dataclasses import dataclass

from portal.parts import Cloud
from portal.states import Badge


@dataclass(frozen=True)
class SampleUnit:
    """A unit of the samples: so many base units make one."""

    symbol: str
    base: int


VCPU = SampleUnit("vCPU", 1000)
GIB = SampleUnit("GiB", 1024)
ADDRESS = SampleUnit("address", 1)
GPU = SampleUnit("GPU", 1)

CLOUDS = (Cloud("north", 1), Cloud("prod", 2), Cloud("lake", 3))
OK = Badge("ok", "in step")

VERBATIM = (
    "HTTP/1.1 409 Conflict\nx-openstack-request-id: req-5a0f2a44-9d1b-4c0e-8a57-2f4f0f0b6c1d\n\n"
    '{"error": {"code": 409, "message": "Duplicate entry found with name lattice-qcd.", "title": "Conflict"}}'
)
