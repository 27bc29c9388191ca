"""`manage.py collect`: read the usage of clouds now, and say how each source ended."""

from __future__ import annotations

from argparse import ArgumentParser, ArgumentTypeError
from datetime import UTC, datetime
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from config.crypto import UndecipherableError
from connectors.errors import ConnectorError
from reporting import services
from reporting.errors import ReportingError
from reporting.models import CollectionRun
from tenancy.models import Cloud

INCOMPLETE = 1
USAGE_ERROR = 2


def moment(text: str) -> datetime:
    """An aware time; one without a zone is refused, because it would be a guess."""
    try:
        found = datetime.fromisoformat(text)
    except ValueError as error:
        raise ArgumentTypeError(f"{text!r} is no ISO time, such as 2026-11-01T00:00:00Z") from error
    if found.tzinfo is None:
        raise ArgumentTypeError(f"{text!r} has no zone: write {text}Z for UTC")
    return found


class Command(BaseCommand):
    help = "Collect usage. Exit codes: 0 all complete, 1 something is incomplete, 2 wrong usage."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--cloud", help="only this cloud (its short name)")
        parser.add_argument("--since", type=moment, help="ISO time; default: where each source was left")
        parser.add_argument("--until", type=moment, help="ISO time; default: now")

    def handle(
        self, *_args: Any, cloud: str | None, since: datetime | None, until: datetime | None, **_options: Any
    ) -> None:
        if since is not None and until is not None and since >= until:
            raise CommandError("--since must be before --until.", returncode=USAGE_ERROR)
        clouds = list(Cloud.objects.filter(slug=cloud) if cloud else Cloud.objects.all())
        if cloud and not clouds:
            known = ", ".join(Cloud.objects.values_list("slug", flat=True)) or "none"
            raise CommandError(f"There is no cloud “{cloud}”; connected are: {known}.", returncode=USAGE_ERROR)
        if not clouds:
            self.stdout.write("No cloud is connected, so there is nothing to collect.")
        complete = [self._collect(each, since, until) for each in clouds]
        if not all(complete):
            raise CommandError("Not everything was collected; the next collection tries again.", returncode=INCOMPLETE)

    def _collect(self, cloud: Cloud, since: datetime | None, until: datetime | None) -> bool:
        try:
            collected = services.cloud_collect(cloud=cloud, since=since, until=until)
        except (ReportingError, ConnectorError) as error:
            self.stderr.write(f"{cloud.slug}: {error.message} {error.remedy}")
            return False
        except UndecipherableError as error:
            self.stderr.write(f"{cloud.slug}: {error}")
            return False
        if not collected.runs:
            self.stdout.write(f"{cloud.slug}: nothing new since the last collection.")
        for run in collected.runs:
            self._say(cloud, run)
        return collected.complete

    def _say(self, cloud: Cloud, run: CollectionRun) -> None:
        start, end = (datetime.fromtimestamp(each, UTC).strftime("%Y-%m-%d %H:%M:%S") for each in (run.start, run.end))
        self.stdout.write(f"{cloud.slug}: {start} to {end} UTC, {run.calls} calls: {run.get_state_display()}")
        if run.error:
            self.stdout.write(f"  {run.error} {run.remedy}")
        for source in run.sources.all():
            how = "complete" if source.complete else f"INCOMPLETE: {source.error} {source.verbatim}".rstrip()
            self.stdout.write(f"  {source.source}: {source.things} things, {source.spans} spans, {how}")
