"""Projects: created, changed, archived, opened again."""

from __future__ import annotations

from datetime import date
from typing import Any

from django.db import transaction

from config import clock
from events.services import record
from events.verbs import Verb
from tenancy.errors import RuleError
from tenancy.loop import claims
from tenancy.models import Institution, Limit, Membership, Person, Project, Tenancy
from tenancy.services.rules import free_slug, operator_only, owners_only, project_lock, wake_workers

CHANGEABLE = frozenset({"title", "description", "purpose", "institution", "ends_on"})


@transaction.atomic
def project_create(
    *,
    actor: Person | None,
    title: str,
    description: str,
    purpose: str,
    institution: Institution | None,
    starts_on: date,
    ends_on: date | None,
    owner: Person,
    slug: str = "",
) -> Project:
    """A project with its first owner. Raises ``RuleError`` if the dates do not fit."""
    if ends_on is not None and ends_on <= starts_on:
        raise RuleError("The end date must be after the start.", field="ends_on")
    taken = set(Project.objects.values_list("slug", flat=True))
    project = Project.objects.create(
        slug=free_slug(slug or title, taken),
        title=title,
        description=description,
        purpose=purpose,
        institution=institution,
        starts_on=starts_on,
        ends_on=ends_on,
    )
    Membership.objects.create(project=project, person=owner, role=Membership.Role.OWNER, added_by=actor)
    record(
        actor=actor,
        verb=Verb.PROJECT_CREATED,
        target=project,
        summary=f"Created {title} with {owner} as its owner.",
        project=project,
    )
    return project


@transaction.atomic
def project_change(*, actor: Person | None, project: Project, **fields: Any) -> Project:
    """Change title, description, purpose, institution or end date. Owners may change the first two."""
    if fields.keys() - CHANGEABLE:
        raise ValueError(f"not changeable: {sorted(fields.keys() - CHANGEABLE)}")
    if fields.keys() <= {"title", "description"}:
        owners_only(actor, project)
    else:
        operator_only(actor)
    for name, value in fields.items():
        setattr(project, name, value)
    if project.ends_on is not None and project.ends_on <= project.starts_on:
        raise RuleError("The end date must be after the start.", field="ends_on")
    project.save(update_fields=list(fields))
    changed = ", ".join(sorted(fields)).replace("_", " ")
    summary = f"Changed {changed} of {project.title}."
    record(actor=actor, verb=Verb.PROJECT_CHANGED, target=project, summary=summary, project=project)
    return project


@transaction.atomic
def project_archive(*, actor: Person | None, project: Project, reason: str) -> Project:
    """End access on every cloud at once, stop running work, take limits to 0. Data stays.

    Decided by a person, so the guard lets it pass whatever the number of members.
    """
    owners_only(actor, project)
    project = project_lock(project)
    if project.state == Project.State.ARCHIVED:
        raise RuleError(f"{project.title} is archived already.")
    if not reason.strip():
        raise RuleError("Say why the project is archived; its members will read it.", field="reason")
    project.state, project.archive_reason = Project.State.ARCHIVED, reason.strip()
    project.archived_at, project.archived_by = clock.now(), actor
    project.save(update_fields=("state", "archive_reason", "archived_at", "archived_by"))
    tenancies = Tenancy.objects.filter(project=project)
    who = str(actor) if actor else "Tenantry"
    tenancies.update(wanted=Tenancy.Wanted.SUSPENDED, reason=f"Archived by {who}: {reason.strip()}")
    Limit.objects.filter(tenancy__project=project).update(amount=0, decided=True, reason="The project is archived.")
    claims.bump(tenancies, urgent=True)
    summary = f"Archived {project.title}: {reason.strip()}"
    record(actor=actor, verb=Verb.PROJECT_ARCHIVED, target=project, summary=summary, project=project)
    wake_workers()
    return project


@transaction.atomic
def project_restore(*, actor: Person | None, project: Project, reason: str) -> Project:
    """Open an archived project again. Its limits stay 0 until quotas computes them anew."""
    operator_only(actor)
    project = project_lock(project)
    if project.state != Project.State.ARCHIVED:
        raise RuleError(f"{project.title} is open.")
    project.state, project.archived_at, project.archived_by = Project.State.OPEN, None, None
    project.archive_reason = ""
    project.save(update_fields=("state", "archive_reason", "archived_at", "archived_by"))
    tenancies = Tenancy.objects.filter(project=project)
    tenancies.update(wanted=Tenancy.Wanted.OPEN, reason=f"Opened again by {actor or 'Tenantry'}: {reason.strip()}")
    claims.bump(tenancies)
    summary = f"Opened {project.title} again: {reason.strip()}"
    record(actor=actor, verb=Verb.PROJECT_CHANGED, target=project, summary=summary, project=project)
    wake_workers()
    return project
