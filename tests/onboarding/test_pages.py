"""The pages of requests: who sees what, posts without JavaScript, bad input, and the number of queries."""

import csv
import io
import re

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from onboarding import services
from onboarding.models import Request, RequestCloud, RequestLine
from quotas import services as quotas
from tenancy.models import Cloud, Project
from tests.quotas.world import TODAY, cloud_make, days, limits_of, project_make, reading_make

VCPU, MEMORY, PORTS, VOLUME = "compute.vcpu", "compute.memory", "network.ports", "storage.volume"
LIST, NEW = "/requests/", "/requests/new"
EVERYBODY = ["owner", "manager", "member", "viewer", "stranger", "reviewer", "operator", "finance", "institution_admin"]


@pytest.fixture
def browse(world, client):
    """A signed-in client: `browse("owner")`; "visitor" is nobody."""

    def _browse(name):
        own = Client()
        if name != "visitor":
            own.force_login(world.people[name])
        return own

    return _browse


@pytest.fixture
def asked(world, north):
    """A request of the stranger for a new project, with two lines."""
    return services.request_submit(
        actor=world.stranger,
        kind=Request.Kind.NEW,
        title="Kelp forest monitoring",
        purpose="research",
        description="Detect kelp cover in drone images.",
        institution=None,
        starts_on=TODAY,
        ends_on=TODAY + days(365),
        clouds=[north],
        lines={(north.pk, VCPU): 8000, (north.pk, MEMORY): 32 * 1024},
    )


@pytest.fixture
def settled(world, tenancy):
    quotas.limits_refresh(project=world.project)
    return tenancy


def typed(**fields):
    return {
        "title": "Kelp forest monitoring",
        "purpose": "research",
        "description": "Detect kelp cover in drone images.",
        "starts_on": str(TODAY),
        "ends_on": str(TODAY + days(365)),
        "lines.north.compute.vcpu": "8",
        "lines.north.compute.memory": "32",
    } | fields


def text_of(response):
    return re.sub(r"\s+", " ", response.content.decode())


# who


@pytest.mark.parametrize("path", [LIST, NEW, "/projects/kelp/ask", "/projects/kelp/ask?kind=renewal"])
def test_a_visitor_is_sent_to_sign_in(world, settled, browse, path):
    response = browse("visitor").get(path)
    assert response.status_code == 302
    assert response.url.startswith(reverse("account_login"))


@pytest.mark.parametrize("who", EVERYBODY)
def test_everybody_signed_in_may_ask_and_see_their_list(world, asked, browse, who):
    assert browse(who).get(NEW).status_code == 200
    page = text_of(browse(who).get(LIST))
    sees = who in ("stranger", "reviewer", "operator")
    assert ("Kelp forest monitoring" in page) is sees
    assert ("Grant the chosen as asked" in page) is (who in ("reviewer", "operator"))


@pytest.mark.parametrize(
    ("who", "status"),
    [(name, 200 if name in ("stranger", "reviewer", "operator") else 404) for name in EVERYBODY] + [("visitor", 302)],
)
def test_who_opens_a_request(world, asked, browse, who, status):
    path = f"/requests/{asked.pk}/"
    assert browse(who).get(path).status_code == status
    assert browse(who).get(path + "progress", headers={"HX-Request": "true"}).status_code == status


@pytest.mark.parametrize(
    ("who", "status"),
    [
        ("visitor", 302),
        ("stranger", 404),
        ("viewer", 403),
        ("member", 403),
        ("manager", 200),
        ("owner", 200),
        ("operator", 200),
        ("reviewer", 403),
        ("institution_admin", 403),
    ],
)
def test_who_asks_for_a_project(world, settled, browse, who, status):
    for path in ("/projects/kelp/ask", "/projects/kelp/ask?kind=renewal"):
        assert browse(who).get(path).status_code == status
    assert browse(who).post("/projects/kelp/ask/summary", {}).status_code == status


@pytest.mark.parametrize("who", ["stranger", "owner", "member", "finance", "institution_admin"])
def test_only_reviewers_decide_by_post(world, asked, browse, who):
    for path, data in (
        (LIST, {"do": "approve-chosen", "id": [str(asked.pk)]}),
        (LIST, {"do": "approve", "open": str(asked.pk)}),
        (f"/requests/{asked.pk}/", {"do": "approve"}),
        (f"/requests/{asked.pk}/", {"do": "refuse", "reason": "no"}),
    ):
        assert browse(who).post(path, data).status_code in (403, 404)
    asked.refresh_from_db()
    assert asked.is_open


def test_a_post_without_the_token_of_the_form_is_refused(world, asked):
    careful = Client(enforce_csrf_checks=True)
    careful.force_login(world.operator)
    response = careful.post(LIST, {"do": "approve-chosen", "id": [str(asked.pk)]})
    assert response.status_code == 403
    asked.refresh_from_db()
    assert asked.is_open


