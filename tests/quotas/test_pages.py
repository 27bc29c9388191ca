"""The pages of grants, limits, their division and the catalog."""

import csv
import io
import re

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext

from quotas import services
from quotas.models import Grant
from tests.quotas.world import TODAY, days, limits_of, reading_make, tenancy_make

VCPU, VOLUME = "compute.vcpu", "storage.volume"
GRANTS, LIMITS, DIVISION = "/projects/kelp/grants/", "/projects/kelp/limits/", "/projects/kelp/division/"


@pytest.fixture
def browse(world):
    def _browse(name):
        own = Client()
        if name != "visitor":
            own.force_login(world.people[name])
        return own

    return _browse


@pytest.fixture
def second(world, tenancy, lake):
    return tenancy_make(world.project, lake)


def give(world, resource=VCPU, amount=8000, **fields):
    return services.grant_give(
        actor=world.operator, project=world.project, resource=resource, amount=amount, why="a paper", **fields
    )


def text_of(response):
    return re.sub(r"\s+", " ", re.sub(r"<[^>]+>", " ", response.content.decode()))


SEES = {
    "visitor": 302,
    "stranger": 404,
    "viewer": 200,
    "member": 200,
    "manager": 200,
    "owner": 200,
    "operator": 200,
    "reviewer": 200,
    "finance": 200,
    "institution_admin": 200,
}


@pytest.mark.parametrize("path", [GRANTS, LIMITS, GRANTS + "?format=csv"])
@pytest.mark.parametrize("who", SEES)
def test_who_sees_grants_and_limits(world, tenancy, browse, who, path):
    assert browse(who).get(path).status_code == SEES[who]


@pytest.mark.parametrize("who", SEES)
def test_only_operators_give_and_end_grants(world, tenancy, browse, who):
    grant = give(world)
    form = {"resource": VCPU, "amount": "4", "starts_on": str(TODAY), "why": "more"}
    expected = 302 if who in ("visitor", "operator") else 404 if who == "stranger" else 403
    assert browse(who).post(GRANTS, form).status_code == expected
    assert browse(who).post(f"{GRANTS}{grant.pk}/end", {"reason": "over"}).status_code == expected
    grant.refresh_from_db()
    assert limits_of(tenancy)[VCPU] == (4000 if who == "operator" else 8000)
    assert ("Give a grant" in text_of(browse(who).get(GRANTS))) is (who == "operator")


def test_a_grant_is_given_and_ended_with_plain_forms(world, tenancy, browse):
    person = browse("operator")
    form = {"resource": VCPU, "amount": "1,024", "starts_on": str(TODAY), "ends_on": "", "why": "the atlas paper"}
    page = text_of(person.post(GRANTS, form, follow=True))
    assert "The grant is given; the limits follow." in page
    assert "1,024 vCPU" in page
    grant = Grant.objects.get()
    assert "Ending a grant needs a reason." in text_of(person.post(f"{GRANTS}{grant.pk}/end", {}, follow=True))
    person.post(f"{GRANTS}{grant.pk}/end", {"reason": "the paper is out"})
    assert "the paper is out" in text_of(person.get(GRANTS + "?state=all"))
    assert "the paper is out" not in text_of(person.get(GRANTS))
    assert person.get(f"{GRANTS}{grant.pk}/end").status_code == 405


@pytest.mark.parametrize(
    ("field", "written", "says"),
    [
        ("amount", "lots", "is not an amount"),
        ("amount", "9,999", "between 0 and 2,048 vCPU"),
        ("resource", "gpu", "Select a valid choice"),
        ("ends_on", str(TODAY - days(1)), "before it begins"),
        ("starts_on", "soon", "Enter a valid date"),
        ("why", " ", "This field is required"),
    ],
)
def test_a_bad_grant_is_refused_at_its_field(world, tenancy, browse, field, written, says):
    form = {"resource": VCPU, "amount": "4", "starts_on": str(TODAY), "why": "more"} | {field: written}
    response = browse("operator").post(GRANTS, form)
    assert any(says in error for error in response.context["form"].errors[field])
    assert not Grant.objects.exists()


def test_no_limit_is_given_in_words(world, tenancy, browse):
    form = {"resource": "network.ports", "amount": "no limit", "starts_on": str(TODAY), "why": "gateway"}
    assert "no limit" in text_of(browse("operator").post(GRANTS, form, follow=True))
    assert limits_of(tenancy)["network.ports"] == -1


