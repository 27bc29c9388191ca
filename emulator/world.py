"""The emulated world: its configuration, its clock, and its state as tables of differences over the seed."""

import threading
from collections import deque
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

from emulator import stories
from emulator.clock import DAY, WorldClock
from emulator.ids import Ids, Kind, dashed
from emulator.lives import FOREVER, Population, mix
from emulator.living import Living
from emulator.tables import ChangeLog, Row, Table

TABLES: dict[str, tuple[str, ...]] = {
    "domains": ("name",),
    "projects": ("name", "parent_id", "domain_id"),
    "users": ("name",),
    "groups": ("name",),
    "group_members": ("group_id", "user_id"),
    "roles": ("name",),
    "role_inferences": ("prior_role_id",),
    "grants": ("actor", "target", "role_id"),
    "application_credentials": ("user_id",),
    "registered_limits": (),
    "limits": ("project_id",),
    "identity_providers": (),
    "compute_quotas": (),
    "compute_user_quotas": (),
    "compute_quota_class": (),
    "volume_quotas": (),
    "volume_quota_class": (),
    "network_quotas": (),
    "flavors": ("name",),
    "images": ("owner",),
    "keypairs": ("user_id",),
    "servers": ("project_id", "population"),
    "volumes": ("project_id", "population"),
    "snapshots": ("project_id", "volume_id"),
    "floating_ips": ("project_id", "population"),
    "networks": ("project_id",),
    "subnets": ("project_id", "network_id"),
    "routers": ("project_id",),
    "router_ports": ("project_id", "router_id"),
    "ports": ("project_id", "network_id"),
    "security_groups": ("project_id",),
    "populations": (),
}


@dataclass(frozen=True, kw_only=True)
class WorldConfig:
    """How big and how old the world is, and how it behaves. Times are epoch seconds (UTC)."""

    seed: int = 1
    projects: int = 12
    servers: int = 60
    volumes: int = 40
    now: float | None = None
    speed: float = 1.0
    history: int = 60 * DAY
    release: str = "2026.1"
    list_limit: int | None = None
    unified_limits: bool = False
    token_cache: bool = True
    token_seconds: int = 3600
    admin_password: str = "emulator-secret"  # noqa: S105 - the demo's, given on the command line elsewhere
    region: str = "RegionOne"

    def fingerprint(self) -> dict[str, Any]:
        """What a state file must agree with: another seed or size would be another world."""
        return {name: getattr(self, name) for name in ("seed", "projects", "servers", "volumes", "history", "release")}


