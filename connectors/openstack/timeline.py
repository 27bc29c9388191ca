"""The life of one server from what Nova tells of it: pure, no calls. Facts 5.2 and recordings of a real Nova.

* ``launched_at`` is set anew by every resize and unshelve, so the boot is the finish of the create action.
* An action takes effect when its last event finishes; a delete's event never finishes, ``terminated_at`` tells it.
* A server carries its newest flavor only. What it had before the last resize is known to nobody but our ledger.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from itertools import pairwise
from typing import Any

from connectors.openstack.pages import Row
from connectors.openstack.times import epoch
from connectors.types import Accuracy, KnownThing, UsageSpan

BUILDING, RUNNING, STOPPED, SHELVED, ERROR = "building", "running", "stopped", "shelved", "error"
_STATES = {
    "active": RUNNING,
    "rescued": RUNNING,
    "stopped": STOPPED,
    "paused": "paused",
    "suspended": "suspended",
    "shelved": SHELVED,
    "shelved_offloaded": SHELVED,
    "building": BUILDING,
    "error": ERROR,
    "soft-delete": "soft-deleted",
    "deleted": "deleted",
}
# What a finished action makes of the state; None leaves it.
_EFFECTS: Mapping[str, str | None] = {
    "create": RUNNING,
    "start": RUNNING,
    "stop": STOPPED,
    "reboot": RUNNING,
    "pause": "paused",
    "unpause": RUNNING,
    "suspend": "suspended",
    "resume": RUNNING,
    "shelve": SHELVED,
    "unshelve": RUNNING,
    "rescue": RUNNING,
    "unrescue": RUNNING,
    "restore": RUNNING,
    "softDelete": "soft-deleted",
    "resize": None,
    "revertResize": None,
}
_RESIZES = frozenset(("resize", "revertResize"))
# The event with which the new flavor counts; later ones of the same action are cleaning up.
_FLAVOR_EVENTS = frozenset(("compute_finish_resize", "compute_finish_revert_resize"))
# A shelved server stops running with the first of its two events.
_FIRST_EVENTS = {"shelve": ("compute_shelve_instance", "compute_shelve_offload_instance")}

NO_SIZE = "Resized; the cloud does not keep the size before."
NO_ACTIONS = "The cloud has no record of what was done to it."
NO_TIME = "The cloud does not tell since when it is in this state."


@dataclass(frozen=True, slots=True)
class Turn:
    """From ``at`` on the state is another (``state``), or the flavor is (``resized``, back again if ``reverted``)."""

    at: int
    state: str | None = None
    resized: bool = False
    reverted: bool = False


def state_of(server: Row) -> str:
    """Our word for the state; one we do not know stays visible as ``unknown:<its name>``."""
    name = str(server.get("OS-EXT-STS:vm_state") or server["status"]).lower()
    if name == "resized":
        return RUNNING if server.get("OS-EXT-STS:power_state", 1) == 1 else STOPPED
    return _STATES.get(name, f"unknown:{name}")


def quantities_of(server: Row) -> dict[str, int]:
    """Base units: milli-vCPU, MiB of memory, MiB of local disk, one instance."""
    flavor = server["flavor"]
    disk = (int(flavor["disk"]) + int(flavor.get("ephemeral") or 0)) * 1024 + int(flavor.get("swap") or 0)
    return {
        "compute.vcpu": int(flavor["vcpus"]) * 1000,
        "compute.memory": int(flavor["ram"]),
        "compute.disk": disk,
        "compute.instances": 1,
    }


def matters(action: Row, start: int, end: int) -> bool:
    """Whether the events of an action have to be read to tell [start, end)."""
    name = str(action["action"])
    if name not in _EFFECTS:
        return False
    finished = epoch(action.get("updated_at"))
    if finished is not None and finished < start:
        return False
    begun = epoch(action["start_time"]) or 0
    # A later resize says that the flavor of today was not that of the window.
    return begun < end or name in _RESIZES


def turn_of(server: Row, action: Row, events: Iterable[Row] | None) -> Turn | None:
    """When an action took effect; None if it did not, or not yet. Without events the action's own times count."""
    name = str(action["action"])
    if name not in _EFFECTS:
        return None
    if events is not None:
        at = _finish(server, name, list(events))
    else:
        at = None if action.get("message") else epoch(action.get("updated_at")) or epoch(action["start_time"])
    return None if at is None else Turn(at, _EFFECTS[name], name in _RESIZES, name == "revertResize")


def _finish(server: Row, name: str, events: list[Row]) -> int | None:
    telling = [row for row in events if row["event"] in _FLAVOR_EVENTS] if name in _RESIZES else events
    for event in _FIRST_EVENTS.get(name, ()):
        if first := [row for row in events if row["event"] == event]:
            telling = first
            break
    finished = [(time, row) for row in telling if (time := epoch(row.get("finish_time"))) is not None]
    if not telling or len(finished) < len(telling):
        return epoch(server["updated"]) if _visible(server, name) else None
    # A build that failed on one host and succeeded on the next has both events.
    at, last = max(finished, key=lambda pair: pair[0])
    return at if str(last.get("result") or "Success") == "Success" else None


