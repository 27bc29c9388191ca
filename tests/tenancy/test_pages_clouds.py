"""Pages of clouds and plans, on the emulated cloud."""

from __future__ import annotations

import json
from datetime import timedelta

import pytest
import yaml
from django.urls import reverse

from config import clock
from connectors.types import Mode
from quotas.models import Grant
from tenancy import selectors
from tenancy.models import Cloud, DriftLine, Membership, PlanLine, Project, Step, Tenancy
from tenancy.services import members_import
from tenancy.services.members import ImportRow
from tests.tenancy.pages import look, operator_make, signed_in


@pytest.fixture
def operator(site):
    return operator_make(site)


@pytest.fixture
def client(operator):
    return signed_in(operator)


def at(name, *args):
    return reverse(f"tenancy:{name}", args=args)


def text(answer):
    return answer.content.decode()


def streamed(answer):
    return b"".join(answer.streaming_content).decode()


# clouds


def test_without_a_cloud_the_list_says_how_to_connect_one(site, client):
    Cloud.objects.all().delete()
    assert at("cloud_connect") in text(client.get(at("cloud_list")))


def test_the_list_shows_mode_age_and_what_is_not_as_wanted(site, client):
    site.tenancy()
    look(site)
    page = text(client.get(at("cloud_list")))
    assert "OpenStack north" in page
    assert "just now" in page
    assert "enforce" in page
    lines = streamed(client.get(at("cloud_list"), {"format": "csv"})).splitlines()
    assert lines[1].startswith("north,OpenStack north,openstack,enforce,1,")


def test_a_connected_cloud_is_observed_and_its_secret_is_in_no_page(site, client):
    Cloud.objects.all().delete()
    settings = site.emulated.settings()
    given = {
        "title": "OpenStack south",
        "kind": "openstack",
        "text": yaml.safe_dump({"clouds": {"south": settings}}),
        "accounts_come": "local",
        "role_viewer": "reader",
    }
    answer = client.post(at("cloud_connect"), given, follow=True)
    cloud = Cloud.objects.get()
    assert (cloud.mode, cloud.slug) == (Mode.OBSERVE, "openstack-south")
    assert cloud.rights.exists()
    assert cloud.versions.exists()
    for page in (text(answer), text(client.get(at("cloud_credential", cloud.slug)))):
        assert settings["auth"]["password"] not in page
    assert "only observed" in text(answer)


def test_what_was_typed_is_kept_but_not_the_secret(site, client):
    given = {"title": "Typed title", "kind": "openstack", "text": "pass: hunter2", "accounts_come": "federated"}
    answer = client.post(at("cloud_connect"), given)
    assert answer.status_code == 422
    assert "Typed title" in text(answer)
    assert "hunter2" not in text(answer)
    assert "People who come by an identity provider need this." in text(answer)


def test_a_credential_that_lacks_rights_names_each_and_changes_nothing(site, client):
    before = site.cloud.credential
    tenancy = site.ready()
    owner = tenancy.project.memberships.get().person
    account = owner.accounts.get()
    password = "a-members-own-password"
    site.emulated.request("PATCH", f"/identity/v3/users/{account.native_id}", {"user": {"password": password}})
    mine = site.emulated.settings(username=account.name, password=password, project_id=tenancy.native_id)
    answer = client.post(at("cloud_credential", "north"), {"text": yaml.safe_dump({"clouds": {"x": mine}})})
    assert answer.status_code == 422
    page = text(answer)
    assert "What is missing" in page
    assert page.count("missing</span>") >= 3
    assert password not in page
    assert site.cloud.credential == before


def test_the_mode_is_changed_and_a_wrong_one_is_refused(site, client):
    client.post(at("cloud_mode", "north"), {"mode": "add-only"})
    assert site.cloud.mode == Mode.ADD_ONLY
    answer = client.post(at("cloud_mode", "north"), {"mode": "destroy"}, follow=True)
    assert "There is no mode" in text(answer)
    assert site.cloud.mode == Mode.ADD_ONLY


@pytest.mark.parametrize("address", [("cloud_pause", "north"), ("site_pause",)])
def test_pausing_needs_a_reason_and_is_told_with_it(site, client, address):
    tenancy = site.tenancy()
    assert client.post(at(*address), {"reason": " "}).status_code == 422
    page = text(client.post(at(*address), {"reason": "Storage is being moved."}, follow=True))
    assert "Storage is being moved." in page
    assert "Storage is being moved." in text(client.get(at("plan", "north")))
    site.emulated.forget()
    site.work()
    assert site.writes() == []
    undo = (at("cloud_resume", "north"), {}) if len(address) > 1 else (at("site_pause"), {"do": "resume"})
    client.post(*undo)
    site.work()
    tenancy.refresh_from_db()
    assert tenancy.settled


def test_testing_again_shows_the_clouds_own_words(site, client):
    site.emulated.fault(service="identity", status=503)
    answer = client.post(at("cloud_probe", "north"))
    assert answer.status_code == 422
    assert "Answer of the cloud, verbatim" in text(answer)
    site.emulated.heal()
    assert client.post(at("cloud_probe", "north")).status_code == 302


