"""What tests of reporting are made of: spans, deliveries, and a connector that says what it is told."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from typing import Any

from connectors.errors import ErrorInfo
from connectors.types import Accuracy, Deliveries, Delivery, KnownThing, Meter, SourceResult, Thing, UsageSpan
from reporting.services import delivery_store
from tenancy.models import Cloud, Institution, Membership, Person, Project, SiteRole, Tenancy

NOW = datetime(2026, 11, 20, 12, 0, tzinfo=UTC)
NOVEMBER = int(datetime(2026, 11, 1, tzinfo=UTC).timestamp())
HOUR = 3600
DAY = 86_400

SERVERS = ("compute.vcpu", "compute.memory")


def at(*moment: int) -> int:
    """Epoch seconds of a UTC date and time."""
    return int(datetime(*moment, tzinfo=UTC).timestamp())


@dataclass
class World:
    """`people` by role: visitor is None; stranger is a member of `other` only."""

    cloud: Cloud
    second: Cloud
    project: Project
    other: Project
    tenancy: Tenancy
    other_tenancy: Tenancy
    people: dict[str, Person | None]

    def deliver(self, *spans: UsageSpan, cloud: Cloud | None = None, **fields: Any) -> None:
        delivery_store(cloud=cloud or self.cloud, delivery=delivery(*spans, **fields))


def project_make(slug: str, title: str, institution: Institution, cloud: Cloud) -> tuple[Project, Tenancy]:
    project = Project.objects.create(slug=slug, title=title, institution=institution, starts_on=date(2026, 1, 1))
    tenancy = Tenancy.objects.create(project=project, cloud=cloud, name=slug, native_id=f"native-{slug}")
    return project, tenancy


def cloud_make(slug: str, title: str) -> Cloud:
    return Cloud.objects.create(slug=slug, title=title, kind="scripted", credential="")


def world_make() -> World:
    university = Institution.objects.create(name="University of Tartu", slug="tartu")
    hospital = Institution.objects.create(name="City Hospital", slug="hospital")
    cloud, second = cloud_make("north", "OpenStack north"), cloud_make("south", "OpenStack south")
    project, tenancy = project_make("genomics", "Coastal genomics", university, cloud)
    other, other_tenancy = project_make("imaging", "Imaging", hospital, cloud)
    people: dict[str, Person | None] = {"visitor": None}
    for role in ("viewer", "member", "manager", "owner"):
        people[role] = Person.objects.create_user(role, name=f"{role.title()} Person", email=f"{role}@example.org")
        Membership.objects.create(project=project, person=people[role], role=role)
    people["stranger"] = Person.objects.create_user("stranger", name="Stranger Person")
    Membership.objects.create(project=other, person=people["stranger"], role=Membership.Role.OWNER)
    for role in (SiteRole.Role.OPERATOR, SiteRole.Role.FINANCE, SiteRole.Role.REVIEWER):
        people[role.value] = Person.objects.create_user(role.value)
        SiteRole.objects.create(person=people[role.value], role=role)
    people["institution-admin"] = Person.objects.create_user("institution-admin")
    SiteRole.objects.create(
        person=people["institution-admin"], role=SiteRole.Role.INSTITUTION_ADMIN, institution=university
    )
    return World(cloud, second, project, other, tenancy, other_tenancy, people)


def span(
    start: int, end: int, quantity: int = 2000, *, thing: str = "s1", meter: str = "compute.vcpu",
    state: str = "running", accuracy: Accuracy = Accuracy.EXACT, reason: str = "",
) -> UsageSpan:  # fmt: skip
    return UsageSpan(thing, meter, quantity, state, start, end, accuracy, reason)


def delivery(
    *spans: UsageSpan,
    start: int | None = None,
    end: int | None = None,
    tenancy: str = "native-genomics",
    kind: str = "server",
    source: str = "servers",
    meters: tuple[str, ...] = (),
    observed: datetime | None = None,
    things: tuple[Thing, ...] | None = None,
) -> Delivery:
    """A delivery of these spans; its window, meters and things follow from them unless they are given."""
    low = min(each.start for each in spans) if start is None else start
    high = max(each.end for each in spans) if end is None else end
    listed = tuple(Thing(each, kind, tenancy, name=f"name of {each}") for each in sorted({s.thing for s in spans}))
    return Delivery(
        source=source,
        meters=meters or tuple(sorted({each.meter for each in spans})),
        start=low,
        end=high,
        observed_at=observed or NOW,
        things=listed if things is None else things,
        spans=spans,
    )


@dataclass
class Scripted:
    """A connector that says what a test tells it: ``says(start, end, known)`` yields deliveries and results."""

    says: Callable[[int, int, Mapping[str, KnownThing]], Deliveries] = lambda start, end, known: ()
    declared: tuple[Meter, ...] = (
        Meter("compute.vcpu", "servers", "server", Accuracy.EXACT),
        Meter("storage.volume", "volumes", "volume", Accuracy.SAMPLED),
    )
    windows: list[tuple[int, int]] = field(default_factory=list)

    def meters(self) -> tuple[Meter, ...]:
        return self.declared

    def collect(self, start: int, end: int, known: Mapping[str, KnownThing]) -> Deliveries:
        self.windows.append((start, end))
        yield from self.says(start, end, known)

    def calls(self) -> Mapping[str, int]:
        return {"GET compute /servers/detail": len(self.windows)}


def life(*, servers: int = 2, fail: tuple[str, ...] = (), until: int | None = None) -> Callable[..., Deliveries]:
    """Servers and one volume that live all the time; the sources in ``fail`` end with an error."""

    def says(start: int, end: int, known: Mapping[str, KnownThing]) -> Deliveries:
        stop = end if until is None else min(end, until)
        for number in range(servers):
            yield delivery(span(start, stop, thing=f"s{number}"))
        yield result("servers", fail)
        if "volumes" not in fail:
            volume = span(start, stop, 10_240, thing="v1", meter="storage.volume", accuracy=Accuracy.SAMPLED)
            yield delivery(volume, kind="volume", source="volumes")
        yield result("volumes", fail)

    return says


def result(source: str, fail: tuple[str, ...] = ()) -> SourceResult:
    if source not in fail:
        return SourceResult(source, complete=True, things=1)
    error = ErrorInfo(
        "ServerFault", "The volume service failed.", "Wait.", retry=True, verbatim="boom", request_id="req-1"
    )
    return SourceResult(source, complete=False, things=0, error=error)


def ago(**length: int) -> datetime:
    return NOW - timedelta(**length)
