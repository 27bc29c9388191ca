"""/api/v1: the same rules as the pages, said in numbers."""

import pytest
from rest_framework.test import APIClient

from onboarding.models import Request
from quotas import services as quotas
from quotas.models import Grant
from tests.quotas.world import TODAY, days, limits_of, reading_make, tenancy_make

VCPU, PORTS, VOLUME = "compute.vcpu", "network.ports", "storage.volume"
REQUESTS, GRANTS = "/api/v1/requests/", "/api/v1/grants/"


@pytest.fixture
def call(world):
    def _call(name):
        own = APIClient()
        if name != "visitor":
            own.force_login(world.people[name])
        return own

    return _call


def wish(**fields):
    return {
        "kind": "new",
        "title": "Kelp forest monitoring",
        "purpose": "research",
        "description": "Detect kelp cover in drone images.",
        "institution": "marine",
        "starts_on": str(TODAY),
        "ends_on": str(TODAY + days(300)),
        "lines": [{"cloud": "north", "resource": VCPU, "amount": 8000}],
    } | fields


@pytest.fixture
def sent(world, north, call):
    answer = call("stranger").post(REQUESTS, wish(), format="json")
    assert answer.status_code == 201, answer.data
    return answer.data


def test_a_request_is_sent_and_approved(world, north, call, sent):
    assert (sent["state"], sent["clouds"], sent["institution"]) == ("submitted", ["north"], "marine")
    line = sent["lines"][0]
    assert (line["cloud"], line["resource"], line["amount"], line["granted"]) == ("north", VCPU, 8000, None)
    answer = call("reviewer").post(
        f"{REQUESTS}{sent['id']}/approve/",
        {"reason": "welcome", "granted": [{"line": line["id"], "amount": 4000}]},
        format="json",
    )
    assert answer.status_code == 200
    assert (answer.data["state"], answer.data["lines"][0]["granted"]) == ("approved", 4000)
    project = Request.objects.get().project
    assert answer.data["project"] == project.slug
    assert limits_of(project.tenancies.get())[VCPU] == 4000
    again = call("reviewer").post(f"{REQUESTS}{sent['id']}/approve/", {}, format="json")
    assert again.status_code == 400
    assert "was approved by Reviewer meanwhile" in again.data["message"]


@pytest.mark.parametrize(
    ("fields", "field"),
    [
        ({"title": "x"}, "title"),
        ({"clouds": ["nowhere"]}, "clouds"),
        ({"ends_on": str(TODAY)}, "ends_on"),
        ({"lines": [{"cloud": "north", "resource": VCPU, "amount": 1}]}, "lines.north.compute.vcpu"),
        ({"lines": [], "clouds": []}, "clouds"),
    ],
)
def test_a_rule_answers_with_message_remedy_and_field(world, north, call, fields, field):
    answer = call("stranger").post(REQUESTS, wish(**fields), format="json")
    assert answer.status_code == 400
    assert set(answer.data) == {"message", "remedy", "field"}
    assert answer.data["field"] == field
    assert not Request.objects.exists()


@pytest.mark.parametrize(
    ("fields", "status"),
    [
        ({"kind": "gift"}, 400),
        ({"description": None}, 400),
        ({"ends_on": "soon"}, 400),
        ({"lines": "many"}, 400),
        ({"lines": [{"cloud": "north"}]}, 400),
        ({"institution": "nowhere"}, 404),
        ({"kind": "more", "project": "kelp"}, 404),
    ],
)
def test_what_cannot_be_read_is_refused(world, north, call, fields, status):
    assert call("stranger").post(REQUESTS, wish(**fields), format="json").status_code == status
    assert not Request.objects.exists()


@pytest.mark.parametrize(
    ("who", "status", "rows"),
    [("visitor", 401, None), ("stranger", 200, 1), ("owner", 200, 0), ("member", 200, 0), ("viewer", 200, 0),
     ("manager", 200, 0), ("institution_admin", 200, 1), ("reviewer", 200, 1), ("operator", 200, 1)],
)  # fmt: skip
def test_who_lists_and_opens_requests(world, call, sent, who, status, rows):
    listed = call(who).get(REQUESTS)
    assert listed.status_code == status
    if rows is not None:
        assert listed.data["count"] == rows
    opened = call(who).get(f"{REQUESTS}{sent['id']}/")
    assert opened.status_code == (401 if who == "visitor" else 200 if rows else 404)


