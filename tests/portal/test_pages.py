"""Home, the list of projects, a project and the search, as each person sees them."""

import datetime as dt
from uuid import uuid4

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext

from connectors import registry
from onboarding.models import Request
from tenancy.models import Cloud, Condition, Membership, Person, PlanLine, Project, Reading, Tenancy
from tenancy.models.work import DriftLine
from tenancy.services import member_add, project_archive, site_pause
from tests.quotas import kinds
from tests.quotas.world import (
    NOW,
    TODAY,
    World,
    at,
    cloud_make,
    days,
    project_make,
    reading_make,
    tenancy_make,
    world_make,
)

pytestmark = pytest.mark.django_db

INSIDERS = ("viewer", "member", "manager", "owner", "operator", "reviewer", "finance", "institution_admin")
PAGES = ("/projects/", "/projects/kelp/", "/search?q=kelp")


@pytest.fixture(autouse=True)
def _made_up_kinds(monkeypatch):
    monkeypatch.setattr(registry, "kinds", lambda: {kinds.ALL.kind: kinds.ALL, kinds.DISKS.kind: kinds.DISKS})
    at(NOW)


@pytest.fixture
def world() -> World:
    return world_make()


@pytest.fixture
def tenancy(world) -> Tenancy:
    made = tenancy_make(world.project, cloud_make("north"))
    for section in ("tenancies", "members"):
        condition_make(made, section)
    Tenancy.objects.filter(pk=made.pk).update(settled_version=1, surveyed_at=NOW, native_id="3f0c")
    made.refresh_from_db()
    return made


def condition_make(tenancy, section="members", state=Condition.State.READY, reason=""):
    return Condition.objects.update_or_create(
        tenancy=tenancy,
        section=section,
        defaults={"state": state, "reason": reason, "since": NOW - days(1), "seen_at": NOW, "version": 1},
    )[0]


def request_make(by, title="Reef sensors", **fields):
    fields = {"kind": Request.Kind.NEW, "description": "Why", "created_at": NOW - days(2)} | fields
    return Request.objects.create(requested_by=by, title=title, **fields)


@pytest.fixture
def show(world, client: Client):
    def fetch(name: str, address: str, status: int = 200) -> str:
        client.force_login(world.fresh(name))
        answer = client.get(address)
        assert answer.status_code == status
        return b"".join(answer).decode() if answer.streaming else answer.content.decode()

    return fetch


# who may open what


@pytest.mark.parametrize("address", PAGES)
def test_a_visitor_signs_in_first_and_comes_back(client, world, address):
    answer = client.get(address)
    assert answer.status_code == 302
    assert answer["Location"].startswith("/accounts/login/?next=/")


def test_a_visitor_reads_what_this_is(client, db):
    page = client.get("/").content.decode()
    assert "/accounts/login/" in page
    assert "Waiting for you" not in page


@pytest.mark.parametrize("name", INSIDERS)
@pytest.mark.parametrize("address", ["/", *PAGES])
def test_who_may_see_a_project_opens_the_pages(show, tenancy, name, address):
    show(name, address)


def test_a_stranger_does_not_learn_that_a_project_exists(show, tenancy):
    hidden, absent = (show("stranger", f"/projects/{slug}/", 404) for slug in ("kelp", "no-such-project"))
    assert hidden.partition("<main")[2] == absent.partition("<main")[2] != ""
    assert "Kelp" not in show("stranger", "/projects/")
    assert "Kelp" not in show("stranger", "/search?q=kelp")
    assert "Kelp" not in show("stranger", "/")


def test_who_was_removed_is_a_stranger(show, world):
    Membership.objects.filter(person=world.viewer).update(ended_at=NOW)
    show("viewer", "/projects/kelp/", 404)


# a project


@pytest.mark.parametrize(
    ("name", "acts"),
    [
        ("viewer", {"entry"}),
        ("member", {"entry"}),
        ("manager", {"entry", "ask", "members/add"}),
        ("owner", {"entry", "ask", "members/add", "archive"}),
        ("operator", {"ask", "members/add", "archive"}),
        ("reviewer", set()),
        ("finance", set()),
        ("institution_admin", set()),
    ],
)
def test_only_acts_that_would_be_accepted_are_offered(show, tenancy, name, acts):
    page = show(name, "/projects/kelp/")
    found = {act for act in ("entry", "ask", "members/add", "archive") if f'"/projects/kelp/{act}' in page}
    assert found == acts


