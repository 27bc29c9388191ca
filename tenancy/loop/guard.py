"""The guard against taking away what no person decided.

It counts, per cloud and day and on a base fixed when the day began, people losing access and limits cut that come
from an import, a provider or missing rows. Over 10 % or over 20, and at least 3: the whole batch waits for a person.
A confirmation names the changes it lets pass.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, time
from uuid import UUID

from django.db.models import Exists, F, OuterRef

from config import clock
from connectors.plan import HeldChange, Hold
from connectors.types import Change, Takes
from tenancy.models import (
    Account,
    Cloud,
    ConfirmedChange,
    GuardDay,
    Limit,
    Membership,
    PlanLine,
    Step,
    Tenancy,
)
from tenancy.models.work import Kind, TakesChoice

LEAST = 3
MOST = 20
SHARE = 10  # per cent


@dataclass(frozen=True, slots=True)
class Weight:
    """How much would be taken away undecided: already done today and still to come, against the day's base."""

    count: int
    base: int

    @property
    def too_much(self) -> bool:
        return self.count >= LEAST and (self.count > MOST or self.count * 100 > self.base * SHARE)


def guard(cloud: Cloud, changes: Sequence[Change]) -> tuple[tuple[Change, ...], tuple[HeldChange, ...]]:
    """Split a plan's changes into those that may go on and those that wait for a person."""
    undecided = [change for change in changes if _counts(change)]
    if not undecided:
        return tuple(changes), ()
    weights = {Takes.ACCESS: access_weight(cloud, undecided), Takes.LIMIT: limit_weight(cloud, undecided)}
    confirmed = _confirmed(cloud)
    held: list[HeldChange] = []
    passed: list[Change] = []
    for change in changes:
        weight = weights.get(change.takes) if _counts(change) else None
        if weight is None or not weight.too_much or (change.tenancy, change.target, change.kind) in confirmed:
            passed.append(change)
        else:
            why = f"{weight.count} of {weight.base} would be taken away today and nobody decided it."
            held.append(HeldChange(change, Hold.GUARD, why))
    return tuple(passed), tuple(held)


def _counts(change: Change) -> bool:
    return change.takes is not Takes.NOTHING and not change.decided


def access_weight(cloud: Cloud, undecided: Iterable[Change]) -> Weight:
    """People who lose access undecided. Counted from memberships, so that a batch is seen whole at once.

    Those of this plan count in any case: roles given back by hand belong to no membership that waits.
    """
    still_member = Membership.objects.current().filter(project=OuterRef("project"), person=OuterRef("person"))
    removed = Step.objects.filter(
        tenancy__project=OuterRef("project"),
        cloud=cloud,
        account__person=OuterRef("person"),
        kind=Kind.MEMBER_REMOVE,
        state=Step.State.DONE,
        settled_at__gte=OuterRef("ended_at"),
    )
    has_account = Account.objects.filter(cloud=cloud, person=OuterRef("person")).exclude(native_id="")
    # What settled since has nothing left to take away, and who closed a project decided about everybody in it.
    pending = (
        Membership.objects.filter(
            project__tenancies__cloud=cloud,
            project__tenancies__wanted=Tenancy.Wanted.OPEN,
            project__tenancies__settled_version__lt=F("project__tenancies__wanted_version"),
            end_reason=Membership.EndReason.IMPORT,
            ended_at__isnull=False,
        )
        .filter(Exists(has_account), ~Exists(still_member), ~Exists(removed))
        .values_list("project_id", "person_id")
    )
    losing = set(pending) | _losing(change for change in undecided if change.takes is Takes.ACCESS)
    return Weight(len(losing) + _done_today(cloud, TakesChoice.ACCESS), _day(cloud).members)


def _losing(changes: Iterable[Change]) -> set[tuple[UUID | None, UUID]]:
    """Project and person of each change."""
    pairs = {(UUID(hex=change.tenancy), UUID(hex=change.account.ref)) for change in changes if change.account}
    projects = dict(Tenancy.objects.filter(pk__in={t for t, _ in pairs}).values_list("pk", "project_id"))
    people = dict(Account.objects.filter(pk__in={a for _, a in pairs}).values_list("pk", "person_id"))
    return {(projects[tenancy], people[account]) for tenancy, account in pairs}


def limit_weight(cloud: Cloud, undecided: Iterable[Change]) -> Weight:
    planned = set(
        PlanLine.objects.filter(cloud=cloud, takes=TakesChoice.LIMIT, decided=False).values_list("tenancy_id", "target")
    )
    mine = {(change.tenancy, change.target) for change in undecided if change.takes is Takes.LIMIT}
    pending = {(tenancy.hex, target) for tenancy, target in planned} | mine
    return Weight(len(pending) + _done_today(cloud, TakesChoice.LIMIT), _day(cloud).limits)


def _done_today(cloud: Cloud, takes: str) -> int:
    """What went through without a confirmation since the day began."""
    start = datetime.combine(clock.now().date(), time(), UTC)
    return Step.objects.filter(
        cloud=cloud, takes=takes, decided=False, state=Step.State.DONE, settled_at__gte=start, confirmed=False
    ).count()


def _day(cloud: Cloud) -> GuardDay:
    day = clock.now().date()
    row = GuardDay.objects.filter(cloud=cloud, day=day).first()
    if row is not None:
        return row
    start = datetime.combine(day, time(), UTC)
    members = Membership.objects.filter(project__tenancies__cloud=cloud, added_at__lt=start).exclude(ended_at__lt=start)
    # A site's first day has no yesterday: then those present now and those just ended are the base.
    base = members.count() or Membership.objects.filter(project__tenancies__cloud=cloud).count()
    limits = Limit.objects.filter(tenancy__cloud=cloud).count()
    row, _ = GuardDay.objects.get_or_create(cloud=cloud, day=day, defaults={"members": base, "limits": limits})
    return row


def _confirmed(cloud: Cloud) -> set[tuple[str, str, str]]:
    rows = ConfirmedChange.objects.filter(
        confirmation__cloud=cloud, confirmation__expires_at__gt=clock.now(), used_at__isnull=True
    ).select_related("tenancy")
    return {(row.tenancy.ref, row.target, row.kind) for row in rows if row.version == row.tenancy.wanted_version}


def is_confirmed(tenancy: Tenancy, version: int, change: Change) -> bool:
    rows = ConfirmedChange.objects.filter(
        tenancy=tenancy,
        version=version,
        target=change.target,
        kind=change.kind,
        used_at__isnull=True,
        confirmation__expires_at__gt=clock.now(),
    )
    return rows.exists()


def confirmed_use(step: Step) -> bool:
    """Mark the confirmation of this step as used, once. False if there is none."""
    rows = ConfirmedChange.objects.filter(
        tenancy=step.tenancy_id,
        version=step.version,
        target=step.target,
        kind=step.kind,
        used_at__isnull=True,
        confirmation__expires_at__gt=clock.now(),
    )
    return rows.update(used_at=clock.now()) > 0


def held_lines(cloud: Cloud) -> list[PlanLine]:
    """The batch that waits now, in a stable order."""
    rows = PlanLine.objects.filter(cloud=cloud, hold=PlanLine.HoldChoice.GUARD)
    return list(rows.select_related("tenancy", "tenancy__project", "account__person").order_by("tenancy_id", "target"))


def fingerprint(lines: Iterable[PlanLine]) -> str:
    """Identifies one batch: its tenancies, the versions wanted, and each change."""
    text = "\n".join(sorted(f"{line.tenancy_id}:{line.version}:{line.kind}:{line.target}" for line in lines))
    return hashlib.sha256(text.encode()).hexdigest()
