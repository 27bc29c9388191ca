"""A real worker, killed ten times while it works; the broker folder deleted; afterwards exactly one of everything.

Which call a kill follows is counted by the emulator and drawn from a seed; no moment is chosen by waiting.
"""

from __future__ import annotations

import random
from collections.abc import Iterator
from itertools import pairwise
from pathlib import Path

import pytest

from tenancy.loop import claims, lease, run
from tenancy.models import Membership, Person, Step, SurveyRun, Tenancy
from tenancy.services import limits_set, member_add, member_remove, tenancy_create
from tests.system.house import House, open_house, people_of
from tests.system.processes import until

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.slow, pytest.mark.xdist_group("run")]

KILLS = 10
TENANCIES = 20
SEED = 20261120
LOSE_BROKER_AT = 6
UNWOKEN_AT = (3, 7)
"""No page sends a message then: beat's sweeper finds the rows."""
LEAVE_LEASES_AT = (1, 5)
"""After these kills the leases of the dead are still in force when the next worker begins."""


@pytest.fixture
def house(tmp_path: Path) -> Iterator[House]:
    with open_house(tmp_path / "house") as opened:
        yield opened


def wanted(house: House) -> list[Tenancy]:
    """Projects that share their people, so that several slices want the same accounts."""
    people = people_of(house, 8)
    tenancies = []
    for number in range(TENANCIES):
        project = house.site.project(f"Project {number}", people[number % 8])
        member_add(actor=None, project=project, person=people[(number + 3) % 8], role="viewer")
        tenancy = tenancy_create(actor=None, project=project, cloud=house.site.cloud)
        limits_set(actor=None, tenancy=tenancy, limits=limits(number), reason="story")
        tenancies.append(tenancy)
    return tenancies


def limits(number: int) -> dict[str, int]:
    return {
        "compute.vcpu": (number + 1) * 1000,
        "compute.memory": (number + 1) * 1024,
        "storage.volume": (number + 1) * 10_240,
        "network.ports": number + 5,
    }


def want_something_else(luck: random.Random, tenancies: list[Tenancy]) -> None:
    """Four limits, one new member, one who leaves: while the worker works."""
    for tenancy in luck.sample(tenancies, 4):
        limits_set(actor=None, tenancy=tenancy, limits=limits(luck.randrange(30)), reason="story")
    project = luck.choice(tenancies).project
    assert project is not None
    strangers = Person.objects.exclude(memberships__project=project).order_by("username")
    member_add(actor=None, project=project, person=luck.choice(list(strangers)), role="member")
    plain = Membership.objects.current().exclude(role=Membership.Role.OWNER).order_by("added_at", "person__username")
    member_remove(actor=None, membership=luck.choice(list(plain)))


def aim(house: House, luck: random.Random, kill: int) -> tuple[str, int]:
    """After so many more calls of any kind, or, every other time, so many more writes: (which counter, its value)."""
    counted, most = ("writes", 15) if kill % 2 else ("total", 60)
    return counted, int(house.emulator.counters()[counted]) + luck.randint(1, most)


def test_ten_kills_and_a_lost_broker_leave_one_of_everything(house: House, capsys: pytest.CaptureFixture[str]) -> None:
    luck = random.Random(SEED)
    before = house.counted()
    tenancies = wanted(house)
    house.programs.beat()
    open_leases, at_calls = [], []
    for kill in range(KILLS):
        worker = house.programs.worker()
        counted, target = aim(house, luck, kill)
        if kill not in UNWOKEN_AT:
            house.messages.wake(times=2)
        want_something_else(luck, tenancies)
        until(
            lambda counted=counted, target=target: house.emulator.counters()[counted] >= target,
            f"kill {kill}: {target} {counted}",
            pause=0.005,
        )
        if kill == LOSE_BROKER_AT:
            house.messages.lose()
        worker.kill()
        at_calls.append(house.emulator.calls())
        open_leases.append(Tenancy.objects.exclude(lease.free()).count())
        if kill not in LEAVE_LEASES_AT:
            house.emulator.advance(lease.LEASE.total_seconds() + 1)
    unclear = Step.objects.filter(state=Step.State.SENT).count()
    assert all(later > earlier for earlier, later in pairwise(at_calls)), "every worker got something done"
    assert sum(open_leases) >= KILLS, "the kills came in the middle of the work"

    house.programs.worker()
    house.messages.lose()
    house.settle()
    house.programs.stop_but(house.emulator.program)
    house.check(tenancies, before)
    house.check_quiet()
    writes = len(house.emulator.writes())
    house.emulator.advance(lease.SURVEY_LEASE.total_seconds() + 1)
    claims.look_again(Tenancy.objects.all())
    run.work_due("the test")
    assert len(house.emulator.writes()) == writes, "a second look writes nothing"
    assert not SurveyRun.objects.exclude(tenancy=None).filter(state=SurveyRun.State.RUNNING).exists()
    with capsys.disabled():
        taken = Tenancy.objects.filter(lease_fence__gt=0).count()
        print(
            f"\n    {KILLS} SIGKILLs after {at_calls} calls; {sum(open_leases)} leases were held, {unclear} steps were "
            f"being sent at the last; {taken} tenancies, {Step.objects.count()} steps, {writes} writes"
        )
