"""Collecting a cloud's usage: in windows of at most a day, each source with a mark of its own.

A source that fails keeps its mark, so the next collection begins there again; the others go on. A window that is
collected again changes nothing, because a delivery replaces.
"""

from __future__ import annotations

import os
import socket
import uuid
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from django.conf import settings
from django.db import transaction
from django.db.models import Q

from config import clock
from connectors.contract import Connector, Usage
from connectors.errors import ConnectorError, ErrorInfo, Unauthorized
from connectors.types import Delivery, SourceResult
from events.services import record
from events.verbs import Verb
from reporting import ledger
from reporting.errors import AlreadyCollecting, LedgerError, ReportingError
from reporting.models import (
    CloudMeter,
    CollectionLease,
    CollectionMark,
    CollectionRun,
    CollectionSource,
    Meter,
)
from reporting.selectors.things import known_things
from reporting.services.deliveries import delivery_store, holders_link
from tenancy.clouds import connect
from tenancy.loop import breaker
from tenancy.loop.lease import moment
from tenancy.models import Cloud

EVERY = timedelta(hours=1)
AGAIN = timedelta(minutes=10)  # after an incomplete collection
LEASE = timedelta(minutes=10)  # longer than one page may take with all its retries
OVERLAP = 900  # seconds read twice, for rows the cloud wrote late and clocks that differ


@dataclass(frozen=True, slots=True)
class Collected:
    """The runs of one call, oldest first. ``finished`` is false if slices remain for another call."""

    runs: tuple[CollectionRun, ...]
    finished: bool

    @property
    def complete(self) -> bool:
        return all(run.state == CollectionRun.State.COMPLETE for run in self.runs)


@dataclass(slots=True)
class _Source:
    """What a run learnt of one source. ``end``: how far its deliveries reached, if there were any."""

    complete: bool = False
    things: int = 0
    spans: int = 0
    end: int | None = None
    error: ErrorInfo | None = None


@dataclass(slots=True)
class _Collection:
    """One call of ``cloud_collect`` while it runs; ``done`` is what each source completed in it without a gap."""

    cloud: Cloud
    lease: str
    connector: Connector
    usage: Usage
    sources: frozenset[str]
    done: dict[str, tuple[int, int]] = field(default_factory=dict)
    failed: set[str] = field(default_factory=set)


def cloud_collect(
    *, cloud: Cloud, since: datetime | None = None, until: datetime | None = None, slices: int | None = None
) -> Collected:
    """Collect from each source's mark (or from ``since``) to now (or ``until``), both aware; never the future.

    At most ``slices`` windows. What the cloud refused is in the runs. Raises AlreadyCollecting if another worker has
    this cloud, LeaseLost if one took it over, ReportingError if its connector measures nothing.
    """
    lease = _claim(cloud)
    complete = finished = False
    try:
        with connect(cloud) as connector:
            if not isinstance(connector, Usage):
                raise ReportingError(
                    f"The connector of {cloud} measures no usage.", "Nothing: there is nothing to collect."
                )
            holders_link(cloud=cloud)
            work = _Collection(cloud, lease, connector, connector, _meters_save(cloud, connector))
            collected = _collect(work, since, until, slices)
        complete, finished = collected.complete, collected.finished
    finally:
        _release(cloud, lease, complete=complete, finished=finished)
    return collected


def clouds_collect_due() -> list[Cloud]:
    """Clouds whose collection is due, that may be called, and that nobody collects just now."""
    free = (
        Q(collection_lease__isnull=True)
        | Q(collection_lease__until__isnull=True)
        | Q(collection_lease__until__lte=moment())
    )
    return list(
        Cloud.objects.filter(free, breaker.closed(), collect_due_at__lte=clock.now()).order_by("collect_due_at")
    )


# --- windows ----------------------------------------------------------------------------------------------------


