"""What waits for the reader, most pressing first."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable, Mapping, Sequence
from uuid import UUID

from django.db.models import Count, Min

from config import clock
from onboarding.models import Request
from portal import links, parts, wording
from portal.states import Badge, badge
from tenancy import access
from tenancy.models import Cloud, Condition, Membership, PlanLine, Project, Tenancy

SHOWN = 5
"""At most so many of one kind; one more line tells how many there are."""

ENDS_SOON = dt.timedelta(days=30)

_LEADING = {Membership.Role.OWNER.label, Membership.Role.MANAGER.label}
_A_PERSON = (Condition.State.NEEDS_YOU, Condition.State.CONTESTED)


def waiting(who: access.Who, mine: Sequence[Project], roles: Mapping[UUID, str]) -> list[parts.WaitingItem]:
    """What operators must see to, what reviewers decide, what ends, and one's own requests. Seven queries at most."""
    found: list[parts.WaitingItem] = []
    if access.is_operator(who):
        found += [*_held(), *_refusing_clouds(), *_stopped()]
    if access.can_review(who):
        found += _to_decide()
    return [*found, *_ends_soon(mine, roles), *_own_requests(who)]


def requests_waiting(who: access.Who) -> int:
    """How many requests this person could decide now. One query; none for who decides nothing."""
    return Request.objects.waiting().count() if access.can_review(who) else 0


def _held() -> list[parts.WaitingItem]:
    """Removals that the guard holds until a person has looked, by cloud."""
    rows = PlanLine.objects.filter(hold=PlanLine.HoldChoice.GUARD).order_by()
    batches = rows.values("cloud").annotate(lines=Count("pk"), since=Min("planned_at"))
    clouds = Cloud.objects.in_bulk([batch["cloud"] for batch in batches])
    return [
        parts.WaitingItem(
            badge=Badge("warn", "Held"),
            what=parts.Sentence(
                f"{_count(batch['lines'], 'removal')} on", (cloud := clouds[batch["cloud"]]).title, links.cloud(cloud)
            ),
            sub=f"Nobody decided them, so nothing is taken away before you say so · planned {_ago(batch['since'])}",
            act=parts.Link("Look at the plan", links.plan(cloud)),
        )
        for batch in batches
    ]


def _refusing_clouds() -> list[parts.WaitingItem]:
    """Clouds that are left alone because they refuse our credential or do not answer."""
    rows = Cloud.objects.filter(breaker_until__gt=clock.now())
    return [
        parts.WaitingItem(
            badge=Badge("over", "Not reached"),
            what=parts.Sentence(subject=cloud.title, href=links.cloud(cloud), after=" is left alone for a while"),
            sub=cloud.breaker_reason,
            act=parts.Link("Look at it", links.cloud(cloud)),
        )
        for cloud in rows[:SHOWN]
    ]


def _stopped() -> list[parts.WaitingItem]:
    """Tenancies on which only a person can go on."""
    rows = Condition.objects.filter(state__in=_A_PERSON).select_related("tenancy__cloud", "tenancy__project")
    by_tenancy: dict[UUID, Condition] = {}
    for condition in rows.order_by("since")[: 4 * SHOWN]:
        by_tenancy.setdefault(condition.tenancy_id, condition)
    return [
        parts.WaitingItem(
            badge=badge(condition.state, condition.get_state_display().capitalize()),
            what=parts.Sentence(
                subject=_title(condition.tenancy),
                href=links.tenancy(condition.tenancy),
                after=f" on {condition.tenancy.cloud}",
            ),
            sub=f"{condition.reason} · since {_ago(condition.since)}",
            act=parts.Link("Look at it", links.tenancy(condition.tenancy)),
        )
        for condition in list(by_tenancy.values())[:SHOWN]
    ]


def _title(tenancy: Tenancy) -> str:
    return tenancy.project.title if tenancy.project else tenancy.name


def _to_decide() -> list[parts.WaitingItem]:
    """Requests without a decision, the oldest first; one query for those that are shown and one more."""
    rows = Request.objects.waiting().select_related("requested_by", "institution").order_by("created_at")
    found = list(rows[: SHOWN + 1])
    items = [
        parts.WaitingItem(
            badge=Badge("wait", f"Asked {_ago(each.created_at)}"),
            what=parts.Sentence(f"{each.requested_by} asks for", each.title, links.request(each.pk), _kind(each)),
            sub=_from(each),
            act=parts.Link("Decide", links.request(each.pk)),
        )
        for each in found[:SHOWN]
    ]
    if len(found) > SHOWN:
        more = parts.Sentence("And more in", "the queue of requests", links.requests())
        items.append(
            parts.WaitingItem(Badge("wait", "Asked later"), more, "", parts.Link("All of them", links.requests()))
        )
    return items


def _kind(each: Request) -> str:
    return "" if each.kind == Request.Kind.NEW else f" ({each.get_kind_display()})"


def _from(each: Request) -> str:
    house = each.institution.name if each.institution else ""
    return " · ".join(filter(None, (each.requested_by.email, house)))


def _ends_soon(mine: Iterable[Project], roles: Mapping[UUID, str]) -> list[parts.WaitingItem]:
    """The reader's projects that end soon and that the reader may renew. No query."""
    today = clock.now().date()
    return [
        parts.WaitingItem(
            badge=Badge("warn", _ends(project.ends_on, today)),
            what=parts.Sentence(
                subject=project.title, href=links.project(project), after=f" ends on {wording.day(project.ends_on)}"
            ),
            sub="Ask for a renewal in time: deciding it takes a person.",
            act=parts.Link("Renew", links.project_ask(project)),
        )
        for project in mine
        if project.ends_on is not None and project.ends_on <= today + ENDS_SOON and roles.get(project.pk) in _LEADING
    ]


def _ends(day: dt.date, today: dt.date) -> str:
    left = (day - today).days
    if left < 0:
        return "Is over"
    return "Ends today" if left == 0 else f"Ends in {_count(left, 'day')}"


def _own_requests(who: access.Who) -> list[parts.WaitingItem]:
    """What the reader asked for and nobody has decided."""
    rows = Request.objects.waiting().filter(requested_by=who.pk).order_by("created_at")
    return [
        parts.WaitingItem(
            badge=Badge("wait", f"Sent {_ago(each.created_at)}"),
            what=parts.Sentence(
                "Your request", each.title, links.request(each.pk), f"{_kind(each)} waits for a reviewer"
            ),
            sub="You are told by mail when it is decided.",
            act=parts.Link("Look at it", links.request(each.pk)),
        )
        for each in rows[:SHOWN]
    ]


def _ago(moment: dt.datetime) -> str:
    return wording.age(moment, now=clock.now())


def _count(number: int, name: str) -> str:
    return f"{number} {name}" if number == 1 else f"{number} {name}s"
