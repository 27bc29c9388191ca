"""Fill the demo with people, projects and usage, once. Works only with the demo flag."""

from __future__ import annotations

from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError

from portal import demo


class Command(BaseCommand):
    help = "Fill an empty demo (TENANTRY_DEMO=1); a second run adds nothing. Prints the logins."

    def handle(self, *args: Any, **options: Any) -> None:
        if not settings.DEMO:
            raise CommandError("Demo people exist only in a demo. Set TENANTRY_DEMO=1, on your own machine only.")
        if demo.seeded():
            self.stdout.write("The demo is there already; make reset wipes it.")
        else:
            self.stdout.write("Filling the demo: people, projects, two months of usage ...")
            demo.seed()
        self.stdout.write(f"Logins (password of all: {demo.PASSWORD})")
        for login in demo.LOGINS:
            self.stdout.write(f"    {login.username:8} {login.name:16} {login.what}")
