"""Workers in processes of their own on the same tenancies: nothing twice, and a late one changes nothing."""

from __future__ import annotations

import signal
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import pytest

from tenancy.loop import lease
from tenancy.models import Account, Step, Tenancy
from tenancy.services import limits_set, member_add, tenancy_create
from tests.system.house import House, open_house, people_of
from tests.system.processes import until

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.slow, pytest.mark.xdist_group("run")]

LIMITS = {"compute.vcpu": 8000, "storage.volume": 102_400, "network.ports": 20}


@pytest.fixture
def house(tmp_path: Path) -> Iterator[House]:
    with open_house(tmp_path / "house") as opened:
        yield opened


def wanted(house: House, count: int) -> list[Tenancy]:
    """Every project has the same three people, so all slices want the same accounts at the same time."""
    people = people_of(house, 3)
    tenancies = []
    for number in range(count):
        project = house.site.project(f"Project {number}", people[number % 3])
        member_add(actor=None, project=project, person=people[(number + 1) % 3], role="member")
        member_add(actor=None, project=project, person=people[(number + 2) % 3], role="viewer")
        tenancy = tenancy_create(actor=None, project=project, cloud=house.site.cloud)
        limits_set(actor=None, tenancy=tenancy, limits=LIMITS, reason="story")
        tenancies.append(tenancy)
    return tenancies


def test_two_workers_make_everything_once(house: House) -> None:
    before = house.counted()
    tenancies = wanted(house, 12)
    for _ in range(2):
        house.programs.worker(slots=2)
    # Far more messages than work, all at once.
    house.messages.wake(times=20)
    house.settle()
    house.programs.stop_but(house.emulator.program)
    house.check(tenancies, before)
    house.check_quiet()
    made = Counter((row["method"], row["path"]) for row in house.emulator.writes() if row["status"] < 300)
    assert made["POST", "/identity/v3/projects"] == len(tenancies)
    assert made["POST", "/identity/v3/users"] == Account.objects.count() == 3
    assert [path for path, times in made.items() if path[0] == "PUT" and times > 1 and "/roles/" in path[1]] == []


def test_a_worker_that_slept_through_its_lease_changes_nothing(house: House) -> None:
    """Stopped in mid-slice as by a suspended machine; another one takes over; then the first one goes on."""
    before = house.counted()
    (tenancy,) = wanted(house, 1)
    sleeper = house.programs.worker(slots=1)
    # While it waits for the cloud: stopped in the middle of a write it would keep everybody else from writing.
    house.emulator.fault(service="compute", method="PUT", path="os-quota-sets", latency=5.0, times=1)
    house.messages.wake()
    until(lambda: _waits_for_the_cloud(house), "the worker is in the middle of its slice")
    sleeper.send(signal.SIGSTOP)
    tenancy.refresh_from_db()
    held, fence = tenancy.lease_holder, tenancy.lease_fence
    assert held, "it was stopped in the middle of its slice"

    house.emulator.advance(lease.LEASE.total_seconds() + 1)
    limits_set(actor=None, tenancy=tenancy, limits=LIMITS | {"compute.vcpu": 4000}, reason="story")
    second = house.programs.worker(slots=1)
    house.messages.wake()
    until(lambda: _worked_on_and_left(tenancy), "the second worker takes over and finishes")
    steps = list(Step.objects.order_by("key").values_list("key", "state", "fence", "settled_at"))
    assert max(step[2] for step in steps) > fence

    second.kill()
    sleeper.send(signal.SIGCONT)
    until(lambda: "the lease was lost" in sleeper.log, "the first worker notices")
    assert list(Step.objects.order_by("key").values_list("key", "state", "fence", "settled_at")) == steps
    house.settle()
    house.programs.stop_but(house.emulator.program)
    house.check([tenancy], before)
    house.check_quiet()


def _waits_for_the_cloud(house: House) -> bool:
    return any(rule["fired"] for rule in house.emulator.control("GET", "/faults")["faults"])


def _worked_on_and_left(tenancy: Tenancy) -> bool:
    """A takeover is never settled at once: it is to be verified later."""
    tenancy.refresh_from_db()
    return not tenancy.lease_holder and tenancy.surveyed_at is not None and tenancy.verify_at is not None
