"""What was used, as deliveries: servers from what Nova remembers of them, everything else from what is there now.

Meters of servers are exact: Nova keeps when each was made, stopped, resized and deleted. Volumes, snapshots, images
and floating IPs have no history (facts 5.3), so they are sampled: what is there now is taken to have been there since
the last look.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping

from connectors.errors import BadAnswer, ConnectorError
from connectors.openstack import gauges, servers
from connectors.openstack.errors import readable
from connectors.openstack.session import OpenStack
from connectors.types import Accuracy, Deliveries, Delivery, KnownThing, Meter, SourceResult

METERS = (
    *(Meter(key, servers.SOURCE, servers.KIND, Accuracy.EXACT) for key in servers.KEYS),
    *(Meter(gauge.meter, gauge.source, gauge.kind, Accuracy.SAMPLED) for gauge in gauges.GAUGES),
)
Stream = Iterator[Delivery]


def collect(cloud: OpenStack, start: int, end: int, known: Mapping[str, KnownThing]) -> Deliveries:
    """Source by source, page by page; see ``connectors.contract.Usage``. Nothing is told beyond the cloud's now."""
    yield from _source(servers.SOURCE, lambda until: servers.collect(cloud, start, until, known), cloud, start, end)
    for gauge in gauges.GAUGES:
        if gauge.optional and not _has(cloud, gauge):
            # A cloud without the service has none of its things: that is known, and not a source that stays silent.
            yield SourceResult(gauge.source, True, 0)
            continue
        yield from _source(
            gauge.source,
            lambda until, gauge=gauge: gauges.collect(cloud, gauge, start, until, known),  # type: ignore[misc]
            cloud,
            start,
            end,
        )


def _has(cloud: OpenStack, gauge: gauges.Gauge) -> bool:
    try:
        return cloud.has(gauge.service)
    except ConnectorError:
        return True


def _source(name: str, read: Callable[[int], Stream], cloud: OpenStack, start: int, end: int) -> Deliveries:
    things = 0
    try:
        with readable(name):
            until = min(end, _cloud_now(cloud))
            if until <= start:
                raise BadAnswer(f"The cloud's clock is before {start}, the beginning of what was asked.")
            for delivery in read(until):
                things += len(delivery.things)
                yield delivery
    except ConnectorError as error:
        yield SourceResult(name, False, things, error.info())
        return
    yield SourceResult(name, True, things)


def _cloud_now(cloud: OpenStack) -> int:
    if cloud.line.skew is None:
        # The first answer brings the cloud's clock with it.
        cloud.own_user  # noqa: B018
    return int(cloud.now().timestamp())