# asking


def test_a_new_project_is_asked_for_with_a_plain_form(world, north, browse):
    person = browse("stranger")
    response = person.post(NEW, typed(), follow=True)
    sent = Request.objects.get()
    assert response.redirect_chain[-1][0] == f"/requests/{sent.pk}/"
    page = text_of(response)
    assert "is sent. You get a mail when it is decided." in page
    assert "8 vCPU" in page
    assert dict(sent.lines.values_list("resource", "amount")) == {VCPU: 8000, MEMORY: 32 * 1024}
    assert sent.requested_by == world.stranger


@pytest.mark.parametrize(
    ("field", "written", "says"),
    [
        ("title", "", "This field is required."),
        ("title", "ab", "A title has 3 to 120 characters."),
        ("description", "short", "at least 10 characters"),
        ("ends_on", str(TODAY), "Give a last day after"),
        ("ends_on", "2099-01-01", "A project lasts until 2029-11-20 at most."),
        ("ends_on", "tomorrow", "Enter a valid date."),
        ("starts_on", str(TODAY - days(1)), "begins today"),
        ("lines.north.compute.vcpu", "many", "“many” is not an amount."),
        ("lines.north.compute.vcpu", "4,000", "vCPU must be between 0 and 2,048 vCPU."),
        ("lines.north.compute.memory", "0.1", "Memory comes in steps of 0.25 GiB."),
        ("lines.north.network.ports", "no limit", "no limit at all cannot be asked for"),
        ("purpose", "canary", "Select a valid choice."),
    ],
)
def test_what_is_wrong_is_said_at_its_field_and_nothing_is_lost(world, north, browse, field, written, says):
    response = browse("stranger").post(NEW, typed(**{field: written}))
    form = response.context["form"]
    assert any(says in error for error in form.errors[field])
    page = text_of(response)
    assert f'id="id_{field}_error"' in page
    for name, value in typed(**{field: written}).items():
        assert form[name].value() == value
    assert not Request.objects.exists()


def test_a_bundle_fills_the_lines_and_keeps_what_was_typed(world, north, browse):
    response = browse("stranger").post(NEW, typed(title="My own title", bundle="medium"))
    form = response.context["form"]
    assert form["title"].value() == "My own title"
    assert form["lines.north.compute.vcpu"].value() == "16"
    assert form["lines.north.compute.memory"].value() == "64"
    assert form["lines.north.network.ports"].value() == "50"
    assert "16 vCPU, 64 GiB memory" in text_of(response)
    assert not form.is_bound
    assert not Request.objects.exists()


def test_a_bundle_in_the_address_fills_the_lines(world, north, browse):
    form = browse("stranger").get(NEW + "?bundle=small").context["form"]
    assert form["lines.north.compute.vcpu"].value() == "4"
    assert browse("stranger").get(NEW + "?bundle=nonsense").status_code == 200


def test_a_bundle_goes_to_the_cloud_that_has_its_resources(world, lake, north, browse):
    form = browse("stranger").get(NEW + "?bundle=small").context["form"]
    assert form["clouds"].value() == ["north"]
    assert form["lines.lake.storage.volume"].value() == "0"


def test_with_several_clouds_one_chooses(world, north, lake, browse):
    person = browse("stranger")
    response = person.post(NEW, typed())
    assert "choose the cloud as well" in text_of(response)
    response = person.post(NEW, typed(clouds=["lake"]))
    assert "choose the cloud as well" in text_of(response)
    assert not Request.objects.exists()
    person.post(NEW, typed(clouds=["lake", "north"]) | {"lines.lake.storage.volume": "500"})
    sent = Request.objects.get()
    assert {wanted.cloud.slug for wanted in sent.wanted_clouds.all()} == {"lake", "north"}
    assert sent.lines.get(cloud=lake).amount == 500 * 1024


def test_without_a_cloud_the_page_says_so(world, browse):
    cloud_make("seen", mode="observe")
    assert "No cloud takes projects at present" in text_of(browse("stranger").get(NEW))


def test_the_summary_follows_the_form(world, north, browse):
    person = browse("stranger")
    good = text_of(person.post("/requests/new/summary", typed(), headers={"HX-Request": "true"}))
    assert "A reviewer decides." in good
    assert "8 vCPU, 32 GiB memory" in good
    bad = text_of(person.post("/requests/new/summary", typed(**{"lines.north.compute.vcpu": "9999"})))
    assert "This cannot be sent yet." in bad
    assert "between 0 and 2,048 vCPU" in bad
    assert person.get("/requests/new/summary").status_code == 405


