"""Everything that lives of one kind: seeded populations, and over them the rows that the API made or changed."""

import heapq
from collections.abc import Callable, Iterator
from typing import Generic, Protocol, TypeVar

from emulator.ids import Ids, Kind
from emulator.lives import FOREVER, Population
from emulator.tables import Row, Table


class Thing(Protocol):
    id: str
    project_id: str
    created: int
    ends: int

    def row(self) -> Row: ...


T = TypeVar("T", bound=Thing)


class Living(Generic[T]):
    """One kind of living thing. `walk` is newest first, as the services list by default."""

    def __init__(
        self,
        *,
        kind: Kind,
        ids: Ids,
        table: Table,
        populations: Callable[[Kind], list[Population]],
        build: Callable[[Population, int, int], T],
        restore: Callable[[Row], T],
    ) -> None:
        self.kind = kind
        self._ids = ids
        self._table = table
        self._populations = populations
        self._build = build
        self._restore = restore

    def find(self, thing_id: str, now: float) -> T | None:
        """Also the dead; None when there never was (or not yet is) such a thing."""
        row = self._table.get(thing_id)
        if row is not None:
            return self._restore(row)
        place = self._place(thing_id)
        if place is None:
            return None
        population, index = place
        return self._build(population, index, population.ends(index)) if index <= population.last_born(now) else None

    def put(self, thing: T) -> None:
        self._table.put(thing.row())

    def walk(
        self, now: float, *, project: str | None = None, marker: str | None = None, ended_since: float | None = None
    ) -> Iterator[T]:
        """What lives at `now`, or ended not before `ended_since`, after `marker`. LookupError for an unknown marker."""
        sources = self._sources(now, project, self._after(marker, now), ended_since)
        return sources[0] if len(sources) == 1 else heapq.merge(*sources, key=_newest_first)

    def census(self, now: float, project: str | None) -> Iterator[tuple[Population, int, int]]:
        """(population, index, end) of the project's seeded things that live and that no row replaces, to count them."""
        for population in self._populations(self.kind):
            replaced = self._replaced(population)
            for index, end in population.survivors(now, project=project):
                if index not in replaced:
                    yield population, index, end

    def stored(self, project: str | None) -> list[T]:
        """The rows the API made or changed, dead or alive."""
        rows = self._table.rows.values() if project is None else self._table.find("project_id", project)
        return [self._restore(row) for row in rows]

    def everything(self, now: float, project: str | None) -> Iterator[T]:
        """Every thing that ever was, dead or alive."""
        return self.walk(now, project=project, ended_since=0)

    def _sources(
        self, now: float, project: str | None, after: "_After | None", ended_since: float | None
    ) -> list[Iterator[T]]:
        found = [
            self._seeded(population, now, project, after.limit(population) if after else None, ended_since)
            for population in self._populations(self.kind)
        ]
        horizon = now if ended_since is None else min(now, ended_since - 1)
        things = [t for t in self.stored(project) if t.ends > horizon and (after is None or after.passes(t))]
        if things:
            things.sort(key=lambda thing: (-thing.created, thing.id))
            found.append(iter(things))
        return found or [iter(())]

    def _seeded(
        self, population: Population, now: float, project: str | None, below: int | None, ended_since: float | None
    ) -> Iterator[T]:
        replaced = self._replaced(population)
        build = self._build
        for index, end in population.survivors(now, project=project, below=below, ended_since=ended_since):
            if index not in replaced:
                yield build(population, index, end)

    def _replaced(self, population: Population) -> set[int]:
        return {row["index"] for row in self._table.find("population", population.number)}

    def _place(self, thing_id: str) -> tuple[Population, int] | None:
        which = self._ids.which(thing_id)
        if which is None or which[0] != self.kind:
            return None
        for population in self._populations(self.kind):
            if population.number == which[1] and which[2] < FOREVER:
                return population, which[2]
        return None

    def _after(self, marker: str | None, now: float) -> "_After | None":
        if not marker:
            return None
        thing = self.find(marker, now)
        if thing is None:
            raise LookupError(marker)
        place = None if marker in self._table else self._place(marker)
        return _After(thing.created, thing.id, place[0].number if place else None, place[1] if place else 0)


class _After:
    """Where a page starts: after a thing made at `created`; ties go by population, stored rows last."""

    def __init__(self, created: int, thing_id: str, population: int | None, index: int) -> None:
        self._created, self._id, self._population, self._index = created, thing_id, population, index

    def limit(self, population: Population) -> int:
        if population.number == self._population:
            return self._index
        came_before = self._population is None or population.number < self._population
        return population.last_born(self._created - 1 if came_before else self._created) + 1

    def passes(self, thing: Thing) -> bool:
        if self._population is None:
            return (-thing.created, thing.id) > (-self._created, self._id)
        return thing.created <= self._created


def _newest_first(thing: Thing) -> int:
    return -thing.created