@pytest.mark.parametrize(
    ("who", "status"),
    [("visitor", 401), ("stranger", 403), ("owner", 404), ("institution_admin", 403), ("operator", 200)],
)
def test_who_decides(world, call, sent, who, status):
    for verb in ("approve", "refuse"):
        answer = call(who).post(f"{REQUESTS}{sent['id']}/{verb}/", {"reason": "because"}, format="json")
        assert answer.status_code == (400 if (status, verb) == (200, "refuse") else status)
    assert Request.objects.get().is_open is (who != "operator")


def test_who_asked_withdraws(world, call, sent):
    assert call("reviewer").post(f"{REQUESTS}{sent['id']}/withdraw/").status_code == 403
    assert call("stranger").post(f"{REQUESTS}{sent['id']}/withdraw/").data["state"] == "withdrawn"


def test_requests_are_filtered(world, call, sent):
    operator = call("operator")
    assert operator.get(REQUESTS + "?state=submitted").data["count"] == 1
    assert operator.get(REQUESTS + "?state=approved").data["count"] == 0
    assert operator.get(REQUESTS + "?project=kelp").data["count"] == 0


def test_the_catalog(world, call):
    assert call("visitor").get("/api/v1/resources/").status_code == 401
    rows = {row["key"]: row for row in call("stranger").get("/api/v1/resources/").data}
    assert (rows[VCPU]["unit"], rows[VCPU]["factor"], rows[VCPU]["billable"]) == ("vCPU", 1000, True)
    assert rows[PORTS]["default"] == 50


GIVEN = {"project": "kelp", "resource": VCPU, "amount": 8000, "why": "a paper"}


@pytest.mark.parametrize(
    ("who", "status"),
    [("visitor", 401), ("stranger", 404), ("viewer", 403), ("owner", 403), ("reviewer", 403), ("operator", 201)],
)
def test_who_gives_grants(world, tenancy, call, who, status):
    assert call(who).post(GRANTS, GIVEN, format="json").status_code == status
    assert Grant.objects.exists() is (status == 201)


def test_a_grant_is_listed_and_ended(world, tenancy, call):
    grant = call("operator").post(GRANTS, GIVEN, format="json").data
    assert call("viewer").get(GRANTS + "?project=kelp").data["results"][0]["id"] == grant["id"]
    assert call("stranger").get(GRANTS).data["count"] == 0
    assert call("stranger").get(f"{GRANTS}{grant['id']}/").status_code == 404
    path = f"{GRANTS}{grant['id']}/end/"
    assert call("owner").post(path, {"reason": "over"}, format="json").status_code == 403
    assert call("operator").post(path, {}, format="json").status_code == 400
    assert call("operator").post(path, {"reason": "over"}, format="json").data["end_reason"] == "over"
    assert limits_of(tenancy)[VCPU] == 0


@pytest.mark.parametrize(("who", "status"), [("visitor", 401), ("stranger", 404), ("viewer", 200), ("finance", 200)])
def test_who_reads_limits(world, tenancy, call, who, status):
    assert call(who).get("/api/v1/projects/kelp/limits/").status_code == status


def test_limits_tell_promise_wanted_limit_and_use(world, tenancy, lake, call):
    tenancy_make(world.project, lake)
    quotas.grant_give(actor=None, project=world.project, resource=VCPU, amount=8000, why="x")
    reading_make(tenancy, VCPU, 4000, 1000)
    rows = {row["resource"]: row for row in call("member").get("/api/v1/projects/kelp/limits/").json()}
    assert rows[VCPU] == {
        "resource": VCPU,
        "promise": 8000,
        "by_default": False,
        "undivided": 0,
        "tenancies": [
            {"cloud": "north", "wanted": 8000, "limit": 4000, "used": 1000, "read_at": "2026-11-20T12:00:00Z"}
        ],
    }
    assert [cell["cloud"] for cell in rows[VOLUME]["tenancies"]] == ["lake", "north"]


def test_lists_take_as_many_queries_with_few_as_with_many(world, tenancy, call, sent, django_assert_max_num_queries):
    for _ in range(60):
        quotas.grant_give(actor=None, project=world.project, resource=VOLUME, amount=1024, why="x")
    operator = call("operator")
    with django_assert_max_num_queries(12):
        assert len(operator.get(GRANTS).data["results"]) == 50
    with django_assert_max_num_queries(12):
        operator.get(REQUESTS)
    with django_assert_max_num_queries(12):
        operator.get("/api/v1/projects/kelp/limits/")
