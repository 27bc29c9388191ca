"""Reads of the audit log and the outbox."""

from datetime import datetime

from django.db.models import Q, QuerySet

from events.models import AuditEntry, Outbox


def activity_all() -> QuerySet[AuditEntry]:
    """Newest first, the actor joined; for operators."""
    return AuditEntry.objects.select_related("actor")


def activity_of_project(project_id: object) -> QuerySet[AuditEntry]:
    return activity_all().filter(project_id=str(project_id))


def activity_of_cloud(cloud_id: object) -> QuerySet[AuditEntry]:
    return activity_all().filter(cloud_id=str(cloud_id))


def activity_of_target(target_type: str, target_id: object) -> QuerySet[AuditEntry]:
    """`target_type` is the model's label, for example "tenancy.project"."""
    return activity_all().filter(target_type=target_type, target_id=str(target_id))


def outbox_due(moment: datetime) -> QuerySet[Outbox]:
    """What may be sent at `moment`: due, not sent, not parked, not in another worker's hands."""
    free = Q(claimed_until__isnull=True) | Q(claimed_until__lte=moment)
    return Outbox.objects.filter(free, due_at__lte=moment, sent_at__isnull=True, parked_at__isnull=True)


def outbox_parked() -> QuerySet[Outbox]:
    """What was given up after too many tries and waits for a person."""
    return Outbox.objects.filter(parked_at__isnull=False).order_by("parked_at")