def test_more_is_asked_from_what_is_in_force(world, settled, browse):
    quotas.grant_give(actor=None, project=world.project, resource=VCPU, amount=64_000, why="start")
    person = browse("manager")
    form = person.get("/projects/kelp/ask").context["form"]
    assert form["lines.north.compute.vcpu"].value() == "64"
    less = {"description": "The December run is larger.", "lines.north.compute.vcpu": "32"}
    assert "64 vCPU are in force; 32 vCPU would be less." in text_of(person.post("/projects/kelp/ask", less))
    person.post("/projects/kelp/ask", less | {"lines.north.compute.vcpu": "128"})
    assert Request.objects.get().lines.get().amount == 128_000


def test_a_renewal_is_asked_for(world, settled, browse):
    person = browse("owner")
    wish = {"ends_on": str(TODAY + days(800)), "description": "Two more years of data."}
    response = person.post("/projects/kelp/ask?kind=renewal", wish, follow=True)
    assert Request.objects.get().kind == Request.Kind.RENEWAL
    again = person.post("/projects/kelp/ask?kind=renewal", wish)
    assert "The same request is open already." in text_of(again)
    assert response.status_code == 200


# deciding


def test_a_reviewer_decides_in_the_queue(world, asked, browse):
    person = browse("reviewer")
    page = text_of(person.get(f"{LIST}?open={asked.pk}"))
    assert "Detect kelp cover in drone images." in page
    form = {
        "open": str(asked.pk),
        "reason": "welcome",
        "lines.north.compute.vcpu": "4",
        "lines.north.compute.memory": "32",
    }
    wrong = person.post(LIST, form | {"do": "approve", "lines.north.compute.vcpu": "lots"})
    assert "is not an amount" in text_of(wrong)
    right = person.post(LIST, form | {"do": "approve"}, follow=True)
    assert "is approved and being set up" in text_of(right)
    project = Project.objects.get(slug="kelp-forest-monitoring")
    assert limits_of(project.tenancies.get())[VCPU] == 4000


def test_a_reviewer_refuses_with_a_reason(world, asked, browse):
    person = browse("reviewer")
    path = f"/requests/{asked.pk}/"
    form = {"lines.north.compute.vcpu": "8", "lines.north.compute.memory": "32", "do": "refuse"}
    assert "A refusal needs a reason." in text_of(person.post(path, form))
    assert "is refused" in text_of(person.post(path, form | {"reason": "Use the other one."}, follow=True))
    asked.refresh_from_db()
    assert (asked.state, asked.decision_reason) == (Request.State.REFUSED, "Use the other one.")
    assert "Use the other one." in text_of(browse("stranger").get(path))


def test_a_second_decision_learns_of_the_first(world, asked, browse):
    services.request_refuse(actor=world.operator, request=asked, reason="no")
    form = {"lines.north.compute.vcpu": "8", "lines.north.compute.memory": "32", "do": "approve"}
    page = text_of(browse("reviewer").post(f"/requests/{asked.pk}/", form, follow=True))
    assert "was refused by Operator meanwhile" in page


def test_several_are_approved_at_once_and_each_failure_is_told(world, asked, north, browse):
    late = services.request_submit(
        actor=world.member, kind=Request.Kind.NEW, title="Too late", purpose="research",
        description="This one is over already.", starts_on=TODAY, ends_on=TODAY + days(5), clouds=[north],
    )  # fmt: skip
    Request.objects.filter(pk=late.pk).update(starts_on=TODAY - days(9), ends_on=TODAY - days(1))
    data = {"do": "approve-chosen", "id": [str(asked.pk), str(late.pk), "nonsense"]}
    page = text_of(browse("operator").post(LIST, data, follow=True))
    assert "1 approved as asked" in page
    assert "is over" in page


def test_who_asked_withdraws(world, asked, browse):
    assert browse("reviewer").post(f"/requests/{asked.pk}/", {"do": "withdraw"}).status_code == 403
    page = text_of(browse("stranger").post(f"/requests/{asked.pk}/", {"do": "withdraw"}, follow=True))
    assert "is withdrawn" in page


def test_progress_is_asked_again_while_something_moves(world, asked, browse):
    services.request_approve(actor=world.operator, request=asked)
    person = browse("stranger")
    page = text_of(person.get(f"/requests/{asked.pk}/"))
    assert "Being changed on 1 cloud" in page
    assert 'hx-trigger="every 2s"' in page
    asked.project.tenancies.update(settled_version=asked.project.tenancies.get().wanted_version)
    fragment = text_of(person.get(f"/requests/{asked.pk}/progress", headers={"HX-Request": "true"}))
    assert "In step on 1 cloud" in fragment
    assert "every 2s" not in fragment
    assert person.get(f"/requests/{asked.pk}/progress").status_code == 302  # "look again" without JavaScript


# the list


