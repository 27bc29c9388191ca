"""Institutions and people."""

from __future__ import annotations

from django.db import transaction

from events.services import record
from events.verbs import Verb
from tenancy.errors import RuleError
from tenancy.models import Institution, Person
from tenancy.services.rules import operator_only


@transaction.atomic
def institution_create(*, actor: Person | None, name: str, slug: str, parent: Institution | None = None) -> Institution:
    operator_only(actor)
    institution = Institution.objects.create(name=name, slug=slug, parent=parent)
    record(actor=actor, verb=Verb.INSTITUTION_CHANGED, target=institution, summary=f"Added the institution {name}.")
    return institution


@transaction.atomic
def person_create(
    *,
    actor: Person | None,
    username: str,
    name: str,
    email: str,
    institution: Institution | None = None,
    password: str | None = None,
) -> Person:
    """A person; without a password and without a linked identity they have no login."""
    operator_only(actor)
    if Person.objects.filter(username=username).exists():
        raise RuleError(f"The user name {username} is taken.", field="username")
    person = Person.objects.create_user(username, password, name=name, email=email, institution=institution)
    record(actor=actor, verb=Verb.PERSON_CREATED, target=person, summary=f"Added {person}.")
    return person
