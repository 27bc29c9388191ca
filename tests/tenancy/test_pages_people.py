"""Pages of people, of members of a project, of their way in, and of the audit log."""

from __future__ import annotations

import json
import re

import pytest
import requests
import yaml
from django.urls import reverse

from events.models import AuditEntry
from tenancy.models import Account, Membership, Project, SiteRole, Tenancy
from tenancy.services import member_add, member_remove, site_pause, site_resume
from tests.tenancy.pages import operator_make, signed_in


@pytest.fixture
def tenancy(site):
    return site.ready()


@pytest.fixture
def project(tenancy):
    return tenancy.project


@pytest.fixture
def owner(project):
    return project.memberships.get().person


@pytest.fixture
def client(owner):
    return signed_in(owner)


def at(name, *args):
    return reverse(f"tenancy:{name}", args=args)


def text(answer):
    return answer.content.decode()


def streamed(answer):
    return b"".join(answer.streaming_content).decode()


# members


def test_a_person_is_found_and_added_without_a_script(site, client, project, tenancy):
    jin = site.person("jin")
    address = at("member_add", project.slug)
    assert "Who is it?" in text(client.get(address, {"q": "j"}))
    page = text(client.get(address, {"q": "jin@site"}))
    assert f'value="{jin.pk}"' in page
    answer = client.post(address, {"person": jin.pk, "role": "viewer"})
    assert answer.url == f"/projects/{project.slug}/"
    site.work()
    assert ("jin", "reader") in site.roles(tenancy)


def test_nobody_fits_says_what_to_do(client, project):
    page = text(client.get(at("member_add", project.slug), {"q": "zzz"}))
    assert "Ask them to sign in first." in page


def test_somebody_who_is_in_already_is_shown_so_and_refused(site, client, project, owner):
    page = text(client.get(at("member_add", project.slug), {"q": owner.username}))
    assert "in the project" in page
    answer = client.post(at("member_add", project.slug), {"person": owner.pk, "role": "member"})
    assert answer.status_code == 422
    assert "is in the project already, as owner." in text(answer)


@pytest.mark.parametrize(
    "given", [{}, {"person": "x", "role": "member"}, {"person": "00000000-0000-0000-0000-000000000000", "role": "king"}]
)
def test_wrong_words_are_refused_at_the_field(client, project, given):
    assert client.post(at("member_add", project.slug), given).status_code == 422
    assert Membership.objects.count() == 1


def test_a_manager_cannot_make_owners(site, project, owner):
    manager, jin = site.person("manager"), site.person("jin")
    member_add(actor=owner, project=project, person=manager, role="manager")
    answer = signed_in(manager).post(at("member_add", project.slug), {"person": jin.pk, "role": "owner"})
    assert answer.status_code == 422
    assert not Membership.objects.filter(person=jin).exists()


def test_a_role_is_changed_and_the_last_owner_stays_one(site, client, project, owner, tenancy):
    membership = member_add(actor=owner, project=project, person=site.person("jin"), role="member")
    client.post(at("member_role", membership.pk), {"role": "viewer"})
    site.work()
    assert ("jin", "reader") in site.roles(tenancy)
    mine = Membership.objects.get(person=owner)
    answer = client.post(at("member_role", mine.pk), {"role": "member"})
    assert answer.status_code == 422
    assert "A project needs an owner" in text(answer)


def test_removing_asks_first_and_takes_access_at_once(site, client, project, owner, tenancy):
    membership = member_add(actor=owner, project=project, person=site.person("jin"), role="member")
    site.work()
    assert "Remove Jin from Coastal genomics?" in text(client.get(at("member_remove", membership.pk)))
    client.post(at("member_remove", membership.pk))
    site.work()
    assert ("jin", "member") not in site.roles(tenancy)
    assert client.get(at("member_remove", membership.pk)).status_code == 404


def test_everybody_may_leave_but_the_last_owner(site, client, project, owner):
    jin = site.person("jin")
    membership = member_add(actor=owner, project=project, person=jin, role="viewer")
    answer = signed_in(jin).post(at("member_remove", membership.pk))
    assert answer.url == "/"
    mine = client.post(at("member_remove", Membership.objects.get(person=owner).pk))
    assert mine.status_code == 422
    assert "Make somebody else an owner first." in text(mine)


