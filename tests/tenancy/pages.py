"""What the tests of pages and endpoints of this app share: people who are signed in, and a look at the cloud."""

from __future__ import annotations

from django.test import Client

from tenancy.loop import claims, survey
from tenancy.models import Person, SiteRole
from tests.support.site import Site


def operator_make(site: Site, username: str = "jonas") -> Person:
    person = site.person(username)
    SiteRole.objects.create(person=person, role=SiteRole.Role.OPERATOR)
    return Person.objects.get(pk=person.pk)


def signed_in(person: Person) -> Client:
    client = Client()
    client.force_login(person)
    return client


def look(site: Site) -> survey.Outlook:
    """A full survey, as a worker makes it."""
    outlook = survey.run(site.cloud.pk, claims.holder_name())
    assert outlook is not None
    return outlook
