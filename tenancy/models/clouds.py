"""Connected clouds: how to reach them, what they can, and whether Tenantry may write to them."""

from __future__ import annotations

import uuid

from django.conf import settings
from django.db import models

from config import clock
from connectors.types import Mode as ConnectorMode
from connectors.types import Role as ConnectorRole


class Cloud(models.Model):
    """One connected system. ``credential`` is ciphertext; only ``tenancy.clouds`` reads it."""

    class Mode(models.TextChoices):
        OBSERVE = ConnectorMode.OBSERVE.value, "observe"
        ADD_ONLY = ConnectorMode.ADD_ONLY.value, "add-only"
        ENFORCE = ConnectorMode.ENFORCE.value, "enforce"

    class Accounts(models.TextChoices):
        """How a person becomes a user of this cloud."""

        LOCAL = "local", "Tenantry makes local accounts"
        FEDERATED = "federated", "people come by the cloud's identity provider"
        EXISTING = "existing", "accounts exist already and are linked by name"

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    slug = models.SlugField(max_length=50, unique=True)
    title = models.CharField(max_length=120)
    kind = models.CharField(max_length=40)
    mode = models.CharField(max_length=10, choices=Mode, default=Mode.OBSERVE)
    color = models.PositiveSmallIntegerField(default=1)
    address = models.CharField(max_length=300, blank=True)
    credential = models.TextField(editable=False)
    accounts_come = models.CharField(max_length=10, choices=Accounts, default=Accounts.LOCAL)
    provider = models.CharField(max_length=100, blank=True)
    protocol = models.CharField(max_length=100, blank=True)
    issuer = models.CharField(max_length=255, blank=True)
    own_account = models.CharField(max_length=255, blank=True)
    own_tenancy = models.CharField(max_length=255, blank=True)
    connected_at = models.DateTimeField(default=clock.now)
    probed_at = models.DateTimeField(null=True, blank=True)
    skew_seconds = models.FloatField(null=True, blank=True)
    paused_at = models.DateTimeField(null=True, blank=True)
    paused_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, null=True, blank=True, on_delete=models.SET_NULL, related_name="+"
    )
    pause_reason = models.TextField(blank=True)
    breaker_until = models.DateTimeField(null=True, blank=True)
    breaker_reason = models.TextField(blank=True)
    breaker_trips = models.PositiveIntegerField(default=0)
    survey_lease_holder = models.CharField(max_length=80, blank=True)
    survey_lease_until = models.DateTimeField(null=True, blank=True)
    survey_due_at = models.DateTimeField(default=clock.now)
    collect_due_at = models.DateTimeField(default=clock.now)

    class Meta:
        ordering = ("title", "id")

    def __str__(self) -> str:
        return self.title


class CloudRole(models.Model):
    """Which of the cloud's roles stands for which of ours."""

    class Role(models.TextChoices):
        OWNER = ConnectorRole.OWNER.value, "owner"
        MANAGER = ConnectorRole.MANAGER.value, "manager"
        MEMBER = ConnectorRole.MEMBER.value, "member"
        VIEWER = ConnectorRole.VIEWER.value, "viewer"

    cloud = models.ForeignKey(Cloud, on_delete=models.CASCADE, related_name="roles")
    role = models.CharField(max_length=10, choices=Role)
    native = models.CharField(max_length=100)

    class Meta:
        constraints = (models.UniqueConstraint(fields=("cloud", "role"), name="cloud_role_once"),)


class Capability(models.Model):
    """What the last connection test found the cloud can do."""

    cloud = models.ForeignKey(Cloud, on_delete=models.CASCADE, related_name="capabilities")
    name = models.CharField(max_length=100)
    value = models.CharField(max_length=200)

    class Meta:
        ordering = ("name",)
        constraints = (models.UniqueConstraint(fields=("cloud", "name"), name="capability_once"),)


class CloudRight(models.Model):
    """One thing our credential must be able to do; ``ok`` is null if it could not be tried."""

    cloud = models.ForeignKey(Cloud, on_delete=models.CASCADE, related_name="rights")
    name = models.CharField(max_length=120)
    needed_for = models.CharField(max_length=200)
    ok = models.BooleanField(null=True)
    message = models.TextField(blank=True)
    verbatim = models.TextField(blank=True)
    request_id = models.CharField(max_length=100, blank=True)

    class Meta:
        ordering = ("id",)


class CloudVersion(models.Model):
    """One service of the cloud: the version found, the one used, the range we support."""

    cloud = models.ForeignKey(Cloud, on_delete=models.CASCADE, related_name="versions")
    service = models.CharField(max_length=40)
    found = models.CharField(max_length=40)
    used = models.CharField(max_length=40)
    supported = models.CharField(max_length=80)
    ok = models.BooleanField()

    class Meta:
        ordering = ("id",)


class SiteSwitch(models.Model):
    """One row: the switch that pauses all writes to all clouds."""

    paused_at = models.DateTimeField(null=True, blank=True)
    paused_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, null=True, blank=True, on_delete=models.SET_NULL, related_name="+"
    )
    reason = models.TextField(blank=True)