def test_grants_are_filtered_paged_and_exported(world, tenancy, browse):
    for _ in range(30):
        give(world)
    give(world, VOLUME, 1024, ends_on=TODAY + days(3))
    person = browse("viewer")
    assert len(person.get(GRANTS).context["rows"]) == 25
    assert len(person.get(GRANTS + "?page=2").context["rows"]) == 6
    assert len(person.get(GRANTS + "?resource=storage.volume").context["rows"]) == 1
    rows = rows_of(person.get(GRANTS + "?format=csv"))
    assert len(rows) == 31
    row = next(row for row in rows if row["resource"] == VOLUME)
    assert (row["amount"], row["unit"], row["base units"]) == ("1", "GiB", "1024")


def test_the_limits_of_a_project_as_a_page_and_as_a_fragment(world, tenancy, second, browse):
    give(world, VOLUME, 100 * 1024)
    services.division_set(
        actor=world.owner, project=world.project, resource=VOLUME, shares={tenancy.pk: 61440, second.pk: 30720}
    )
    reading_make(tenancy, VOLUME, 61440, 12 * 1024)
    page = browse("viewer").get(LIMITS)
    assert "12 of 60" in text_of(page)
    assert "unknown of 30" in text_of(page)
    assert "<html" in page.content.decode()
    fragment = browse("viewer").get(LIMITS, headers={"HX-Request": "true"})
    assert "<html" not in fragment.content.decode()
    assert 'id="limits"' in fragment.content.decode()


def rows_of(response):
    return list(csv.DictReader(io.StringIO(b"".join(response.streaming_content).decode())))


def test_limits_and_catalog_as_files(world, tenancy, second, browse):
    give(world, VOLUME, 100 * 1024)
    reading_make(tenancy, VOLUME, 0, 512)
    rows = {(row["resource"], row["cloud"]): row for row in rows_of(browse("viewer").get(LIMITS + "?format=csv"))}
    assert len(rows) == 13
    row = rows[VOLUME, "north"]
    assert (row["promise"], row["wanted"], row["limit"], row["in use"]) == ("100", "0", "0", "0.5")
    assert rows[VOLUME, "lake"]["in use"] == ""
    catalog = {row["key"]: row for row in rows_of(browse("viewer").get("/quotas/catalog/?format=csv"))}
    assert (catalog[VCPU]["unit"], catalog[VCPU]["base units"], catalog[VCPU]["at most"]) == ("vCPU", "1000", "2048")


@pytest.mark.parametrize(
    ("who", "status"),
    [("visitor", 302), ("stranger", 404), ("viewer", 403), ("manager", 403), ("owner", 200), ("operator", 200)],
)
def test_who_divides(world, tenancy, second, browse, who, status):
    give(world, VOLUME, 100 * 1024)
    assert browse(who).get(DIVISION).status_code == status
    posted = browse(who).post(DIVISION, {"share-north": "60", "share-lake": "40"})
    assert posted.status_code == (302 if status == 200 else status)
    assert limits_of(second)[VOLUME] == (40 * 1024 if status == 200 else 0)


def test_a_bad_division_says_what_is_wrong(world, tenancy, second, browse):
    person = browse("owner")
    assert "Nothing to divide" in text_of(person.get(DIVISION))
    give(world, VOLUME, 100 * 1024)
    over = person.post(DIVISION, {"share-north": "90", "share-lake": "20"})
    assert "110 GiB divided, but 100 GiB promised" in text_of(over)
    assert "This field is required" in text_of(person.post(DIVISION, {"share-north": "90"}))


@pytest.mark.parametrize("who", ["visitor", "stranger", "operator"])
def test_the_catalog_is_for_everybody_signed_in(world, north, lake, browse, who):
    response = browse(who).get("/quotas/catalog/")
    if who == "visitor":
        assert response.status_code == 302
        return
    page = text_of(response)
    for words in (
        "Public addresses",
        "vCPU-hours",
        "everything",
        "disks",
        "enforced",
        "counted only",
        "by access only",
    ):
        assert words in page


@pytest.mark.parametrize(("path", "most"), [(GRANTS, 12), (LIMITS, 12), ("/quotas/catalog/", 12), (DIVISION, 25)])
def test_queries(world, tenancy, second, browse, path, most):
    person = browse("operator")
    give(world, VOLUME, 1024)
    with CaptureQueriesContext(connection) as few:
        assert person.get(path).status_code == 200
    for _ in range(40):
        give(world, VOLUME, 1024)
    with CaptureQueriesContext(connection) as many:
        assert person.get(path).status_code == 200
    assert len(few) == len(many) <= most