class World:
    """State of all services. Every use of it goes under `lock`; changes go through the tables only."""

    def __init__(self, config: WorldConfig, *, clock: WorldClock | None = None) -> None:
        self.config = config
        self.clock = clock or WorldClock(start=config.now, speed=config.speed)
        self.origin = int(self.clock.now()) - config.history
        self.ids = Ids(config.seed)
        self.lock = threading.RLock()
        self.log = ChangeLog()
        self.tables = {name: Table(name, self.log, *indexes) for name, indexes in TABLES.items()}
        self.counter = 0
        self._view: float | None = None
        self.wheel: list[str] = []
        self.crews: dict[str, list[str]] = {}  # who makes the seeded things of a project: its people at the beginning
        self.flavor_ids: list[str] = []
        self.image_ids: list[str] = []
        self._forced: deque[str] = deque()
        self._made: list[str] | None = None
        self._site: tuple[tuple[int, int], tuple[int, int, int, int]] | None = None
        self._late: list[tuple[float, int, Callable[[], None]]] = []
        self._main: dict[Kind, Population] = {}
        self._extra: dict[str, tuple[Row, Population]] = {}
        self.servers = self._living(Kind.SERVER, "servers", self._build_server, stories.server_from_row)
        self.volumes = self._living(Kind.VOLUME, "volumes", self._build_volume, stories.volume_from_row)
        self.floating_ips = self._living(
            Kind.FLOATING_IP, "floating_ips", self._build_floating_ip, lambda row: stories.FloatingIp(**row)
        )

    def __getitem__(self, table: str) -> Table:
        return self.tables[table]

    @property
    def now(self) -> float:
        return self.clock.now() if self._view is None else self._view

    @contextmanager
    def seen_at(self, mark: int, moment: float) -> Iterator[None]:
        """The world as it was: without the changes since `mark`, at the time `moment`."""
        self._view = moment
        try:
            with self.log.seen_from(mark):
                yield
        finally:
            self._view = None

    def new_id(self) -> str:
        """The next id in a series that the seed fixes: never random, so a run can be told again."""
        if self._forced:
            made = self._forced.popleft()
        else:
            self.counter += 1
            made = self.ids.named("new", self.counter)
        if self._made is not None:
            self._made.append(made)
        return made

    @contextmanager
    def ids_kept(self, forced: list[str] | None = None) -> Iterator[list[str]]:
        """Collects the ids made in the block; with `forced`, gives those again first: a late write keeps its ids."""
        self._forced, self._made = deque(forced or ()), []
        try:
            yield self._made
        finally:
            self._forced, self._made = deque(), None

    def do_later(self, due: float, run: Callable[[], None]) -> None:
        self._late.append((due, len(self._late), run))
        self._late.sort(key=lambda entry: entry[:2])

    def settle(self) -> None:
        """Let every late write land whose time has come."""
        while self._late and self._late[0][0] <= self.now:
            self._late.pop(0)[2]()

    # Populations -----------------------------------------------------------------------------------------------------

    def populate(self, kind: Kind, living: int, wheel: list[str]) -> None:
        self._main[kind] = Population(
            0, kind, self.ids.number("population", kind), self.origin, self.config.history, living, wheel
        )

    def populations(self, kind: Kind) -> list[Population]:
        found = [self._main[kind]] if kind in self._main else []
        return found + [self._extra_population(row) for row in self.tables["populations"] if row["kind"] == kind]

    def _extra_population(self, row: Row) -> Population:
        known = self._extra.get(row["id"])
        if known is None or known[0] is not row:
            salt = self.ids.number("population", row["number"], row["kind"])
            made = Population(
                number=row["number"],
                kind=Kind(row["kind"]),
                salt=salt,
                origin=row["since"],
                span=row["span"],
                living=row["living"],
                wheel=[row["project_id"]],
                users=row["users"],
            )
            known = self._extra[row["id"]] = (row, made)
        return known[1]

    def _living(self, kind: Kind, table: str, build: Any, restore: Any) -> Living[Any]:
        return Living(
            kind=kind,
            ids=self.ids,
            table=self.tables[table],
            populations=self.populations,
            build=build,
            restore=restore,
        )

    def people_of(self, project_id: str) -> list[str]:
        """Ids of the users who hold a role on the project now; the cloud admin when there are none."""
        actors = {grant["actor"] for grant in self.tables["grants"].find("target", f"project:{project_id}")}
        users = sorted(actor[5:] for actor in actors if actor.startswith("user:"))
        return users or [self.ids.named("user", "admin")]

    def _maker(self, population: Population, project: str, draw: int) -> str:
        users = population.users or self.crews[project]
        return users[(draw >> 20) % len(users)]

    def _build_server(self, population: Population, index: int, ends: int) -> stories.Server:
        draw, born, project = population.draw(index), population.born(index), population.owner(index)
        user = self._maker(population, project, draw)
        story = stories.server_story(
            draw=draw, born=born, ends=ends, now=self.now, flavors=self.flavor_ids, user_id=user
        ) or stories.failed_story(draw=draw, born=born, ends=ends, flavors=self.flavor_ids, user_id=user)
        network = self.network_of(project)
        return stories.Server(
            id=self.ids.living(Kind.SERVER, population.number, index),
            name=stories.machine_name(draw, index),
            project_id=project,
            user_id=user,
            created=born,
            phases=story.phases,
            actions=story.actions,
            launches=story.launches,
            image_id=self.image_ids[draw % len(self.image_ids)],
            number=population.number * 1_000_000 + index + 1,
            ends=ends,
            fault=None if story.launches else "No valid host was found. There are not enough hosts available.",
            network_id=network,
            address=self.address_on(network, index) if network else None,
            population=population.number,
            index=index,
        )

    def address_on(self, network: str, index: int) -> str | None:
        subnets = self.tables["subnets"].find("network_id", network)
        return f"{subnets[0]['cidr'].rpartition('.')[0]}.{index % 250 + 3}" if subnets else None

    def network_of(self, project: str) -> str | None:
        rows = self.tables["networks"].find("project_id", project)
        return rows[0]["id"] if rows else None

    def _build_volume(self, population: Population, index: int, ends: int) -> stories.Volume:
        draw, born, project = population.draw(index), population.born(index), population.owner(index)
        life = min(ends - born, 60 * DAY)
        size = (10, 20, 20, 50, 50, 100, 100, 200, 200, 500, 500, 1000, 20, 50, 100, 2000)[draw >> 34 & 15]
        grown = born + life // 2 if draw >> 38 & 3 == 0 else None
        return stories.Volume(
            id=self.ids.living(Kind.VOLUME, population.number, index),
            name=stories.disk_name(draw, index),
            project_id=project,
            user_id=self._maker(population, project, draw),
            created=born,
            phases=stories.volume_phases(born=born, size=size, grown=grown, ends=ends),
            ends=ends,
            population=population.number,
            index=index,
        )

    def _build_floating_ip(self, population: Population, index: int, ends: int) -> stories.FloatingIp:
        return stories.FloatingIp(
            id=self.ids.living(Kind.FLOATING_IP, population.number, index),
            project_id=population.owner(index),
            network_id=self.external_network,
            address=f"203.0.{113 + population.number % 100}.{index % 254 + 1}",
            created=population.born(index),
            ends=ends,
            population=population.number,
            index=index,
        )

    @property
    def external_network(self) -> str:
        return dashed(self.ids.named("network", "public"))

    # Living numbers --------------------------------------------------------------------------------------------------

    def compute_use(self, project: str) -> tuple[int, int, int]:
        """(instances, vCPUs, MiB of memory) that count against the project's quota now."""
        now, flavors = self.now, [self.tables["flavors"].rows[flavor] for flavor in self.flavor_ids]
        instances = cores = ram = 0
        for population, index, end in self.servers.census(now, project):
            flavor = flavors[
                stories.flavor_at(
                    draw=population.draw(index), born=population.born(index), ends=end, now=now, count=len(flavors)
                )
            ]
            instances, cores, ram = instances + 1, cores + flavor["vcpus"], ram + flavor["ram"]
        for server in self.servers.stored(project):
            if server.ends > now:
                flavor = self.tables["flavors"].rows[server.phase(now).flavor]
                instances, cores, ram = instances + 1, cores + flavor["vcpus"], ram + flavor["ram"]
        return instances, cores, ram

    def site_use(self, moment: int) -> tuple[int, int, int, int]:
        """(instances, vCPUs, MiB, GiB) on all hosts; reckoned once for each `moment` and state of the tables."""
        key = (moment, self.log.version)
        if self._site is None or self._site[0] != key:
            flavors = self.tables["flavors"].rows
            counts = dict.fromkeys(flavors, 0)
            now, ids = self.now, self.flavor_ids
            for population, index, end in self.servers.census(now, None):
                draw, born = population.draw(index), population.born(index)
                counts[ids[stories.flavor_at(draw=draw, born=born, ends=end, now=now, count=len(ids))]] += 1
            for server in self.servers.stored(None):
                if server.ends > now:
                    counts[server.phase(now).flavor] += 1
            sums = [sum(n * flavors[flavor][key] for flavor, n in counts.items()) for key in ("vcpus", "ram", "disk")]
            self._site = (key, (sum(counts.values()), sums[0], sums[1], sums[2]))
        return self._site[1]

    def volume_use(self, project: str) -> dict[str, int]:
        """Volumes, snapshots and GiB (snapshots count in gigabytes, as in Cinder) of a project now."""
        now = self.now
        sizes = [volume.phase(now).size for volume in self.volumes.walk(now, project=project)]
        snapshots = [snapshot.size for snapshot in self.snapshots(project=project)]
        return {
            "volumes": len(sizes), "volume_gigabytes": sum(sizes),
            "snapshots": len(snapshots), "gigabytes": sum(sizes) + sum(snapshots),
        }  # fmt: skip

    # Snapshots: a window in the life of some seeded volumes ----------------------------------------------------------

    def snapshots(
        self, *, project: str | None = None, dead: bool = False, volume: str | None = None
    ) -> Iterator[stories.Snapshot]:
        """Those that are there now; with `dead`, all that ever were. In the order of their volumes."""
        now, stored = self.now, self.tables["snapshots"]
        rows = list(stored) if project is None else stored.find("project_id", project)
        for row in rows:
            if (dead or row["ends"] > now) and volume in (None, row["volume_id"]):
                yield stories.Snapshot(**row)
        volumes = (
            [self.volumes.find(volume, now)]
            if volume
            else self.volumes.walk(now, project=project, ended_since=0 if dead else None)
        )
        for one in volumes:
            made = self._seeded_snapshot(one) if one else None
            if made and made.id not in stored and made.created <= now and (dead or made.ends > now):
                yield made

    def find_snapshot(self, snapshot_id: str) -> stories.Snapshot | None:
        row = self.tables["snapshots"].get(snapshot_id)
        if row is not None:
            return stories.Snapshot(**row)
        which = self.ids.which(snapshot_id)
        if which is None or which[0] != Kind.SNAPSHOT:
            return None
        volume = self.volumes.find(self.ids.living(Kind.VOLUME, which[1], which[2]), self.now)
        made = self._seeded_snapshot(volume) if volume else None
        return made if made and made.created <= self.now else None

    def _seeded_snapshot(self, volume: stories.Volume) -> stories.Snapshot | None:
        if volume.population is None or volume.index is None:
            return None
        draw = mix(self.ids.number("snapshot") ^ volume.population << 40 ^ volume.index)
        if draw & 3:
            return None
        life = min(volume.ends - volume.created, 60 * DAY)
        made = volume.created + life // 4
        ends = made + life // 3 if draw & 4 or volume.ends != FOREVER else FOREVER
        return stories.Snapshot(
            id=self.ids.living(Kind.SNAPSHOT, volume.population, volume.index),
            name=f"{volume.name}-snapshot",
            project_id=volume.project_id,
            user_id=volume.user_id,
            volume_id=volume.id,
            size=volume.phase(made).size,
            created=made,
            ends=ends,
        )
