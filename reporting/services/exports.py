"""A report leaves the house: the audit log keeps who took which."""

from __future__ import annotations

from django.db import transaction

from events.services import record
from events.verbs import Verb
from tenancy.models import Person, Project


def report_exported(*, actor: Person, project: Project | None, month: str, form: str) -> None:
    """Note that ``actor`` downloaded the report of a month (of the whole site without a project) as CSV or JSON."""
    whose = f"project {project.title}" if project else "the site"
    with transaction.atomic():
        record(
            actor=actor,
            verb=Verb.REPORT_EXPORTED,
            target=project or actor,
            summary=f"Downloaded the report of {month} of {whose} as {form}.",
            project=project,
        )
