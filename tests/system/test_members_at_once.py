"""Twenty-five members added at once through the API, four workers: all of them get in.

`tests/config/test_postgres.py` runs this a second time on PostgreSQL.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from threading import Barrier

import pytest
import requests
from django.db import connection

from config import tokens
from tenancy.models import Membership, Person, Tenancy
from tests.system.house import House, open_house, people_of

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.slow, pytest.mark.xdist_group("run")]

MEMBERS = 25
WORKERS = 4


@pytest.fixture
def house(tmp_path: Path) -> Iterator[House]:
    with open_house(tmp_path / "house") as opened:
        yield opened


def add_all_at_once(address: str, token: str, slug: str, people: list[Person]) -> Counter[int]:
    """Statuses of as many calls as there are people, sent when all of them are ready to."""
    ready = Barrier(len(people))

    def add(person: Person) -> int:
        ready.wait(60)
        answer = requests.post(
            f"{address}/api/v1/projects/{slug}/members/",
            json={"person": person.username, "role": "member"},
            headers={"Authorization": f"Bearer {token}"},
            timeout=60,
        )
        return answer.status_code

    with ThreadPoolExecutor(len(people)) as pool:
        return Counter(pool.map(add, people))


def test_all_25_are_members_on_the_cloud(house: House, capsys: pytest.CaptureFixture[str]) -> None:
    before = house.counted()
    owner = house.site.person("mira")
    people = people_of(house, MEMBERS)
    tenancies = [house.site.tenancy(f"Project {number}", owner) for number in range(WORKERS)]
    project = tenancies[0].project
    assert project is not None
    # Provisioning keeps every worker busy while the members come.
    house.programs.worker(slots=WORKERS)
    house.programs.beat()
    _, address = house.programs.web(threads=MEMBERS)
    answers = add_all_at_once(address, tokens.token_create(person=owner).token, project.slug, people)
    assert answers == {201: MEMBERS}
    house.settle()
    house.programs.stop_but(house.emulator.program)
    assert Membership.objects.current().filter(project=project, role="member").count() == MEMBERS
    roles = house.site.roles(tenancies[0])
    assert {(person.username, "member") for person in people} <= roles
    assert len(roles) == MEMBERS + 1
    house.check(list(Tenancy.objects.all()), before)
    house.check_quiet()
    with capsys.disabled():
        print(f"\n    {connection.vendor}: {MEMBERS} of {MEMBERS}, {len(house.emulator.writes())} writes on the cloud")
