"""The endpoints of this app: the same rules as the pages, no credential in any answer, a schema without warnings."""

from __future__ import annotations

import json

import pytest
import yaml
from django.core.management import call_command

from events.models import AuditEntry
from tenancy.models import Account, Cloud, Institution, Membership, Project, Step
from tenancy.services import member_add
from tests.tenancy.pages import operator_make, signed_in

V1 = "/api/v1"


@pytest.fixture
def operator(site):
    return signed_in(operator_make(site))


@pytest.fixture
def project(site):
    return site.ready().project


@pytest.fixture
def owner(project):
    return project.memberships.get().person


@pytest.fixture
def client(owner):
    return signed_in(owner)


def send(client, method, path, body=None):
    return client.generic(method, f"{V1}{path}", json.dumps(body or {}), content_type="application/json")


def test_the_schema_has_no_warnings(tmp_path):
    call_command("spectacular", validate=True, fail_on_warn=True, file=str(tmp_path / "schema.yaml"))
    paths = yaml.safe_load((tmp_path / "schema.yaml").read_text())["paths"]
    assert f"{V1}/projects/{{slug}}/members/" in paths


def test_a_token_does_what_a_session_does(site, client, project):
    token = client.post(f"{V1}/tokens").json()["token"]
    client.logout()
    assert client.get(f"{V1}/projects/").status_code == 401
    found = client.get(f"{V1}/projects/", headers={"authorization": f"Bearer {token}"}).json()
    assert [row["slug"] for row in found["results"]] == [project.slug]


# projects and members


def test_a_project_from_making_to_archiving(site, operator):
    Institution.objects.create(name="Marine", slug="marine")
    ada = site.person("ada")
    body = {"title": "Reef", "purpose": "research", "starts_on": "2026-11-20", "owner": "ada", "institution": "marine"}
    made = send(operator, "POST", "/projects/", body)
    assert (made.status_code, made.json()["owner"], made.json()["people"]) == (201, "Ada", 1)
    client = signed_in(ada)
    assert send(client, "PATCH", "/projects/reef/", {"title": "Coral reef"}).json()["title"] == "Coral reef"
    assert send(client, "PATCH", "/projects/reef/", {"purpose": "teaching"}).status_code == 403
    assert send(client, "POST", "/projects/reef/archive/").status_code == 400
    archived = send(client, "POST", "/projects/reef/archive/", {"reason": "Done."}).json()
    assert (archived["state"], archived["archive_reason"]) == ("archived", "Done.")
    assert client.get(f"{V1}/projects/?state=open").json()["count"] == 0
    assert send(client, "POST", "/projects/reef/restore/", {"reason": "Not done."}).status_code == 403
    assert send(operator, "POST", "/projects/reef/restore/", {"reason": "Not done."}).json()["state"] == "open"


@pytest.mark.parametrize(
    ("change", "field"),
    [
        ({"title": ""}, "title"),
        ({"purpose": "fun"}, "purpose"),
        ({"owner": "nobody"}, "owner"),
        ({"starts_on": "soon"}, "starts_on"),
        ({"institution": "nowhere"}, "institution"),
    ],
)
def test_wrong_words_are_told_at_their_field(site, operator, change, field):
    site.person("ada")
    body = {"title": "Reef", "purpose": "research", "starts_on": "2026-11-20", "owner": "ada"} | change
    answer = send(operator, "POST", "/projects/", body)
    assert answer.status_code == 400
    assert field in answer.json()
    assert not Project.objects.exists()


def test_a_rule_says_no_with_its_words_its_remedy_and_its_field(site, operator):
    site.person("ada")
    days = {"starts_on": "2026-11-20", "ends_on": "2026-01-01"}
    answer = send(operator, "POST", "/projects/", {"title": "Reef", "purpose": "research", "owner": "ada"} | days)
    assert answer.status_code == 400
    assert answer.json() == {"message": "The end date must be after the start.", "remedy": "", "field": "ends_on"}


def test_members_come_change_and_go(site, client, project):
    site.person("jin")
    members = f"/projects/{project.slug}/members/"
    made = send(client, "POST", members, {"person": "jin", "role": "member"})
    assert made.status_code == 201
    again = send(client, "POST", members, {"person": "jin", "role": "member"})
    assert again.status_code == 400
    assert "is in the project already, as member." in again.json()["message"]
    one = f"{members}{made.json()['id']}/"
    assert send(client, "PATCH", one, {"role": "viewer"}).json()["role"] == "viewer"
    assert send(client, "PATCH", one, {"role": "king"}).status_code == 400
    assert send(client, "DELETE", one).status_code == 204
    assert send(client, "DELETE", one).status_code == 404
    assert client.get(f"{V1}{members}").json()["count"] == 1


def test_the_last_owner_stays(client, project, owner):
    mine = Membership.objects.get(person=owner)
    answer = send(client, "DELETE", f"/projects/{project.slug}/members/{mine.pk}/")
    assert answer.status_code == 400
    assert "last one" in answer.json()["message"]


def test_one_sees_oneself(client, owner, project):
    me = client.get(f"{V1}/me/").json()
    assert me["username"] == owner.username
    assert [row["project"] for row in me["memberships"]] == [project.slug]
    assert [row["cloud"] for row in me["accounts"]] == ["north"]


