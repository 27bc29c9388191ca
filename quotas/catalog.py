"""What can be limited and what is counted, with units, bounds and defaults. Pure: no Django, no input or output.

Amounts are integers in base units (milli-vCPU, MiB, pieces); `UNLIMITED` (-1) is no limit at all and never the same as
0. People read and write amounts in the unit of the resource (vCPU, GiB); the conversion is exact in both directions.
A meter counts an amount over time: its quantity is in the same base units, its total in base units x seconds.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal
from enum import StrEnum
from types import MappingProxyType

from connectors import registry
from connectors.types import UNLIMITED

HOUR = 3600  # seconds
_MILLI = 1000
_GIB = 1024  # MiB
_NUMBER = re.compile(r"\d{1,3}(,\d{3})+(\.\d+)?|\d+(\.\d+)?", re.ASCII)
_NO_LIMIT = frozenset({"no limit", "unlimited", str(UNLIMITED)})


class Group(StrEnum):
    """Headings under which resources are listed."""

    COMPUTE = "Computing"
    STORAGE = "Storage"
    NETWORK = "Network"


class Treatment(StrEnum):
    """What a kind of cloud does about a resource."""

    ENFORCED = "enforced"
    COUNTED = "counted only"
    ACCESS = "by access only"


class AmountError(ValueError):
    """A written amount that cannot be used. A retry of the same text does not help."""

    def __init__(self, message: str, remedy: str) -> None:
        super().__init__(message)
        self.message = message
        self.remedy = remedy


@dataclass(frozen=True, slots=True)
class Unit:
    """`base` base units make one of `symbol`; the symbol is empty for things that are simply counted."""

    symbol: str
    base: int


@dataclass(frozen=True, slots=True)
class Resource:
    """Something a tenancy is limited in.

    `minimum`, `maximum`, `step` and `default` are in base units. `maximum` is the most one request may sanely ask for;
    operators may grant beyond it only by several grants. `default` is what a tenancy gets without any grant, so that
    a project with vCPUs can boot a server without having to ask for a port.
    """

    key: str
    label: str
    unit: Unit
    group: Group
    maximum: int
    step: int
    description: str
    default: int = 0
    billable: bool = False
    minimum: int = 0

    @property
    def factor(self) -> int:
        """Base units per unit."""
        return self.unit.base

    @property
    def unit_beside(self) -> Unit:
        """The unit for a place that has the label beside it: "vCPU, vCPU" says nothing twice."""
        return Unit("", self.unit.base) if self.unit.symbol == self.label else self.unit

    @property
    def full_label(self) -> str:
        """ "Memory, GiB"; the unit is left out where the label says it all."""
        return f"{self.label}, {self.unit.symbol}" if self.unit_beside.symbol else self.label


@dataclass(frozen=True, slots=True)
class Meter:
    """Something the ledger counts: `unit` for a quantity at a moment, `time_unit` for a quantity over time.

    `time_unit.base` base units x seconds make one vCPU-hour, GiB-hour and so on.
    """

    key: str
    label: str
    unit: Unit
    time_unit: Unit
    description: str
    billable: bool = True

    @property
    def factor(self) -> int:
        """Base units x seconds per time unit."""
        return self.time_unit.base


_VCPU = Unit("vCPU", _MILLI)
_GIBIBYTE = Unit("GiB", _GIB)
_PIECE = Unit("", 1)


def _pieces(
    key: str, label: str, group: Group, maximum: int, default: int, description: str, *, billable: bool = False
) -> Resource:
    return Resource(key, label, _PIECE, group, maximum, 1, description, default=default, billable=billable)


_RESOURCES = (
    Resource(
        "compute.vcpu",
        "vCPU",
        _VCPU,
        Group.COMPUTE,
        2048 * _MILLI,
        _MILLI,
        "Virtual processors of all servers together, running or stopped.",
        billable=True,
    ),
    Resource(
        "compute.memory",
        "Memory",
        _GIBIBYTE,
        Group.COMPUTE,
        16_384 * _GIB,
        _GIB // 4,
        "Main memory of all servers together, running or stopped.",
        billable=True,
    ),
    _pieces("compute.instances", "Servers", Group.COMPUTE, 1000, 10, "Number of servers (instances)."),
    Resource(
        "storage.volume",
        "Volume space",
        _GIBIBYTE,
        Group.STORAGE,
        512_000 * _GIB,
        _GIB,
        "Space of all volumes and their snapshots together.",
        billable=True,
    ),
    _pieces("storage.volumes", "Volumes", Group.STORAGE, 2000, 10, "Number of volumes."),
    _pieces("storage.snapshots", "Snapshots", Group.STORAGE, 2000, 10, "Number of snapshots of volumes."),
    _pieces(
        "network.floating_ips",
        "Public addresses",
        Group.NETWORK,
        256,
        0,
        "Floating IPs: addresses that are reached from outside.",
        billable=True,
    ),
    _pieces("network.ports", "Ports", Group.NETWORK, 4000, 50, "Connections of servers and routers to networks."),
    _pieces("network.networks", "Networks", Group.NETWORK, 200, 5, "Networks of the project's own."),
    _pieces("network.routers", "Routers", Group.NETWORK, 100, 2, "Routers between its networks and the outside."),
    _pieces("network.security_groups", "Security groups", Group.NETWORK, 500, 10, "Named sets of firewall rules."),
)


def _hours(unit: Unit, name: str) -> Unit:
    return Unit(f"{name}-hours", unit.base * HOUR)


_METERS = (
    Meter("compute.vcpu", "vCPU", _VCPU, _hours(_VCPU, "vCPU"), "Virtual processors of servers."),
    Meter("compute.memory", "Memory", _GIBIBYTE, _hours(_GIBIBYTE, "GiB"), "Main memory of servers."),
    Meter("compute.disk", "Local disk", _GIBIBYTE, _hours(_GIBIBYTE, "GiB"), "Disks that live and die with a server."),
    Meter(
        "compute.instances",
        "Servers",
        _PIECE,
        _hours(_PIECE, "server"),
        "Servers, whatever their size.",
        billable=False,
    ),
    Meter("storage.volume", "Volumes", _GIBIBYTE, _hours(_GIBIBYTE, "GiB"), "Space of volumes, attached or not."),
    Meter(
        "storage.snapshot", "Volume snapshots", _GIBIBYTE, _hours(_GIBIBYTE, "GiB"), "Space of snapshots of volumes."
    ),
    Meter("storage.image", "Images", _GIBIBYTE, _hours(_GIBIBYTE, "GiB"), "Space of images the project owns."),
    Meter(
        "network.floating_ip", "Public addresses", _PIECE, _hours(_PIECE, "address"), "Floating IPs, in use or kept."
    ),
)

RESOURCES: Mapping[str, Resource] = MappingProxyType({each.key: each for each in _RESOURCES})
METERS: Mapping[str, Meter] = MappingProxyType({each.key: each for each in _METERS})


def resource(key: str) -> Resource:
    """Raises AmountError for a key the catalog does not have."""
    try:
        return RESOURCES[key]
    except KeyError:
        raise AmountError(f"There is no resource “{key}”.", f"Use one of: {', '.join(RESOURCES)}.") from None


def enforced(kind: str) -> tuple[Resource, ...]:
    """The resources of the catalog that this kind of cloud enforces, in the catalog's order.

    Raises connectors.errors.Misconfigured if no connector of the kind is installed.
    """
    keys = {native.key for native in registry.kind(kind).resources}
    return tuple(each for each in _RESOURCES if each.key in keys)


def enforced_keys(kind: str) -> frozenset[str]:
    """Their keys alone. Raises Misconfigured likewise."""
    return frozenset(each.key for each in enforced(kind))


def treatment(key: str, kind: str) -> Treatment:
    """What this kind of cloud does about a resource or a meter. Raises Misconfigured for a kind nobody installed."""
    if key in enforced_keys(kind):
        return Treatment.ENFORCED
    return Treatment.COUNTED if key in METERS else Treatment.ACCESS


def amount_parse(each: Resource, written: str | Decimal | int, *, unlimited: bool = False) -> int:
    """A written amount ("1,024", "2.5") as base units, exact and inside the bounds.

    `unlimited` allows "no limit" (-1). Raises AmountError, which names the bounds.
    """
    text = format(written, "f") if isinstance(written, Decimal) else str(written).strip()
    if text.lower() in _NO_LIMIT:
        if unlimited:
            return UNLIMITED
        raise AmountError(f"{each.label}: no limit at all cannot be asked for.", f"Write an amount {bounds(each)}.")
    if not _NUMBER.fullmatch(text):
        raise AmountError(f"{each.label}: “{text}” is not an amount.", "Write a number such as 8, 2.5 or 1,024.")
    exact = Decimal(text.replace(",", "")) * each.unit.base
    if exact < each.minimum or exact > each.maximum:
        raise AmountError(f"{each.label} must be {bounds(each)}.", "Ask for less, or split it over several requests.")
    if exact % each.step:
        raise AmountError(
            f"{each.label} comes in steps of {amount_say(each, each.step)}.", f"Write an amount {bounds(each)}."
        )
    return int(exact)


def amount_check(each: Resource, amount: int) -> int:
    """The amount itself if it is inside the bounds and a whole number of steps; raises AmountError."""
    return amount_parse(each, amount_format(each, amount))


def amount_format(each: Resource, amount: int) -> str:
    """Base units in the resource's unit, without its symbol and exact: "1,024", "0.25", "no limit"."""
    if amount == UNLIMITED:
        return "no limit"
    text = f"{Decimal(amount) / each.unit.base:,f}"
    return text.rstrip("0").rstrip(".") if "." in text else text


def amount_say(each: Resource, amount: int) -> str:
    """With its unit: "1,024 GiB"; what is simply counted has none: "4"."""
    text = amount_format(each, amount)
    return f"{text} {each.unit.symbol}" if each.unit.symbol and amount != UNLIMITED else text


def amount_name(each: Resource, amount: int) -> str:
    """With what it is of: "8 vCPU", "16 GiB memory", "5 ports", "no limit of ports"."""
    said = amount_say(each, amount)
    if each.unit.symbol == each.label and amount != UNLIMITED:
        return said
    label = each.label if each.unit.symbol == each.label else each.label.lower()
    return f"{said} of {label}" if amount == UNLIMITED else f"{said} {label}"


def bounds(each: Resource) -> str:
    """ "between 0 and 4,096 GiB"."""
    return f"between {amount_format(each, each.minimum)} and {amount_say(each, each.maximum)}"
