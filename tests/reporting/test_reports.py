"""Monthly reports: the right numbers, honest about what is not known, from templates that a site may change."""

from __future__ import annotations

import csv
import io
import json
from datetime import date, timedelta
from pathlib import Path

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from config import clock
from connectors.types import Accuracy
from events.models import AuditEntry
from reporting import templating
from reporting.errors import TemplateFault
from reporting.months import Month
from reporting.selectors.reports import project_report, projects_reported, site_report
from reporting.services import cloud_collect
from tenancy.models import Membership, Person, Project
from tests.reporting.worlds import DAY, HOUR, NOVEMBER, NOW, at, life, span

THIS = Month(2026, 11)
LAST = Month(2026, 10)


@pytest.fixture
def used(world):
    """Coastal genomics on two clouds: exact and estimated vCPUs, sampled volumes, some of it in October."""
    october = at(2026, 10, 31)
    world.deliver(
        span(october, NOVEMBER + DAY, 1500, thing="s1"),
        span(NOVEMBER, NOVEMBER + HOUR, 1000, thing="s2", accuracy=Accuracy.ESTIMATED, reason="resized twice"),
    )
    volume = span(NOVEMBER, NOVEMBER + 2 * DAY, 10_240, thing="v1", meter="storage.volume", accuracy=Accuracy.SAMPLED)
    world.deliver(volume, kind="volume", source="volumes")
    world.deliver(span(NOVEMBER, NOVEMBER + DAY, 7000, thing="x1"), tenancy="native-imaging")
    return world


def text_of(client, world, address: str, who: str = "owner") -> str:
    client.force_login(world.people[who])
    response = client.get(address)
    assert response.status_code == 200
    return (b"".join(response.streaming_content) if response.streaming else response.content).decode()


def lines(report) -> dict[str, tuple[str, int, int, int, int | None]]:
    return {
        line.resource: (
            str(line.quantity),
            line.total_seconds,
            line.sampled_seconds,
            line.estimated_seconds,
            line.things,
        )
        for line in report.lines
    }


def test_a_report_counts_its_month_and_nothing_else(used):
    assert lines(project_report(used.project, THIS)) == {
        "compute.vcpu": ("37.00", 1500 * DAY + 1000 * HOUR, 0, 1000 * HOUR, 2),
        "storage.volume": ("480.00", 10_240 * 2 * DAY, 10_240 * 2 * DAY, 0, 1),
    }
    assert lines(project_report(used.project, LAST)) == {"compute.vcpu": ("36.00", 1500 * DAY, 0, 0, 1)}
    assert lines(project_report(used.project, Month(2026, 9))) == {}


def test_the_sum_of_the_projects_is_the_site(used):
    report = site_report(THIS)

    for total in report.lines:
        parts = [each.line(total.resource) for each in report.projects]
        assert sum(part.total_seconds for part in parts if part) == total.total_seconds
    assert [each.project.title for each in report.projects] == ["Coastal genomics", "Imaging"]


def test_who_uses_something_outside_their_dates_is_listed_with_it(used):
    """A project goes on after its last day until somebody ends it, and an adopted one was there before its first."""
    operator = used.people["operator"]
    Project.objects.filter(pk=used.project.pk).update(ends_on=date(2026, 10, 15))
    assert used.project in projects_reported(operator, THIS)
    Project.objects.filter(pk=used.project.pk).update(starts_on=date(2026, 11, 20), ends_on=None)
    assert used.project in projects_reported(operator, LAST)
    assert used.project not in projects_reported(operator, Month(2026, 9))


def test_clouds_of_a_project_are_added_and_told_apart(used):
    used.second.tenancies.create(project=used.project, name="genomics", native_id="there")
    used.deliver(span(NOVEMBER, NOVEMBER + HOUR, 1000, thing="y1"), cloud=used.second, tenancy="there")

    report = project_report(used.project, THIS)

    assert lines(report)["compute.vcpu"][0] == "38.00"
    assert [(line.cloud, line.resource, str(line.quantity)) for line in report.by_cloud] == [
        ("OpenStack north", "compute.vcpu", "37.00"),
        ("OpenStack north", "storage.volume", "480.00"),
        ("OpenStack south", "compute.vcpu", "1.00"),
    ]


def test_the_page_says_who_used_what(client, used):
    page = text_of(client, used, "/reports/2026-11/genomics/")

    assert "In November 2026 so far project <strong>Coastal genomics</strong>" in page
    assert "(owner Owner Person, University of Tartu) used:" in page
    assert 'data-l="Known">3 % estimated</td>' in page
    assert 'data-l="Quantity">480</td>' in page


def test_a_project_without_owner_or_institution_says_unknown(client, used):
    Membership.objects.filter(project=used.project).update(role=Membership.Role.MEMBER)
    used.project.institution = None
    used.project.save()

    assert "(owner unknown, unknown)" in text_of(client, used, "/reports/2026-11/genomics/", "operator")


