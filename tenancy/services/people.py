"""Institutions and people."""

from __future__ import annotations

from django.db import transaction
from django.db.models import Exists, OuterRef

from events.services import record
from events.verbs import Verb
from tenancy.errors import RuleError
from tenancy.loop import claims
from tenancy.models import Institution, Membership, Person, SiteRole, Tenancy
from tenancy.services.rules import operator_only, wake_workers


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


@transaction.atomic
def person_deactivate(*, actor: Person | None, person: Person, reason: str) -> Person:
    """End a person's sign-in here and their access on every cloud at once. Memberships stay, for an activation.

    Operators may; never of themselves, of the last operator, or of somebody without whom a project has no owner.
    """
    operator_only(actor)
    person = Person.objects.select_for_update().get(pk=person.pk)
    if actor is not None and actor.pk == person.pk:
        raise RuleError("Nobody deactivates themselves.", remedy="Ask another operator.")
    if not reason.strip():
        raise RuleError("Say why; it is kept in the audit log.", field="reason")
    _not_needed(person)
    person.is_active = False
    person.save(update_fields=("is_active",))
    _access_changed(person, urgent=True)
    summary = f"Deactivated {person}: {reason.strip()}"
    record(actor=actor, verb=Verb.PERSON_DEACTIVATED, target=person, summary=summary)
    return person


@transaction.atomic
def person_activate(*, actor: Person | None, person: Person) -> Person:
    """Give a person their sign-in and the access of their memberships back."""
    operator_only(actor)
    Person.objects.filter(pk=person.pk).update(is_active=True)
    person.refresh_from_db()
    _access_changed(person, urgent=False)
    record(actor=actor, verb=Verb.PERSON_ACTIVATED, target=person, summary=f"Activated {person}.")
    return person


def _not_needed(person: Person) -> None:
    operators = SiteRole.objects.filter(role=SiteRole.Role.OPERATOR, institution=None, person__is_active=True)
    if operators.filter(person=person).exists() and not operators.exclude(person=person).exists():
        raise RuleError("This is the last operator.", remedy="Make somebody else an operator first.")
    other = Membership.objects.current().filter(
        project=OuterRef("project"), role=Membership.Role.OWNER, person__is_active=True
    )
    alone = (
        Membership.objects.current()
        .filter(person=person, role=Membership.Role.OWNER, project__state="open")
        .exclude(Exists(other.exclude(person=person)))
        .select_related("project")
        .first()
    )
    if alone is not None:
        raise RuleError(
            f"{alone.project.title} would be left without an owner.", remedy="Make somebody else its owner first."
        )


def _access_changed(person: Person, *, urgent: bool) -> None:
    mine = Membership.objects.current().filter(person=person).values("project")
    claims.bump(Tenancy.objects.filter(project__in=mine), urgent=urgent)
    wake_workers()