def test_a_secret_is_ones_own_and_works(site, client, owner, project):
    account = Account.objects.get(person=owner)
    answer = send(client, "POST", f"/accounts/{account.pk}/secret/")
    assert answer["Cache-Control"] == "no-store"
    native = project.tenancies.get().native_id
    assert site.emulated.token(username=account.name, password=answer.json()["secret"], project_id=native)
    other = signed_in(site.person("jin"))
    assert send(other, "POST", f"/accounts/{account.pk}/secret/").status_code == 404


# clouds


def test_a_cloud_is_connected_and_its_credential_never_comes_back(site, operator):
    settings = site.emulated.settings()
    body = {"title": "South", "kind": "openstack", "text": yaml.safe_dump({"clouds": {"south": settings}})}
    made = send(operator, "POST", "/clouds/", body | {"roles": {"viewer": "reader"}})
    assert (made.status_code, made.json()["mode"], made.json()["roles"]["viewer"]) == (201, "observe", "reader")
    answers = [made, *(operator.get(f"{V1}/clouds/{path}") for path in ("", "south/", "south/plan/", "south/surveys/"))]
    for answer in answers:
        assert settings["auth"]["password"] not in answer.content.decode()
        assert "credential" not in answer.json()


def test_a_connection_that_fails_is_a_502_with_the_clouds_words_and_nothing_is_kept(site, operator):
    settings = site.emulated.settings(password="wrong")
    body = {"title": "South", "kind": "openstack", "text": yaml.safe_dump({"clouds": {"south": settings}})}
    answer = send(operator, "POST", "/clouds/", body)
    assert answer.status_code == 502
    assert {"message", "remedy", "verbatim", "request_id"} <= answer.json().keys()
    assert Cloud.objects.count() == 1


def test_missing_rights_are_named(site, operator, owner, project):
    account = Account.objects.get(person=owner)
    user = {"user": {"password": "own"}}
    site.emulated.request("PATCH", f"/identity/v3/users/{account.native_id}", user)
    native = project.tenancies.get().native_id
    settings = site.emulated.settings(username=account.name, password="own", project_id=native)
    answer = send(operator, "POST", "/clouds/north/credential/", {"text": yaml.safe_dump({"clouds": {"x": settings}})})
    assert answer.status_code == 400
    assert [right["name"] for right in answer.json()["probe"]["rights"] if not right["ok"]]


def test_unknown_roles_and_kinds_are_refused(operator):
    body = {"title": "South", "kind": "vmware", "text": "clouds: {}", "roles": {"king": "admin"}}
    assert "roles" in send(operator, "POST", "/clouds/", body).json()
    answer = send(operator, "POST", "/clouds/", body | {"roles": {}})
    assert answer.status_code == 502
    assert "There is no connector of the kind “vmware”" in answer.json()["message"]


def test_mode_pause_probe_and_survey(site, operator):
    assert send(operator, "POST", "/clouds/north/mode/", {"mode": "add-only"}).json()["mode"] == "add-only"
    assert send(operator, "POST", "/clouds/north/mode/", {"mode": "destroy"}).status_code == 400
    assert send(operator, "POST", "/clouds/north/pause/", {"reason": "Moving."}).json()["pause_reason"] == "Moving."
    assert send(operator, "POST", "/clouds/north/resume/").json()["paused_at"] is None
    assert send(operator, "POST", "/clouds/north/probe/").json()["ok"] is True
    assert send(operator, "POST", "/clouds/north/survey/").status_code == 202


def test_the_switch_of_all_writes(operator):
    assert send(operator, "PUT", "/writes/", {"paused": True}).json()["field"] == "reason"
    assert send(operator, "PUT", "/writes/", {"paused": True, "reason": "Fire."}).json()["reason"] == "Fire."
    assert operator.get(f"{V1}/writes/").json()["since"]
    assert send(operator, "PUT", "/writes/", {"paused": False}).json() == {"paused": False, "reason": "", "since": None}


# tenancies


def test_steps_are_for_members_and_the_clouds_words_for_operators(site, client, operator, owner, project):
    site.emulated.fault(service="identity", path="roles", method="PUT", status=403, message="Policy says no way.")
    member_add(actor=owner, project=project, person=site.person("jin"), role="member")
    site.work()
    tenancy = client.get(f"{V1}/tenancies/?project={project.slug}").json()["results"][0]
    assert {row["section"]: row["state"] for row in tenancy["conditions"]}["members"] == "needs-you"
    path = f"{V1}/tenancies/{tenancy['id']}/steps/"
    mine = client.get(path).json()["results"]
    assert next(row["state"] for row in mine if row["kind"] == "member-add") == "failed"
    assert not any(row["verbatim"] or row["request_id"] for row in mine)
    assert any("Policy says no way." in row["verbatim"] for row in operator.get(path).json()["results"])


def test_trying_again_is_for_operators(site, client, operator, owner, project):
    site.emulated.fault(service="identity", path="roles", method="PUT", status=403)
    member_add(actor=owner, project=project, person=site.person("jin"), role="member")
    site.work()
    site.emulated.heal()
    pk = project.tenancies.get().pk
    assert send(client, "POST", f"/tenancies/{pk}/retry/").status_code == 403
    assert send(operator, "POST", f"/tenancies/{pk}/retry/").status_code == 200
    site.settle()
    assert not Step.objects.filter(state=Step.State.FAILED).exists()


def test_every_change_over_the_api_is_audited(site, operator):
    before = AuditEntry.objects.count()
    send(operator, "POST", "/clouds/north/mode/", {"mode": "observe"})
    send(operator, "POST", "/institutions/", {"name": "Physics", "slug": "physics"})
    assert AuditEntry.objects.count() == before + 2
