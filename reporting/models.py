"""The usage ledger: things, their spans, what was observed when, daily totals, and the runs that collected them.

Quantities are integers in base units of the meter (milli-vCPU, MiB, pieces); times inside the ledger are whole epoch
seconds, intervals half-open. A quantity over time is in base units x seconds.
"""

from __future__ import annotations

import uuid

from django.db import models
from django.db.models import F, Q

from config import clock
from connectors.types import Accuracy as ConnectorAccuracy
from tenancy.models import Cloud, Tenancy


class Accuracy(models.TextChoices):
    EXACT = ConnectorAccuracy.EXACT.value, "exact"
    SAMPLED = ConnectorAccuracy.SAMPLED.value, "sampled"
    ESTIMATED = ConnectorAccuracy.ESTIMATED.value, "estimated"


class Holder(models.Model):
    """A tenancy as the ledger knows it: by the cloud's own id.

    ``tenancy`` is null while nobody has mapped that id; a later adoption fills it, and all history follows.
    """

    cloud = models.ForeignKey(Cloud, on_delete=models.PROTECT, related_name="holders")
    native_id = models.CharField(max_length=255)
    tenancy = models.ForeignKey(Tenancy, null=True, blank=True, on_delete=models.SET_NULL, related_name="holders")

    class Meta:
        constraints = (models.UniqueConstraint(fields=("cloud", "native_id"), name="holder_once"),)

    def __str__(self) -> str:
        return self.native_id


class Meter(models.Model):
    """A name of the catalog, as a small integer, because spans are many."""

    id = models.SmallAutoField(primary_key=True)
    key = models.CharField(max_length=60, unique=True)

    def __str__(self) -> str:
        return self.key


class Thing(models.Model):
    """A server, a volume: what a span is about. One that moves to another tenancy gets a second row there.

    Name and detail are those of the observation at ``observed`` (epoch seconds), the newest that changed them.
    """

    cloud = models.ForeignKey(Cloud, on_delete=models.PROTECT, related_name="things")
    holder = models.ForeignKey(Holder, on_delete=models.PROTECT, related_name="things")
    kind = models.CharField(max_length=40)
    native_id = models.CharField(max_length=255)
    name = models.CharField(max_length=255, blank=True)
    detail = models.CharField(max_length=255, blank=True)
    born = models.BigIntegerField(null=True)
    observed = models.BigIntegerField()

    class Meta:
        constraints = (
            models.UniqueConstraint(fields=("cloud", "native_id", "kind", "holder"), name="thing_once_a_holder"),
        )

    def __str__(self) -> str:
        return self.name or self.native_id


class CollectionRun(models.Model):
    """One reading of a cloud's usage over a window of time."""

    class State(models.TextChoices):
        RUNNING = "running", "running"
        COMPLETE = "complete", "complete"
        INCOMPLETE = "incomplete", "incomplete"
        FAILED = "failed", "failed"

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    cloud = models.ForeignKey(Cloud, on_delete=models.CASCADE, related_name="collection_runs")
    state = models.CharField(max_length=10, choices=State, default=State.RUNNING)
    start = models.BigIntegerField()
    end = models.BigIntegerField()
    started_at = models.DateTimeField(default=clock.now)
    finished_at = models.DateTimeField(null=True, blank=True)
    calls = models.PositiveIntegerField(default=0)
    error = models.TextField(blank=True)
    remedy = models.TextField(blank=True)
    verbatim = models.TextField(blank=True)
    request_id = models.CharField(max_length=100, blank=True)

    class Meta:
        ordering = ("-started_at", "-start")
        indexes = (models.Index(fields=("cloud", "-started_at")),)


class CollectionSource(models.Model):
    """How the reading of one source of a run ended."""

    run = models.ForeignKey(CollectionRun, on_delete=models.CASCADE, related_name="sources")
    source = models.CharField(max_length=60)
    complete = models.BooleanField()
    things = models.PositiveIntegerField(default=0)
    spans = models.PositiveIntegerField(default=0)
    error = models.TextField(blank=True)
    remedy = models.TextField(blank=True)
    verbatim = models.TextField(blank=True)
    request_id = models.CharField(max_length=100, blank=True)
    call = models.CharField(max_length=200, blank=True)

    class Meta:
        ordering = ("source",)
        constraints = (models.UniqueConstraint(fields=("run", "source"), name="collection_source_once"),)


