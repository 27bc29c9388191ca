"""A project on a cloud, a person on a cloud, and what is wanted and known of both."""

from __future__ import annotations

import uuid

from django.db import models
from django.db.models import F, Q

from config import clock
from connectors.types import Wanted as ConnectorWanted
from tenancy.models.clouds import Cloud
from tenancy.models.people import Person, Project


class TenancyQuerySet(models.QuerySet["Tenancy"]):
    def unsettled(self) -> TenancyQuerySet:
        return self.filter(Q(settled_version__lt=F("wanted_version")) | Q(verify_at__isnull=False))


class Tenancy(models.Model):
    """A project on one cloud, and the work row that makes the cloud match.

    ``wanted_version`` counts every change of what is wanted; ``settled_version`` is the newest one that a survey
    found to be true. ``verify_at`` is set while an unclear outcome may still land. The lease columns are written
    only by ``tenancy.loop.lease``.
    """

    class Wanted(models.TextChoices):
        OPEN = ConnectorWanted.OPEN.value, "open"
        SUSPENDED = ConnectorWanted.SUSPENDED.value, "suspended"

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    project = models.ForeignKey(Project, null=True, blank=True, on_delete=models.PROTECT, related_name="tenancies")
    cloud = models.ForeignKey(Cloud, on_delete=models.PROTECT, related_name="tenancies")
    name = models.CharField(max_length=64)
    native_id = models.CharField(max_length=255, blank=True)
    wanted = models.CharField(max_length=10, choices=Wanted, default=Wanted.OPEN)
    reason = models.TextField(blank=True)
    created_at = models.DateTimeField(default=clock.now)

    wanted_version = models.PositiveIntegerField(default=1)
    settled_version = models.PositiveIntegerField(default=0)
    settled_at = models.DateTimeField(null=True, blank=True)
    surveyed_at = models.DateTimeField(null=True, blank=True)
    next_attempt_at = models.DateTimeField(null=True, blank=True, default=clock.now)
    attempts = models.PositiveIntegerField(default=0)
    urgent = models.BooleanField(default=False)
    parked_at = models.DateTimeField(null=True, blank=True)
    verify_at = models.DateTimeField(null=True, blank=True)

    lease_holder = models.CharField(max_length=80, blank=True)
    lease_fence = models.PositiveIntegerField(default=0)
    lease_until = models.DateTimeField(null=True, blank=True)

    objects = TenancyQuerySet.as_manager()

    class Meta:
        ordering = ("name", "id")
        constraints = (
            models.UniqueConstraint(fields=("cloud", "name"), name="tenancy_name_once"),
            models.UniqueConstraint(
                fields=("cloud", "native_id"), condition=~Q(native_id=""), name="tenancy_native_id_once"
            ),
            models.UniqueConstraint(fields=("project", "cloud"), name="tenancy_once_a_cloud"),
        )
        indexes = (models.Index(fields=("next_attempt_at",)),)

    def __str__(self) -> str:
        return self.name

    @property
    def ref(self) -> str:
        """Our id as the cloud's tag carries it."""
        return self.id.hex

    @property
    def settled(self) -> bool:
        return self.settled_version >= self.wanted_version and self.verify_at is None


class Account(models.Model):
    """A person on one cloud. ``managed`` accounts may be created by Tenantry, others are only linked."""

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    person = models.ForeignKey(Person, on_delete=models.PROTECT, related_name="accounts")
    cloud = models.ForeignKey(Cloud, on_delete=models.CASCADE, related_name="accounts")
    name = models.CharField(max_length=150)
    native_id = models.CharField(max_length=255, blank=True)
    managed = models.BooleanField(default=True)
    provider = models.CharField(max_length=100, blank=True)
    protocol = models.CharField(max_length=100, blank=True)
    subject = models.CharField(max_length=255, blank=True)
    created_at = models.DateTimeField(default=clock.now)

    class Meta:
        constraints = (
            models.UniqueConstraint(fields=("person", "cloud"), name="account_once_a_cloud"),
            models.UniqueConstraint(fields=("cloud", "name"), name="account_name_once"),
            models.UniqueConstraint(
                fields=("cloud", "native_id"), condition=~Q(native_id=""), name="account_native_id_once"
            ),
        )

    def __str__(self) -> str:
        return self.name

    @property
    def ref(self) -> str:
        return self.id.hex


class Limit(models.Model):
    """The number wanted on one tenancy for one resource, in base units; -1 is unlimited."""

    tenancy = models.ForeignKey(Tenancy, on_delete=models.CASCADE, related_name="limits")
    resource = models.CharField(max_length=60)
    amount = models.BigIntegerField()
    decided = models.BooleanField(default=True)
    reason = models.TextField(blank=True)
    set_at = models.DateTimeField(default=clock.now)

    class Meta:
        ordering = ("resource",)
        constraints = (models.UniqueConstraint(fields=("tenancy", "resource"), name="limit_once"),)


class Reading(models.Model):
    """Limit and use of one resource of a tenancy as last seen on a day, with the day's peak of use.

    ``in_use`` is null if the survey could not tell.
    """

    tenancy = models.ForeignKey(Tenancy, on_delete=models.CASCADE, related_name="readings")
    resource = models.CharField(max_length=60)
    day = models.DateField()
    at = models.DateTimeField()
    limit = models.BigIntegerField()
    in_use = models.BigIntegerField(null=True)
    peak = models.BigIntegerField(null=True)

    class Meta:
        ordering = ("-day", "resource")
        constraints = (models.UniqueConstraint(fields=("tenancy", "resource", "day"), name="reading_once_a_day"),)


class Condition(models.Model):
    """The state of one section of a tenancy, and which wanted version it speaks about."""

    class State(models.TextChoices):
        READY = "ready", "ready"
        TRYING = "trying", "trying"
        NEEDS_YOU = "needs-you", "needs you"
        CONTESTED = "contested", "contested"
        HELD = "held", "held"
        PAUSED = "paused", "paused"
        ENDING = "ending", "ending"
        UNKNOWN = "unknown", "unknown"

    tenancy = models.ForeignKey(Tenancy, on_delete=models.CASCADE, related_name="conditions")
    section = models.CharField(max_length=40)
    state = models.CharField(max_length=12, choices=State)
    reason = models.TextField(blank=True)
    since = models.DateTimeField()
    seen_at = models.DateTimeField()
    next_try_at = models.DateTimeField(null=True, blank=True)
    version = models.PositiveIntegerField()

    class Meta:
        ordering = ("section",)
        constraints = (models.UniqueConstraint(fields=("tenancy", "section"), name="condition_once"),)


class Proof(models.Model):
    """A promise ("nobody gets in") checked on the cloud; ``ok`` is null if it could not be checked."""

    tenancy = models.ForeignKey(Tenancy, on_delete=models.CASCADE, related_name="proofs")
    version = models.PositiveIntegerField()
    at = models.DateTimeField()
    name = models.CharField(max_length=200)
    ok = models.BooleanField(null=True)
    detail = models.TextField(blank=True)

    class Meta:
        ordering = ("-at", "id")
