"""Rules of membership: who may give and take, and that a project is never without an owner."""

from __future__ import annotations

import pytest

from events.models import AuditEntry, Outbox
from tenancy import access
from tenancy.errors import NotAllowed, RuleError
from tenancy.models import Membership, Person, Project, SiteRole
from tenancy.services import (
    institution_create,
    member_add,
    member_remove,
    member_role_change,
    members_import,
    person_activate,
    person_deactivate,
    project_archive,
    project_restore,
)
from tenancy.services.members import ImportRow
from tests.support.site import Site

pytestmark = pytest.mark.django_db

ROLES = ("owner", "manager", "member", "viewer")


@pytest.fixture
def people(site: Site) -> dict[str, Person]:
    made = {role: site.person(role) for role in ROLES} | {name: site.person(name) for name in ("stranger", "operator")}
    SiteRole.objects.create(person=made["operator"], role=SiteRole.Role.OPERATOR)
    return made


@pytest.fixture
def project(site: Site, people: dict[str, Person]) -> Project:
    project = site.project(owner=people["owner"])
    for role in ROLES[1:]:
        member_add(actor=None, project=project, person=people[role], role=role)
    return project


def membership(project: Project, person: Person) -> Membership:
    return Membership.objects.current().get(project=project, person=person)


MAY_ADD = {
    "owner": {"owner", "manager", "member", "viewer"},
    "operator": {"owner", "manager", "member", "viewer"},
    "manager": {"manager", "member", "viewer"},
    "member": set(),
    "viewer": set(),
    "stranger": set(),
}


@pytest.mark.parametrize("role", ROLES)
@pytest.mark.parametrize("who", MAY_ADD)
def test_who_may_add_whom(site: Site, people: dict[str, Person], project: Project, who: str, role: str) -> None:
    newcomer = site.person("newcomer")
    if role in MAY_ADD[who]:
        assert member_add(actor=people[who], project=project, person=newcomer, role=role).role == role
        assert AuditEntry.objects.filter(verb="membership.added", actor=people[who]).exists()
        assert Outbox.objects.filter(to=newcomer.email).count() == 1
    else:
        with pytest.raises(NotAllowed):
            member_add(actor=people[who], project=project, person=newcomer, role=role)
        assert not Membership.objects.filter(person=newcomer).exists()


@pytest.mark.parametrize("who", ["manager", "member", "viewer", "stranger"])
def test_only_owners_touch_owners(people: dict[str, Person], project: Project, who: str) -> None:
    mine = membership(project, people["owner"])
    with pytest.raises(NotAllowed):
        member_remove(actor=people[who], membership=mine)
    with pytest.raises(NotAllowed):
        member_role_change(actor=people[who], membership=mine, role="member")


@pytest.mark.parametrize("who", ["member", "viewer", "manager"])
def test_everybody_may_leave(people: dict[str, Person], project: Project, who: str) -> None:
    gone = member_remove(actor=people[who], membership=membership(project, people[who]))
    assert gone.end_reason == Membership.EndReason.LEFT


def test_the_last_owner_stays(people: dict[str, Person], project: Project) -> None:
    mine = membership(project, people["owner"])
    with pytest.raises(RuleError, match="last one"):
        member_remove(actor=people["owner"], membership=mine)
    with pytest.raises(RuleError, match="last one"):
        member_role_change(actor=people["operator"], membership=mine, role="viewer")
    member_role_change(actor=people["owner"], membership=membership(project, people["manager"]), role="owner")
    member_remove(actor=people["owner"], membership=mine)
    with pytest.raises(RuleError, match="last one"):
        member_remove(actor=people["manager"], membership=membership(project, people["manager"]))


def test_an_import_that_forgets_the_last_owner_keeps_them_and_says_so(site: Site) -> None:
    project = site.project(owner=site.person("someone"))
    first = Membership.objects.get(project=project)
    Membership.objects.filter(pk=first.pk).update(source="registrar")
    found = members_import(actor=None, source="registrar", rows=[])
    assert found.ended == 0
    assert found.kept == ("Someone in Coastal genomics",)
    assert Membership.objects.current().filter(project=project).count() == 1


