"""What happens to a server, a volume, a snapshot and a floating IP in its life: plain records, seeded or made by hand.

A record holds phases, each from a time on; what is true at a moment is the last phase that has begun. So a booting
server becomes ACTIVE, and a deleted one is gone, by nothing but the clock.
"""

from bisect import bisect_right
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any, NamedTuple

from emulator import names
from emulator.clock import DAY
from emulator.lives import FOREVER
from emulator.tables import Row

SHORT = 2  # seconds until a volume is made, extended, gone; until a server stops or starts
BOOTING = 6  # as measured on real services: boot 5-8 s, delete 5-7 s
DELETING = 5
MIGRATING = 20
CONFIRMING = 60


class Phase(NamedTuple):
    """From `at` on: the server's status, its flavor's id and the task under way."""

    at: int
    status: str
    flavor: str
    task: str | None = None


class Action(NamedTuple):
    """One line of os-instance-actions; `finish` is the time its effect was there."""

    name: str
    start: int
    finish: int
    user_id: str


@dataclass(slots=True)
class Server:
    id: str
    name: str
    project_id: str
    user_id: str
    created: int
    phases: list[Phase]
    actions: list[Action]
    launches: list[int]  # times Nova writes launched_at: boot, end of a resize or of an unshelve
    image_id: str | None
    number: int
    ends: int = FOREVER
    fault: str | None = None
    fault_code: int = 500
    network_id: str | None = None
    address: str | None = None
    key_name: str | None = None
    description: str | None = None
    metadata: dict[str, str] = field(default_factory=dict)
    population: int | None = None
    index: int | None = None

    def phase(self, now: float) -> Phase:
        phases = self.phases
        if phases[-1].at <= now:
            return phases[-1]
        return phases[max(0, bisect_right(phases, now, key=lambda phase: phase.at) - 1)]

    def launched(self, now: float) -> int | None:
        done = [at for at in self.launches if at <= now]
        return done[-1] if done else None

    def updated(self, now: float) -> int:
        last = max(self.created, self.phase(now).at)
        for action in reversed(self.actions):
            if action.start <= now:
                return max(last, action.start)
        return last

    def forget_future(self, now: float) -> None:
        """Drop what the story had in store: from here on the API decides."""
        self.phases = [phase for phase in self.phases if phase.at <= now]
        self.actions = [action for action in self.actions if action.start <= now]
        self.launches = [at for at in self.launches if at <= now]
        if self.ends > now:
            self.ends = FOREVER

    def row(self) -> Row:
        row = {name: getattr(self, name) for name in self.__slots__}
        return row | {"phases": [list(p) for p in self.phases], "actions": [list(a) for a in self.actions]}


def server_from_row(row: Row) -> Server:
    lists: dict[str, Any] = {
        "phases": [Phase(*phase) for phase in row["phases"]],
        "actions": [Action(*action) for action in row["actions"]],
        "launches": list(row["launches"]),
        "metadata": dict(row["metadata"]),
    }
    return Server(**(row | lists))


class ServerStory(NamedTuple):
    phases: list[Phase]
    actions: list[Action]
    launches: list[int]