def test_a_month_without_usage_says_so(client, used):
    assert "used nothing that was seen." in text_of(client, used, "/reports/2026-09/genomics/")


@pytest.mark.parametrize(
    "address", ["/reports/2026-12/genomics/", "/reports/november/genomics/", "/reports/2026-13/genomics/"]
)
def test_a_month_that_is_none_or_ahead_is_not_found(client, used, address):
    client.force_login(used.people["owner"])

    assert client.get(address).status_code == 404


def test_the_report_says_how_far_it_reaches(client, world, scripted, settings):
    settings.COLLECT_BACK_DAYS = 10
    scripted.says = life()
    cloud_collect(cloud=world.cloud)
    period = project_report(world.project, THIS).period
    assert (period.so_far, period.collected_until) == (True, NOW)
    assert period.reach[0].gap == "Usage of OpenStack north before 2026-11-10 12:00 UTC is unknown."
    assert "is unknown: it was not collected whole" in project_report(world.project, LAST).period.reach[0].gap

    clock.set_source(lambda: NOW + timedelta(days=20))
    closed = project_report(world.project, THIS).period
    assert not closed.so_far
    assert not closed.complete
    assert closed.reach[0].gap.endswith("Usage of OpenStack north after 2026-11-20 12:00 UTC is unknown.")
    assert "after 2026-11-20 12:00 UTC is unknown" in text_of(client, world, "/reports/2026-11/genomics/")


def test_a_whole_month_is_complete(world, scripted, settings):
    settings.COLLECT_BACK_DAYS = 62
    scripted.says = life()
    cloud_collect(cloud=world.cloud)

    assert project_report(world.project, LAST).period.complete
    assert lines(project_report(world.project, LAST))["compute.vcpu"][1] == 2 * 2000 * 31 * DAY


def test_a_source_that_failed_makes_the_report_reach_less_far(world, scripted, settings):
    settings.COLLECT_BACK_DAYS = 62
    scripted.says = life()
    cloud_collect(cloud=world.cloud)
    clock.set_source(lambda: NOW + timedelta(hours=2))
    scripted.says = life(fail=("volumes",))
    cloud_collect(cloud=world.cloud)

    assert project_report(world.project, THIS).period.collected_until == NOW


def test_the_csv_has_exact_integers_and_runs_nothing(client, used):
    used.project.title = "=HYPERLINK(evil)"
    used.project.save()
    Person.objects.filter(pk=used.people["owner"].pk).update(name="@SUM(A1)")

    rows = list(csv.DictReader(io.StringIO(text_of(client, used, "/reports/2026-11/genomics/?format=csv"))))

    assert [row["resource"] for row in rows] == ["compute.vcpu", "storage.volume"]
    assert rows[0]["title"] == "'=HYPERLINK(evil)"
    assert rows[0]["owner"] == "'@SUM(A1)"
    assert rows[0]["total base units x seconds"] == str(1500 * DAY + 1000 * HOUR)
    assert rows[0]["quantity"] == "37.00"
    site = text_of(client, used, "/reports/2026-11/?format=csv", "finance")
    assert "'=HYPERLINK(evil)" in site


def test_the_json_has_exact_integers(client, used):
    found = json.loads(text_of(client, used, "/reports/2026-11/genomics/?format=json"))

    assert found["period"]["key"] == "2026-11"
    assert found["lines"][0]["total_seconds"] == 1500 * DAY + 1000 * HOUR
    assert found["lines"][0]["base"] == 1000 * HOUR
    api = client.get("/api/v1/reports/2026-11/genomics/").json()
    assert [line["total_seconds"] for line in api["lines"]] == [line["total_seconds"] for line in found["lines"]]


def test_a_download_is_in_the_audit_log_and_a_look_is_not(client, used):
    text_of(client, used, "/reports/2026-11/genomics/")
    assert not AuditEntry.objects.filter(verb="report.exported").exists()

    text_of(client, used, "/reports/2026-11/genomics/?format=csv")
    text_of(client, used, "/reports/2026-11/?format=json", "finance")
    said = AuditEntry.objects.filter(verb="report.exported").order_by("id").values_list("summary", "project_id")
    assert list(said) == [
        ("Downloaded the report of 2026-11 of project Coastal genomics as CSV.", str(used.project.pk)),
        ("Downloaded the report of 2026-11 of the site as JSON.", None),
    ]


def test_a_wrong_month_in_the_api_is_answered_in_words(client, used):
    client.force_login(used.people["owner"])
    answer = client.get("/api/v1/reports/soon/genomics/")

    assert answer.status_code == 400
    assert answer.json() == {
        "message": "“soon” is no month; write it as 2026-11.", "remedy": "Write a month as 2026-11.", "field": "month",
    }  # fmt: skip


# --- templates


