"""The audit log and the outbox."""

from typing import Any, NoReturn

from django.conf import settings
from django.db import models

from config import clock
from events.errors import AppendOnlyError
from events.verbs import Verb


class AuditQuerySet(models.QuerySet["AuditEntry"]):
    """A query that reads and adds; whatever would change an entry is refused."""

    def update(self, **kwargs: Any) -> NoReturn:
        raise AppendOnlyError("the audit log is append-only: entries are never changed")

    def delete(self) -> NoReturn:
        raise AppendOnlyError("the audit log is append-only: entries are never deleted")

    def bulk_update(self, *args: Any, **kwargs: Any) -> NoReturn:
        raise AppendOnlyError("the audit log is append-only: entries are never changed")


class AuditEntry(models.Model):
    """One thing that was done: who did what to which object, in words, from where and in which request.

    The actor's name is copied, because the entry must still be readable when the person is gone; projects and clouds
    are kept by id without a foreign key, because this application knows nothing of them.
    """

    at = models.DateTimeField(default=clock.now, db_index=True)
    actor = models.ForeignKey(
        settings.AUTH_USER_MODEL, null=True, blank=True, on_delete=models.PROTECT, related_name="+", db_index=True
    )
    actor_label = models.CharField(max_length=200)
    # No `choices` here: a new verb must not need a migration. `record` takes nothing but a Verb.
    verb = models.CharField(max_length=50)
    target_type = models.CharField(max_length=100)
    target_id = models.CharField(max_length=64)
    project_id = models.CharField(max_length=64, null=True, blank=True)
    cloud_id = models.CharField(max_length=64, null=True, blank=True)
    summary = models.TextField()
    request_id = models.CharField(max_length=64, blank=True)
    address = models.CharField(max_length=64, blank=True)

    objects = AuditQuerySet.as_manager()

    class Meta:
        ordering = ["-at", "-id"]
        verbose_name_plural = "audit entries"
        indexes = [
            models.Index(fields=["project_id", "-at"], name="audit_project_at"),
            models.Index(fields=["cloud_id", "-at"], name="audit_cloud_at"),
            models.Index(fields=["target_type", "target_id", "-at"], name="audit_target_at"),
        ]

    def __str__(self) -> str:
        return f"{self.at:%Y-%m-%d %H:%M} {self.actor_label}: {self.summary}"

    @property
    def verb_label(self) -> str:
        """ "archived a project"; the stored text itself for a verb that this version no longer knows."""
        return Verb(self.verb).label if self.verb in Verb.values else self.verb

    def save(self, *args: Any, **kwargs: Any) -> None:
        if not self._state.adding:
            raise AppendOnlyError("the audit log is append-only: entries are never changed")
        super().save(*args, **kwargs)

    def delete(self, *args: Any, **kwargs: Any) -> NoReturn:
        raise AppendOnlyError("the audit log is append-only: entries are never deleted")


class Outbox(models.Model):
    """A message that must leave the house. The row is written with the change it tells of, and sent afterwards.

    Delivery is at least once: a worker that dies after the mail server accepted and before `sent_at` is stored sends
    the mail a second time, with the same Message-ID.
    """

    class Kind(models.TextChoices):
        MAIL = "mail", "Mail"
        WEBHOOK = "webhook", "Webhook"

    class State(models.TextChoices):
        """Computed from the times below, never stored."""

        WAITING = "waiting", "Waiting"
        TRYING = "trying", "Trying again"
        SENT = "sent", "Sent"
        PARKED = "parked", "Needs a person"

    key = models.CharField(max_length=500, unique=True)
    kind = models.CharField(max_length=10, choices=Kind, default=Kind.MAIL)
    to = models.CharField(max_length=500, help_text="A mail address, or the address of a webhook.")
    subject = models.CharField(max_length=200, blank=True)
    body = models.TextField()
    created_at = models.DateTimeField(default=clock.now)
    due_at = models.DateTimeField(default=clock.now)
    attempts = models.PositiveSmallIntegerField(default=0)
    claimed_until = models.DateTimeField(null=True, blank=True)
    sent_at = models.DateTimeField(null=True, blank=True)
    parked_at = models.DateTimeField(null=True, blank=True)
    error = models.TextField(blank=True)

    class Meta:
        ordering = ["due_at", "id"]
        verbose_name_plural = "outbox"
        indexes = [
            models.Index(
                fields=["due_at"],
                name="outbox_due",
                condition=models.Q(sent_at__isnull=True, parked_at__isnull=True),
            ),
        ]

    def __str__(self) -> str:
        return f"{self.kind} {self.key}"

    @property
    def state(self) -> "Outbox.State":
        if self.sent_at:
            return self.State.SENT
        if self.parked_at:
            return self.State.PARKED
        return self.State.TRYING if self.attempts else self.State.WAITING