def server_story(
    *, draw: int, born: int, ends: int, now: float, flavors: Sequence[str], user_id: str
) -> ServerStory | None:
    """The story until `now`; None for the one in a hundred that never boots. `flavors` are ids, small to large."""
    flavor = flavor_number(draw, len(flavors))
    up = born + BOOTING - 2 + (draw >> 46 & 3)
    phases = [Phase(born, "BUILD", flavors[flavor], "spawning"), Phase(up, "ACTIVE", flavors[flavor])]
    actions = [Action("create", born, up, user_id)]
    launches = [up]
    life = ends - born
    span = min(life, 60 * DAY)
    habit = (draw >> 38) & 255
    if fails(draw):
        return None
    if habit < 56 and life > 8 * DAY:
        cycle, day = born + 4 * DAY + (draw >> 52 & 0x3FFF), flavors[flavor]
        while cycle < min(now, ends - 3 * DAY):
            _stop_start(phases, actions, cycle, cycle + 2 * DAY + DAY // 2, day, user_id)
            cycle += 7 * DAY
    elif habit < 112:
        _stop_start(phases, actions, born + span * 2 // 5, born + span * 3 // 5, flavors[flavor], user_id)
    elif habit < 160 and span > 1200:
        _resize(
            phases, actions, launches, born + span // 2, flavors[flavor], flavors[larger(flavor, len(flavors))], user_id
        )
    if ends != FOREVER:
        last = phases[-1]
        phases += [Phase(ends - DELETING, last.status, last.flavor, "deleting"), Phase(ends, "DELETED", last.flavor)]
        actions.append(Action("delete", ends - DELETING, ends, user_id))
    return ServerStory(phases, actions, launches)


def failed_story(*, draw: int, born: int, ends: int, flavors: Sequence[str], user_id: str) -> ServerStory:
    """A boot that no host would take: ERROR until somebody deletes it."""
    flavor = flavors[flavor_number(draw, len(flavors))]
    phases = [Phase(born, "BUILD", flavor, "scheduling"), Phase(born + SHORT, "ERROR", flavor)]
    actions = [Action("create", born, born + SHORT, user_id)]
    if ends != FOREVER:
        phases += [Phase(ends - DELETING, "ERROR", flavor, "deleting"), Phase(ends, "DELETED", flavor)]
        actions.append(Action("delete", ends - DELETING, ends, user_id))
    return ServerStory(phases, actions, [])


def fails(draw: int) -> bool:
    return (draw >> 38) & 255 >= 253


def flavor_number(draw: int, count: int) -> int:
    """Small flavors are common: two draws, the smaller counts."""
    return min((draw >> 30 & 15) * count >> 4, (draw >> 34 & 15) * count >> 4)


def larger(flavor: int, count: int) -> int:
    return min(flavor + 1, count - 1)


def flavor_at(*, draw: int, born: int, ends: int, now: float, count: int) -> int:
    """Number of the flavor a seeded server has at `now`: what `server_story` tells, without telling the story."""
    flavor = flavor_number(draw, count)
    habit = (draw >> 38) & 255
    span = min(ends - born, 60 * DAY)
    if 112 <= habit < 160 and span > 1200 and now >= born + span // 2 + MIGRATING:
        return larger(flavor, count)
    return flavor


def _stop_start(phases: list[Phase], actions: list[Action], stop: int, start: int, flavor: str, user: str) -> None:
    phases += [
        Phase(stop, "ACTIVE", flavor, "powering-off"),
        Phase(stop + SHORT, "SHUTOFF", flavor),
        Phase(start, "SHUTOFF", flavor, "powering-on"),
        Phase(start + SHORT, "ACTIVE", flavor),
    ]
    actions += [Action("stop", stop, stop + SHORT, user), Action("start", start, start + SHORT, user)]


def _resize(
    phases: list[Phase], actions: list[Action], launches: list[int], at: int, old: str, new: str, user: str
) -> None:
    moved = at + MIGRATING
    phases += [
        Phase(at, "RESIZE", old, "resize_migrating"),
        Phase(moved, "VERIFY_RESIZE", new),
        Phase(moved + CONFIRMING, "ACTIVE", new),
    ]
    confirmed = moved + CONFIRMING
    actions += [Action("resize", at, moved, user), Action("confirmResize", confirmed, confirmed, user)]
    launches.append(moved)


class VolumePhase(NamedTuple):
    at: int
    status: str
    size: int  # GiB


@dataclass(slots=True)
class Volume:
    id: str
    name: str
    project_id: str
    user_id: str
    created: int
    phases: list[VolumePhase]
    ends: int = FOREVER
    type: str = "__DEFAULT__"
    description: str | None = None
    metadata: dict[str, str] = field(default_factory=dict)
    population: int | None = None
    index: int | None = None

    def phase(self, now: float) -> VolumePhase:
        return self.phases[max(0, bisect_right(self.phases, now, key=lambda phase: phase.at) - 1)]

    def forget_future(self, now: float) -> None:
        self.phases = [phase for phase in self.phases if phase.at <= now]
        if self.ends > now:
            self.ends = FOREVER

    def row(self) -> Row:
        row = {name: getattr(self, name) for name in self.__slots__}
        return row | {"phases": [list(phase) for phase in self.phases]}


def volume_from_row(row: Row) -> Volume:
    return Volume(
        **(row | {"phases": [VolumePhase(*phase) for phase in row["phases"]], "metadata": dict(row["metadata"])})
    )


def volume_phases(*, born: int, size: int, grown: int | None, ends: int) -> list[VolumePhase]:
    """Made, perhaps doubled at `grown`, and gone at `ends`."""
    phases = [VolumePhase(born, "creating", size), VolumePhase(born + SHORT, "available", size)]
    if grown is not None:
        phases += [VolumePhase(grown, "extending", size), VolumePhase(grown + SHORT, "available", 2 * size)]
    if ends != FOREVER:
        last = phases[-1].size
        phases += [VolumePhase(ends - SHORT, "deleting", last), VolumePhase(ends, "deleted", last)]
    return phases


@dataclass(slots=True)
class Snapshot:
    id: str
    name: str
    project_id: str
    user_id: str
    volume_id: str
    size: int
    created: int
    ends: int = FOREVER
    description: str | None = None
    metadata: dict[str, str] = field(default_factory=dict)

    def row(self) -> Row:
        return {name: getattr(self, name) for name in self.__slots__}


@dataclass(slots=True)
class FloatingIp:
    id: str
    project_id: str
    network_id: str
    address: str
    created: int
    ends: int = FOREVER
    port_id: str | None = None
    fixed_address: str | None = None
    router_id: str | None = None
    description: str = ""
    population: int | None = None
    index: int | None = None

    def row(self) -> Row:
        return {name: getattr(self, name) for name in self.__slots__}


def machine_name(draw: int, index: int) -> str:
    return f"{names.MACHINES[draw >> 60]}-{index}"


def disk_name(draw: int, index: int) -> str:
    return f"{names.DISKS[draw >> 61]}-{index}"
