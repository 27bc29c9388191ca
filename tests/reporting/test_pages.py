"""What the pages of usage show, and that they cost the same at any size."""

from __future__ import annotations

import csv
import io
import re
from datetime import date, timedelta

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from config import clock
from connectors.types import Accuracy
from reporting.models import DailyTotal, DeliveryRow, Holder, Meter, Span, Thing
from reporting.services import cloud_collect
from tenancy.models import Membership, Project, Tenancy
from tests.reporting.worlds import DAY, HOUR, NOVEMBER, NOW, at, life, span


def page(client, world, address: str, who: str = "operator") -> str:
    client.force_login(world.people[who])
    response = client.get(address)
    assert response.status_code == 200, address
    return (b"".join(response.streaming_content) if response.streaming else response.content).decode()


def table(client, world, address: str, who: str = "operator") -> list[dict[str, str]]:
    return list(csv.DictReader(io.StringIO(page(client, world, address, who))))


@pytest.fixture
def collected(world, scripted, settings):
    """Ten days of two servers and a volume of Coastal genomics."""
    settings.COLLECT_BACK_DAYS = 10
    scripted.says = life()
    cloud_collect(cloud=world.cloud)
    return world


def rows_of(text: str) -> list[str]:
    """Row headings of the breakdown, in order."""
    body = text[text.index('id="breakdown-title"') :].split("<tbody>")[1].split("</tbody>")[0]
    return re.findall(r'<th scope="row"><a href="[^"]*"[^>]*>([^<]+)</a>', body)


# --- what they show


def test_usage_by_project_institution_and_cloud(client, collected):
    collected.deliver(span(at(2026, 11, 15), at(2026, 11, 16), 9000, thing="x"), tenancy="native-imaging")

    assert rows_of(page(client, collected, "/usage/")) == ["Coastal genomics", "Imaging"]
    assert rows_of(page(client, collected, "/usage/?sort=title")) == ["Coastal genomics", "Imaging"]
    assert rows_of(page(client, collected, "/usage/?sort=-title")) == ["Imaging", "Coastal genomics"]
    assert rows_of(page(client, collected, "/usage/?sort=compute.vcpu")) == ["Imaging", "Coastal genomics"]
    assert rows_of(page(client, collected, "/usage/?by=institution")) == ["University of Tartu", "City Hospital"]
    assert rows_of(page(client, collected, "/usage/?by=cloud")) == ["OpenStack north"]
    assert rows_of(page(client, collected, "/usage/?institution=hospital")) == ["Imaging"]
    assert rows_of(page(client, collected, "/usage/?cloud=north")) == ["Coastal genomics", "Imaging"]


def test_the_file_has_the_rows_of_the_page(client, collected):
    rows = table(client, collected, "/usage/?format=csv")

    assert rows == [
        {
            "project": "Coastal genomics",
            "short name": "genomics",
            "vCPU, vCPU-hours": str(2 * 2 * 10 * 24) + ".00",
            "Volumes, GiB-hours": str(10 * 10 * 24) + ".00",
        }
    ]


@pytest.mark.parametrize(
    "junk",
    ["month=2031-01", "month=%00", "by=galaxy", "meter=x", "cloud=nowhere", "page=-1", "page=x", "sort=drop", "day=99"],
)
def test_filters_that_make_no_sense_are_left_out(client, collected, junk):
    assert "Coastal genomics" in page(client, collected, f"/usage/?{junk}")
    assert "Usage of Coastal genomics" in page(client, collected, f"/projects/genomics/usage/?{junk}")


def test_days_that_nobody_looked_at_are_unknown_and_not_zero(client, collected):
    text = page(client, collected, "/projects/genomics/usage/")

    assert re.search(r'<th scope="row">9</th><td class="num">unknown', text)
    assert re.search(r'<th scope="row">11</th><td class="num"><a class="n" href="[^"]*day=11[^"]*">96</a>', text)
    assert '<th scope="row">21</th>' not in text, "a day ahead is neither zero nor unknown"


def test_a_day_that_is_not_over_is_not_final(client, collected):
    text = page(client, collected, "/projects/genomics/usage/")

    assert re.search(
        r'<th scope="row">20</th><td class="num"><a [^>]*>48</a> <span class="muted small">estimated', text
    )
    assert re.search(r'<th scope="row">19</th><td class="num"><a [^>]*>96</a></td>', text)


