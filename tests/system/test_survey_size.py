"""What a full survey costs: calls, connections and queries. Times are in `benchmarks/survey.py`, not here."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from connectors import registry
from connectors.types import Scope
from tenancy.loop import survey
from tenancy.models import PlanLine, Reading, SurveyRun
from tests.support.emulated import Emulated
from tests.support.site import emulated_site
from tests.system.crowd import crowd
from tests.system.house import open_house

BASE = 15
CONNECTIONS = 16
LISTS = ("/projects", "/users", "/ports", "/networks", "/routers", "/floatingips", "/security-groups")


def more_pages(calls: Mapping[str, int]) -> int:
    """Pages of lists after the first of each."""
    return sum(times - 1 for call, times in calls.items() if call.split()[-1] in LISTS)


@pytest.mark.parametrize("projects", [5, 50, 400])
def test_a_clean_survey_of_n_projects_is_2n_and_15_calls(projects: int, capsys: pytest.CaptureFixture[str]) -> None:
    emulated = Emulated(projects=projects, servers=projects, volumes=projects)
    connector = registry.connect(emulated.endpoint())
    recorded = frozenset(tenancy.native_id for tenancy in connector.survey(Scope()).tenancies)
    connector.close()
    connector = registry.connect(emulated.endpoint())
    found = connector.survey(Scope(recorded=recorded))
    calls = connector.calls()
    assert len(recorded) >= projects
    assert all(section.complete for section in found.sections.values())
    assert len(found.limits) == len(recorded) * 11
    assert dict(found.calls) == dict(calls)
    total, pages = sum(calls.values()), more_pages(calls)
    with capsys.disabled():
        print(f"\n    {len(recorded)} projects: {total} calls, {pages} of them further pages of lists")
    assert total <= 2 * len(recorded) + BASE + pages
    assert emulated.writes() == []


@pytest.mark.django_db
def test_looking_takes_as_many_queries_for_40_tenancies_as_for_10() -> None:
    """And what it leaves is read back: a plan line for each change, a reading for each limit."""
    taken = []
    with emulated_site(projects=60, servers=60, volumes=30) as site:
        for more in (10, 30):
            tenancies = crowd(site.cloud, more)
            survey.look(site.cloud)
            with CaptureQueriesContext(connection) as queries:
                outlook = survey.look(site.cloud)
            # SQLite takes about 140 rows at a time, so a longer insert is cut in pieces; nothing else may grow.
            taken.append(sum(not query["sql"].startswith("INSERT") for query in queries))
            assert outlook.complete
            assert Reading.objects.filter(tenancy__in=tenancies).count() == more * 11
            raised = PlanLine.objects.filter(tenancy__in=tenancies, target="limit:compute.vcpu")
            assert raised.count() == more / 10
    assert taken[0] == taken[1]


@pytest.mark.django_db(transaction=True)
@pytest.mark.slow
@pytest.mark.xdist_group("run")
def test_sixty_projects_over_real_sockets(tmp_path: Path) -> None:
    with open_house(tmp_path / "house", projects=60, servers=60, volumes=30) as house:
        tenancies = crowd(house.site.cloud, 60)
        house.emulator.control("DELETE", "/counters")
        outlook = survey.look(house.site.cloud)
        counted = house.emulator.counters()
    assert outlook.complete
    assert {plan.ref for plan in outlook.plan.tenancies if plan.changes} == {tenancy.ref for tenancy in tenancies}
    assert counted["writes"] == 0
    assert 2 * len(tenancies) < counted["total"] <= 2 * len(tenancies) + BASE
    assert counted["connections_peak"] <= CONNECTIONS
    assert SurveyRun.objects.latest("started_at").calls == counted["total"]
