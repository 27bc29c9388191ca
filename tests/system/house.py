"""A whole site of real processes: the test writes rows, workers in processes of their own make the cloud match."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta
from pathlib import Path
from typing import cast

from django.conf import settings
from django.db import connection

from config import clock
from connectors.openstack.limits import RESOURCES
from tenancy.loop import lease
from tenancy.models import Account, Membership, Person, Step, Tenancy
from tests.support.emulated import ROLES, Emulated
from tests.support.site import Site, open_steps
from tests.system.processes import Emulator, Messages, Programs, programs_in, same_lines, until

TROUBLE = ("database is locked", "Traceback", " CRITICAL ", " broke", "is no usable Date")
QUOTAS = {
    "limits.compute": ("/compute/v2.1/os-quota-sets/{}", "quota_set"),
    "limits.volume": ("/volume/v3/os-quota-sets/{}", "quota_set"),
    "limits.network": ("/network/v2.0/quotas/{}", "quota"),
}


def database_url() -> str:
    """The database of this test, as DATABASE_URL says it to another process."""
    said = connection.settings_dict
    if connection.vendor == "sqlite":
        return f"sqlite:///{said['NAME']}"
    return f"postgres://{said['USER']}@{said['HOST']}:{said['PORT']}/{said['NAME']}"


class House:
    """Emulator, broker folder, and whatever programs a test starts; all of them follow the emulator's clock."""

    def __init__(self, programs: Programs, emulator: Emulator) -> None:
        self.programs = programs
        self.emulator = emulator
        self.messages = Messages(programs.folder / "var")
        # A site asks of its cloud what both ways of running the emulator can do.
        self.site = Site(cast("Emulated", emulator))

    def settle(self) -> None:
        """Let workers work, and time pass when nothing is due, until all is as wanted and verified."""
        until(self._settled, "everything is settled", pause=0.3)

    def _settled(self) -> bool:
        rows = Tenancy.objects.unsettled()
        if not rows.exists():
            return True
        if not Tenancy.objects.exclude(lease.free()).exists():
            soonest = rows.order_by("next_attempt_at").values_list("next_attempt_at", flat=True).first()
            if soonest is None:
                # Settled since the first look, or a row that nobody will ever try again.
                assert not rows.exists(), [(str(row), open_steps(row)) for row in rows]
                return True
            if soonest > clock.now():
                self.emulator.advance((soonest - clock.now() + timedelta(seconds=2)).total_seconds())
            self.messages.wake()
        return False

    # --- what must be true in the end ---

    def check(self, tenancies: list[Tenancy], before: Counter[str]) -> None:
        """Exactly one of everything that is wanted, nothing besides, and no step left open."""
        assert self.counted() == before + Counter(projects=len(tenancies), users=Account.objects.count())
        for tenancy in tenancies:
            tenancy.refresh_from_db()
            assert tenancy.settled, open_steps(tenancy)
            assert self.site.native_project(tenancy)["id"] == tenancy.native_id
            assert self.site.roles(tenancy) == wanted_roles(tenancy)
            assert wanted_limits(tenancy).items() <= self.quotas(tenancy).items()
        closed = (Step.State.DONE, Step.State.SUPERSEDED)
        assert not Step.objects.exclude(state__in=closed).exists(), list(Step.objects.exclude(state__in=closed))

    def check_quiet(self) -> None:
        """Nobody printed an error that no one meant."""
        for program in self.programs.started:
            assert not same_lines(program.log, TROUBLE), f"{program.path.name}:\n{program.log[-20_000:]}"

    def counted(self) -> Counter[str]:
        projects = self.emulator.request("GET", "/identity/v3/projects")["projects"]
        users = self.emulator.request("GET", "/identity/v3/users")["users"]
        return Counter(projects=len(projects), users=len(users))

    def quotas(self, tenancy: Tenancy) -> dict[str, int]:
        """Every limit of the project, in base units, as the three services tell it."""
        said = {
            section: self.emulator.request("GET", path.format(tenancy.native_id))[key]
            for section, (path, key) in QUOTAS.items()
        }
        return {one.key: int(said[one.section][one.native]) * one.factor for one in RESOURCES}


def wanted_limits(tenancy: Tenancy) -> dict[str, int]:
    return dict(tenancy.limits.values_list("resource", "amount"))


def wanted_roles(tenancy: Tenancy) -> set[tuple[str, str]]:
    members = Membership.objects.current().filter(project=tenancy.project).select_related("person")
    return {(member.person.username, ROLES[member.role]) for member in members}  # type: ignore[index]


@contextmanager
def open_house(
    folder: Path, *, projects: int = 2, servers: int = 2, volumes: int = 2, **environment: str
) -> Iterator[House]:
    """A house with one connected cloud. Use with committed rows (`django_db(transaction=True)`)."""
    said = {
        "DATABASE_URL": database_url(),
        "TENANTRY_SECRET_KEYS": ",".join(settings.ENCRYPTION_KEYS),
        "TENANTRY_SECRET_KEY": settings.SECRET_KEY,
    }
    with programs_in(folder, said) as programs:
        emulator = Emulator(programs, projects=projects, servers=servers, volumes=volumes)
        programs.environment["TENANTRY_CLOCK_URL"] = f"{emulator.url}/control/clock"
        clock.set_source(emulator.now)
        house = House(programs, emulator)
        house.site.connect()
        yield house


def people_of(house: House, count: int) -> list[Person]:
    return [house.site.person() for _ in range(count)]
