"""The guard: what no person decided waits for one; what a person decided does not."""

from __future__ import annotations

import pytest

from tenancy.errors import Stale
from tenancy.loop import guard
from tenancy.models import Condition, Membership, Person, PlanLine, SiteRole, Tenancy
from tenancy.services import batch_confirm, batch_keep, members_import, project_archive
from tenancy.services.members import ImportRow
from tests.support.site import Site

pytestmark = pytest.mark.django_db

SOURCE = "registrar"


@pytest.fixture
def course(site: Site) -> Tenancy:
    """A project with 30 imported members, all on the cloud."""
    return imported(site, 30)


def imported(site: Site, count: int) -> Tenancy:
    tenancy = site.ready("Course", site.person("teacher"))
    members_import(actor=None, source=SOURCE, rows=rows(site, tenancy, count))
    site.emulated.advance(86_400)
    site.settle()
    return tenancy


def rows(site: Site, tenancy: Tenancy, count: int) -> list[ImportRow]:
    people = list(Person.objects.filter(username__startswith="person").order_by("joined_at", "username"))
    while len(people) < count:
        people.append(site.person())
    assert tenancy.project is not None
    return [ImportRow(tenancy.project, person, "member") for person in people[:count]]


def boss(site: Site) -> Person:
    person = site.person("boss")
    SiteRole.objects.create(person=person, role=SiteRole.Role.OPERATOR)
    return person


def lose(site: Site, tenancy: Tenancy, remaining: int) -> None:
    members_import(actor=None, source=SOURCE, rows=rows(site, tenancy, remaining))
    site.work()


def on_cloud(site: Site, tenancy: Tenancy) -> int:
    return sum(role == "member" for _, role in site.roles(tenancy))


def test_two_missing_rows_are_taken_away(site: Site, course: Tenancy) -> None:
    lose(site, course, 28)
    assert on_cloud(site, course) == 28 + 1


def test_a_batch_waits_whole_and_leaks_nobody(site: Site, course: Tenancy) -> None:
    site.emulated.forget()
    lose(site, course, 5)
    assert on_cloud(site, course) == 31
    assert site.writes() == []
    assert len(guard.held_lines(site.cloud)) == 25
    assert course.conditions.get(section="members").state == Condition.State.HELD
    for _ in range(3):
        site.emulated.advance(86_400)
        site.work()
    assert on_cloud(site, course) == 31


def test_two_hundred_missing_rows_over_many_projects_wait_for_a_person(site: Site) -> None:
    tenancies = [site.ready(f"Course {n}") for n in range(10)]
    people = [site.person() for _ in range(20)]
    rows_all = [ImportRow(t.project, p, "member") for t in tenancies for p in people if t.project]
    members_import(actor=None, source=SOURCE, rows=rows_all)
    site.emulated.advance(86_400)
    site.settle()
    site.emulated.forget()
    members_import(actor=None, source=SOURCE, rows=[])
    site.work()
    assert site.writes() == []
    assert len(guard.held_lines(site.cloud)) == 200


def test_a_confirmed_batch_goes_and_only_that_one(site: Site, course: Tenancy) -> None:
    lose(site, course, 5)
    seen = guard.fingerprint(guard.held_lines(site.cloud))
    batch_confirm(actor=boss(site), cloud=site.cloud, fingerprint=seen, reason="The term is over.")
    site.settle()
    assert on_cloud(site, course) == 6
    assert not PlanLine.objects.filter(hold="guard").exists()


def test_a_confirmation_of_an_older_plan_is_refused(site: Site, course: Tenancy) -> None:
    lose(site, course, 10)
    seen = guard.fingerprint(guard.held_lines(site.cloud))
    lose(site, course, 5)
    with pytest.raises(Stale):
        batch_confirm(actor=boss(site), cloud=site.cloud, fingerprint=seen, reason="Fine.")
    assert on_cloud(site, course) == 31


def test_what_changes_after_the_confirmation_is_not_covered(site: Site, course: Tenancy) -> None:
    lose(site, course, 10)
    seen = guard.fingerprint(guard.held_lines(site.cloud))
    batch_confirm(actor=boss(site), cloud=site.cloud, fingerprint=seen, reason="Fine.")
    members_import(actor=None, source=SOURCE, rows=rows(site, course, 5))
    site.work()
    assert on_cloud(site, course) == 31


def test_a_confirmation_ends_after_a_day(site: Site, course: Tenancy) -> None:
    lose(site, course, 5)
    seen = guard.fingerprint(guard.held_lines(site.cloud))
    batch_confirm(actor=boss(site), cloud=site.cloud, fingerprint=seen, reason="Fine.")
    site.emulated.advance(86_401)
    site.work()
    assert on_cloud(site, course) == 31


def test_keeping_gives_the_memberships_back(site: Site, course: Tenancy) -> None:
    lose(site, course, 5)
    seen = guard.fingerprint(guard.held_lines(site.cloud))
    assert batch_keep(actor=boss(site), cloud=site.cloud, fingerprint=seen) == 25
    site.settle()
    assert on_cloud(site, course) == 31
    assert Membership.objects.current().filter(project=course.project).count() == 31


def test_a_course_of_two_hundred_archived_by_its_owner_does_not_wait(site: Site) -> None:
    tenancy = imported(site, 200)
    teacher = Person.objects.get(username="teacher")
    assert tenancy.project is not None
    project_archive(actor=teacher, project=tenancy.project, reason="The term is over.")
    site.settle()
    assert site.roles(tenancy) == set()