def test_every_number_leads_to_its_rows(client, collected):
    by_project = page(client, collected, "/usage/")
    href = re.search(r'href="(/projects/genomics/usage/[^"]*)"', by_project).group(1).replace("&amp;", "&")
    project = page(client, collected, href)
    day = re.search(r'href="(\?[^"]*day=15[^"]*)#spans"', project).group(1).replace("&amp;", "&")
    spans = page(client, collected, f"/projects/genomics/usage/{day}")
    assert "vCPU, spans of 15 November 2026" in spans
    assert "48 vCPU-hours" in spans
    thing = re.search(r'href="(\?[^"]*thing=s1[^"]*)#spans"', spans).group(1).replace("&amp;", "&")
    origin = page(client, collected, f"/projects/genomics/usage/{thing}")
    assert "Where these come from" in origin
    assert '<td data-l="Source">servers</td>' in origin


def test_a_span_says_what_it_was_how_well_it_is_known_and_whether_it_runs_on(client, collected):
    collected.deliver(
        span(NOVEMBER + 11 * DAY, NOVEMBER + 12 * DAY, 4000, thing="old", state="stopped"),
        span(
            NOVEMBER + 12 * DAY, NOVEMBER + 13 * DAY, 4000, thing="old", accuracy=Accuracy.ESTIMATED, reason="Resized."
        ),
    )
    text = page(client, collected, "/projects/genomics/usage/?thing=old")

    assert "OpenStack north · 4 vCPU · stopped" in text
    assert "estimated: Resized." in text
    assert "runs on" not in text.split('id="spans"')[1]
    assert "runs on" in page(client, collected, "/projects/genomics/usage/?thing=s1")


def test_the_file_of_spans_has_the_filter_of_the_page(client, collected):
    rows = table(client, collected, "/projects/genomics/usage/?format=csv&thing=s1&day=15", "viewer")

    assert [(row["thing"], row["resource"], row["quantity"], row["known"]) for row in rows] == [
        ("s1", "compute.vcpu", "48.00", "exact")
    ]
    assert rows[0]["quantity x seconds in this time"] == str(2000 * DAY)
    assert len(table(client, collected, "/usage/spans/?format=csv&meter=storage.volume")) == 1


def test_names_of_things_cannot_run_in_a_spreadsheet(client, collected):
    Thing.objects.filter(native_id="s1").update(name="=cmd|'/c calc'!A1", detail="+1", native_id="@s1")

    rows = table(client, collected, "/projects/genomics/usage/?format=csv")
    found = next(row for row in rows if row["name"].endswith("!A1"))
    assert (found["name"][0], found["detail"], found["thing"]) == ("'", "'+1", "'@s1")


def test_the_month_before_is_compared_with_as_many_days(client, world):
    world.deliver(
        span(at(2026, 10, 1), at(2026, 11, 1), 1000, thing="a"),
        span(at(2026, 11, 1), at(2026, 11, 20, 12), 2000, thing="b"),
    )

    assert "+100 %" in page(client, world, "/usage/")
    clock.set_source(lambda: NOW + timedelta(days=30))
    world.deliver(span(at(2026, 11, 20, 12), at(2026, 12, 1), 2000, thing="b"), observed=NOW + timedelta(days=30))
    later = page(client, world, "/usage/?month=2026-11")
    assert "Coastal genomics" not in later, "a month that was never collected is not offered"


@pytest.mark.parametrize("who", ["operator", "owner"])
def test_before_anything_was_collected_pages_say_what_to_do(client, world, who):
    for address in ("/usage/", "/projects/genomics/usage/", "/usage/spans/", "/reports/"):
        text = page(client, world, address, "operator" if who == "operator" or "genomics" not in address else who)
        assert "Not collected yet" in text or address == "/reports/"
    assert "<code>manage.py collect</code>" in page(client, world, "/usage/collections/")


def test_a_month_without_usage_says_so(client, collected):
    collected.second.delete()
    Span.objects.all()._raw_delete("default")
    DailyTotal.objects.all().delete()

    assert "Nothing was used in November 2026" in page(client, collected, "/usage/")


def test_collections_show_what_failed_and_why(client, world, scripted):
    scripted.says = life(fail=("volumes",))
    cloud_collect(cloud=world.cloud, since=NOW - timedelta(hours=1))
    text = page(client, world, "/usage/collections/")

    assert "The volume service failed. Wait. Request req-1." in text
    assert "boom" in text
    rows = table(client, world, "/usage/collections/?format=csv&cloud=north")
    assert [(row["source"], row["complete"]) for row in rows] == [("servers", "True"), ("volumes", "False")]


def test_names_are_escaped(client, collected):
    Project.objects.filter(pk=collected.project.pk).update(title="<script>alert(1)</script>")
    Thing.objects.update(name="<img src=x onerror=alert(1)>")

    for address in ("/usage/", "/projects/genomics/usage/", "/usage/spans/", "/reports/"):
        text = page(client, collected, address)
        assert "<script>alert(1)" not in text
        assert "<img src=x" not in text


# --- what they cost


