"""How far and how well usage is known: by cloud and meter. What was never looked at is unknown, never 0."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime
from enum import Enum
from uuid import UUID

from django.db.models import OuterRef, QuerySet, Subquery

from reporting.ledger import DAY, day_start
from reporting.models import CloudMeter, CollectionMark, CollectionRun
from reporting.months import Month, months_back
from tenancy.models import Cloud


class Known(Enum):
    """How much of a day was looked at."""

    WHOLE = "whole"
    PART = "part"
    NOTHING = "nothing"


@dataclass(frozen=True, slots=True)
class Stretch:
    """Looked at without a gap from ``since`` to ``until`` (epoch seconds)."""

    since: int
    until: int

    def day(self, day: date) -> Known:
        start = day_start(day)
        if self.since <= start and self.until >= start + DAY:
            return Known.WHOLE
        return Known.PART if self.since < start + DAY and self.until > start else Known.NOTHING

    @property
    def until_at(self) -> datetime:
        return datetime.fromtimestamp(self.until, UTC)

    @property
    def since_at(self) -> datetime:
        return datetime.fromtimestamp(self.since, UTC)


@dataclass(frozen=True, slots=True)
class Coverage:
    """Of all connected clouds: ``stretches`` by cloud and source, ``sources`` of each meter by cloud."""

    clouds: Mapping[UUID, Cloud]
    stretches: Mapping[UUID, Mapping[str, Stretch]]
    sources: Mapping[tuple[UUID, str], frozenset[str]]

    def measures(self, cloud: UUID, meter: str) -> bool:
        return (cloud, meter) in self.sources

    def of_meter(self, cloud: UUID, meter: str) -> Stretch | None:
        """What all sources of the meter looked at; None if one of them never did."""
        return _together(self.stretches.get(cloud, {}), self.sources.get((cloud, meter), frozenset()))

    def of_cloud(self, cloud: UUID) -> Stretch | None:
        wanted = {source for (where, _), names in self.sources.items() if where == cloud for source in names}
        return _together(self.stretches.get(cloud, {}), wanted)

    def until(self, clouds: Iterable[UUID] | None = None) -> datetime | None:
        """Until when all of these clouds are complete; None if one never was, or there is none."""
        found = [self.of_cloud(cloud) for cloud in (self.clouds if clouds is None else clouds)]
        whole = [each.until for each in found if each is not None]
        return datetime.fromtimestamp(min(whole), UTC) if whole and len(whole) == len(found) else None

    def source_until(self, cloud: UUID, source: str) -> int | None:
        stretch = self.stretches.get(cloud, {}).get(source)
        return stretch.until if stretch else None

    def months(self, now: datetime) -> list[Month]:
        """From this month back to the first that was collected."""
        since = [stretch.since for each in self.stretches.values() for stretch in each.values()]
        oldest = Month.of(datetime.fromtimestamp(min(since), UTC)) if since else Month.of(now)
        return months_back(Month.of(now), oldest)


def _together(stretches: Mapping[str, Stretch], sources: Iterable[str]) -> Stretch | None:
    found = [stretches.get(source) for source in sources]
    whole = [each for each in found if each is not None]
    if not whole or len(whole) < len(found):
        return None
    since, until = max(each.since for each in whole), min(each.until for each in whole)
    return Stretch(since, until) if since < until else None


def coverage() -> Coverage:
    """Two queries, whatever the size."""
    clouds = {cloud.pk: cloud for cloud in Cloud.objects.defer("credential")}
    mark = CollectionMark.objects.filter(cloud=OuterRef("cloud"), source=OuterRef("source"))
    meters = CloudMeter.objects.annotate(since=Subquery(mark.values("since")), until=Subquery(mark.values("until")))
    stretches: dict[UUID, dict[str, Stretch]] = defaultdict(dict)
    sources: dict[tuple[UUID, str], set[str]] = defaultdict(set)
    for cloud, key, source, since, until in meters.values_list("cloud_id", "meter__key", "source", "since", "until"):
        sources[cloud, key].add(source)
        if since is not None:
            stretches[cloud][source] = Stretch(since, until)
    return Coverage(clouds, stretches, {key: frozenset(names) for key, names in sources.items()})


def runs_list() -> QuerySet[CollectionRun]:
    """Newest first, with cloud and sources."""
    return CollectionRun.objects.select_related("cloud").defer("cloud__credential").prefetch_related("sources")
