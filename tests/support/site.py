"""A site with one emulated cloud behind the seams: what tests of the loop and of whole stories stand on."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import date
from typing import Any

import yaml

from config import clock
from connectors.types import Mode
from quotas.services import limits_refresh
from tenancy import clouds
from tenancy.loop import claims, run
from tenancy.loop.slices import Report
from tenancy.models import Cloud, Person, Project, Step, Tenancy
from tenancy.services import cloud_connect, cloud_mode_set, person_create, project_create, tenancy_create
from tenancy.services.clouds import Connection
from tests.support.emulated import Emulated


class Site:
    """One cloud called north, in enforce mode, its clock and its transport the emulator's."""

    def __init__(self, emulated: Emulated, slug: str = "north") -> None:
        self.emulated = emulated
        self.slug = slug
        self._people = 0

    def connect(self, mode: Mode = Mode.ENFORCE, **auth: str) -> Cloud:
        cloud = cloud_connect(actor=None, title="OpenStack north", slug=self.slug, connection=self.connection(**auth))
        return cloud_mode_set(actor=None, cloud=cloud, mode=mode)

    def connection(self, **auth: str) -> Connection:
        return Connection("openstack", yaml.safe_dump({"clouds": {"north": self.emulated.settings(**auth)}}))

    @property
    def cloud(self) -> Cloud:
        return Cloud.objects.get(slug=self.slug)

    def person(self, username: str = "") -> Person:
        self._people += 1
        name = username or f"person{self._people}"
        return person_create(actor=None, username=name, name=name.title(), email=f"{name}@site.example")

    def project(self, title: str = "Coastal genomics", owner: Person | None = None) -> Project:
        return project_create(
            actor=None,
            title=title,
            description="",
            purpose=Project.Purpose.RESEARCH,
            institution=None,
            starts_on=date(2026, 1, 1),
            ends_on=None,
            owner=owner or self.person(),
        )

    def tenancy(self, title: str = "Coastal genomics", owner: Person | None = None) -> Tenancy:
        """Wanted, with its limits; nothing is on the cloud yet."""
        project = self.project(title, owner)
        tenancy = tenancy_create(actor=None, project=project, cloud=self.cloud)
        limits_refresh(project=project)
        tenancy.refresh_from_db()
        return tenancy

    def ready(self, title: str = "Coastal genomics", owner: Person | None = None) -> Tenancy:
        """On the cloud, as wanted, and looked at once since it was made."""
        tenancy = self.tenancy(title, owner)
        self.work()
        self.work()
        tenancy.refresh_from_db()
        assert tenancy.settled, open_steps(tenancy)
        return tenancy

    def work(self) -> list[Report]:
        """What a worker would do now."""
        return run.work_due(claims.holder_name())

    def settle(self, hours: int = 3) -> None:
        """Let time pass and workers work until nothing is left to do; fails if that takes longer."""
        for _ in range(hours * 30):
            self.work()
            if not Tenancy.objects.unsettled().exists():
                return
            self.emulated.advance(120)
        raise AssertionError([(str(t), open_steps(t)) for t in Tenancy.objects.unsettled()])

    # --- what the cloud itself says ---

    def native_project(self, tenancy: Tenancy) -> dict[str, Any]:
        """The one project with our mark; fails if there are none or two."""
        found = self.emulated.request("GET", "/identity/v3/projects", tags=f"tenantry:{tenancy.ref}")["projects"]
        assert len(found) == 1, found
        return dict(found[0])

    def roles(self, tenancy: Tenancy) -> set[tuple[str, str]]:
        """(user name, role name) of everybody on the tenancy's project."""
        native = self.native_project(tenancy)["id"]
        rows = self.emulated.request(
            "GET", "/identity/v3/role_assignments", include_names="true", **{"scope.project.id": native}
        )
        return {(row["user"]["name"], row["role"]["name"]) for row in rows["role_assignments"]}

    def cores(self, tenancy: Tenancy) -> int:
        native = self.native_project(tenancy)["id"]
        return int(self.emulated.request("GET", f"/compute/v2.1/os-quota-sets/{native}")["quota_set"]["cores"])

    def writes(self) -> list[tuple[str, str]]:
        return [(row["method"], row["path"]) for row in self.emulated.writes()]


def open_steps(tenancy: Tenancy) -> list[str]:
    rows = Step.objects.filter(tenancy=tenancy).exclude(state__in=(Step.State.DONE, Step.State.SUPERSEDED))
    states = [f"{c.section}:{c.state}:{c.reason}" for c in tenancy.conditions.all()]
    return [f"{row.state} {row.target}: {row.error}" for row in rows] + states


@contextmanager
def emulated_site(**config: Any) -> Iterator[Site]:
    """A connected site whose time, network and waiting are the emulator's."""
    site = Site(Emulated(**config))
    clock.set_source(site.emulated.now)
    clouds.use_seams(clouds.Seams(transport=lambda slug: site.emulated.transport, sleep=site.emulated.sleep))
    try:
        site.connect()
        yield site
    finally:
        clouds.use_seams(None)
        clock.set_source(None)
