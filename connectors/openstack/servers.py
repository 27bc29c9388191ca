"""Usage of servers: every page of what exists, and of what changed since the beginning of the window.

Two lists, because a plain list never shows deleted servers and ``changes-since`` shows nothing that stood still
(facts 5.2). What was done is read only of servers that changed: one call each and one for every action that matters.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from connectors.errors import NotFound
from connectors.openstack import timeline
from connectors.openstack.gauges import Told, delivery, vanished
from connectors.openstack.pages import Row, listed, one_of, rows_of
from connectors.openstack.session import OpenStack, at
from connectors.openstack.times import epoch, iso
from connectors.openstack.versions import Service
from connectors.types import Delivery, KnownThing, Thing

SOURCE = "servers"
KIND = "server"
KEYS = ("compute.vcpu", "compute.memory", "compute.disk", "compute.instances")
# Nova's hosts disagree about the time by a little; a server read twice costs two calls, one missed costs usage.
MARGIN = 60


def collect(cloud: OpenStack, start: int, end: int, known: Mapping[str, KnownThing]) -> Iterator[Delivery]:
    """A delivery a page. Raises before anything is called vanished if a page could not be read."""
    told: set[str] = set()
    yield from _changed(cloud, start, end, known, told)
    for page in listed(cloud, Service.COMPUTE, "/servers/detail", "servers", all_tenants="1"):
        rows = _fresh(page, told)
        if rows:
            yield delivery(cloud, SOURCE, KEYS, start, end, [_tell(row, None, start, end, known) for row in rows])
    if any(one.kind == KIND and one.native_id not in told for one in known.values()):
        # It may have been deleted between the two lists, and then it lived through all of the window.
        yield from _changed(cloud, start, end, known, told)
    yield from vanished(cloud, SOURCE, KIND, KEYS, start, end, known, told)


def _changed(
    cloud: OpenStack, start: int, end: int, known: Mapping[str, KnownThing], told: set[str]
) -> Iterator[Delivery]:
    """Servers that changed since the beginning, deleted ones included, if they are not told already."""
    query = {"all_tenants": "1", "changes-since": iso(start - MARGIN)}
    with cloud.crew() as pool:
        for page in listed(cloud, Service.COMPUTE, "/servers/detail", "servers", **query):
            rows = _fresh(page, told)
            turns = list(pool.map(lambda row: _turns(cloud, row, start, end), rows))
            lives = [_tell(row, did, start, end, known) for row, did in zip(rows, turns, strict=True)]
            if lives:
                yield delivery(cloud, SOURCE, KEYS, start, end, lives)


def _fresh(page: list[Row], told: set[str]) -> list[Row]:
    rows = [row for row in page if str(row["id"]) not in told]
    told.update(str(row["id"]) for row in rows)
    return rows


def _turns(cloud: OpenStack, server: Row, start: int, end: int) -> list[timeline.Turn]:
    path = at("/servers/{}/os-instance-actions", str(server["id"]))
    try:
        actions = rows_of(cloud.get(Service.COMPUTE, path), "instanceActions")
    except NotFound:
        # Purged from Nova's database meanwhile: the list just read is all there is.
        return []
    turns = []
    for action in actions:
        events = None
        if timeline.matters(action, start, end):
            body = cloud.get(Service.COMPUTE, f"{path}/{action['request_id']}")
            events = rows_of(one_of(body, "instanceAction"), "events")
        turn = timeline.turn_of(server, action, events)
        if turn is not None:
            turns.append(turn)
    return turns


def _tell(
    server: Row, turns: list[timeline.Turn] | None, start: int, end: int, known: Mapping[str, KnownThing]
) -> Told:
    native_id = str(server["id"])
    thing = Thing(
        native_id,
        KIND,
        str(server["tenant_id"]),
        str(server["name"]),
        timeline.thing_detail(server),
        epoch(server["created"]),
    )
    return thing, timeline.spans(server, turns, start, end, known.get(native_id))
