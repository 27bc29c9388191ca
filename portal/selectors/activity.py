"""The audit log in words, with the project it speaks of as a link."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from uuid import UUID

from events.models import AuditEntry
from events.selectors import activity_all, activity_of_project
from events.verbs import Verb
from portal import links, parts
from tenancy.models import Project

SHOWN = 8
_OWN_ACCOUNT = (Verb.SIGN_IN, Verb.TOKEN_CREATED, Verb.TOKEN_REVOKED, Verb.ACCOUNT_SECRET_ISSUED)
_ROUTINE = (Verb.COLLECTION_FINISHED, Verb.REPORT_EXPORTED)


def of_project(project: Project) -> list[parts.Activity]:
    """The newest entries of one project. One query."""
    return [_said(entry, None) for entry in activity_of_project(project.pk)[:SHOWN]]


def of_projects(projects: Iterable[Project]) -> list[parts.Activity]:
    """The newest entries of several projects. One query."""
    by_id = {str(project.pk): project for project in projects}
    return _named(activity_all().filter(project_id__in=list(by_id))[:SHOWN], by_id)


def of_site() -> list[parts.Activity]:
    """The newest entries of the site without routine and what people do with their own accounts. Two queries."""
    entries = list(activity_all().exclude(verb__in=(*_OWN_ACCOUNT, *_ROUTINE))[:SHOWN])
    ids = {UUID(entry.project_id) for entry in entries if entry.project_id}
    return _named(entries, {str(project.pk): project for project in Project.objects.filter(pk__in=ids)})


def _named(entries: Iterable[AuditEntry], projects: Mapping[str, Project]) -> list[parts.Activity]:
    return [_said(entry, projects.get(entry.project_id or "")) for entry in entries]


def _said(entry: AuditEntry, project: Project | None) -> parts.Activity:
    return parts.Activity(at=entry.at, what=_sentence(entry.summary, project), sub=entry.actor_label)


def _sentence(summary: str, project: Project | None) -> parts.Sentence:
    if project is None or project.title not in summary:
        return parts.Sentence(subject=summary)
    before, _, after = summary.partition(project.title)
    return parts.Sentence(before.strip(), project.title, links.project(project), after)