def test_the_list_of_members_tells_each_ones_state_on_the_cloud(site, client, project, owner):
    member_add(actor=owner, project=project, person=site.person("jin"), role="member")
    page = text(client.get(at("members_fragment", project.slug)))
    assert re.search(r"Jin.*?(next|being added)", page, re.S)
    site.work()
    page = text(client.get(at("members_fragment", project.slug)))
    assert page.count("</svg>ready") == 2
    site.emulated.fault(service="identity", path="roles", method="PUT", status=403)
    member_add(actor=owner, project=project, person=site.person("ada"), role="member")
    site.work()
    assert "refused" in text(client.get(at("members_fragment", project.slug)))
    assert len(streamed(client.get(at("members_fragment", project.slug), {"format": "csv"})).splitlines()) == 4


# archive


def test_archiving_needs_a_reason_and_shuts_everybody_out(site, client, project, tenancy):
    address = at("project_archive", project.slug)
    assert "1 person on OpenStack north" in text(client.get(address))
    assert client.post(address, {"reason": ""}).status_code == 422
    client.post(address, {"reason": "The grant ended."})
    site.settle()
    assert site.roles(tenancy) == set()
    assert Project.objects.get(pk=project.pk).archive_reason == "The grant ended."
    again = client.post(address, {"reason": "Twice."})
    assert again.status_code == 422
    assert "is archived already" in text(again)


def test_an_operator_opens_it_again(site, client, project, tenancy):
    client.post(at("project_archive", project.slug), {"reason": "The grant ended."})
    site.settle()
    signed_in(operator_make(site)).post(at("project_restore", project.slug), {"reason": "It was renewed."})
    site.settle()
    assert len(site.roles(tenancy)) == 1


def test_nobody_is_called_ready_who_has_not_been_let_in_again(site, client, project, tenancy):
    client.post(at("project_archive", project.slug), {"reason": "The grant ended."})
    site.settle()
    site.emulated.advance(60)
    site_pause(actor=None, reason="test")
    signed_in(operator_make(site)).post(at("project_restore", project.slug), {"reason": "It was renewed."})
    site.work()
    assert "</svg>ready" not in text(client.get(at("members_fragment", project.slug)))


def test_an_archived_project_promises_only_what_was_found(site, client, project, tenancy):
    promise = "Nobody gets in on any cloud"
    address = reverse("portal:project_detail", args=[project.slug])
    site_pause(actor=None, reason="test")
    client.post(at("project_archive", project.slug), {"reason": "The grant ended."})
    site.work()
    assert promise not in text(client.get(address))
    site_resume(actor=None)
    site.settle()
    assert promise in text(client.get(address))


# progress


def part(client, project):
    return text(client.get(at("progress", project.slug), headers={"HX-Request": "true"}))


def test_progress_is_asked_again_only_while_something_happens(site, client, project, tenancy):
    assert "hx-trigger" not in part(client, project)
    assert "In step on 1 cloud" in part(client, project)
    Tenancy.objects.update(wanted_version=9, next_attempt_at=site.emulated.now())
    assert 'hx-trigger="every 2s"' in part(client, project)


def test_progress_tells_500_members_in_a_line(site, client, project, owner):
    for number in range(8):
        member_add(actor=owner, project=project, person=site.person(f"jin{number}"), role="member")
    site.work()
    page = part(client, project)
    assert "Roles given on OpenStack north" in page
    assert "8 of 8 done" in page
    assert page.count("<li") < 8


def test_the_clouds_words_are_for_operators(site, client, project, owner):
    site.emulated.fault(service="identity", path="roles", method="PUT", status=403, message="Policy says no way.")
    member_add(actor=owner, project=project, person=site.person("jin"), role="member")
    site.work()
    assert "Policy says no way." not in part(client, project)
    assert "Policy says no way." in part(signed_in(operator_make(site)), project)
    site.emulated.advance(120)
    site.work()
    assert "hx-trigger" not in part(client, project), "a person is needed, waiting does not help"


def test_without_a_script_the_way_leads_to_the_page_that_holds_the_part(client, project):
    assert client.get(at("progress", project.slug)).url == f"/projects/{project.slug}/#progress"


# the way in


