"""Writes of grants and divisions, and the one way from them to the limits of tenancies."""

from __future__ import annotations

import datetime as dt
import logging
from collections.abc import Mapping
from uuid import UUID

from django.db import transaction

from config import clock
from connectors.errors import ConnectorError
from connectors.types import UNLIMITED
from events.services import record
from events.verbs import Verb
from quotas import catalog
from quotas.catalog import AmountError, Resource, amount_name, amount_say
from quotas.limits import grant_missing, holders_of, limits_derive, out_of_step
from quotas.models import Grant, Share
from quotas.selectors import limits_wanted, promises, tenancies_of, today
from tenancy import access
from tenancy.errors import NotAllowed, RuleError
from tenancy.models import Person, Project, Tenancy
from tenancy.selectors import latest_readings
from tenancy.services import limits_set

logger = logging.getLogger(__name__)

Targets = Mapping[UUID, Mapping[str, int]]
"""Limits to reach: tenancy id -> resource key -> total amount in base units."""


def grant_give(
    *,
    actor: Person | None,
    project: Project,
    resource: str,
    amount: int,
    why: str,
    starts_on: dt.date | None = None,
    ends_on: dt.date | None = None,
) -> Grant:
    """Promise more of a resource, from today on if no day is given. Operators.

    The grant adds to those in force; the first one takes the place of the catalog's default. Raises NotAllowed, and
    RuleError naming the field for an amount outside the bounds or dates in the wrong order.
    """
    _operators(actor)
    each = _resource(resource)
    if amount != UNLIMITED:
        _checked(each, amount)
    if not why.strip():
        raise RuleError("A grant needs a reason.", remedy="Write for what it is given.", field="why")
    with transaction.atomic():
        _lock(project)
        grant = _give(actor, project, each, amount, _period(starts_on, ends_on), why, Grant.Origin.OPERATOR, "")
        limits_refresh(project=project, actor=actor, reason=f"grant of {amount_name(each, amount)}: {why}")
    return grant


def grant_end(*, actor: Person | None, grant: Grant, reason: str) -> Grant:
    """Take a grant back, at once. Operators. Raises NotAllowed, and RuleError without a reason or if it has ended."""
    _operators(actor)
    if not reason.strip():
        raise RuleError(
            "Ending a grant needs a reason.", remedy="Write why it ends; the project sees it.", field="reason"
        )
    with transaction.atomic():
        _lock(grant.project)
        ended = Grant.objects.filter(pk=grant.pk, ended_at__isnull=True)
        if not ended.update(ended_at=clock.now(), ended_by=actor, end_reason=reason.strip()):
            raise RuleError("This grant has ended already.", remedy="Load the page anew to see what is in force.")
        grant.refresh_from_db()
        said = amount_name(grant.catalog, grant.amount)
        record(
            actor=actor,
            verb=Verb.GRANT_CHANGED,
            target=grant,
            summary=f"Ended the grant of {said}: {reason.strip()}",
            project=grant.project,
        )
        limits_refresh(project=grant.project, actor=actor, reason=f"grant of {said} ended: {reason.strip()}")
    return grant


def promise_raise(
    *,
    actor: Person | None,
    project: Project,
    targets: Targets,
    why: str,
    starts_on: dt.date | None = None,
    ends_on: dt.date | None = None,
    origin: Grant.Origin = Grant.Origin.REQUEST,
    origin_ref: str = "",
) -> list[Grant]:
    """Grant what is missing so that tenancies reach these limits, and divide it as asked. Reviewers and operators.

    What is promised and not divided is used first. A tenancy that has no limits yet gets the catalog's defaults of
    everything not named. One grant a resource is given. Raises NotAllowed, and RuleError for an unknown tenancy or an
    amount outside the bounds.
    """
    if actor is not None and not access.can_review(actor):
        raise NotAllowed("Only reviewers and operators may grant.", remedy="Send a request; a reviewer decides it.")
    for totals in targets.values():
        for key, amount in totals.items():
            if amount != UNLIMITED:
                _checked(_resource(key), amount)
    with transaction.atomic():
        _lock(project)
        given = _reach(actor, project, targets, _period(starts_on, ends_on), why, origin, origin_ref)
        limits_refresh(project=project, actor=actor, reason=why)
    return given