def fill(world, count: int) -> None:
    """So many more projects, each with a member, a server and a month of totals."""
    before = Project.objects.count()
    projects = [
        Project(slug=f"p{n}", title=f"Project {n}", institution=world.project.institution, starts_on=date(2026, 1, 1))
        for n in range(before, before + count)
    ]
    Project.objects.bulk_create(projects)
    Membership.objects.bulk_create(
        Membership(project=each, person=world.people["member"], role=Membership.Role.MEMBER) for each in projects
    )
    tenancies = [Tenancy(project=each, cloud=world.cloud, name=each.slug, native_id=each.slug) for each in projects]
    Tenancy.objects.bulk_create(tenancies)
    holders = [Holder(cloud=world.cloud, native_id=each.native_id, tenancy=each) for each in tenancies]
    Holder.objects.bulk_create(holders)
    meter, row = Meter.objects.get(key="compute.vcpu"), DeliveryRow.objects.first()
    things = [
        Thing(cloud=world.cloud, holder=each, kind="server", native_id=f"x-{each.native_id}", observed=1)
        for each in holders
    ]
    Thing.objects.bulk_create(things)
    Span.objects.bulk_create(
        Span(
            thing=each, meter=meter, start=NOVEMBER, end=NOVEMBER + HOUR, quantity=1, state="running",
            accuracy="exact", delivery=row,
        )
        for each in things
    )  # fmt: skip
    DailyTotal.objects.bulk_create(
        DailyTotal(holder=each, meter=meter, day=date(2026, 11, 1 + day), quantity_seconds=HOUR, sampled=0, estimated=0)
        for each in holders
        for day in range(3)
    )


LISTS = [
    "/usage/", "/usage/?by=institution", "/usage/?by=cloud", "/usage/spans/", "/usage/collections/", "/reports/",
    "/api/v1/usage/", "/api/v1/usage/?by=day", "/api/v1/spans/", "/api/v1/collections/",
]  # fmt: skip
DETAILS = ["/projects/genomics/usage/", "/reports/2026-11/genomics/", "/reports/2026-11/", "/api/v1/reports/2026-11/"]
FILES = ["/usage/spans/?format=csv", "/reports/?format=csv", "/reports/2026-11/?format=json"]


def cost(client, world, address: str, who: str) -> int:
    with CaptureQueriesContext(connection) as found:
        page(client, world, address, who)
    return len(found)


@pytest.mark.parametrize("who", ["operator", "member", "institution-admin"])
def test_queries_are_few_and_the_same_at_20_and_2000_projects(client, collected, who):
    opens = [each for each in LISTS if who == "operator" or "collections" not in each]
    opens += [each for each in DETAILS if who == "operator" or "genomics" in each]
    opens += [each for each in FILES if who == "operator" or "2026-11/" not in each]
    fill(collected, 18)
    client.force_login(collected.people[who])
    few = {address: cost(client, collected, address, who) for address in opens}
    fill(collected, 1980)
    many = {address: cost(client, collected, address, who) for address in opens}

    assert few == many
    # Signing in for the test costs queries of its own, which a reader does not have.
    with CaptureQueriesContext(connection) as signing_in:
        client.force_login(collected.people[who])
    for address, number in many.items():
        limit = 25 if address in DETAILS else 12
        assert number - len(signing_in) <= limit, (address, number - len(signing_in))


def test_lists_are_paged(client, collected):
    fill(collected, 40)

    first = rows_of(page(client, collected, "/usage/?sort=title"))
    second = rows_of(page(client, collected, "/usage/?sort=title&page=2"))
    assert (len(first), len(second)) == (25, 16)
    assert not set(first) & set(second)
    client.force_login(collected.people["operator"])
    answer = client.get("/api/v1/usage/").json()
    assert answer["count"] == 42
    assert len(answer["results"]) == 42
    assert client.get("/api/v1/spans/").json()["count"] == 43


def test_the_api_filters_and_adds_up(client, collected):
    client.force_login(collected.people["viewer"])
    whole = client.get("/api/v1/usage/?resource=compute.vcpu").json()["results"]
    days = client.get("/api/v1/usage/?resource=compute.vcpu&by=day").json()["results"]

    assert [row["total_seconds"] for row in whole] == [2 * 2000 * 10 * DAY]
    assert sum(row["total_seconds"] for row in days) == whole[0]["total_seconds"]
    assert {row["day"] for row in whole} == {None}
    assert len(days) == 11
    assert client.get("/api/v1/usage/?cloud=south").json()["results"] == []
    assert client.get("/api/v1/spans/?thing=s1").json()["count"] == 1
    wrong = client.get("/api/v1/usage/?by=year")
    assert (wrong.status_code, wrong.json()["field"]) == (400, "by")