def test_the_way_in_is_a_file_without_a_secret(site, client, project, tenancy):
    site.emulated.forget()
    page = text(client.get(at("entry", project.slug)))
    assert site.emulated.transport.sent == []
    assert tenancy.native_id in page
    assert site.emulated.app.world.config.admin_password not in page
    file = client.get(at("entry_file", project.slug, "north", "clouds.yaml"))
    assert "attachment" in file["Content-Disposition"]
    (entry,) = yaml.safe_load(file.content)["clouds"].values()
    assert entry["auth"]["project_id"] == tenancy.native_id
    assert "password" not in entry["auth"]
    assert client.get(at("entry_file", project.slug, "north", "other.txt")).status_code == 404


def test_a_new_password_is_shown_once_and_lets_its_owner_in(site, client, project, owner, tenancy):
    account = Account.objects.get(person=owner)
    answer = client.post(at("account_secret", project.slug, account.pk))
    assert answer["Cache-Control"].startswith("no-store")
    secret = re.search(r'id="secret">([^<]+)<', text(answer)).group(1)
    assert site.emulated.token(username=account.name, password=secret, project_id=tenancy.native_id)
    assert secret not in text(client.get(at("entry", project.slug)))
    assert not AuditEntry.objects.filter(summary__contains=secret).exists()
    member_add(actor=owner, project=project, person=site.person("jin"), role="owner")
    site.work()
    member_remove(actor=owner, membership=Membership.objects.get(person=owner, project=project))
    site.work()
    with pytest.raises(requests.HTTPError):
        site.emulated.token(username=account.name, password=secret, project_id=tenancy.native_id)


def test_a_cloud_that_says_no_to_a_password_is_told_plainly(site, client, project, owner):
    site.emulated.fault(service="identity", path="/users/", method="PATCH", status=403, message="Policy says no way.")
    answer = client.post(at("account_secret", project.slug, Account.objects.get(person=owner).pk))
    assert answer.status_code == 422
    assert "No new password was made." in text(answer)
    assert "Policy says no way." not in text(answer)


@pytest.mark.parametrize(
    ("change", "says"),
    [
        ({"native_id": ""}, "not on this cloud yet"),
        ({"wanted": Tenancy.Wanted.SUSPENDED}, "nobody gets in any more"),
    ],
)
def test_where_there_is_no_way_in_the_page_says_why(client, project, change, says):
    Tenancy.objects.update(**change)
    assert says in text(client.get(at("entry", project.slug)))


def test_who_only_looks_at_a_project_has_no_way_in(site, project):
    assert "You are not a member" in text(signed_in(operator_make(site)).get(at("entry", project.slug)))


# people and the audit log


@pytest.fixture
def operator(site, tenancy):
    return signed_in(operator_make(site))


def test_people_are_searched_and_listed(site, operator, owner):
    site.person("ada")
    page = text(operator.get(at("person_list"), {"q": "ada"}))
    assert "Ada" in page
    assert owner.name not in page
    assert "Nobody fits" in text(operator.get(at("person_list"), {"q": "zzz"}))
    _, *lines = streamed(operator.get(at("person_list"), {"format": "csv", "sort": "-username"})).splitlines()
    names = [line.split(",")[0] for line in lines]
    assert names == sorted(names, reverse=True)


def test_a_person_is_shown_with_memberships_accounts_and_roles(operator, owner, project):
    SiteRole.objects.create(person=owner, role=SiteRole.Role.REVIEWER)
    page = text(operator.get(at("person_detail", owner.pk)))
    for word in (project.title, owner.accounts.get().native_id, "reviewer", "No login"):
        assert word in page


def test_the_audit_log_is_filtered_and_exported(operator, project):
    assert "Added" in text(operator.get(at("audit"), {"verb": "person.created"}))
    assert "No entry fits" in text(operator.get(at("audit"), {"until": "2001-01-01"}))
    found = streamed(operator.get(at("audit"), {"format": "csv", "project": project.slug})).splitlines()
    assert len(found) - 1 == AuditEntry.objects.filter(project_id=str(project.pk)).count() > 0


def test_a_filter_with_wrong_words_filters_nothing(operator):
    assert operator.get(at("audit"), {"since": "yesterday", "verb": "x", "page": "-3"}).status_code == 200


def test_a_name_that_a_spreadsheet_would_run_is_only_text(site, operator):
    person = site.person("mallory")
    person.name = "=HYPERLINK(1)"
    person.save()
    assert "'=HYPERLINK(1)" in streamed(operator.get(at("person_list"), {"format": "csv"}))
    assert json.dumps("=HYPERLINK(1)") in json.dumps(operator.get(f"/api/v1/people/{person.pk}/").json())
