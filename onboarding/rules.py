"""What may be asked for. Every refusal names the rule, the field and the way on."""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from dataclasses import dataclass
from uuid import UUID

from django.conf import settings

from onboarding.models import Request
from onboarding.selectors import Asked, askable, clouds_for, clouds_on_offer
from quotas.catalog import AmountError, amount_check, amount_say
from quotas.selectors import today
from tenancy import access
from tenancy.errors import NotAllowed, RuleError
from tenancy.models import Cloud, Institution, Person, Project
from tenancy.services.rules import free_slug

TITLE_LEAST, TITLE_MOST = 3, 120  # characters
DESCRIPTION_LEAST = 10


@dataclass(frozen=True)
class Ask:
    """A request before it is sent; see onboarding.services.request_submit for the fields."""

    actor: Person
    kind: Request.Kind
    title: str
    purpose: str
    description: str
    institution: Institution | None
    starts_on: dt.date | None
    ends_on: dt.date | None
    project: Project | None
    clouds: Sequence[Cloud]
    lines: dict[tuple[UUID, str], int]


def line_field(cloud: Cloud, resource: str) -> str:
    """The name of the field of one line, in forms, in the API and in errors."""
    return f"lines.{cloud.slug}.{resource}"


def last_day() -> dt.date:
    """The latest day a project may be asked to last until: so many years from today, by setting."""
    day = today()
    years = day.year + settings.PROJECT_YEARS
    # 29 February has no anniversary in most years.
    return day.replace(year=years, day=28) if (day.month, day.day) == (2, 29) else day.replace(year=years)


def check(ask: Ask) -> None:
    """Raises NotAllowed or RuleError for the first thing that cannot be asked."""
    if len(ask.description) < DESCRIPTION_LEAST:
        raise RuleError(
            f"Say in at least {DESCRIPTION_LEAST} characters what it is for.",
            remedy="A reviewer decides on what you write here.",
            field="description",
        )
    if ask.kind == Request.Kind.NEW:
        _check_new(ask)
    else:
        project = _project(ask)
        if ask.kind == Request.Kind.RENEWAL:
            _check_renewal(ask, project)
        else:
            _check_more(ask, project)
    _check_lines(ask)


def _check_new(ask: Ask) -> None:
    if not TITLE_LEAST <= len(ask.title) <= TITLE_MOST:
        raise RuleError(f"A title has {TITLE_LEAST} to {TITLE_MOST} characters.", field="title")
    if ask.purpose not in Request.Purpose.values:
        raise RuleError("Choose one of the purposes.", field="purpose")
    if ask.starts_on is None or ask.starts_on < today():
        raise RuleError(f"A project begins today, {today()}, or later.", field="starts_on")
    _check_last_day(ask, ask.starts_on)
    if not ask.clouds:
        raise RuleError("Choose at least one cloud.", field="clouds")
    _check_clouds(ask.clouds, clouds_on_offer())


def _project(ask: Ask) -> Project:
    if ask.project is None:
        raise RuleError("Name the project this is for.", field="project")
    if not access.can_ask(ask.actor, ask.project):
        raise NotAllowed("Only owners and managers ask for their project.", remedy="Ask one of them.")
    if ask.project.state != Project.State.OPEN:
        raise RuleError(f"“{ask.project}” is archived.", remedy="Ask an operator to restore it first.")
    return ask.project


def _check_renewal(ask: Ask, project: Project) -> None:
    if ask.lines or ask.clouds:
        raise RuleError("A renewal changes the last day only.", remedy="Ask for more in a request of its own.")
    _check_last_day(ask, project.ends_on or today())


def _check_more(ask: Ask, project: Project) -> None:
    _check_clouds(ask.clouds, clouds_for(project))
    if ask.ends_on is not None and ask.ends_on < today():
        raise RuleError(f"It would end on {ask.ends_on}, which is over.", field="ends_on")
    found = askable(ask.clouds, project)
    added = {each.cloud.pk for each in found if each.before is None}
    wants = [each for each in found if ask.lines.get((each.cloud.pk, each.resource.key), each.floor) != each.floor]
    if not wants and not added:
        raise RuleError("Nothing here is more than there is already.", remedy="Raise at least one amount.")
    for each in wants:
        _check_raises(each, ask.lines[each.cloud.pk, each.resource.key])


def _check_raises(each: Asked, amount: int) -> None:
    if each.before is not None and amount < each.before:
        raise RuleError(
            f"{each.resource.label}: {amount_say(each.resource, each.before)} are in force; "
            f"{amount_say(each.resource, amount)} would be less.",
            remedy="Leave it as it is, or write more.",
            field=line_field(each.cloud, each.resource.key),
        )


def _check_last_day(ask: Ask, after: dt.date) -> None:
    latest = last_day()
    if ask.ends_on is None or ask.ends_on <= after:
        raise RuleError(f"Give a last day after {after}.", field="ends_on")
    if ask.ends_on > latest:
        raise RuleError(
            f"A project lasts until {latest} at most.", remedy="It can be renewed before it ends.", field="ends_on"
        )


def _check_clouds(asked: Sequence[Cloud], offered: Sequence[Cloud]) -> None:
    for cloud in asked:
        if cloud not in offered:
            raise RuleError(f"{cloud} takes no projects at present.", remedy="Choose another cloud.", field="clouds")


def _check_lines(ask: Ask) -> None:
    known = {(each.cloud.pk, each.resource.key): each for each in askable(ask.clouds)}
    for key, amount in ask.lines.items():
        each = known.get(key)
        if each is None:
            raise RuleError(f"“{key[1]}” cannot be asked for there.", remedy="Choose the cloud as well.", field="lines")
        try:
            amount_check(each.resource, amount)
        except AmountError as error:
            field = line_field(each.cloud, each.resource.key)
            raise RuleError(error.message, remedy=error.remedy, field=field) from error


def slug_free(title: str, *, keep: Request | None = None) -> str:
    """A short name made of the title that no project has and no open request (other than `keep`) waits for."""
    waiting = Request.objects.waiting()
    if keep is not None:
        waiting = waiting.exclude(pk=keep.pk)
    taken = set(Project.objects.values_list("slug", flat=True)) | set(waiting.values_list("slug", flat=True))
    return free_slug(title, taken)