def _visible(server: Row, name: str) -> bool:
    """Whether the effect can be seen although its event is not finished yet: Nova is some seconds late with that."""
    if server.get("OS-EXT-STS:task_state"):
        return False
    if name == "resize":
        return str(server.get("OS-EXT-STS:vm_state")) == "resized"
    return name == "revertResize" or _EFFECTS[name] == state_of(server)


@dataclass(frozen=True, slots=True)
class _Piece:
    start: int
    end: int
    state: str
    quantities: Mapping[str, int]
    accuracy: Accuracy
    reason: str


def spans(
    server: Row, turns: Iterable[Turn] | None, start: int, end: int, known: KnownThing | None
) -> tuple[UsageSpan, ...]:
    """The server in [start, end). ``turns`` is None if nothing was done to it since ``start``."""
    born = epoch(server["created"]) or start
    since, until = max(start, born), min(end, _ended(server) or end)
    if since >= until:
        return ()
    if turns is None:
        pieces = [_Piece(since, until, state_of(server), quantities_of(server), Accuracy.EXACT, "")]
    else:
        pieces = list(_pieces(server, sorted(turns, key=lambda turn: turn.at), since, until, known))
    return tuple(
        UsageSpan(str(server["id"]), meter, quantity, piece.state, piece.start, piece.end, piece.accuracy, piece.reason)
        for piece in _merged(pieces)
        for meter, quantity in piece.quantities.items()
        if quantity
    )


def _ended(server: Row) -> int | None:
    terminated = epoch(server.get("OS-SRV-USG:terminated_at"))
    # One that was never launched has no end of its own; it was last touched when it was deleted.
    return terminated or (epoch(server["updated"]) if str(server["status"]) == "DELETED" else None)


def _pieces(server: Row, turns: list[Turn], since: int, until: int, known: KnownThing | None) -> Iterator[_Piece]:
    states, doubt = _states(server, turns, since, known)
    resizes = [turn for turn in turns if turn.resized and turn.at > since]
    sizes = _sizes(server, resizes, known)
    cuts = sorted({since, until, *(at for at, _ in states), *(turn.at for turn in resizes)})
    for start, end in pairwise(cuts):
        if start < since or end > until:
            continue
        state = next((name for at, name in reversed(states) if at <= start), BUILDING)
        quantities, reason = sizes[sum(turn.at <= start for turn in resizes)]
        if not reason and doubt is not None and start >= doubt[0]:
            reason = doubt[1]
        yield _Piece(start, end, state, quantities, Accuracy.ESTIMATED if reason else Accuracy.EXACT, reason)


def _states(
    server: Row, turns: list[Turn], since: int, known: KnownThing | None
) -> tuple[list[tuple[int, str]], tuple[int, str] | None]:
    """States by their beginning, and from when on, if at all, they are a guess and why."""
    born = epoch(server["created"]) or 0
    now = state_of(server)
    told = [(turn.at, turn.state) for turn in turns if turn.state]
    if not told and now == "deleted" and not server.get("OS-SRV-USG:launched_at"):
        return [(born, BUILDING)], None
    if not told and now not in (BUILDING, ERROR):
        # No record at all of how it came to be as it is.
        return [(born, _last_known(known) if now == "deleted" else now)], (born, NO_ACTIONS)
    if now in (told[-1][1] if told else BUILDING, "deleted"):
        return [(born, BUILDING), *told], None
    last = told[-1][0] if told else born
    fault = epoch((server.get("fault") or {}).get("created")) if now == ERROR else None
    if fault is not None:
        return [(born, BUILDING), *told, (max(fault, last), now)], None
    if known is not None and known.state == now and last <= since:
        return [(born, BUILDING), *told, (last, now)], None
    return [(born, BUILDING), *told, (max(last, epoch(server["updated"]) or last), now)], (last, NO_TIME)


def _last_known(known: KnownThing | None) -> str:
    return known.state if known else RUNNING


Size = tuple[Mapping[str, int], str]


def _sizes(server: Row, resizes: list[Turn], known: KnownThing | None) -> list[Size]:
    """The size before the first resize, between each two and after the last, with the reason if it is a guess.

    After the last it is today's, before the first the ledger's, and a reverted resize ends where it began.
    """
    today: Mapping[str, int] = quantities_of(server)
    sizes: list[Size] = [(today, NO_SIZE)] * len(resizes) + [(today, "")]
    for number in range(len(resizes) - 1, 0, -1):
        if resizes[number].reverted:
            sizes[number - 1] = sizes[number + 1]
    if resizes and known is not None and known.quantities:
        sizes[0] = (known.quantities, NO_SIZE if known.accuracy is Accuracy.ESTIMATED else "")
    return sizes


def _merged(pieces: Iterable[_Piece]) -> list[_Piece]:
    merged: list[_Piece] = []
    for piece in pieces:
        last = merged[-1] if merged else None
        same = last and (last.state, last.quantities, last.accuracy, last.reason) == (
            piece.state,
            piece.quantities,
            piece.accuracy,
            piece.reason,
        )
        if last and same and last.end == piece.start:
            merged[-1] = _Piece(last.start, piece.end, *(getattr(last, name) for name in _Piece.__slots__[2:]))
        else:
            merged.append(piece)
    return merged


def thing_detail(server: Mapping[str, Any]) -> str:
    return str(server["flavor"].get("original_name") or "")
