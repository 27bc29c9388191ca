"""Take a file as the whole truth about the members that one source names."""

from __future__ import annotations

from argparse import ArgumentParser
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from onboarding.imports import ImportRefused, members_read
from tenancy.errors import RuleError
from tenancy.services import members_import


class Command(BaseCommand):
    help = (
        "Import members from a CSV file with the columns project, person, role. All or nothing: a line that cannot be "
        "used is named and nothing is changed. Who came from the same source before and is missing now is ended; on "
        "the clouds the guard holds back large removals until a person confirms them."
    )

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("file", type=Path)
        parser.add_argument("--source", required=True, help="name of the source; the same at every import of it")
        parser.add_argument("--check", action="store_true", help="only say whether the file could be imported")

    def handle(self, *args: Any, **options: Any) -> None:
        try:
            with options["file"].open(encoding="utf-8-sig", newline="") as lines:
                rows = members_read(lines)
            if options["check"]:
                self.stdout.write(f"Members that can be imported: {len(rows)}. Nothing was changed.")
                return
            result = members_import(actor=None, source=options["source"], rows=rows)
        except ImportRefused as error:
            for mistake in error.mistakes:
                self.stderr.write(f"{options['file']}:{mistake.line}: {mistake.message}")
            raise CommandError(f"{error.message} {error.remedy}") from error
        except RuleError as error:
            raise CommandError(f"{error.message} {error.remedy}".strip()) from error
        except (OSError, UnicodeDecodeError) as error:
            raise CommandError(f"{options['file']} cannot be read: {error}") from error
        self.stdout.write(f"{result.added} added, {result.changed} changed, {result.ended} ended.")
        for kept in result.kept:
            self.stdout.write(f"Kept, because a project needs an owner: {kept}.")
