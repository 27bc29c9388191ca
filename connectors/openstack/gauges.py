"""Things without a history: volumes, snapshots, images, floating IPs. One look, one span each.

What vanished since the last look used nothing after it was last seen. A span over more than two sampling intervals is
estimated: the thing may have changed and changed back in between.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from connectors.openstack.pages import Row, listed
from connectors.openstack.probe import sees_everything
from connectors.openstack.session import OpenStack
from connectors.openstack.times import epoch
from connectors.openstack.versions import Service
from connectors.types import Accuracy, Delivery, KnownThing, Thing, UsageSpan

INTERVAL = 3600
HELD = 2 * INTERVAL
GAP = "Not looked at for more than two hours; held at what was seen."


@dataclass(frozen=True, slots=True)
class Gauge:
    """A list to read. ``quantity`` is None for what holds nothing yet; ``views`` are the queries that make it whole."""

    source: str
    kind: str
    meter: str
    service: Service
    path: str
    key: str
    quantity: Callable[[Row], int | None]
    state: Callable[[Row], str]
    owner: Callable[[Row], str]
    views: tuple[Mapping[str, Any], ...] = ({"all_tenants": "1"},)
    detail: Callable[[Row], str] = field(default=lambda row: "")
    name: Callable[[Row], str] = field(default=lambda row: str(row.get("name") or ""))
    optional: bool = False


_MIB = 2**20
_CHANGING = frozenset(
    (
        *("creating", "attaching", "detaching", "extending", "deleting", "managing", "unmanaging", "retyping"),
        *("reserved", "maintenance", "downloading", "uploading", "backing-up", "restoring-backup"),
        *("awaiting-transfer", "reverting"),
    )
)
_IMAGE_STATES = frozenset(
    (
        *("active", "deactivated", "pending_delete", "queued", "saving", "importing", "uploading", "killed"),
        "deleted",
    )
)


def _volume_state(row: Row) -> str:
    status = str(row["status"])
    if status in ("in-use", "available"):
        return status
    if status.startswith("error"):
        return "error"
    return "changing" if status in _CHANGING else f"unknown:{status}"


def _image_quantity(row: Row) -> int | None:
    size = row.get("size")
    held = row["status"] in ("active", "deactivated", "pending_delete")
    return -(-int(size) // _MIB) if size and held else None


def _image_state(row: Row) -> str:
    status = str(row["status"])
    return status if status in _IMAGE_STATES else f"unknown:{status}"


GAUGES = (
    Gauge(
        "volumes",
        "volume",
        "storage.volume",
        Service.VOLUME,
        "/volumes/detail",
        "volumes",
        quantity=lambda row: int(row["size"]) * 1024,
        state=_volume_state,
        owner=lambda row: str(row["os-vol-tenant-attr:tenant_id"]),
        detail=lambda row: str(row.get("volume_type") or ""),
        optional=True,
    ),
    Gauge(
        "snapshots",
        "snapshot",
        "storage.snapshot",
        Service.VOLUME,
        "/snapshots/detail",
        "snapshots",
        quantity=lambda row: int(row["size"]) * 1024,
        state=_volume_state,
        owner=lambda row: str(row["os-extended-snapshot-attributes:project_id"]),
        optional=True,
    ),
    Gauge(
        "images",
        "image",
        "storage.image",
        Service.IMAGE,
        "/images",
        "images",
        quantity=_image_quantity,
        state=_image_state,
        owner=lambda row: str(row.get("owner") or ""),
        # Hidden images take as much room as others and are in a list of their own.
        views=({"visibility": "all"}, {"visibility": "all", "os_hidden": "true"}),
        detail=lambda row: str(row.get("visibility") or ""),
        optional=True,
    ),
    Gauge(
        "floating-ips",
        "floating-ip",
        "network.floating_ip",
        Service.NETWORK,
        "/floatingips",
        "floatingips",
        quantity=lambda row: 1,
        state=lambda row: "attached" if row.get("port_id") else "free",
        owner=lambda row: str(row["project_id"]),
        views=({"fields": ["id", "project_id", "floating_ip_address", "port_id", "created_at"]},),
        name=lambda row: str(row.get("floating_ip_address") or ""),
        optional=True,
    ),
)


def collect(
    cloud: OpenStack, gauge: Gauge, start: int, end: int, known: Mapping[str, KnownThing]
) -> Iterator[Delivery]:
    """A delivery a page, then what has vanished. Raises if the list is not whole: then nothing has vanished."""
    if hidden := sees_everything(cloud, gauge.service):
        raise hidden
    seen: set[str] = set()
    for view in gauge.views:
        for page in listed(cloud, gauge.service, gauge.path, gauge.key, **view):
            fresh = [row for row in page if str(row["id"]) not in seen]
            seen.update(str(row["id"]) for row in fresh)
            late = cloud.now().timestamp() - end > HELD
            told = [_here(gauge, row, start, end, late=late) for row in fresh]
            yield delivery(cloud, gauge.source, (gauge.meter,), start, end, told)
    yield from vanished(cloud, gauge.source, gauge.kind, (gauge.meter,), start, end, known, seen)


Told = tuple[Thing, tuple[UsageSpan, ...]]


def delivery(
    cloud: OpenStack, source: str, meters: tuple[str, ...], start: int, end: int, told: Iterable[Told]
) -> Delivery:
    told = tuple(told)
    return Delivery(
        source=source,
        meters=meters,
        start=start,
        end=end,
        observed_at=cloud.now(),
        things=tuple(thing for thing, _ in told),
        spans=tuple(span for _, spans in told for span in spans),
    )


def vanished(
    cloud: OpenStack,
    source: str,
    kind: str,
    meters: tuple[str, ...],
    start: int,
    end: int,
    known: Mapping[str, KnownThing],
    seen: set[str],
) -> Iterator[Delivery]:
    """What the ledger holds and the cloud does not list any more: it used nothing since it was last seen.

    What it used before stays as it was told then; when between two looks it went, nobody knows.
    """
    gone: dict[int, list[Told]] = {}
    for one in known.values():
        since = max(start, one.until)
        if one.kind == kind and one.native_id not in seen and since < end:
            gone.setdefault(since, []).append((Thing(one.native_id, one.kind, one.tenancy), ()))
    for since, told in sorted(gone.items()):
        yield delivery(cloud, source, meters, since, end, told)


def _here(gauge: Gauge, row: Row, start: int, end: int, *, late: bool) -> Told:
    born = epoch(row.get("created_at"))
    thing = Thing(str(row["id"]), gauge.kind, gauge.owner(row), gauge.name(row), gauge.detail(row), born)
    quantity = gauge.quantity(row)
    since = start if born is None else max(start, born)
    if quantity is None or since >= end:
        return thing, ()
    gap = late or end - since > HELD
    span = UsageSpan(
        thing.native_id,
        gauge.meter,
        quantity,
        gauge.state(row),
        since,
        end,
        Accuracy.ESTIMATED if gap else Accuracy.SAMPLED,
        GAP if gap else "",
    )
    return thing, (span,)
