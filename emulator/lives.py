"""Populations of living things and their life stories, computed from the seed and the clock: nothing is stored.

Births are numbered and come at a steady pace, so "newest first" is counting down, a page starts where its marker says,
and the things of one project are every W-th birth. Life lengths are drawn from a table; the pace is chosen so that
about the wanted number lives at the end of the first span.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import NamedTuple

from emulator.clock import DAY, HOUR, MINUTE
from emulator.ids import Kind

_MASK = (1 << 64) - 1
FOREVER = 1 << 62


def mix(number: int) -> int:
    """64 well-stirred bits of a number (the finaliser of splitmix64)."""
    number = ((number ^ (number >> 30)) * 0xBF58476D1CE4E5B9) & _MASK
    number = ((number ^ (number >> 27)) * 0x94D049BB133111EB) & _MASK
    return number ^ (number >> 31)


class LifeClass(NamedTuple):
    """A share (of 1024) of the births lives between `shortest` and `longest` seconds; FOREVER never ends."""

    share: int
    shortest: int
    longest: int


LIVES: Mapping[Kind, tuple[LifeClass, ...]] = {
    Kind.SERVER: (
        LifeClass(400, 20 * MINUTE, 2 * DAY),
        LifeClass(320, 2 * DAY, 15 * DAY),
        LifeClass(210, 15 * DAY, 120 * DAY),
        LifeClass(94, FOREVER, FOREVER),
    ),
    Kind.VOLUME: (
        LifeClass(300, 6 * HOUR, 10 * DAY),
        LifeClass(424, 10 * DAY, 90 * DAY),
        LifeClass(300, FOREVER, FOREVER),
    ),
    Kind.FLOATING_IP: (
        LifeClass(400, DAY, 10 * DAY),
        LifeClass(400, 10 * DAY, 60 * DAY),
        LifeClass(224, FOREVER, FOREVER),
    ),
}


def _expected_span(kind: Kind, span: int) -> float:
    """Mean of min(life, span) in seconds: births per second x this = living things after `span`."""
    total = 0.0
    for share, low, high in LIVES[kind]:
        if low >= span:
            mean = float(span)
        elif high <= span:
            mean = (low + high) / 2
        else:
            inside = (span - low) / (high - low)
            mean = inside * (low + span) / 2 + (1 - inside) * span
        total += mean * share / 1024
    return total


@dataclass(slots=True)
class Population:
    """`living` things at `origin + span`, spread over `wheel`, in which a project may stand several times."""

    number: int
    kind: Kind
    salt: int
    origin: int
    span: int
    living: int
    wheel: Sequence[str]
    users: Sequence[str] = ()  # who made these things, where the project's own people are not to be asked
    births: int = 0
    _seats: dict[str, list[int]] = field(default_factory=dict)
    _table: list[tuple[int, int, int]] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.births = (
            max(1, round(self.living * self.span / _expected_span(self.kind, self.span))) if self.living else 0
        )
        for seat, project in enumerate(self.wheel):
            self._seats.setdefault(project, []).append(seat)
        upto = 0
        for share, low, high in LIVES[self.kind]:
            upto += share
            self._table.append((upto, low, high - low))

    def draw(self, index: int) -> int:
        """64 random bits for birth `index`: 0-9 choose its class of life, 10-29 its length, the rest its story."""
        return mix(self.salt + index * 0x9E3779B97F4A7C15 & _MASK)

    def born(self, index: int) -> int:
        pace = self.span // self.births
        jitter = mix(self.salt ^ index) % pace if pace > 1 else 0
        return self.origin + index * self.span // self.births + jitter

    def life(self, draw: int) -> int:
        """Length in seconds; FOREVER when it never ends."""
        share = draw & 1023
        for upto, shortest, spread in self._table:
            if share < upto:
                return shortest + (((draw >> 10) & 0xFFFFF) * spread >> 20) if spread else shortest
        return FOREVER

    def ends(self, index: int) -> int:
        life = self.life(self.draw(index))
        return FOREVER if life == FOREVER else self.born(index) + life

    def owner(self, index: int) -> str:
        return self.wheel[index % len(self.wheel)]

    def last_born(self, now: float) -> int:
        """The newest index that is born at `now`; -1 when nobody is."""
        if not self.births or now < self.origin:
            return -1
        index = (int(now) - self.origin) * self.births // self.span + 1
        while index >= 0 and self.born(index) > now:
            index -= 1
        return index

    def indices(self, now: float, *, project: str | None = None, below: int | None = None) -> Iterator[int]:
        """Everything born until `now`, newest first, dead or alive; only indices under `below` when given."""
        last = self.last_born(now)
        if below is not None:
            last = min(last, below - 1)
        if last < 0:
            return
        if project is None:
            yield from range(last, -1, -1)
            return
        seats = self._seats.get(project)
        if seats is None:
            return
        size = len(self.wheel)
        for turn in range(last // size, -1, -1):
            base = turn * size
            for seat in reversed(seats):
                if base + seat <= last:
                    yield base + seat

    def survivors(
        self, now: float, *, project: str | None = None, below: int | None = None, ended_since: float | None = None
    ) -> Iterator[tuple[int, int]]:
        """(index, end) of what lives at `now`, or ended not before `ended_since`, newest first."""
        horizon = now if ended_since is None else min(now, ended_since - 1)
        ends = self.ends
        for index in self.indices(now, project=project, below=below):
            end = ends(index)
            if end > horizon:
                yield index, end
