"""The journal and what surveys and plans left behind."""

from __future__ import annotations

import uuid

from django.conf import settings
from django.db import models

from config import clock
from connectors.plan import DriftKind as PlannerDriftKind
from connectors.plan import Hold as PlannerHold
from connectors.types import ChangeKind, Takes
from tenancy.models.clouds import Cloud
from tenancy.models.tenancies import Account, Tenancy


class Kind(models.TextChoices):
    """Kinds of changes, as the planner names them."""

    ACCOUNT_CREATE = ChangeKind.ACCOUNT_CREATE.value, "create account"
    TENANCY_CREATE = ChangeKind.TENANCY_CREATE.value, "create tenancy"
    TENANCY_TAG = ChangeKind.TENANCY_TAG.value, "mark as ours"
    LIMIT_RAISE = ChangeKind.LIMIT_RAISE.value, "raise limit"
    TENANCY_ENABLE = ChangeKind.TENANCY_ENABLE.value, "enable tenancy"
    MEMBER_ADD = ChangeKind.MEMBER_ADD.value, "add member"
    WORK_START = ChangeKind.WORK_START.value, "start work"
    MEMBER_REMOVE = ChangeKind.MEMBER_REMOVE.value, "remove member"
    TENANCY_DISABLE = ChangeKind.TENANCY_DISABLE.value, "disable tenancy"
    WORK_STOP = ChangeKind.WORK_STOP.value, "stop work"
    LIMIT_CUT = ChangeKind.LIMIT_CUT.value, "cut limit"


class TakesChoice(models.TextChoices):
    NOTHING = Takes.NOTHING.value, "nothing"
    ACCESS = Takes.ACCESS.value, "access"
    WORK = Takes.WORK.value, "running work"
    LIMIT = Takes.LIMIT.value, "limit"


class Step(models.Model):
    """One journaled change on one cloud: saved before its call is sent, settled after it, safe to repeat.

    ``key`` is deterministic (tenancy, wanted version, kind, target, round), so a retry finds its row; ``round`` counts
    how often the same was put back at the same wanted version, ``wrote`` tells whether a write was needed. The
    ``fence`` is that of the lease under which it was sent: a late answer of an older holder is discarded.
    """

    class State(models.TextChoices):
        PLANNED = "planned", "next"
        SENT = "sent", "being sent"
        DONE = "done", "done"
        UNCLEAR = "unclear", "outcome unclear"
        INEFFECTIVE = "ineffective", "accepted, nothing changed"
        FAILED = "failed", "failed"
        SUPERSEDED = "superseded", "no longer wanted"

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    key = models.CharField(max_length=400, unique=True)
    tenancy = models.ForeignKey(Tenancy, on_delete=models.CASCADE, related_name="steps")
    cloud = models.ForeignKey(Cloud, on_delete=models.CASCADE, related_name="steps")
    account = models.ForeignKey(Account, null=True, blank=True, on_delete=models.SET_NULL, related_name="steps")
    version = models.PositiveIntegerField()
    round = models.PositiveSmallIntegerField(default=0)
    position = models.PositiveSmallIntegerField()
    kind = models.CharField(max_length=20, choices=Kind)
    section = models.CharField(max_length=40)
    target = models.CharField(max_length=300)
    native_id = models.CharField(max_length=255, blank=True)
    before = models.CharField(max_length=255, blank=True)
    after = models.CharField(max_length=255, blank=True)
    reason = models.TextField(blank=True)
    takes = models.CharField(max_length=10, choices=TakesChoice, default=TakesChoice.NOTHING)
    decided = models.BooleanField(default=True)
    state = models.CharField(max_length=12, choices=State, default=State.PLANNED)
    fence = models.PositiveIntegerField(default=0)
    attempts = models.PositiveSmallIntegerField(default=0)
    planned_at = models.DateTimeField(default=clock.now)
    sent_at = models.DateTimeField(null=True, blank=True)
    wrote = models.BooleanField(default=False)
    confirmed = models.BooleanField(default=False)
    settled_at = models.DateTimeField(null=True, blank=True)
    now = models.CharField(max_length=255, blank=True)
    detail = models.TextField(blank=True)
    error_kind = models.CharField(max_length=40, blank=True)
    error = models.TextField(blank=True)
    remedy = models.TextField(blank=True)
    verbatim = models.TextField(blank=True)
    request_id = models.CharField(max_length=100, blank=True)
    http_status = models.PositiveSmallIntegerField(null=True, blank=True)
    call = models.CharField(max_length=200, blank=True)

    class Meta:
        ordering = ("planned_at", "position", "id")
        indexes = (
            models.Index(fields=("tenancy", "state")),
            models.Index(fields=("cloud", "settled_at")),
            models.Index(fields=("tenancy", "target", "settled_at")),
        )


class SurveyRun(models.Model):
    """One reading of a cloud (full) or of one tenancy (scoped)."""

    class State(models.TextChoices):
        RUNNING = "running", "running"
        DONE = "done", "done"
        FAILED = "failed", "failed"

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    cloud = models.ForeignKey(Cloud, on_delete=models.CASCADE, related_name="survey_runs")
    tenancy = models.ForeignKey(Tenancy, null=True, blank=True, on_delete=models.CASCADE, related_name="survey_runs")
    state = models.CharField(max_length=10, choices=State, default=State.RUNNING)
    started_at = models.DateTimeField()
    finished_at = models.DateTimeField(null=True, blank=True)
    calls = models.PositiveIntegerField(default=0)
    error = models.TextField(blank=True)
    verbatim = models.TextField(blank=True)

    class Meta:
        ordering = ("-started_at",)
        indexes = (models.Index(fields=("cloud", "tenancy", "-started_at")),)