@pytest.fixture
def own(settings, tmp_path):
    """The site's own template folder; call it with the text of project.html."""
    settings.REPORT_TEMPLATES = str(tmp_path / "own")
    (tmp_path / "own").mkdir()
    return lambda text: (tmp_path / "own" / "project.html").write_text(text)


def test_a_site_may_have_its_own_template(client, used, own):
    own("<p>{{ report.project.title }} in {{ period.label }}</p>{% include 'reach.html' %}")

    page = text_of(client, used, "/reports/2026-11/genomics/")
    assert "<p>Coastal genomics in November 2026</p>" in page
    assert "Months are UTC." in page


def test_what_people_wrote_is_escaped(client, used, own):
    used.project.title = "<script>alert(1)</script>"
    used.project.save()

    for text in (None, "{{ report.project.title }}"):
        if text:
            own(text)
        page = text_of(client, used, "/reports/2026-11/genomics/")
        assert "<script>alert(1)" not in page
        assert "&lt;script&gt;alert(1)" in page


FAULTS = [
    ("line one\n{{ nothing_like_this }}", 2, "nothing_like_this"),
    ("{% for x in report.lines %}\nno end", 2, "end"),
    ("one\ntwo\n{{ 1 / 0 }}", 3, "ZeroDivisionError"),
    ("{% include 'missing.html' %}", None, "missing.html"),
    ("{{ report.project.nothing }}", 1, "nothing"),
    ("{{ report.lines['a'] + 1 }}", 1, ""),
    ("{% for x in range(10**12) %}{% endfor %}", 1, "Range too big"),
]


@pytest.mark.parametrize(("text", "line", "says"), FAULTS)
def test_a_fault_in_a_template_is_told_with_its_line(client, used, own, text, line, says):
    own(text)

    with pytest.raises(TemplateFault) as found:
        templating.render("project.html", report=project_report(used.project, THIS), period=None)
    assert found.value.line == line
    assert says in found.value.message

    page = text_of(client, used, "/reports/2026-11/genomics/", "operator")
    assert "The template of this report cannot be used." in page
    assert ("project.html, line" in page) == (line is not None)
    assert "The operators of this site have to mend it." in text_of(client, used, "/reports/2026-11/genomics/")
    assert text_of(client, used, "/reports/2026-11/genomics/?format=csv").count("\n") == 3


ESCAPES = [
    "{{ ''.__class__.__mro__[1].__subclasses__() }}",
    "{{ report.__class__.__init__.__globals__ }}",
    "{{ cycler.__init__.__globals__ }}",
    "{{ self.__init__.__globals__ }}",
    "{{ '{0.__class__.__mro__}'.format(report) }}",
    "{{ report.project.__setattr__('title', 'x') }}",
    "{% set _ = report.lines.append(1) %}",
    "{{ lipsum.__globals__['os'].popen('id').read() }}",
    "{% include '/etc/passwd' %}",
    "{% include '../../config/settings.py' %}",
    "{% import 'os' as os %}",
]


@pytest.mark.parametrize("text", ESCAPES)
def test_a_template_cannot_leave_its_sandbox(used, own, text):
    own(text)

    with pytest.raises(TemplateFault):
        templating.render("project.html", report=project_report(used.project, THIS), period=None)


def test_a_template_reaches_no_row_of_the_database(used):
    """What a template gets is plain data: a walk over all of it sends no query and finds no model."""
    seen = []

    def walk(value):
        seen.append(type(value).__module__)
        for name in getattr(value, "__dataclass_fields__", ()):
            walk(getattr(value, name))
        if isinstance(value, tuple):
            for each in value:
                walk(each)

    site, project = site_report(THIS), project_report(used.project, THIS)
    with CaptureQueriesContext(connection) as queries:
        walk(site)
        walk(project)

    assert len(queries) == 0
    assert len(seen) > 50
    assert not any(name.startswith(("tenancy", "reporting.models", "django")) for name in seen)


def test_a_template_that_is_no_text_is_told(used, own, settings):
    own("")
    (Path(settings.REPORT_TEMPLATES) / "project.html").write_bytes(b"\xff\xfe\x00")

    with pytest.raises(TemplateFault, match="UTF-8"):
        templating.render("project.html", report=None, period=None)


def test_the_example_of_the_guide_works_and_it_names_every_value(used, own):
    guide = (Path(__file__).parents[2] / "docs" / "report-templates.md").read_text()
    own(guide.split("```jinja")[1].split("```")[0])
    report = project_report(used.project, THIS)

    text = templating.render("project.html", report=report, period=report.period)
    assert "Coastal genomics in November 2026:" in text
    assert "37 vCPU-hours of vCPU, 480 GiB-hours of Volumes." in text
    for value in (report.period, report.period.reach[0], report.project, report.lines[0]):
        for name in value.__dataclass_fields__:
            assert f"{name}`" in guide, name