def test_a_page_asks_for_a_survey_and_calls_no_cloud(site, client):
    Cloud.objects.update(survey_due_at=clock.now() + timedelta(hours=1))
    site.emulated.forget()
    assert client.post(at("cloud_survey", "north"), {"back": "plan"}).url == at("plan", "north")
    assert site.cloud.survey_due_at <= clock.now()
    assert site.emulated.transport.sent == []


@pytest.mark.parametrize("name", ["cloud_detail", "cloud_surveys", "cloud_steps", "cloud_tenancies", "plan"])
def test_an_unknown_cloud_is_not_there(client, name):
    assert client.get(at(name, "nowhere")).status_code == 404


# plans


def change_cores(site, tenancy, cores):
    """Somebody sets a quota on the cloud behind Tenantry's back."""
    native = site.native_project(tenancy)["id"]
    site.emulated.request("PUT", f"/compute/v2.1/os-quota-sets/{native}", {"quota_set": {"cores": cores}})


def test_the_plan_tells_found_wanted_and_why_and_calls_no_cloud(site, client):
    tenancy = site.ready()
    change_cores(site, tenancy, 99)
    look(site)
    site.emulated.forget()
    page = text(client.get(at("plan", "north")))
    assert "Limit of cores" in page
    assert '<del class="diff">99</del>' in page
    assert "Changed on the cloud" in page
    assert site.emulated.transport.sent == []


def test_what_is_wanted_anew_is_told_apart_from_drift(site, client):
    tenancy = site.ready()
    change_cores(site, tenancy, 99)
    look(site)
    assert "Limit of cores" in text(client.get(at("plan", "north"), {"show": "drift"}))
    assert "Limit of cores" not in text(client.get(at("plan", "north"), {"show": "wanted"}))
    Tenancy.objects.update(wanted_version=5)
    look(site)
    assert "Limit of cores" in text(client.get(at("plan", "north"), {"show": "wanted"}))


def test_the_plan_as_json_and_csv_has_every_line(site, client):
    tenancy = site.ready()
    change_cores(site, tenancy, 99)
    look(site)
    lines = client.get(at("plan", "north"), {"format": "json"}).json()["lines"]
    (limit,) = [line for line in lines if line["target"] == "limit:compute.vcpu"]
    assert (limit["found"], limit["project"]) == ("99000", tenancy.project.slug)
    assert len([line for line in lines if line["kind"] == "unmanaged"]) == DriftLine.objects.count() > 0
    assert len(streamed(client.get(at("plan", "north"), {"format": "csv"})).splitlines()) == len(lines) + 1


def test_a_filter_nobody_offers_shows_all(site, client):
    look(site)
    assert "Not in Tenantry" in text(client.get(at("plan", "north"), {"show": "nonsense", "page": "x"}))


def test_a_section_that_could_not_be_read_is_told_with_the_clouds_words(site, client):
    site.ready()
    site.emulated.fault(service="volume", status=503)
    look(site)
    page = text(client.get(at("plan", "north")))
    assert "limits.volume could not be read" in page
    assert "nothing of it is taken away" in page


@pytest.fixture
def held(site):
    """A course of which an import no longer names most: the guard holds their removal."""
    tenancy = site.ready()
    people = [site.person() for _ in range(6)]
    rows = [ImportRow(tenancy.project, person, "member") for person in people]
    members_import(actor=None, source="campus", rows=rows)
    site.settle()
    members_import(actor=None, source="campus", rows=rows[:1])
    site.work()
    assert PlanLine.objects.filter(hold=PlanLine.HoldChoice.GUARD).count() == 5
    return tenancy


def fingerprint(client):
    page = text(client.get(at("plan", "north")))
    return page.split("fingerprint=")[1].split('"')[0]


def test_a_held_batch_is_let_pass_with_a_reason_and_only_as_it_was_seen(site, client, held):
    seen = fingerprint(client)
    assert "Remove the 5…" in text(client.get(at("plan", "north")))
    listed = text(client.get(at("plan_confirm", "north"), {"fingerprint": seen}))
    assert listed.count("Role of ") == 5
    assert client.post(at("plan_confirm", "north"), {"fingerprint": seen, "reason": ""}).status_code == 422
    changed = client.post(at("plan_confirm", "north"), {"fingerprint": "0" * 64, "reason": "Term ended."})
    assert changed.status_code == 422
    assert "The plan has changed since you looked at it." in text(changed)
    client.post(at("plan_confirm", "north"), {"fingerprint": seen, "reason": "Term ended."})
    site.settle()
    assert len(site.roles(held)) == 2


def test_a_held_batch_is_kept(site, client, held):
    answer = client.post(at("plan_act", "north"), {"keep": fingerprint(client)}, follow=True)
    assert "nothing is removed" in text(answer)
    assert Membership.objects.current().filter(project=held.project).count() == 7
    site.settle()
    assert len(site.roles(held)) == 7


def test_a_button_without_a_choice_changes_nothing(site, client):
    assert "Nothing was chosen" in text(client.post(at("plan_act", "north"), {}, follow=True))
    assert client.post(at("plan_act", "north"), {"retry": "no-id"}).status_code == 404


