"""Requests: what people ask for, line by line, and what became of it."""

from __future__ import annotations

import uuid

from django.conf import settings
from django.db import models
from django.db.models import F, Q

from config import clock
from connectors.types import UNLIMITED
from quotas.catalog import RESOURCES, Resource
from tenancy.models import Cloud, Institution, Project


class RequestQuerySet(models.QuerySet["Request"]):
    def waiting(self) -> RequestQuerySet:
        return self.filter(state=Request.State.SUBMITTED)

    def decided(self) -> RequestQuerySet:
        return self.filter(state__in=(Request.State.APPROVED, Request.State.REFUSED))


class Request(models.Model):
    """A new project, more for a project, or a longer life of it; decided once, by one person.

    `starts_on` is set for a new project only. `ends_on` is the last day: of a new project, of a renewed one, or of what
    is granted in addition (null: as long as the project).
    """

    class Kind(models.TextChoices):
        NEW = "new", "new project"
        MORE = "more", "more"
        RENEWAL = "renewal", "renewal"

    class State(models.TextChoices):
        SUBMITTED = "submitted", "waits for a decision"
        APPROVED = "approved", "approved"
        REFUSED = "refused", "refused"
        WITHDRAWN = "withdrawn", "withdrawn"

    class Purpose(models.TextChoices):
        """Those of a project without the canary, which nobody asks for."""

        RESEARCH = Project.Purpose.RESEARCH.value, Project.Purpose.RESEARCH.label
        TEACHING = Project.Purpose.TEACHING.value, Project.Purpose.TEACHING.label
        SERVICE = Project.Purpose.SERVICE.value, Project.Purpose.SERVICE.label

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    kind = models.CharField(max_length=10, choices=Kind)
    state = models.CharField(max_length=10, choices=State, default=State.SUBMITTED)
    title = models.CharField(max_length=120)
    slug = models.SlugField(max_length=50, blank=True)
    purpose = models.CharField(max_length=20, choices=Purpose, blank=True)
    description = models.TextField()
    institution = models.ForeignKey(Institution, null=True, blank=True, on_delete=models.PROTECT, related_name="+")
    starts_on = models.DateField(null=True, blank=True)
    ends_on = models.DateField(null=True, blank=True)
    project = models.ForeignKey(Project, null=True, blank=True, on_delete=models.PROTECT, related_name="requests")
    requested_by = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="requests")
    created_at = models.DateTimeField(default=clock.now)
    decided_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, null=True, blank=True, on_delete=models.PROTECT, related_name="+"
    )
    decided_at = models.DateTimeField(null=True, blank=True)
    decision_reason = models.TextField(blank=True)

    objects = RequestQuerySet.as_manager()

    class Meta:
        ordering = ("-created_at", "id")
        constraints = (
            # A second click on "send" finds the first request, it does not make another.
            models.UniqueConstraint(
                fields=("requested_by", "title"), condition=Q(state="submitted", kind="new"), name="request_new_once"
            ),
            models.UniqueConstraint(
                fields=("project", "kind"),
                condition=Q(state="submitted") & ~Q(kind="new"),
                name="request_open_once_a_project",
            ),
            models.CheckConstraint(
                condition=Q(starts_on__isnull=True) | Q(ends_on__gte=F("starts_on")), name="request_ends_after_start"
            ),
        )
        indexes = (models.Index(fields=("state", "created_at")), models.Index(fields=("requested_by", "-created_at")))

    def __str__(self) -> str:
        return self.title

    @property
    def is_open(self) -> bool:
        return self.state == self.State.SUBMITTED


class RequestCloud(models.Model):
    """A cloud on which the project is wanted; with or without lines of its own."""

    request = models.ForeignKey(Request, on_delete=models.CASCADE, related_name="wanted_clouds")
    cloud = models.ForeignKey(Cloud, on_delete=models.PROTECT, related_name="+")

    class Meta:
        ordering = ("cloud__title", "cloud_id")
        constraints = (models.UniqueConstraint(fields=("request", "cloud"), name="request_cloud_once"),)


class RequestLine(models.Model):
    """The limit asked for one resource on one cloud, in all and in base units, and the one that was granted."""

    request = models.ForeignKey(Request, on_delete=models.CASCADE, related_name="lines")
    cloud = models.ForeignKey(Cloud, on_delete=models.PROTECT, related_name="+")
    resource = models.CharField(max_length=60)
    amount = models.BigIntegerField()
    before = models.BigIntegerField(null=True, blank=True)
    granted = models.BigIntegerField(null=True, blank=True)

    class Meta:
        ordering = ("cloud__title", "id")
        constraints = (
            models.UniqueConstraint(fields=("request", "cloud", "resource"), name="request_line_once"),
            models.CheckConstraint(condition=Q(amount__gt=UNLIMITED), name="request_line_amount_sane"),
        )

    @property
    def catalog(self) -> Resource:
        return RESOURCES[self.resource]