class SurveySection(models.Model):
    """How far one section of a survey got."""

    run = models.ForeignKey(SurveyRun, on_delete=models.CASCADE, related_name="sections")
    name = models.CharField(max_length=40)
    complete = models.BooleanField()
    suspect = models.BooleanField(default=False)
    count = models.PositiveIntegerField(default=0)
    error = models.TextField(blank=True)
    verbatim = models.TextField(blank=True)
    request_id = models.CharField(max_length=100, blank=True)

    class Meta:
        ordering = ("name",)
        constraints = (models.UniqueConstraint(fields=("run", "name"), name="survey_section_once"),)


class PlanLine(models.Model):
    """One line of the newest plan of a tenancy; replaced whole by the next plan of that tenancy.

    ``hold`` is empty for what would be applied.
    """

    class HoldChoice(models.TextChoices):
        MODE = PlannerHold.MODE.value, "held by the mode"
        UNTOUCHABLE = PlannerHold.UNTOUCHABLE.value, "untouchable"
        LAST_OWNER = PlannerHold.LAST_OWNER.value, "last owner"
        CONTESTED = PlannerHold.CONTESTED.value, "contested"
        INEFFECTIVE = PlannerHold.INEFFECTIVE.value, "accepted, nothing changed"
        REFUSED = PlannerHold.REFUSED.value, "refused by the cloud"
        SUSPECT = PlannerHold.SUSPECT.value, "survey is suspect"
        MISSING = PlannerHold.MISSING.value, "missing on the cloud"
        NAME_TAKEN = PlannerHold.NAME_TAKEN.value, "name is taken"
        DUPLICATE = PlannerHold.DUPLICATE.value, "marked twice"
        NO_ACCOUNT = PlannerHold.NO_ACCOUNT.value, "no account"
        GUARD = PlannerHold.GUARD.value, "waits for a person"

    cloud = models.ForeignKey(Cloud, on_delete=models.CASCADE, related_name="plan_lines")
    tenancy = models.ForeignKey(Tenancy, on_delete=models.CASCADE, related_name="plan_lines")
    version = models.PositiveIntegerField()
    position = models.PositiveSmallIntegerField()
    kind = models.CharField(max_length=20, choices=Kind)
    section = models.CharField(max_length=40)
    target = models.CharField(max_length=300)
    account = models.ForeignKey(Account, null=True, blank=True, on_delete=models.CASCADE, related_name="+")
    before = models.CharField(max_length=255, blank=True)
    after = models.CharField(max_length=255, blank=True)
    reason = models.TextField(blank=True)
    takes = models.CharField(max_length=10, choices=TakesChoice, default=TakesChoice.NOTHING)
    decided = models.BooleanField(default=True)
    hold = models.CharField(max_length=12, choices=HoldChoice, blank=True)
    why = models.TextField(blank=True)
    planned_at = models.DateTimeField()

    class Meta:
        ordering = ("tenancy__name", "position", "id")
        constraints = (models.UniqueConstraint(fields=("tenancy", "target", "kind"), name="plan_line_once"),)


class DriftLine(models.Model):
    """A difference we did not cause, while it lasts; ``gone_at`` ends it."""

    class DriftKind(models.TextChoices):
        UNMANAGED = PlannerDriftKind.UNMANAGED.value, "unmanaged"
        MISSING = PlannerDriftKind.MISSING.value, "missing"
        CHANGED = PlannerDriftKind.CHANGED.value, "changed"

    cloud = models.ForeignKey(Cloud, on_delete=models.CASCADE, related_name="drift_lines")
    tenancy = models.ForeignKey(Tenancy, null=True, blank=True, on_delete=models.CASCADE, related_name="drift_lines")
    kind = models.CharField(max_length=10, choices=DriftKind)
    native_id = models.CharField(max_length=255)
    object = models.CharField(max_length=255)
    found = models.CharField(max_length=255, blank=True)
    wanted = models.CharField(max_length=255, blank=True)
    note = models.TextField(blank=True)
    first_seen_at = models.DateTimeField()
    last_seen_at = models.DateTimeField()
    gone_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        ordering = ("tenancy__name", "object", "native_id")
        indexes = (models.Index(fields=("cloud", "gone_at")),)


class GuardDay(models.Model):
    """The fixed base of the guard: how many had access, and limits were in force, as the day began."""

    cloud = models.ForeignKey(Cloud, on_delete=models.CASCADE, related_name="guard_days")
    day = models.DateField()
    members = models.PositiveIntegerField()
    limits = models.PositiveIntegerField()

    class Meta:
        constraints = (models.UniqueConstraint(fields=("cloud", "day"), name="guard_day_once"),)


class Confirmation(models.Model):
    """A named person let one held batch pass: for these changes only, once, for 24 hours."""

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    cloud = models.ForeignKey(Cloud, on_delete=models.CASCADE, related_name="confirmations")
    fingerprint = models.CharField(max_length=64)
    by = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="+")
    at = models.DateTimeField(default=clock.now)
    expires_at = models.DateTimeField()
    reason = models.TextField(blank=True)

    class Meta:
        ordering = ("-at",)


class ConfirmedChange(models.Model):
    """One change inside a confirmation. A newer wanted version of its tenancy voids it; ``used_at`` ends it."""

    confirmation = models.ForeignKey(Confirmation, on_delete=models.CASCADE, related_name="changes")
    tenancy = models.ForeignKey(Tenancy, on_delete=models.CASCADE, related_name="+")
    version = models.PositiveIntegerField()
    target = models.CharField(max_length=300)
    kind = models.CharField(max_length=20, choices=Kind)
    used_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        constraints = (
            models.UniqueConstraint(fields=("confirmation", "tenancy", "target", "kind"), name="confirmed_once"),
        )