def _collect(work: _Collection, since: datetime | None, until: datetime | None, slices: int | None) -> Collected:
    now = int(clock.now().timestamp())
    stop = now if until is None else min(int(until.timestamp()), now)
    marks = dict(CollectionMark.objects.filter(cloud=work.cloud).values_list("source", "until"))
    first = now - settings.COLLECT_BACK_DAYS * ledger.DAY
    starts = {source: marks[source] - OVERLAP if source in marks else first for source in work.sources}
    start = int(since.timestamp()) if since else min(starts.values(), default=stop)
    runs: list[CollectionRun] = []
    for begin, end in ledger.slices(start, stop):
        wanting = {source for source in work.sources if since or marks.get(source, first) < end}
        if not wanting - work.failed:
            continue
        if slices is not None and len(runs) >= slices:
            return Collected(tuple(runs), finished=False)
        runs.append(_collect_window(work, begin, end))
    return Collected(tuple(runs), finished=True)


def _collect_window(work: _Collection, start: int, end: int) -> CollectionRun:
    run = CollectionRun.objects.create(cloud=work.cloud, start=start, end=end, started_at=clock.now())
    found = {source: _Source() for source in work.sources}
    before = sum(work.connector.calls().values())
    trouble = _read(work, run, found)
    run.calls = sum(work.connector.calls().values()) - before
    _finish(work, run, found, trouble)
    return run


def _read(work: _Collection, run: CollectionRun, found: dict[str, _Source]) -> ConnectorError | None:
    """Store what the connector streams; no transaction is open while it calls the cloud."""
    known = known_things(work.cloud, run.start, run.end)
    try:
        for item in work.usage.collect(run.start, run.end, known):
            source = found.setdefault(item.source, _Source())
            if isinstance(item, SourceResult):
                source.complete = item.complete and source.error is None
                source.error = source.error or item.error
            else:
                _store(work, run, item, source)
    except ConnectorError as error:
        return error
    return None


def _store(work: _Collection, run: CollectionRun, delivery: Delivery, source: _Source) -> None:
    try:
        stored = delivery_store(cloud=work.cloud, delivery=delivery, run=run, lease=work.lease)
    except LedgerError as error:
        source.error = ErrorInfo(type(error).__name__, error.message, error.remedy, retry=False)
        return
    _renew(work.cloud, work.lease)
    source.things += stored.things
    source.spans += stored.spans
    source.end = delivery.end if source.end is None else min(source.end, delivery.end)


def _finish(
    work: _Collection, run: CollectionRun, found: Mapping[str, _Source], trouble: ConnectorError | None
) -> None:
    if isinstance(trouble, Unauthorized):
        breaker.trip(work.cloud, trouble)
    for source in found.values():
        if not source.complete and source.error is None:
            source.error = trouble.info() if trouble else _SILENT
    complete = [name for name, source in found.items() if source.complete]
    work.failed |= found.keys() - complete
    run.finished_at = clock.now()
    run.state = _state(len(complete), len(found), trouble)
    if trouble:
        run.error, run.remedy = trouble.message, trouble.remedy
        run.verbatim, run.request_id = trouble.verbatim, trouble.request_id[:100]
    with transaction.atomic():
        run.save()
        CollectionSource.objects.bulk_create([_source_row(run, name, found[name]) for name in sorted(found)])
        for name in complete:
            _mark(work, name, run.start, found[name].end or run.end)
        record(
            actor=None, verb=Verb.COLLECTION_FINISHED, target=run, summary=_summary(work, run, found), cloud=work.cloud
        )


_SILENT = ErrorInfo(
    "Silent", "The connector did not say how this source ended.", "Report it to its author.", retry=True
)


def _state(complete: int, sources: int, trouble: ConnectorError | None) -> CollectionRun.State:
    if complete == sources and not trouble:
        return CollectionRun.State.COMPLETE
    return CollectionRun.State.INCOMPLETE if complete else CollectionRun.State.FAILED


