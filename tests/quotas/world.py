"""People, a project and clouds for the tests of quotas and onboarding."""

import datetime as dt
from dataclasses import dataclass, field

from config import clock
from tenancy.models import Cloud, Institution, Limit, Membership, Person, Project, Reading, SiteRole, Tenancy

NOW = dt.datetime(2026, 11, 20, 12, 0, tzinfo=dt.UTC)
TODAY = NOW.date()


def at(moment):
    clock.set_source(lambda: moment)


def days(number):
    return dt.timedelta(days=number)


@dataclass
class World:
    institution: Institution
    project: Project
    people: dict[str, Person] = field(default_factory=dict)

    def __getattr__(self, name):
        try:
            return self.__dict__["people"][name]
        except KeyError:
            raise AttributeError(name) from None

    def fresh(self, name):
        """The person read again: access rights are cached on the object."""
        return Person.objects.get(pk=self.people[name].pk)


def cloud_make(slug="north", kind="everything", mode=Cloud.Mode.ENFORCE, color=1):
    return Cloud.objects.create(slug=slug, title=slug, kind=kind, mode=mode, color=color, credential="")


def tenancy_make(project, cloud, name=None):
    return Tenancy.objects.create(project=project, cloud=cloud, name=name or f"{project.slug}-{cloud.slug}")


def project_make(slug="kelp", institution=None, **fields):
    fields = {"title": slug.title(), "starts_on": TODAY, "ends_on": TODAY + days(365)} | fields
    return Project.objects.create(slug=slug, institution=institution, **fields)


def reading_make(tenancy, resource, limit, in_use, at=NOW, peak=None):
    return Reading.objects.create(
        tenancy=tenancy, resource=resource, day=at.date(), at=at, limit=limit, in_use=in_use, peak=peak or in_use
    )


def limits_of(tenancy):
    return dict(Limit.objects.filter(tenancy=tenancy).values_list("resource", "amount"))


def world_make():
    """One project with an owner, a manager, a member and a viewer; a stranger, a reviewer and an operator beside it."""
    institution = Institution.objects.create(name="Marine and Climate", slug="marine")
    world = World(institution, project_make(institution=institution))
    for name in ("owner", "manager", "member", "viewer"):
        person = world.people[name] = _person(name)
        Membership.objects.create(project=world.project, person=person, role=name)
    for name in ("stranger", "reviewer", "operator", "finance", "institution_admin"):
        world.people[name] = _person(name)
    SiteRole.objects.create(person=world.reviewer, role=SiteRole.Role.REVIEWER)
    SiteRole.objects.create(person=world.operator, role=SiteRole.Role.OPERATOR)
    SiteRole.objects.create(person=world.finance, role=SiteRole.Role.FINANCE)
    SiteRole.objects.create(
        person=world.institution_admin, role=SiteRole.Role.INSTITUTION_ADMIN, institution=institution
    )
    return world


def _person(name):
    return Person.objects.create_user(name, "secret-of-" + name, name=name.title(), email=f"{name}@example.org")