def test_an_import_twice_changes_nothing_and_leaves_others_alone(people: dict[str, Person], project: Project) -> None:
    rows = [ImportRow(project, people["stranger"], "member"), ImportRow(project, people["viewer"], "member")]
    first = members_import(actor=None, source="registrar", rows=rows)
    assert (first.added, first.changed, first.ended) == (1, 0, 0)
    again = members_import(actor=None, source="registrar", rows=rows)
    assert (again.added, again.changed, again.ended) == (0, 0, 0)
    assert membership(project, people["viewer"]).role == "viewer", "who was added by a person is not the import's"


@pytest.mark.parametrize("who", ["manager", "member", "viewer", "stranger"])
def test_only_an_owner_archives(people: dict[str, Person], project: Project, who: str) -> None:
    with pytest.raises(NotAllowed):
        project_archive(actor=people[who], project=project, reason="no")


def test_an_archived_project_takes_nobody_in(site: Site, people: dict[str, Person], project: Project) -> None:
    project_archive(actor=people["owner"], project=project, reason="over")
    project.refresh_from_db()
    with pytest.raises(RuleError, match="archived"):
        member_add(actor=people["owner"], project=project, person=site.person(), role="member")
    with pytest.raises(NotAllowed):
        project_restore(actor=people["owner"], project=project, reason="again")
    project_restore(actor=people["operator"], project=project, reason="again")
    assert project.memberships.count() == 4


def test_who_became_an_owner_meanwhile_is_touched_by_owners_only(people: dict[str, Person], project: Project) -> None:
    """The page was loaded while they were a member."""
    member, manager = people["member"], people["manager"]
    seen = Membership.objects.select_related("project").get(person=member, project=project)
    member_role_change(actor=None, membership=Membership.objects.get(pk=seen.pk), role="owner")
    with pytest.raises(NotAllowed):
        member_remove(actor=manager, membership=seen)
    with pytest.raises(NotAllowed):
        member_role_change(actor=manager, membership=seen, role="viewer")


def test_a_deactivated_person_loses_access_everywhere_and_gets_it_back(site: Site) -> None:
    mira, tomas = site.person("mira"), site.person("tomas")
    tenancy = site.ready(owner=mira)
    member_add(actor=None, project=tenancy.project, person=tomas, role="member")
    site.work()
    person_deactivate(actor=None, person=tomas, reason="left the institute")
    site.work()
    assert site.roles(tenancy) == {("mira", "member")}
    person_activate(actor=None, person=tomas)
    site.work()
    assert site.roles(tenancy) == {("mira", "member"), ("tomas", "member")}


def test_who_is_needed_cannot_be_deactivated(people: dict[str, Person], project: Project) -> None:
    operator = people["operator"]
    with pytest.raises(RuleError, match="without an owner"):
        person_deactivate(actor=operator, person=people["owner"], reason="gone")
    with pytest.raises(RuleError, match="themselves"):
        person_deactivate(actor=operator, person=operator, reason="gone")
    with pytest.raises(RuleError, match="last operator"):
        person_deactivate(actor=None, person=operator, reason="gone")
    with pytest.raises(NotAllowed):
        person_deactivate(actor=people["owner"], person=people["viewer"], reason="gone")


def test_a_role_for_one_institution_is_that_role_and_no_more(site: Site) -> None:
    """A reviewer of one institution is not its admin, and does not see its projects by that."""
    house = institution_create(actor=None, name="Marine", slug="marine")
    project = site.project(owner=site.person("mira"))
    Project.objects.filter(pk=project.pk).update(institution=house)
    reviewer, admin = site.person("lena"), site.person("petra")
    SiteRole.objects.create(person=reviewer, role=SiteRole.Role.REVIEWER, institution=house)
    SiteRole.objects.create(person=admin, role=SiteRole.Role.INSTITUTION_ADMIN, institution=house)
    assert not access.can_view_project(reviewer, project)
    assert access.can_view_project(admin, project)
