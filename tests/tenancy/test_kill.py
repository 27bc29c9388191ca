"""The kill matrix: a worker killed before and after every call, and between an answer and its commit.

Afterwards there is exactly one of everything and no orphan, whatever the moment. The number of kill points is printed.
"""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from tenancy import clouds
from tenancy.loop import claims
from tenancy.models import Membership, Person, Step, Tenancy
from tenancy.services import limits_set, member_add, member_remove, member_role_change, project_archive, tenancy_create
from tests.support.kill import Killer, Moment, Point, in_child, run_until_killed
from tests.support.site import Site, emulated_site, open_steps

pytestmark = pytest.mark.django_db(transaction=True)

LIMITS = {"compute.vcpu": 8000, "storage.volume": 102_400, "network.ports": 20}
MORE = {"compute.vcpu": 16000, "storage.volume": 51_200, "network.ports": 30}


@pytest.fixture
def site() -> Iterator[Site]:
    with emulated_site() as made:
        yield made


@dataclass(frozen=True)
class Story:
    """``prepare`` in the parent, ``act`` wants something new; the cloud must end with these roles and limits."""

    name: str
    prepare: Callable[[Site], None]
    act: Callable[[Site], None]
    roles: frozenset[tuple[str, str]]
    limits: tuple[int, int, int]
    enabled: bool = True


def _nothing(site: Site) -> None:
    """Only people are there."""
    site.person("mira")
    site.person("ana")


def _provision(site: Site) -> None:
    people = _people()
    project = site.project(owner=people["mira"])
    member_add(actor=None, project=project, person=people["ana"], role="viewer")
    tenancy = tenancy_create(actor=None, project=project, cloud=site.cloud)
    limits_set(actor=None, tenancy=tenancy, limits=LIMITS, reason="story")


def _people() -> dict[str, Person]:
    return {person.username: person for person in Person.objects.all()}


def _provisioned(site: Site) -> None:
    _nothing(site)
    site.person("tomas")
    _provision(site)
    site.settle()


def _limits(site: Site) -> None:
    limits_set(actor=None, tenancy=Tenancy.objects.get(), limits=MORE, reason="story")


def _members(site: Site) -> None:
    tenancy = Tenancy.objects.get()
    ana = Membership.objects.get(person__username="ana")
    member_role_change(actor=None, membership=ana, role="member")
    member_add(actor=None, project=tenancy.project, person=_people()["tomas"], role="viewer")


def _leave(site: Site) -> None:
    member_remove(actor=None, membership=Membership.objects.get(person__username="ana"))


def _archive(site: Site) -> None:
    project_archive(actor=None, project=Tenancy.objects.get().project, reason="story")


MIRA = ("mira", "member")
STORIES = (
    Story("provisioning", _nothing, _provision, frozenset({MIRA, ("ana", "reader")}), (8, 100, 20)),
    Story("quota change", _provisioned, _limits, frozenset({MIRA, ("ana", "reader")}), (16, 50, 30)),
    Story(
        "members change",
        _provisioned,
        _members,
        frozenset({MIRA, ("ana", "member"), ("tomas", "reader")}),
        (8, 100, 20),
    ),
    Story("member leaves", _provisioned, _leave, frozenset({MIRA}), (8, 100, 20)),
    Story("archive", _provisioned, _archive, frozenset(), (0, 0, 0), enabled=False),
)


@pytest.mark.parametrize("story", STORIES, ids=lambda story: story.name)
def test_killed_anywhere_it_ends_with_one_of_everything(
    site: Site, story: Story, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    story.prepare(site)
    before = _counts(site)
    calls = _calls_of(site, story, tmp_path)
    points = [Point(call, moment) for call, moment in itertools.product(range(1, calls + 1), Moment)]
    failed = {}
    for number, point in enumerate(points):
        told = in_child(tmp_path / str(number), lambda point=point: _killed_at(site, story, point, before))
        if told:
            failed[str(point)] = told
    with capsys.disabled():
        print(f"\n    {story.name}: {calls} calls, {len(points)} kill points, {len(failed)} failed")
    assert not failed, "\n".join(f"--- killed {point}\n{told}" for point, told in list(failed.items())[:3])


def _calls_of(site: Site, story: Story, folder: Path) -> int:
    """Calls of the undisturbed story, counted in a child that throws its changes away."""
    note = folder / "calls"

    def body() -> None:
        killer = Killer(site.emulated.transport)
        _use(site, killer)
        story.act(site)
        site.work()
        note.write_text(str(killer.calls))

    told = in_child(folder / "counting", body)
    assert not told, told
    return int(note.read_text())


def _use(site: Site, killer: Killer) -> None:
    clouds.use_seams(clouds.Seams(transport=lambda slug: killer, sleep=site.emulated.sleep))


def _killed_at(site: Site, story: Story, point: Point, before: tuple[int, int]) -> None:
    killer = Killer(site.emulated.transport, point)
    _use(site, killer)
    story.act(site)
    killed = run_until_killed(killer, lambda: site.work() and None)
    assert killed, f"the work ended before {point}"
    clouds.use_seams(clouds.Seams(transport=lambda slug: site.emulated.transport, sleep=site.emulated.sleep))
    site.settle()
    _check(site, story, before)


def _counts(site: Site) -> tuple[int, int]:
    projects = site.emulated.request("GET", "/identity/v3/projects")["projects"]
    users = site.emulated.request("GET", "/identity/v3/users")["users"]
    return len(projects), len(users)


def _check(site: Site, story: Story, before: tuple[int, int]) -> None:
    tenancy = Tenancy.objects.get()
    native = site.native_project(tenancy)
    assert native["id"] == tenancy.native_id
    assert native["enabled"] is story.enabled
    assert site.roles(tenancy) == story.roles
    assert _quotas(site, tenancy) == story.limits
    assert not Step.objects.exclude(state__in=(Step.State.DONE, Step.State.SUPERSEDED)).exists(), open_steps(tenancy)
    projects, users = _counts(site)
    assert projects == before[0] + (story.name == "provisioning")
    assert users == before[1] + {"provisioning": 2, "members change": 1}.get(story.name, 0)
    site.emulated.forget()
    claims.look_again(Tenancy.objects.all())
    site.work()
    assert site.writes() == []


def _quotas(site: Site, tenancy: Tenancy) -> tuple[int, int, int]:
    native = tenancy.native_id
    compute = site.emulated.request("GET", f"/compute/v2.1/os-quota-sets/{native}")["quota_set"]["cores"]
    volume = site.emulated.request("GET", f"/volume/v3/os-quota-sets/{native}")["quota_set"]["gigabytes"]
    network = site.emulated.request("GET", f"/network/v2.0/quotas/{native}")["quota"]["port"]
    return compute, volume, network
