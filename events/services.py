"""Writes of the audit log and the outbox."""

import logging
import random
from datetime import datetime, timedelta
from typing import Any

from django.contrib.auth.base_user import AbstractBaseUser
from django.db import models, transaction
from django.db.models import Q

from config import clock
from config.celery import wake
from events import context, delivery
from events.errors import DeliveryError
from events.models import AuditEntry, Outbox
from events.selectors import outbox_due
from events.verbs import Verb

logger = logging.getLogger(__name__)

SYSTEM = "Tenantry"
CLAIM = timedelta(minutes=2)  # longer than one delivery may take
ATTEMPTS = 8  # with the pauses below about two hours
_PAUSE = timedelta(seconds=60)
_PAUSE_MOST = timedelta(hours=1)

# Only spreads the load of retries; the simulation seeds it.
jitter = random.Random()  # noqa: S311


def record(
    *,
    actor: AbstractBaseUser | None,
    verb: Verb,
    target: models.Model,
    summary: str,
    project: models.Model | None = None,
    cloud: models.Model | None = None,
) -> AuditEntry:
    """Add one audit entry. Call it inside the transaction of the change it tells of.

    `actor` is None for what Tenantry did by itself; `summary` is one sentence for people, without secrets. Request id
    and address are taken from the request or task we are in.
    """
    here = context.current()
    return AuditEntry.objects.create(
        at=clock.now(),
        actor_id=actor.pk if actor is not None else None,
        actor_label=str(actor) if actor is not None else SYSTEM,
        verb=verb,
        target_type=target._meta.label_lower,
        target_id=str(target.pk),
        project_id=str(project.pk) if project is not None else None,
        cloud_id=str(cloud.pk) if cloud is not None else None,
        summary=summary,
        request_id=here.request_id,
        address=here.address,
    )


def mail_enqueue(*, key: str, to: str, subject: str, body: str) -> Outbox:
    """Put one plain-text mail into the outbox; it leaves after the present transaction is committed.

    `key` names the occasion ("request.approved:<id>:<address>"): a second call with the same key adds nothing and
    returns the first row.
    """
    return _enqueue(key=key, kind=Outbox.Kind.MAIL, to=to, subject=" ".join(subject.split()), body=body)


def webhook_enqueue(*, key: str, to: str, body: str) -> Outbox:
    """Put one webhook into the outbox: `body` (JSON text) is posted to the address `to`."""
    return _enqueue(key=key, kind=Outbox.Kind.WEBHOOK, to=to, subject="", body=body)


def outbox_deliver(*, limit: int = 50) -> int:
    """Send up to `limit` due rows, oldest first; the number that left the house.

    No transaction is open while a message is sent. A row that fails is tried again later, and after eight tries, or at
    once when a retry cannot help, it is parked. One row's failure does not stop the next.
    """
    due = list(outbox_due(clock.now()).order_by("due_at", "id").values_list("pk", flat=True)[:limit])
    return sum(_deliver_one(pk) for pk in due)


def outbox_release(*, row: Outbox, actor: AbstractBaseUser) -> None:
    """Try a parked row again, from its first attempt."""
    with transaction.atomic():
        Outbox.objects.filter(pk=row.pk, parked_at__isnull=False).update(
            parked_at=None, attempts=0, due_at=clock.now(), claimed_until=None
        )
        record(actor=actor, verb=Verb.OUTBOX_RELEASED, target=row, summary=f"Released {row.key} for another try.")
        wake("events.tasks.outbox_send")


def _enqueue(*, key: str, **fields: Any) -> Outbox:
    moment = clock.now()
    with transaction.atomic():
        row, created = Outbox.objects.get_or_create(
            key=key, defaults={**fields, "created_at": moment, "due_at": moment}
        )
        if created:
            wake("events.tasks.outbox_send")
    return row


def _deliver_one(pk: int) -> int:
    moment = clock.now()
    claim = moment + CLAIM
    if not _claim(pk, moment, claim):
        return 0
    row = Outbox.objects.get(pk=pk)
    try:
        delivery.send(row)
    except DeliveryError as error:
        _settle(row, claim, **_after_failure(row, error))
        return 0
    _settle(row, claim, sent_at=clock.now(), attempts=row.attempts + 1, error="")
    return 1


def _claim(pk: int, moment: datetime, until: datetime) -> bool:
    """Exactly one worker's UPDATE changes the row; the others see 0 and go on."""
    return outbox_due(moment).filter(pk=pk).update(claimed_until=until) == 1


def _settle(row: Outbox, claim: datetime, **fields: Any) -> None:
    """Store the result, unless our claim ran out and another worker has the row by now."""
    stored = Outbox.objects.filter(Q(pk=row.pk) & Q(claimed_until=claim)).update(claimed_until=None, **fields)
    if not stored:
        logger.warning("outbox: %s was taken over by another worker while it was being sent", row.key)


def _after_failure(row: Outbox, error: DeliveryError) -> dict[str, Any]:
    moment = clock.now()
    attempts = row.attempts + 1
    if not error.retry or attempts >= ATTEMPTS:
        logger.error("outbox: %s is parked after %d tries: %s", row.key, attempts, error)
        return {"attempts": attempts, "error": str(error), "parked_at": moment}
    pause = min(_PAUSE * 2**row.attempts, _PAUSE_MOST) * jitter.uniform(0.75, 1.25)
    return {"attempts": attempts, "error": str(error), "due_at": moment + pause}