def many(world, number):
    """Waiting requests on two clouds, each with three lines."""
    clouds = [cloud_make("n1"), cloud_make("n2", "disks")]
    requests = Request.objects.bulk_create(
        Request(
            kind="new", title=f"Request {n:04}", description="x" * 20, purpose="research", slug=f"r{n}",
            institution=world.institution, starts_on=TODAY, ends_on=TODAY + days(9), requested_by=world.stranger,
        )
        for n in range(number)
    )  # fmt: skip
    RequestCloud.objects.bulk_create(RequestCloud(request=r, cloud=c) for r in requests for c in clouds)
    RequestLine.objects.bulk_create(
        RequestLine(request=r, cloud=c, resource=key, amount=1024)
        for r in requests
        for c, key in ((clouds[0], MEMORY), (clouds[0], VOLUME), (clouds[1], VOLUME))
    )
    return requests


def queries_of(client, path):
    with CaptureQueriesContext(connection) as found:
        assert client.get(path).status_code == 200
    return len(found)


@pytest.mark.parametrize("who", ["operator", "stranger", "institution_admin"])
def test_the_list_takes_as_many_queries_with_20_as_with_500(world, browse, who):
    person = browse(who)
    many(world, 20)
    path = f"{LIST}?view={'waiting' if who == 'operator' else 'all'}&kind=new&institution=marine"
    small = queries_of(person, path)
    Request.objects.all().delete()
    Cloud.objects.all().delete()
    many(world, 500)
    assert small == queries_of(person, path) <= 12


@pytest.mark.parametrize("path", ["{list}?open={pk}", "/requests/{pk}/"])
def test_a_decision_takes_at_most_25_queries(world, browse, settled, django_assert_max_num_queries, path):
    request = services.request_submit(
        actor=world.manager, kind=Request.Kind.MORE, description="The December run is larger.", project=world.project,
        clouds=[settled.cloud], lines={(settled.cloud_id, VCPU): 9000},
    )  # fmt: skip
    reading_make(settled, VCPU, 0, 0)
    person = browse("operator")
    with django_assert_max_num_queries(25):
        assert person.get(path.format(list=LIST, pk=request.pk)).status_code == 200


def test_forms_and_fragments_stay_within_their_queries(world, browse, settled, asked, django_assert_max_num_queries):
    person = browse("owner")
    with django_assert_max_num_queries(25):
        person.get(NEW)
    with django_assert_max_num_queries(25):
        person.get("/projects/kelp/ask")
    with django_assert_max_num_queries(12):
        person.post("/projects/kelp/ask/summary", {"description": "x"})
    services.request_approve(actor=world.operator, request=asked)
    stranger = browse("stranger")
    with django_assert_max_num_queries(12):
        stranger.get(f"/requests/{asked.pk}/progress", headers={"HX-Request": "true"})


def test_the_queue_is_filtered_sorted_paged_and_exported(world, browse):
    many(world, 60)
    person = browse("reviewer")
    page = person.get(LIST + "?sort=-project").context
    assert [row.project for row in page["rows"]][:2] == ["Request 0059", "Request 0058"]
    assert len(page["rows"]) == 25
    assert len(person.get(LIST + "?page=3").context["rows"]) == 10
    assert [row.project for row in person.get(LIST + "?q=0007").context["rows"]] == ["Request 0007"]
    assert len(person.get(LIST + "?cloud=n2&institution=marine&kind=new").context["rows"]) == 25
    assert "No request fits these filters" in text_of(person.get(LIST + "?kind=renewal"))
    assert "Nothing here" in text_of(person.get(LIST + "?view=decided"))
    for odd in ("?page=x", "?sort=x", "?kind=x", "?view=x", "?open=x", "?cloud=x"):
        assert person.get(LIST + odd).status_code == 200
    answer = person.get(LIST + "?format=csv&q=000")
    rows = list(csv.DictReader(io.StringIO(b"".join(answer.streaming_content).decode())))
    assert len(rows) == 10
    assert rows[0]["asks for"] == "1 GiB memory on n1, 1 GiB volume space on n1, 1 GiB volume space on n2"


def test_a_cell_that_looks_like_a_formula_is_text_in_the_file(world, browse, asked):
    Request.objects.update(title='=HYPERLINK("http://evil")')
    answer = browse("operator").get(LIST + "?format=csv")
    assert "'=HYPERLINK" in b"".join(answer.streaming_content).decode()


def test_what_people_write_is_escaped(world, browse, asked):
    Request.objects.update(title="<script>alert(1)</script>", description="<b>bold</b> words here")
    page = browse("operator").get(f"/requests/{asked.pk}/").content.decode()
    assert "<script>alert" not in page
    assert "<b>bold" not in page


def test_a_project_of_another_is_not_named_to_a_stranger(world, browse, settled):
    other = project_make("secret")
    assert browse("owner").get(f"/projects/{other.slug}/ask").status_code == 404
