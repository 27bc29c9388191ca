"""The emulator's own truth about use: intervals told from the life stories, not from any API's answer."""

from typing import Any

from emulator.clock import iso_z
from emulator.lives import FOREVER
from emulator.stories import FloatingIp, Server, Snapshot, Volume
from emulator.world import World

Interval = dict[str, Any]


def account(world: World, project: str | None, start: int, end: int) -> dict[str, Any]:
    """What each thing of the project (of all with None) was, in [start, end): states, sizes, from and to.

    A server's interval holds its status, vcpus, ram (MiB) and disk (GiB); a volume's its status and size (GiB); times
    are ISO 8601 UTC. Intervals are cut at the edges and equal neighbours are joined; nothing outside is listed.
    """
    now = world.now
    servers = [_server(world, one, start, end) for one in world.servers.everything(now, project)]
    volumes = [_volume(one, start, end) for one in world.volumes.everything(now, project)]
    snapshots = [_whole(one, start, end, size=one.size) for one in world.snapshots(project=project, dead=True)]
    addresses = [_whole(one, start, end, address=one.address) for one in world.floating_ips.everything(now, project)]
    return {
        "project_id": project, "from": iso_z(start), "to": iso_z(end),
        "servers": [one for one in servers if one["intervals"]],
        "volumes": [one for one in volumes if one["intervals"]],
        "snapshots": [one for one in snapshots if one["intervals"]],
        "floating_ips": [one for one in addresses if one["intervals"]],
    }  # fmt: skip


def _server(world: World, server: Server, start: int, end: int) -> Interval:
    flavors = world["flavors"].rows
    spans = []
    for number, phase in enumerate(server.phases):
        if phase.status == "DELETED":
            break
        until = server.phases[number + 1].at if number + 1 < len(server.phases) else FOREVER
        flavor = flavors[phase.flavor]
        what = {
            "status": phase.status, "vcpus": flavor["vcpus"], "ram": flavor["ram"],
            "disk": flavor["disk"] + flavor["ephemeral"],
            "flavor": flavor["name"],
        }  # fmt: skip
        spans.append((phase.at, until, what))
    return {
        "id": server.id, "name": server.name, "project_id": server.project_id, "created": iso_z(server.created),
        "deleted": None if server.ends > world.now else iso_z(server.ends), "intervals": _cut(spans, start, end),
    }  # fmt: skip


def _volume(volume: Volume, start: int, end: int) -> Interval:
    spans = []
    for number, phase in enumerate(volume.phases):
        if phase.status == "deleted":
            break
        until = volume.phases[number + 1].at if number + 1 < len(volume.phases) else FOREVER
        spans.append((phase.at, until, {"status": phase.status, "size": phase.size, "type": volume.type}))
    return {
        "id": volume.id, "name": volume.name, "project_id": volume.project_id, "intervals": _cut(spans, start, end),
    }  # fmt: skip


def _whole(thing: Snapshot | FloatingIp, start: int, end: int, **what: Any) -> Interval:
    return {
        "id": thing.id, "project_id": thing.project_id,
        "intervals": _cut([(thing.created, thing.ends, what)], start, end),
    }  # fmt: skip


def _cut(spans: list[tuple[int, int, dict[str, Any]]], start: int, end: int) -> list[Interval]:
    """The spans inside [start, end), equal neighbours joined."""
    found: list[tuple[int, int, dict[str, Any]]] = []
    for begin, until, what in spans:
        low, high = max(begin, start), min(until, end)
        if low >= high:
            continue
        if found and found[-1][1] == low and found[-1][2] == what:
            found[-1] = (found[-1][0], high, what)
        else:
            found.append((low, high, what))
    return [{**what, "from": iso_z(low), "to": iso_z(high), "seconds": high - low} for low, high, what in found]