class DeliveryRow(models.Model):
    """One delivery as it was stored: which source said it, about which window, seen when."""

    cloud = models.ForeignKey(Cloud, on_delete=models.CASCADE, related_name="deliveries")
    run = models.ForeignKey(CollectionRun, null=True, blank=True, on_delete=models.SET_NULL, related_name="deliveries")
    source = models.CharField(max_length=60)
    start = models.BigIntegerField()
    end = models.BigIntegerField()
    observed_at = models.DateTimeField()
    stored_at = models.DateTimeField(default=clock.now)
    things = models.PositiveIntegerField()
    spans = models.PositiveIntegerField()

    class Meta:
        ordering = ("-stored_at", "-id")
        indexes = (models.Index(fields=("cloud", "-stored_at")),)


class Span(models.Model):
    """This thing had this quantity in this state from start to end. Never written but by ``delivery_store``."""

    thing = models.ForeignKey(Thing, on_delete=models.PROTECT, related_name="spans")
    meter = models.ForeignKey(Meter, on_delete=models.PROTECT, related_name="spans")
    start = models.BigIntegerField()
    end = models.BigIntegerField()
    quantity = models.BigIntegerField()
    state = models.CharField(max_length=60)
    accuracy = models.CharField(max_length=10, choices=Accuracy)
    reason = models.TextField(blank=True)
    delivery = models.ForeignKey(DeliveryRow, on_delete=models.PROTECT, related_name="+")

    class Meta:
        ordering = ("start", "id")
        constraints = (
            models.UniqueConstraint(fields=("thing", "meter", "start"), name="span_start_once"),
            models.CheckConstraint(condition=Q(end__gt=F("start")), name="span_has_length"),
            models.CheckConstraint(condition=Q(quantity__gte=0), name="span_is_not_negative"),
        )
        indexes = (models.Index(fields=("end", "start")),)


class Coverage(models.Model):
    """When the newest observation of a stretch was made: what an older delivery may not change.

    A stretch without usage is covered too. Neighbours that are older than ``ledger.SETTLED`` are kept as one, so there
    are only a few rows a thing and meter.
    """

    thing = models.ForeignKey(Thing, on_delete=models.CASCADE, related_name="coverage")
    meter = models.ForeignKey(Meter, on_delete=models.PROTECT, related_name="+")
    start = models.BigIntegerField()
    end = models.BigIntegerField()
    observed = models.BigIntegerField()

    class Meta:
        constraints = (
            models.UniqueConstraint(fields=("thing", "meter", "start"), name="coverage_start_once"),
            models.CheckConstraint(condition=Q(end__gt=F("start")), name="coverage_has_length"),
        )


class DailyTotal(models.Model):
    """What a holder used of a meter on one UTC day, in base units x seconds; the parts are contained in the whole.

    Kept in step with the spans in the transaction that changes them.
    """

    holder = models.ForeignKey(Holder, on_delete=models.PROTECT, related_name="daily_totals")
    meter = models.ForeignKey(Meter, on_delete=models.PROTECT, related_name="daily_totals")
    day = models.DateField()
    quantity_seconds = models.BigIntegerField()
    sampled = models.BigIntegerField()
    estimated = models.BigIntegerField()

    class Meta:
        constraints = (models.UniqueConstraint(fields=("holder", "meter", "day"), name="daily_total_once"),)
        indexes = (models.Index(fields=("day", "meter")),)


class CloudMeter(models.Model):
    """What a cloud's connector says it measures, from which source, and how well; renewed by each collection."""

    cloud = models.ForeignKey(Cloud, on_delete=models.CASCADE, related_name="meters")
    meter = models.ForeignKey(Meter, on_delete=models.PROTECT, related_name="+")
    source = models.CharField(max_length=60)
    thing_kind = models.CharField(max_length=40)
    accuracy = models.CharField(max_length=10, choices=Accuracy)

    class Meta:
        ordering = ("meter__key", "source")
        constraints = (
            models.UniqueConstraint(fields=("cloud", "meter", "source", "thing_kind"), name="cloud_meter_once"),
        )


class CollectionMark(models.Model):
    """Without a gap, this source of this cloud was read completely from ``since`` to ``until``."""

    cloud = models.ForeignKey(Cloud, on_delete=models.CASCADE, related_name="collection_marks")
    source = models.CharField(max_length=60)
    since = models.BigIntegerField()
    until = models.BigIntegerField()

    class Meta:
        ordering = ("source",)
        constraints = (
            models.UniqueConstraint(fields=("cloud", "source"), name="collection_mark_once"),
            models.CheckConstraint(condition=Q(until__gte=F("since")), name="collection_mark_has_order"),
        )


class CollectionLease(models.Model):
    """Who collects a cloud just now. Its row is also what stores of one cloud's deliveries queue up on."""

    cloud = models.OneToOneField(Cloud, on_delete=models.CASCADE, primary_key=True, related_name="collection_lease")
    holder = models.CharField(max_length=80, blank=True)
    until = models.DateTimeField(null=True, blank=True)
