"""Finding a project, a person or an object of a cloud by a part of its name or its id."""

from __future__ import annotations

from dataclasses import dataclass

from django.db.models import Q

from portal import links, parts
from portal.selectors.tenancies import cloud_of
from portal.states import badge
from tenancy import access
from tenancy.models import DriftLine, Person, Project, Tenancy

SHOWN = 20
"""At most so many of each; a longer word finds fewer."""


@dataclass(frozen=True)
class Hit:
    """Something found: what it is called, where it is, and what tells it from others of the name."""

    title: str
    href: str
    sub: str
    badge: object = None
    cloud: parts.Cloud | None = None


@dataclass(frozen=True)
class Found:
    """Hits of one sort; `more` if there are others that are not shown."""

    title: str
    hits: list[Hit]
    more: bool


def search(who: access.Who, words: str) -> list[Found]:
    """What this person may open and that has all these words in it. Four queries."""
    if not words:
        return []
    found = [_projects(who, words), _tenancies(who, words)]
    if access.is_operator(who):
        found += [_people(words), _unmanaged(words)]
    return [each for each in found if each.hits]


def _all_words(words: str, *fields: str) -> Q:
    wanted = Q()
    for word in words.split():
        one = Q()
        for field in fields:
            one |= Q(**{f"{field}__icontains": word})
        wanted &= one
    return wanted


def _cut(title: str, hits: list[Hit]) -> Found:
    return Found(title, hits[:SHOWN], len(hits) > SHOWN)


def _projects(who: access.Who, words: str) -> Found:
    rows = access.visible_projects(who).filter(_all_words(words, "title", "slug", "description"))
    hits = [
        Hit(
            each.title,
            links.project(each),
            each.institution.name if each.institution else "",
            badge(each.state, each.get_state_display()) if each.state == Project.State.ARCHIVED else None,
        )
        for each in rows.select_related("institution")[: SHOWN + 1]
    ]
    return _cut("Projects", hits)


def _tenancies(who: access.Who, words: str) -> Found:
    rows = Tenancy.objects.filter(_all_words(words, "name", "native_id"), project__in=access.visible_projects(who))
    operator = access.is_operator(who)
    hits = [
        Hit(
            each.name,
            links.tenancy(each) if operator or each.project is None else links.project(each.project),
            f"{each.native_id or 'no id yet'} · {each.project}",
            cloud=cloud_of(each.cloud),
        )
        for each in rows.select_related("cloud", "project")[: SHOWN + 1]
    ]
    return _cut("On the clouds", hits)


def _people(words: str) -> Found:
    rows = Person.objects.filter(_all_words(words, "name", "username", "email")).select_related("institution")
    hits = [
        Hit(
            str(each),
            links.person(each.pk),
            " · ".join(filter(None, (each.username, each.email, str(each.institution or "")))),
        )
        for each in rows[: SHOWN + 1]
    ]
    return _cut("People", hits)


def _unmanaged(words: str) -> Found:
    """Things on a cloud that belong to no project here."""
    rows = DriftLine.objects.filter(_all_words(words, "object", "native_id"), tenancy=None, gone_at=None)
    hits = [
        Hit(
            each.object,
            links.plan(each.cloud),
            each.native_id,
            badge(each.kind, each.get_kind_display()),
            cloud_of(each.cloud),
        )
        for each in rows.select_related("cloud")[: SHOWN + 1]
    ]
    return _cut("Not managed by Tenantry", hits)