@pytest.mark.parametrize("name", ["operator", "owner"])
def test_the_journal_is_for_operators(show, tenancy, name):
    page = show(name, "/projects/kelp/")
    assert (f"/tenancies/{tenancy.pk}/" in page) is (name == "operator")


def test_limits_are_shown_with_use_and_age(show, tenancy):
    reading_make(tenancy, "compute.vcpu", 128_000, 97_000, at=NOW - dt.timedelta(hours=2))
    page = show("viewer", "/projects/kelp/")
    assert ">97</a>" in page
    assert "of 128" in page
    assert "read <time" in page
    assert ">10:00</time>" in page


def test_a_limit_that_was_not_read_back_yet_says_so(show, tenancy):
    reading_make(tenancy, "compute.vcpu", 128_000, 97_000)
    tenancy.limits.create(resource="compute.vcpu", amount=0)
    assert "wanted 0, not read back yet" in show("viewer", "/projects/kelp/")


def test_use_over_its_limit_says_by_how_much(show, tenancy):
    reading_make(tenancy, "network.floating_ips", 4, 5)
    assert "over by 1" in show("viewer", "/projects/kelp/")


def test_what_could_not_be_read_is_unknown_never_empty(show, tenancy):
    reading_make(tenancy, "compute.vcpu", 128_000, None, peak=1)
    condition_make(tenancy, "members", Condition.State.UNKNOWN, "This part of the cloud could not be read.")
    page = show("viewer", "/projects/kelp/")
    assert "unknown" in page
    assert "This part of the cloud could not be read." in page


def test_an_archived_project_says_by_whom_and_why_and_offers_nothing(show, world, tenancy):
    project_archive(actor=world.owner, project=world.project, reason="The cruise is over.")
    page = show("owner", "/projects/kelp/")
    assert "The cruise is over." in page
    assert "by Owner" in page
    assert "/projects/kelp/members/add" not in page
    assert "/projects/kelp/archive" not in page
    assert "/projects/kelp/restore" in show("operator", "/projects/kelp/")


def test_a_request_for_more_that_waits_is_told(show, world, tenancy):
    request = request_make(world.manager, "Kelp", kind=Request.Kind.MORE, project=world.project)
    assert f"/requests/{request.pk}/" in show("owner", "/projects/kelp/")
    assert f"/requests/{request.pk}/" not in show("viewer", "/projects/kelp/")


def test_members_come_in_pages_and_as_a_file(show, world, tenancy):
    people = Person.objects.bulk_create(Person(username=f"p{n:03}", name=f"Person {n:03}") for n in range(30))
    Membership.objects.bulk_create(Membership(project=world.project, person=each, role="member") for each in people)
    page = show("viewer", "/projects/kelp/")
    assert "1 to 25 of 34" in page
    assert show("viewer", "/projects/kelp/members/?format=csv").count("\n") == 35
    assert "26 to 34 of 34" in show("viewer", "/projects/kelp/?page=2")


@pytest.mark.parametrize("query", ["page=0", "page=x", "page=999", "page=-1"])
def test_a_page_that_is_not_there_is_the_nearest(show, tenancy, query):
    show("viewer", f"/projects/kelp/?{query}")
    show("viewer", f"/projects/?{query}")


# home


def test_a_request_waits_for_the_reviewer_and_for_who_sent_it(show, world):
    request = request_make(world.stranger)
    assert f"/requests/{request.pk}/" in show("reviewer", "/")
    assert "waits for a reviewer" in show("stranger", "/")
    assert "Reef sensors" not in show("owner", "/")


def test_many_requests_are_the_oldest_five_and_a_way_to_all(show, world):
    for number in range(7):
        request_make(world.stranger, f"Request {number}", created_at=NOW - days(number))
    page = show("reviewer", "/")
    assert "Request 6" in page
    assert "Request 0" not in page
    assert "the queue of requests" in page


@pytest.mark.parametrize(("left", "said"), [(12, "Ends in 12 days"), (0, "Ends today"), (-1, "Is over")])
def test_a_project_that_ends_soon_waits_for_its_owner(show, world, left, said):
    Project.objects.update(ends_on=TODAY + days(left))
    assert said in show("owner", "/")
    assert said not in show("viewer", "/")


