"""A month of a living project on the emulator, collected through the real door, against the emulator's own accounting.

Its accounting is told from the life stories, not from any API's answer, so the two share no code and no mistake.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterator
from datetime import UTC, datetime

import pytest

from reporting.models import Span
from reporting.months import Month
from reporting.selectors.reports import project_report
from reporting.services import cloud_collect
from tenancy.models import Project, Tenancy
from tests.support.site import Site, emulated_site

BEGIN = datetime(2026, 10, 28, tzinfo=UTC)
MONTH = Month(2026, 11)
STATES = {"ACTIVE": "running", "SHUTOFF": "stopped", "BUILD": "building", "SUSPENDED": "suspended", "ERROR": "error"}
SIZES = {"compute.vcpu": ("vcpus", 1000), "compute.memory": ("ram", 1), "compute.disk": ("disk", 1024)}


@pytest.fixture
def site(db: None, settings) -> Iterator[Site]:
    settings.COLLECT_BACK_DAYS = 1
    with emulated_site(now=BEGIN, projects=2, servers=10, volumes=2, history=120 * 86_400) as made:
        yield made


def project_of(site: Site) -> Project:
    """The seeded project with the most servers, mapped to a project of ours."""
    alive = site.emulated.control("GET", "/accounting")["servers"]
    native_id, _ = Counter(server["project_id"] for server in alive).most_common(1)[0]
    project = site.project("Living")
    Tenancy.objects.create(project=project, cloud=site.cloud, name="living", native_id=native_id)
    return project


def accounting(site: Site, native_id: str, month: Month) -> dict:
    start, end = (datetime.fromtimestamp(each, UTC).isoformat() for each in (month.start, month.end))
    return site.emulated.control("GET", "/accounting", project_id=native_id, **{"from": start, "to": end})


def in_states(said: dict) -> dict[tuple[str, str], int]:
    """Seconds of each server and state; servers with a resize are left out, whose states have no word of ours."""
    found: dict[tuple[str, str], int] = defaultdict(int)
    for server in said["servers"]:
        if all(interval["status"] in STATES for interval in server["intervals"]):
            for interval in server["intervals"]:
                found[server["id"], STATES[interval["status"]]] += seconds(interval)
    return dict(found)


def ledger_states(project: Project, month: Month) -> dict[tuple[str, str], int]:
    found: dict[tuple[str, str], int] = defaultdict(int)
    spans = Span.objects.filter(thing__holder__tenancy__project=project, meter__key="compute.instances")
    for span in spans.filter(start__lt=month.end, end__gt=month.start).select_related("thing"):
        found[span.thing.native_id, span.state] += min(span.end, month.end) - max(span.start, month.start)
    return dict(found)


def seconds(interval: dict) -> int:
    start, end = (datetime.fromisoformat(interval[name]).timestamp() for name in ("from", "to"))
    return int(end - start)


def truth(said: dict) -> dict[tuple[str, str], int]:
    """Base units x seconds of each server and meter."""
    found: dict[tuple[str, str], int] = defaultdict(int)
    for server in said["servers"]:
        for interval in server["intervals"]:
            for key, (name, factor) in SIZES.items():
                found[server["id"], key] += interval[name] * factor * seconds(interval)
            found[server["id"], "compute.instances"] += seconds(interval)
    return dict(found)


def ledger(project: Project, month: Month) -> dict[tuple[str, str], int]:
    found: dict[tuple[str, str], int] = defaultdict(int)
    spans = Span.objects.filter(thing__holder__tenancy__project=project, thing__kind="server")
    for span in spans.filter(start__lt=month.end, end__gt=month.start).select_related("thing", "meter"):
        length = min(span.end, month.end) - max(span.start, month.start)
        found[span.thing.native_id, span.meter.key] += span.quantity * length
    return dict(found)


def test_a_month_collected_daily_equals_the_clouds_own_accounting_to_the_second(site):
    project = project_of(site)
    while site.emulated.now() < datetime(2026, 12, 2, tzinfo=UTC):
        assert cloud_collect(cloud=site.cloud).complete
        site.emulated.advance(86_400 - 77)

    native_id = project.tenancies.get().native_id
    said = accounting(site, native_id, MONTH)
    lives = [server["intervals"] for server in said["servers"]]
    assert len(lives) > 5, "the month must be worth comparing: servers"
    assert any(len({i["vcpus"] for i in life}) > 1 for life in lives), "the month must be worth comparing: resizes"
    assert {"ACTIVE", "SHUTOFF"} <= {i["status"] for life in lives for i in life}
    assert ledger(project, MONTH) == truth(said)
    states = in_states(said)
    assert {state for _, state in states} >= {"running", "stopped"}
    compared = {server for server, _ in states}
    assert {key: value for key, value in ledger_states(project, MONTH).items() if key[0] in compared} == states

    report = project_report(project, MONTH)
    sums = defaultdict(int)
    for (_, key), amount in truth(said).items():
        sums[key] += amount
    assert {line.resource: line.total_seconds for line in report.lines if line.resource in sums} == dict(sums)
    assert report.period.complete