def _source_row(run: CollectionRun, name: str, source: _Source) -> CollectionSource:
    row = CollectionSource(run=run, source=name, complete=source.complete, things=source.things, spans=source.spans)
    if source.error is not None:
        row.error, row.remedy, row.verbatim = source.error.message, source.error.remedy, source.error.verbatim
        row.request_id, row.call = source.error.request_id[:100], source.error.call[:200]
    return row


def _summary(work: _Collection, run: CollectionRun, found: Mapping[str, _Source]) -> str:
    spans = sum(source.spans for source in found.values())
    start, end = (datetime.fromtimestamp(each, clock.now().tzinfo) for each in (run.start, run.end))
    said = f"Collected usage of {work.cloud} from {start:%Y-%m-%d %H:%M} to {end:%Y-%m-%d %H:%M}: {spans} spans"
    lost = sorted(name for name, source in found.items() if not source.complete)
    return f"{said}; not complete: {', '.join(lost)}." if lost else f"{said}."


def _mark(work: _Collection, source: str, start: int, end: int) -> None:
    """Move the source's mark, if what this call completed of it joins what was complete before."""
    begun = work.done.get(source)
    joined = (begun[0], end) if begun and begun[1] >= start else (start, end)
    work.done[source] = joined
    mark, created = CollectionMark.objects.get_or_create(
        cloud=work.cloud, source=source, defaults={"since": joined[0], "until": joined[1]}
    )
    if created or joined[0] > mark.until or joined[1] < mark.since:
        return
    mark.since, mark.until = min(mark.since, joined[0]), max(mark.until, joined[1])
    mark.save()


def _meters_save(cloud: Cloud, usage: Usage) -> frozenset[str]:
    """Keep what the connector says it measures; its sources."""
    declared = usage.meters()
    with transaction.atomic():
        Meter.objects.bulk_create([Meter(key=each.key) for each in declared], ignore_conflicts=True)
        ids = dict(Meter.objects.filter(key__in={each.key for each in declared}).values_list("key", "id"))
        CloudMeter.objects.filter(cloud=cloud).delete()
        CloudMeter.objects.bulk_create(
            CloudMeter(
                cloud=cloud, meter_id=ids[each.key], source=each.source, thing_kind=each.thing_kind,
                accuracy=each.accuracy.value,
            )
            for each in declared
        )  # fmt: skip
    return frozenset(each.source for each in declared)


# --- the claim --------------------------------------------------------------------------------------------------


def _claim(cloud: Cloud) -> str:
    """Exactly one worker's UPDATE changes the row. Runs that a dead worker left open are closed as failed."""
    lease = f"{socket.gethostname()[:40]}:{os.getpid()}:{uuid.uuid4().hex[:8]}"
    CollectionLease.objects.get_or_create(cloud=cloud)
    free = Q(until__isnull=True) | Q(until__lte=moment())
    if not CollectionLease.objects.filter(free, cloud=cloud).update(holder=lease, until=moment(LEASE)):
        found = CollectionLease.objects.get(cloud=cloud)
        raise AlreadyCollecting(f"The usage of {cloud} is being collected by {found.holder or 'another worker'}.")
    CollectionRun.objects.filter(cloud=cloud, state=CollectionRun.State.RUNNING).update(
        state=CollectionRun.State.FAILED,
        finished_at=clock.now(),
        error="The worker ended without a word.",
        remedy="Nothing to do: the next collection begins at the last complete mark.",
    )
    return lease


def _renew(cloud: Cloud, lease: str) -> None:
    CollectionLease.objects.filter(cloud=cloud, holder=lease).update(until=moment(LEASE))


def _release(cloud: Cloud, lease: str, *, complete: bool, finished: bool) -> None:
    """Give the claim back and say when the next collection is due; at once if windows remain."""
    now = clock.now()
    due = now if complete and not finished else now + (EVERY if complete else AGAIN)
    if CollectionLease.objects.filter(cloud=cloud, holder=lease).update(holder="", until=None):
        Cloud.objects.filter(pk=cloud.pk).update(collect_due_at=due)