# adopting


@pytest.fixture
def stray(site):
    look(site)
    return DriftLine.objects.filter(tenancy=None).exclude(object__in=("admin", "service")).order_by("pk").first()


def adopt(client, stray, **given):
    address = reverse("portal:adopt", args=["north", stray.native_id])
    return client.post(address, {"purpose": "research"} | given)


def test_adopting_into_a_new_project_writes_nothing_and_changes_no_limit(site, client, stray, operator):
    site.emulated.forget()
    answer = adopt(client, stray, title="Found again", owner=operator.username)
    assert answer.status_code == 302
    tenancy = Tenancy.objects.get(native_id=stray.native_id)
    assert tenancy.project.title == "Found again"
    assert site.writes() == []
    readings = selectors.latest_readings([tenancy])
    assert dict(tenancy.limits.values_list("resource", "amount")) == {
        key: row.limit for (_, key), row in readings.items()
    }
    assert Grant.objects.filter(project=tenancy.project).exists()
    outlook = look(site)
    mine = next(plan for plan in outlook.plan.tenancies if plan.native_id == stray.native_id)
    assert not [change for change in mine.changes if change.kind.startswith("limit")]


def test_adopting_into_a_project_that_is_here(site, client, stray):
    project = site.project("Old friends")
    assert adopt(client, stray, project=project.slug).status_code == 302
    assert Tenancy.objects.get(native_id=stray.native_id).project == project
    assert adopt(client, stray, project=project.slug).status_code == 404


@pytest.mark.parametrize(
    ("given", "says"),
    [
        ({}, "A new project needs this."),
        ({"project": "nowhere"}, "There is no project of this short name."),
        ({"title": "X", "owner": "nobody"}, "There is nobody of this user name."),
    ],
)
def test_what_cannot_be_adopted_is_told_at_its_field(client, stray, given, says):
    answer = adopt(client, stray, **given)
    assert answer.status_code == 422
    assert says in text(answer)
    assert not Tenancy.objects.exists()


def test_an_object_that_is_gone_is_not_adopted_and_leaves_no_project(site, client, stray, operator):
    site.emulated.request("DELETE", f"/identity/v3/projects/{stray.native_id}")
    answer = adopt(client, stray, title="Too late", owner=operator.username)
    assert answer.status_code == 422
    assert not Project.objects.filter(title="Too late").exists()


def test_a_service_that_does_not_answer_stops_the_adoption_whole(site, client, stray, operator):
    site.emulated.fault(service="volume", status=503)
    answer = adopt(client, stray, title="Half known", owner=operator.username)
    assert answer.status_code == 422
    assert "were not found" in text(answer)
    assert not Project.objects.filter(title="Half known").exists()


# tenancies and their journal


def test_the_journal_shows_what_the_cloud_said(site, client):
    site.emulated.fault(service="compute", method="PUT", status=403)
    tenancy = site.tenancy()
    site.work()
    step = Step.objects.filter(state=Step.State.FAILED).first()
    page = text(client.get(at("tenancy_detail", tenancy.pk)))
    assert step.request_id in page
    assert "Answer of the cloud, verbatim" in page
    assert "needs you" in page
    lines = streamed(client.get(at("tenancy_detail", tenancy.pk), {"format": "csv"}))
    assert step.request_id in lines


def test_trying_again_after_the_cause_is_gone_settles(site, client):
    site.emulated.fault(service="compute", method="PUT", status=403)
    tenancy = site.tenancy()
    site.work()
    site.emulated.heal()
    site.emulated.advance(7200)
    site.work()
    tenancy.refresh_from_db()
    assert not tenancy.settled, "what was refused is not tried again by itself"
    client.post(at("tenancy_retry", tenancy.pk))
    site.settle()
    tenancy.refresh_from_db()
    assert tenancy.settled


def test_the_journal_of_a_cloud_is_filtered_by_state(site, client):
    site.ready()
    assert "Role of" in text(client.get(at("cloud_steps", "north"), {"state": "done"}))
    assert "No step" in text(client.get(at("cloud_steps", "north"), {"state": "failed"}))
    head, *lines = streamed(client.get(at("cloud_steps", "north"), {"format": "csv"})).splitlines()
    assert "request_id" in head
    assert len(lines) >= Step.objects.count()


def test_tenancies_are_found_by_what_is_wrong_with_them(site, client):
    site.ready("Fine one")
    broken = site.tenancy("Broken one")
    site.emulated.fault(service="identity", method="POST", status=500)
    site.work()
    page = text(client.get(at("cloud_tenancies", "north"), {"show": "attention"}))
    assert "Broken one" in page
    assert "Fine one" not in page
    assert broken.name in text(client.get(at("cloud_tenancies", "north"), {"q": "broken"}))


def test_the_api_gives_the_same_plan(site, client):
    tenancy = site.ready()
    change_cores(site, tenancy, 99)
    look(site)
    lines = client.get("/api/v1/clouds/north/plan/?show=change").json()
    assert [line["target"] for line in lines] == ["limit:compute.vcpu"]
    assert json.dumps(lines).count("password") == 0
