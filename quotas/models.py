"""What was promised to projects, and how owners divided it over their clouds."""

from __future__ import annotations

import datetime as dt
import uuid

from django.conf import settings
from django.db import models
from django.db.models import F, Q

from config import clock
from connectors.types import UNLIMITED
from quotas.catalog import RESOURCES, Resource
from tenancy.models import Project, Tenancy


class GrantQuerySet(models.QuerySet["Grant"]):
    def in_force(self, day: dt.date) -> GrantQuerySet:
        """What counts on this day; `ends_on` is the last day."""
        open_end = Q(ends_on__isnull=True) | Q(ends_on__gte=day)
        return self.filter(open_end, starts_on__lte=day, ended_at__isnull=True)


class Grant(models.Model):
    """A dated amount of a resource given to a project, in base units; -1 is no limit.

    A grant is never changed: it is ended, and another one given. So the table is its own history.
    """

    class Origin(models.TextChoices):
        OPERATOR = "operator", "given by an operator"
        REQUEST = "request", "granted on a request"
        ADOPTION = "adoption", "found on a cloud"

    class State(models.TextChoices):
        """Computed from the dates, never stored."""

        AHEAD = "ahead", "begins later"
        IN_FORCE = "in-force", "in force"
        OVER = "over", "ran out"
        ENDED = "ended", "ended"

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    project = models.ForeignKey(Project, on_delete=models.PROTECT, related_name="grants")
    resource = models.CharField(max_length=60)
    amount = models.BigIntegerField()
    starts_on = models.DateField()
    ends_on = models.DateField(null=True, blank=True)
    why = models.TextField()
    origin = models.CharField(max_length=10, choices=Origin)
    origin_ref = models.CharField(max_length=64, blank=True)
    by = models.ForeignKey(settings.AUTH_USER_MODEL, null=True, blank=True, on_delete=models.PROTECT, related_name="+")
    created_at = models.DateTimeField(default=clock.now)
    ended_at = models.DateTimeField(null=True, blank=True)
    ended_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, null=True, blank=True, on_delete=models.PROTECT, related_name="+"
    )
    end_reason = models.TextField(blank=True)

    objects = GrantQuerySet.as_manager()

    class Meta:
        ordering = ("-created_at", "resource", "id")
        constraints = (
            models.CheckConstraint(condition=Q(amount__gte=UNLIMITED), name="grant_amount_sane"),
            models.CheckConstraint(
                condition=Q(ends_on__isnull=True) | Q(ends_on__gte=F("starts_on")), name="grant_ends_after_start"
            ),
        )
        indexes = (models.Index(fields=("project", "resource")), models.Index(fields=("starts_on",)))

    def __str__(self) -> str:
        return f"{self.resource} {self.amount} for {self.project}"

    @property
    def catalog(self) -> Resource:
        return RESOURCES[self.resource]

    def state_on(self, day: dt.date) -> Grant.State:
        if self.ended_at is not None:
            return self.State.ENDED
        if self.starts_on > day:
            return self.State.AHEAD
        return self.State.OVER if self.ends_on is not None and self.ends_on < day else self.State.IN_FORCE


class Share(models.Model):
    """How much of a project's promise one of its tenancies has, in base units."""

    tenancy = models.ForeignKey(Tenancy, on_delete=models.CASCADE, related_name="shares")
    resource = models.CharField(max_length=60)
    amount = models.BigIntegerField()

    class Meta:
        constraints = (
            models.UniqueConstraint(fields=("tenancy", "resource"), name="share_once"),
            models.CheckConstraint(condition=Q(amount__gte=UNLIMITED), name="share_amount_sane"),
        )