def test_removals_that_are_held_wait_for_an_operator(show, world, tenancy):
    PlanLine.objects.create(
        cloud=tenancy.cloud,
        tenancy=tenancy,
        version=1,
        position=1,
        kind="member-remove",
        section="members",
        target="member:x",
        hold=PlanLine.HoldChoice.GUARD,
        planned_at=NOW,
    )
    page = show("operator", "/")
    assert "1 removal on" in page
    assert "/clouds/north/plan/" in page
    assert "removals held" in page
    assert "1 removal on" not in show("reviewer", "/")


def test_what_only_a_person_can_solve_waits_for_an_operator(show, tenancy):
    condition_make(tenancy, "members", Condition.State.NEEDS_YOU, "The cloud refused the role.")
    assert "The cloud refused the role." in show("operator", "/")
    assert f"/tenancies/{tenancy.pk}/" not in show("owner", "/")


def test_a_cloud_that_is_left_alone_waits_for_an_operator(show, tenancy):
    Cloud.objects.update(breaker_until=NOW + days(1), breaker_reason="The password was refused.")
    page = show("operator", "/")
    assert "The password was refused." in page
    assert "not reached" in page


def test_who_has_no_project_is_told_how_to_get_one(show, world):
    assert "/requests/new" in show("stranger", "/")
    assert "You are in no project yet" in show("stranger", "/")


def test_a_site_without_a_cloud_tells_the_operator_to_connect_one(show, world):
    assert "/clouds/connect" in show("operator", "/")


def test_what_happened_is_told_once_an_act(show, world):
    for name in ("stranger", "finance"):
        member_add(actor=world.owner, project=world.project, person=world.people[name], role="member")
    page = show("owner", "/")
    assert "Added Finance to" in page
    assert "and 1 more like it" in page


@pytest.mark.parametrize("address", ["/", *PAGES])
def test_every_page_says_that_all_writes_are_paused(show, world, address):
    assert "paused" not in show("viewer", address)
    site_pause(actor=world.operator, reason="The storage is being moved.")
    page = show("viewer", address)
    assert "All changes on the clouds are paused." in page
    assert "The storage is being moved." in page


# the list


@pytest.fixture
def many(world):
    project_make("urchin", title="Urchin atlas", state=Project.State.ARCHIVED, ends_on=None)
    project_make("algae", world.institution, title="=Algae", ends_on=TODAY + days(2))


@pytest.mark.parametrize(
    ("query", "titles"),
    [
        ("", ["=Algae", "Kelp", "Urchin atlas"]),
        ("sort=-title", ["Urchin atlas", "Kelp", "=Algae"]),
        ("sort=ends", ["=Algae", "Kelp", "Urchin atlas"]),
        ("sort=-ends", ["Kelp", "=Algae", "Urchin atlas"]),
        ("sort=password", ["=Algae", "Kelp", "Urchin atlas"]),
        ("q=urch+atl", ["Urchin atlas"]),
        ("state=archived", ["Urchin atlas"]),
        ("state=nonsense", ["=Algae", "Kelp", "Urchin atlas"]),
        ("institution=nonsense", ["=Algae", "Kelp", "Urchin atlas"]),
        ("q=nothing-like-it", []),
    ],
)
def test_projects_are_filtered_and_sorted(client, world, many, query, titles):
    client.force_login(world.fresh("operator"))
    assert [row.title for row in client.get(f"/projects/?{query}").context["rows"]] == titles


def test_projects_are_filtered_by_institution(client, world, many):
    client.force_login(world.fresh("operator"))
    rows = client.get(f"/projects/?institution={world.institution.pk}").context["rows"]
    assert [row.title for row in rows] == ["=Algae", "Kelp"]


def test_the_file_has_all_rows_and_runs_nothing(show, world, many):
    for number in range(30):
        project_make(f"more-{number}")
    lines = show("operator", "/projects/?format=csv&page=2&sort=title").splitlines()
    assert len(lines) == 34
    assert "'=Algae" in lines[1]


def test_canaries_are_in_no_list_but_can_be_opened(show, world):
    project_make("canary", purpose=Project.Purpose.CANARY)
    assert "canary" not in show("operator", "/projects/").lower()
    show("operator", "/projects/canary/")