def grants_from_found(*, actor: Person | None, tenancy: Tenancy, found: Mapping[str, int]) -> list[Grant]:
    """Promise what a cloud was found to allow an adopted tenancy, so that adopting it changes nothing. Operators.

    `found` are its limits by resource in base units. Raises RuleError if a resource that its kind of cloud enforces is
    not among them (the survey was not complete), or if the project is promised more than was found.
    """
    _operators(actor)
    project = tenancy.project
    if project is None:
        raise RuleError(f"“{tenancy.name}” belongs to no project.", remedy="Adopt it into a project first.")
    known = {each.key: found[each.key] for each in catalog.enforced(tenancy.cloud.kind) if each.key in found}
    missing = [each.label for each in catalog.enforced(tenancy.cloud.kind) if each.key not in found]
    if missing:
        raise RuleError(
            f"Limits of “{tenancy.name}” were not found: {', '.join(missing)}.",
            remedy="Read the cloud's last survey, mend what it could not read, and adopt again.",
        )
    with transaction.atomic():
        _lock(project)
        why = f"found on {tenancy.cloud} when “{tenancy.name}” was adopted"
        given = _reach(
            actor, project, {tenancy.pk: known}, (today(), None), why, Grant.Origin.ADOPTION, str(tenancy.pk)
        )
        limits_refresh(project=project, actor=actor, reason=why)
        _unchanged(tenancy, known)
    return given


def division_set(*, actor: Person | None, project: Project, resource: str, shares: Mapping[UUID, int]) -> None:
    """Divide the promise of one resource over the project's tenancies (tenancy id -> amount). Owners.

    Raises NotAllowed, and RuleError that names what is promised, asked or in use: the shares must not exceed the
    promise, and none may be below what its tenancy uses.
    """
    if actor is not None and not access.can_own(actor, project):
        raise NotAllowed("Only owners divide a promise.", remedy="Ask an owner of the project.")
    each = _resource(resource)
    with transaction.atomic():
        _lock(project)
        tenancies = {tenancy.pk: tenancy for tenancy in tenancies_of(project)}
        if set(shares) != set(tenancies):
            raise RuleError("The clouds of the project have changed.", remedy="Load the page anew and divide again.")
        promised = promises([project]).get((project.pk, resource))
        _division_fits(each, promised, shares)
        _division_covers_use(each, tenancies, shares)
        _shares_store(resource, shares)
        said = ", ".join(f"{tenancies[pk].cloud} {amount_say(each, amount)}" for pk, amount in shares.items())
        record(
            actor=actor,
            verb=Verb.LIMIT_CHANGED,
            target=project,
            summary=f"Divided {each.label} anew: {said}.",
            project=project,
        )
        limits_refresh(project=project, actor=actor, reason=f"{each.label} divided anew")


def limits_refresh(*, project: Project, actor: Person | None = None, reason: str = "") -> int:
    """Derive the limits of every tenancy of the project from its grants, defaults and division; how many changed.

    Suspended tenancies get 0 of everything. Running it twice changes nothing the second time. Raises
    connectors.errors.Misconfigured if the connector of a cloud is not installed.
    """
    with transaction.atomic():
        _lock(project)
        tenancies = tenancies_of(project)
        wanted = limits_derive(project, tenancies)
        return sum(
            limits_set(
                actor=actor,
                tenancy=tenancy,
                limits=wanted[tenancy.pk],
                reason=reason or "grants in force today and their division",
            )
            for tenancy in tenancies
        )


def limits_refresh_all() -> tuple[int, int]:
    """The round for grants that begin or run out and projects that were restored: (tenancies changed, failures).

    One project's failure does not stop the next; it is logged with its reason.
    """
    projects, unknown = out_of_step()
    for sentence in unknown:
        logger.error("limits of %s", sentence)
    changed, failed = 0, len(unknown)
    for project in Project.objects.filter(pk__in=projects):
        try:
            changed += limits_refresh(project=project)
        except (RuleError, ConnectorError) as error:
            failed += 1
            logger.error("limits of %s were not refreshed: %s", project.slug, error)
    return changed, failed


# from limits to grants


def _reach(
    actor: Person | None,
    project: Project,
    targets: Targets,
    period: tuple[dt.date, dt.date | None],
    why: str,
    origin: Grant.Origin,
    origin_ref: str,
) -> list[Grant]:
    """Give the grants and store the shares with which the tenancies have these limits, and the others what they had."""
    tenancies = tenancies_of(project)
    strangers = set(targets) - {tenancy.pk for tenancy in tenancies}
    if strangers:
        raise RuleError("A cloud is named on which the project has no tenancy.", remedy="Load the page anew.")
    promised = promises([project])
    now = limits_wanted(tenancies)
    given = []
    for each, holders in holders_of(tenancies):
        before = promised.get((project.pk, each.key))
        if before is None and not any(each.key in targets.get(tenancy.pk, {}) for tenancy in holders):
            continue
        limits = {
            tenancy.pk: targets.get(tenancy.pk, {}).get(each.key, now.get((tenancy.pk, each.key), each.default))
            for tenancy in holders
        }
        missing = grant_missing(each, before, limits)
        if missing is not None:
            given.append(_give(actor, project, each, missing, period, why, origin, origin_ref))
        if len(holders) > 1:
            _shares_store(each.key, limits)
    return given


