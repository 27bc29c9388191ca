"""Survey the clouds and carry out what is pending, in the foreground."""

from __future__ import annotations

from argparse import ArgumentParser
from typing import Any

from django.core.management.base import BaseCommand

from connectors.errors import ConnectorError
from tenancy.loop import claims, run, survey
from tenancy.management.commands._common import clouds, leave, tell
from tenancy.models import Tenancy


class Command(BaseCommand):
    help = "Make the clouds match now. Exit code 1 when something could not be settled."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--cloud", metavar="NAME", help="one cloud (default: all)")

    def handle(self, *args: Any, **options: Any) -> None:
        holder = claims.holder_name()
        chosen = clouds(options["cloud"])
        failed = False
        for cloud in chosen:
            try:
                if survey.run(cloud.pk, holder) is None:
                    self.stderr.write(f"{cloud}: another worker is surveying it now.")
            except ConnectorError as error:
                failed = True
                tell(self.stderr, error)
        reports = run.work_due(holder, patience=run.UNHURRIED)
        open_rows = Tenancy.objects.unsettled().filter(cloud__in=chosen).select_related("cloud")
        for report in reports:
            if report.note:
                self.stderr.write(report.note)
        applied, held = sum(r.applied for r in reports), sum(r.held for r in reports)
        self.stdout.write(f"{len(reports)} tenancies worked on, {applied} changes made, {held} held.")
        for tenancy in open_rows:
            states = ", ".join(f"{c.section}: {c.get_state_display()} {c.reason}" for c in tenancy.conditions.all())
            self.stdout.write(f"  not settled: {tenancy} on {tenancy.cloud}. {states}")
        leave(1 if failed or open_rows else 0)
