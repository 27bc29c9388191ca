"""The audit log in words, with the project it speaks of as a link."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from itertools import groupby
from uuid import UUID

from events.models import AuditEntry
from events.selectors import activity_all, activity_of_project
from events.verbs import Verb
from portal import links, parts
from tenancy.models import Project

SHOWN = 8
_LOOKED_AT = 60
"""Entries of one act (eleven grants of one approval) are told as one, so more are read than shown."""

_OWN_ACCOUNT = (Verb.SIGN_IN, Verb.TOKEN_CREATED, Verb.TOKEN_REVOKED, Verb.ACCOUNT_SECRET_ISSUED)
_ROUTINE = (Verb.COLLECTION_FINISHED, Verb.REPORT_EXPORTED)
_FOLLOWS = (Verb.LIMIT_CHANGED, Verb.TENANCY_CREATED)
"""What follows from a grant or an approval, which are told themselves."""


def of_project(project: Project) -> list[parts.Activity]:
    """The newest entries of one project. One query."""
    entries = activity_of_project(project.pk).exclude(verb__in=_FOLLOWS)
    return _named(entries[:_LOOKED_AT], {})


def of_projects(projects: Iterable[Project]) -> list[parts.Activity]:
    """The newest entries of several projects. One query."""
    by_id = {str(project.pk): project for project in projects}
    entries = activity_all().filter(project_id__in=list(by_id)).exclude(verb__in=_FOLLOWS)
    return _named(entries[:_LOOKED_AT], by_id)


def of_site() -> list[parts.Activity]:
    """The newest entries of the site without routine and what people do with their own accounts. Two queries."""
    entries = list(activity_all().exclude(verb__in=(*_OWN_ACCOUNT, *_ROUTINE, *_FOLLOWS))[:_LOOKED_AT])
    ids = {UUID(entry.project_id) for entry in entries if entry.project_id}
    return _named(entries, {str(project.pk): project for project in Project.objects.filter(pk__in=ids)})


def _named(entries: Iterable[AuditEntry], projects: Mapping[str, Project]) -> list[parts.Activity]:
    acts = [list(same) for _, same in groupby(entries, key=_act)][:SHOWN]
    return [_said(act, projects.get(act[0].project_id or "")) for act in acts]


def _act(entry: AuditEntry) -> tuple[object, ...]:
    """What is equal of entries that one person made at once."""
    return entry.verb, entry.actor_label, entry.project_id, entry.at.replace(second=0, microsecond=0)


def _said(act: Sequence[AuditEntry], project: Project | None) -> parts.Activity:
    newest, others = act[0], len(act) - 1
    more = f" · and {others} more like it" if others else ""
    return parts.Activity(at=newest.at, what=_sentence(newest.summary, project), sub=newest.actor_label + more)


def _sentence(summary: str, project: Project | None) -> parts.Sentence:
    """The summary with the project's title as a link; quotes around it belong to the link."""
    if project is None:
        return parts.Sentence(subject=summary)
    for title in (f"“{project.title}”", project.title):
        before, found, after = summary.partition(title)
        if found and (not before or before.endswith(" ")):
            return parts.Sentence(before.strip(), title, links.project(project), after)
    return parts.Sentence(subject=summary)
