"""Members: added, changed, removed, and the statement of an import."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from django.db import transaction

from config import clock
from events.services import mail_enqueue, record
from events.verbs import Verb
from tenancy.errors import RuleError
from tenancy.loop import claims
from tenancy.models import Membership, Person, Project, Tenancy
from tenancy.services.rules import (
    managers_only,
    not_last_owner,
    open_only,
    owners_only,
    project_lock,
    wake_workers,
)


@transaction.atomic
def member_add(*, actor: Person | None, project: Project, person: Person, role: str, source: str = "") -> Membership:
    """Add a person to a project. Owners, managers and operators may; only owners make owners."""
    _may_give(actor, project, role)
    project = project_lock(project)
    open_only(project)
    if not person.is_active:
        raise RuleError(f"{person} is not active.", field="person")
    here = Membership.objects.current().filter(project=project, person=person).first()
    if here is not None:
        raise RuleError(f"{person} is in the project already, as {here.role}.", remedy="Change the role instead.")
    membership = Membership.objects.create(project=project, person=person, role=role, added_by=actor, source=source)
    _changed(project)
    summary = f"Added {person} to {project.title} as {role}."
    record(actor=actor, verb=Verb.MEMBERSHIP_ADDED, target=membership, summary=summary, project=project)
    if person.email:
        who = f"{actor} added you" if actor else "You were added"
        mail_enqueue(
            key=f"membership.added:{membership.pk}",
            to=person.email,
            subject=f"You are now a {role} of {project.title}",
            body=f"{who} to the project {project.title} as {role}.\nIts page tells how to get in.\n",
        )
    return membership


def _may_give(actor: Person | None, project: Project, role: str) -> None:
    if role not in Membership.Role.values:
        raise RuleError(f"There is no role “{role}”.", field="role")
    if role == Membership.Role.OWNER:
        owners_only(actor, project)
    else:
        managers_only(actor, project)


@transaction.atomic
def member_role_change(*, actor: Person | None, membership: Membership, role: str) -> Membership:
    """Give a member another role. Taking the role of an owner needs an owner, and another one left."""
    project = membership.project
    _may_give(actor, project, role)
    open_only(project_lock(project))
    membership = _current(membership)
    if membership.role == Membership.Role.OWNER:
        owners_only(actor, project)
    if membership.role == role:
        return membership
    not_last_owner(membership)
    before, membership.role = membership.role, Membership.Role(role)
    membership.save(update_fields=("role",))
    _changed(project)
    summary = f"Changed {membership.person} in {project.title} from {before} to {role}."
    record(actor=actor, verb=Verb.MEMBERSHIP_ROLE_CHANGED, target=membership, summary=summary, project=project)
    return membership


@transaction.atomic
def member_remove(*, actor: Person | None, membership: Membership) -> Membership:
    """End a membership: access goes on every cloud at once. Everybody may leave, except as the last owner."""
    project = membership.project
    leaves = actor is not None and actor.pk == membership.person_id
    if not leaves:
        managers_only(actor, project)
    project_lock(project)
    membership = _current(membership)
    if membership.role == Membership.Role.OWNER and not leaves:
        owners_only(actor, project)
    not_last_owner(membership)
    reason = Membership.EndReason.LEFT if leaves else Membership.EndReason.PERSON
    _end(membership, actor, reason)
    _changed(project, urgent=True)
    summary = (
        f"{membership.person} left {project.title}." if leaves else f"Removed {membership.person} from {project.title}."
    )
    record(actor=actor, verb=Verb.MEMBERSHIP_REMOVED, target=membership, summary=summary, project=project)
    return membership


def _current(membership: Membership) -> Membership:
    fresh = Membership.objects.select_related("person").get(pk=membership.pk)
    if fresh.ended_at is not None:
        raise RuleError(f"{fresh.person} is not in the project any more.")
    return fresh


def _end(membership: Membership, actor: Person | None, reason: str) -> None:
    membership.ended_at, membership.ended_by, membership.end_reason = clock.now(), actor, reason
    membership.save(update_fields=("ended_at", "ended_by", "end_reason"))


def _changed(project: Project, *, urgent: bool = False) -> None:
    claims.bump(Tenancy.objects.filter(project=project), urgent=urgent)
    wake_workers()


@dataclass(frozen=True, slots=True)
class ImportRow:
    project: Project
    person: Person
    role: str


@dataclass(frozen=True, slots=True)
class ImportResult:
    """``kept`` are last owners that the file no longer names; they stay and are told."""

    added: int
    changed: int
    ended: int
    kept: tuple[str, ...]


@transaction.atomic
def members_import(*, actor: Person | None, source: str, rows: Iterable[ImportRow]) -> ImportResult:
    """Take ``rows`` as the whole truth of one source: who is missing ends, undecided, so the guard looks at it.

    Only memberships of the same source are ended or changed; who was added by a person stays.
    """
    if not source.strip():
        raise RuleError("An import needs a name for its source.", field="source")
    wanted = {(row.project.pk, row.person.pk): row for row in rows}
    here = {
        (m.project_id, m.person_id): m
        for m in Membership.objects.current().filter(source=source).select_related("project", "person")
    }
    others = set(
        Membership.objects.current()
        .filter(project__in={project for project, _ in wanted})
        .exclude(source=source)
        .values_list("project_id", "person_id")
    )
    added = [row for key, row in wanted.items() if key not in here and key not in others]
    Membership.objects.bulk_create(
        Membership(project=row.project, person=row.person, role=row.role, source=source) for row in added
    )
    changed = [(here[key], row.role) for key, row in wanted.items() if key in here and here[key].role != row.role]
    for membership, role in changed:
        membership.role = Membership.Role(role)
        membership.save(update_fields=("role",))
    missing = [membership for key, membership in here.items() if key not in wanted]
    kept = _end_missing(missing)
    ended = len(missing) - len(kept)
    touched = {row.project.pk for row in added} | {m.project_id for m, _ in changed}
    claims.bump(Tenancy.objects.filter(project__in=touched | {m.project_id for m in missing}))
    _tell_import(actor, source, added, missing, (len(added), len(changed), ended))
    wake_workers()
    return ImportResult(len(added), len(changed), ended, tuple(kept))


def _end_missing(missing: list[Membership]) -> list[str]:
    kept: list[str] = []
    for membership in missing:
        try:
            not_last_owner(membership)
        except RuleError:
            kept.append(f"{membership.person} in {membership.project.title}")
            continue
        _end(membership, None, Membership.EndReason.IMPORT)
    return kept


def _tell_import(
    actor: Person | None, source: str, added: list[ImportRow], missing: list[Membership], counts: tuple[int, int, int]
) -> None:
    projects = {row.project.pk: row.project for row in added} | {m.project_id: m.project for m in missing}
    summary = f"Import “{source}”: {counts[0]} added, {counts[1]} changed, {counts[2]} ended over all projects."
    for project in projects.values():
        record(actor=actor, verb=Verb.MEMBERS_IMPORTED, target=project, summary=summary, project=project)