def _unchanged(tenancy: Tenancy, found: Mapping[str, int]) -> None:
    wanted = limits_wanted([tenancy])
    for key, amount in found.items():
        limit = wanted.get((tenancy.pk, key))
        if limit is not None and limit != amount:
            each = catalog.RESOURCES[key]
            raise RuleError(
                f"{each.label}: {tenancy.cloud} allows {amount_say(each, amount)}, "
                f"but the project is promised {amount_say(each, limit)} there.",
                remedy="End or change the project's grants first; adopting must not change a limit.",
            )


def _give(
    actor: Person | None,
    project: Project,
    each: Resource,
    amount: int,
    period: tuple[dt.date, dt.date | None],
    why: str,
    origin: Grant.Origin,
    origin_ref: str,
) -> Grant:
    grant = Grant.objects.create(
        project=project,
        resource=each.key,
        amount=amount,
        starts_on=period[0],
        ends_on=period[1],
        why=why.strip(),
        origin=origin,
        origin_ref=origin_ref,
        by=actor,
    )
    until = f" until {period[1]}" if period[1] else ""
    record(
        actor=actor,
        verb=Verb.GRANT_GIVEN,
        target=grant,
        summary=f"Granted {amount_name(each, amount)} from {period[0]}{until}: {why.strip()}",
        project=project,
    )
    return grant


def _shares_store(resource: str, shares: Mapping[UUID, int]) -> None:
    Share.objects.bulk_create(
        [Share(tenancy_id=pk, resource=resource, amount=amount) for pk, amount in shares.items()],
        update_conflicts=True,
        update_fields=["amount"],
        unique_fields=["tenancy", "resource"],
    )


# rules


def _operators(actor: Person | None) -> None:
    if actor is not None and not access.is_operator(actor):
        raise NotAllowed("Only operators may do this.", remedy="Send a request; a reviewer decides it.")


def _resource(key: str) -> Resource:
    try:
        return catalog.resource(key)
    except AmountError as error:
        raise RuleError(error.message, remedy=error.remedy, field="resource") from error


def _checked(each: Resource, amount: int) -> None:
    try:
        catalog.amount_check(each, amount)
    except AmountError as error:
        raise RuleError(error.message, remedy=error.remedy, field="amount") from error


def _period(starts_on: dt.date | None, ends_on: dt.date | None) -> tuple[dt.date, dt.date | None]:
    start = starts_on or today()
    if ends_on is not None and ends_on < start:
        raise RuleError(
            f"It would end on {ends_on}, before it begins on {start}.", remedy="Give a later last day.", field="ends_on"
        )
    return start, ends_on


def _division_fits(each: Resource, promised: int | None, shares: Mapping[UUID, int]) -> None:
    if promised is None:
        raise RuleError(
            f"Nothing of {each.label} is granted, so there is nothing to divide; each cloud has the default.",
            remedy="Ask for more first.",
        )
    for amount in shares.values():
        if amount == UNLIMITED and promised == UNLIMITED:
            continue
        _checked(each, amount)
    total = sum(shares.values())
    if promised != UNLIMITED and total > promised:
        raise RuleError(
            f"{each.label}: {amount_say(each, total)} divided, but {amount_say(each, promised)} promised.",
            remedy=f"Take {amount_say(each, total - promised)} away somewhere, or ask for more.",
            field="shares",
        )


def _division_covers_use(each: Resource, tenancies: Mapping[UUID, Tenancy], shares: Mapping[UUID, int]) -> None:
    readings = latest_readings(list(tenancies.values()))
    for pk, amount in shares.items():
        reading = readings.get((pk, each.key))
        if reading is None or reading.in_use is None or amount == UNLIMITED:
            continue
        if amount < reading.in_use:
            raise RuleError(
                f"{each.label}: {tenancies[pk].cloud} would get {amount_say(each, amount)}, but "
                f"{amount_say(each, reading.in_use)} are in use there (read {reading.at:%Y-%m-%d %H:%M} UTC).",
                remedy="Free some of it first, or give that cloud a larger share.",
                field="shares",
            )


def _lock(project: Project) -> None:
    """Two changes of one project's limits wait for each other; SQLite's immediate transactions do so anyway."""
    Project.objects.select_for_update().filter(pk=project.pk).values_list("pk").first()