def test_a_sum_over_clouds_is_not_known_unless_all_are_read(client, world, tenancy):
    reading_make(tenancy, "storage.volume", 4096, 1024)
    tenancy_make(world.project, cloud_make("lake", "disks", color=2))
    client.force_login(world.fresh("viewer"))
    row = client.get("/projects/").context["rows"][0]
    assert [cell and cell.used for cell in row.cells] == [None, None, None]
    assert [each.badge.text for each in row.states] == ["being set up", "ready"]


# search


def test_search_finds_what_the_reader_may_open(show, world, tenancy):
    DriftLine.objects.create(
        cloud=tenancy.cloud,
        kind="unmanaged",
        native_id="3f0c99",
        object="kelp-old",
        first_seen_at=NOW,
        last_seen_at=NOW,
    )
    operator = show("operator", "/search?q=3f0c")
    assert "kelp-old" in operator
    assert f"/tenancies/{tenancy.pk}/" in operator
    assert "/people/" in show("operator", "/search?q=stranger%40example")
    viewer = show("viewer", "/search?q=3f0c")
    assert "kelp-old" not in viewer
    assert "/projects/kelp/" in viewer
    assert "/people/" not in show("viewer", "/search?q=stranger")


@pytest.mark.parametrize("query", ["", "q=", "q=%00", "q=" + "x" * 300, "q=%25", "q='%3B--"])
def test_any_words_can_be_searched_for(show, world, query):
    show("operator", f"/search?{query}")


# parts


@pytest.mark.parametrize("name", INSIDERS)
def test_the_clouds_of_a_project_can_be_asked_again(world, client, tenancy, name):
    client.force_login(world.fresh(name))
    part = client.get("/projects/kelp/clouds/", headers={"HX-Request": "true"})
    assert "north" in part.content.decode()
    assert "<html" not in part.content.decode()
    assert client.get("/projects/kelp/clouds/")["Location"] == "/projects/kelp/#tenancies"


def test_a_stranger_gets_no_part_of_a_project(show, tenancy):
    show("stranger", "/projects/kelp/clouds/", 404)


# constant work


def _queries(client, address):
    with CaptureQueriesContext(
        connection,
    ) as seen:
        answer = client.get(address)
        if answer.streaming:
            b"".join(answer)
    assert answer.status_code == 200
    return len(seen)


def _fill(world, cloud, projects, members):
    made = Project.objects.bulk_create(
        Project(slug=f"x-{uuid4().hex[:12]}", title=f"Project {n}", institution=world.institution, starts_on=TODAY)
        for n in range(projects)
    )
    rows = Tenancy.objects.bulk_create(Tenancy(project=each, cloud=cloud, name=each.slug) for each in made)
    Condition.objects.bulk_create(
        Condition(tenancy=each, section="members", state="ready", since=NOW, seen_at=NOW, version=1) for each in rows
    )
    Reading.objects.bulk_create(
        Reading(tenancy=each, resource="compute.vcpu", day=TODAY, at=NOW, limit=8000, in_use=1000, peak=1000)
        for each in rows
    )
    people = Person.objects.bulk_create(Person(username=uuid4().hex[:16], name="Somebody") for _ in range(members))
    Membership.objects.bulk_create(Membership(project=world.project, person=each, role="member") for each in people)
    Membership.objects.bulk_create(Membership(project=each, person=world.operator, role="member") for each in made)


@pytest.mark.parametrize(
    ("name", "address", "most"),
    [
        ("operator", "/projects/", 12),
        ("institution_admin", "/projects/", 12),
        ("viewer", "/projects/", 12),
        ("operator", "/search?q=project", 12),
        ("operator", "/projects/?format=csv", 12),
        ("operator", "/", 25),
        ("owner", "/", 25),
        ("operator", "/projects/kelp/", 25),
        ("owner", "/projects/kelp/", 25),
        ("institution_admin", "/projects/kelp/", 25),
    ],
)
def test_the_number_of_queries_is_small_and_stays(client, world, tenancy, name, address, most):
    client.force_login(world.fresh(name))
    _fill(world, tenancy.cloud, 3, 3)
    few = _queries(client, address)
    _fill(world, tenancy.cloud, 40, 40)
    many = _queries(client, address)
    assert few == many
    assert many <= most
