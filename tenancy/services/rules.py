"""Rules that several verbs share."""

from __future__ import annotations

from django.utils.text import slugify

from config.celery import wake
from tenancy import access
from tenancy.errors import NotAllowed, RuleError
from tenancy.models import Membership, Person, Project

WORK = "tenancy.tasks.work"
SURVEY = "tenancy.tasks.survey"


def operator_only(actor: Person | None) -> None:
    """None is Tenantry itself, or a command on the host."""
    if actor is not None and not access.is_operator(actor):
        raise NotAllowed("Only an operator may do this.", remedy="Ask an operator of the site.")


def managers_only(actor: Person | None, project: Project) -> None:
    if actor is not None and not access.can_manage_members(actor, project):
        raise NotAllowed("Only owners and managers of the project may do this.", remedy="Ask an owner of the project.")


def owners_only(actor: Person | None, project: Project) -> None:
    if actor is not None and not access.can_own(actor, project):
        raise NotAllowed("Only an owner of the project may do this.", remedy="Ask an owner of the project.")


def open_only(project: Project) -> None:
    if project.state != Project.State.OPEN:
        raise RuleError(
            f"{project.title} is archived.", remedy="An operator can open it again; nothing was deleted yet."
        )


def project_lock(project: Project) -> Project:
    """The project's row under a lock (SQLite: the transaction itself is one), read again."""
    return Project.objects.select_for_update().get(pk=project.pk)


def not_last_owner(membership: Membership) -> None:
    """Call under ``project_lock``: two at once must not both see another owner."""
    if membership.role != Membership.Role.OWNER:
        return
    owners = Membership.objects.current().filter(project=membership.project_id, role=Membership.Role.OWNER)
    if not owners.exclude(pk=membership.pk).exists():
        raise RuleError(
            "A project needs an owner, and this is the last one.", remedy="Make somebody else an owner first."
        )


def free_slug(text: str, taken: set[str], length: int = 50) -> str:
    """A slug made of ``text`` that nobody has; cut to ``length``."""
    base = slugify(text)[: length - 4].strip("-") or "project"
    candidate, number = base, 2
    while candidate in taken:
        candidate, number = f"{base}-{number}", number + 1
    return candidate


def wake_workers() -> None:
    wake(WORK)


def wake_survey() -> None:
    wake(SURVEY)
