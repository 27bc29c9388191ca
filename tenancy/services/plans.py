"""What a person says to a batch that the guard holds: let it pass, or keep what would be taken."""

from __future__ import annotations

from datetime import timedelta

from django.db import transaction

from config import clock
from events.services import record
from events.verbs import Verb
from tenancy.errors import RuleError, Stale
from tenancy.loop import claims, guard
from tenancy.models import Cloud, Confirmation, ConfirmedChange, Membership, Person, PlanLine, Tenancy
from tenancy.services.rules import operator_only, wake_workers

VALID = timedelta(hours=24)


def _batch(cloud: Cloud, fingerprint: str) -> list[PlanLine]:
    lines = guard.held_lines(cloud)
    if not lines:
        raise RuleError("Nothing waits for a person on this cloud now.")
    if guard.fingerprint(lines) != fingerprint:
        raise Stale("The plan has changed since you looked at it.", remedy="Look at it again and decide then.")
    return lines


@transaction.atomic
def batch_confirm(*, actor: Person, cloud: Cloud, fingerprint: str, reason: str) -> Confirmation:
    """Let exactly these changes pass, once, within 24 hours. Raises ``Stale`` if the batch is another by now."""
    operator_only(actor)
    if not reason.strip():
        raise RuleError("Say why this is right; it is kept with the change.", field="reason")
    lines = _batch(cloud, fingerprint)
    confirmation = Confirmation.objects.create(
        cloud=cloud, fingerprint=fingerprint, by=actor, expires_at=clock.now() + VALID, reason=reason.strip()
    )
    ConfirmedChange.objects.bulk_create(
        ConfirmedChange(
            confirmation=confirmation,
            tenancy_id=line.tenancy_id,
            version=line.version,
            target=line.target,
            kind=line.kind,
        )
        for line in lines
    )
    _wake(lines)
    summary = f"Confirmed {len(lines)} removals on {cloud}: {reason.strip()}"
    record(actor=actor, verb=Verb.PLAN_CONFIRMED, target=confirmation, summary=summary, cloud=cloud)
    return confirmation


@transaction.atomic
def batch_keep(*, actor: Person, cloud: Cloud, fingerprint: str) -> int:
    """Give back the memberships that the batch would end; how many. Limits are left for their own decision."""
    operator_only(actor)
    lines = [line for line in _batch(cloud, fingerprint) if line.account_id and line.tenancy.project_id]
    kept = 0
    for line in lines:
        person = line.account.person_id if line.account else None
        ended = Membership.objects.ended().filter(project=line.tenancy.project_id, person=person)
        last = ended.filter(end_reason=Membership.EndReason.IMPORT).order_by("-ended_at").first()
        here = Membership.objects.current().filter(project=line.tenancy.project_id, person=person)
        if last is not None and not here.exists():
            Membership.objects.create(project=last.project, person=last.person, role=last.role, added_by=actor)
            kept += 1
    claims.bump(Tenancy.objects.filter(pk__in={line.tenancy_id for line in lines}))
    wake_workers()
    summary = f"Kept {kept} memberships on {cloud} that an import no longer names."
    record(actor=actor, verb=Verb.PLAN_REFUSED, target=cloud, summary=summary, cloud=cloud)
    return kept


def _wake(lines: list[PlanLine]) -> None:
    claims.look_again(Tenancy.objects.filter(pk__in={line.tenancy_id for line in lines}))
    wake_workers()
