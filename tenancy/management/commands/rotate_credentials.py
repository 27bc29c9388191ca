"""Encrypt every stored credential with the first of TENANTRY_SECRET_KEYS."""

from __future__ import annotations

from typing import Any

from django.core.management.base import BaseCommand, CommandError

from config.crypto import UndecipherableError
from tenancy.services import credentials_rotate


class Command(BaseCommand):
    help = "After a new key was put in front of TENANTRY_SECRET_KEYS: use it for all credentials, so the old can go."

    def handle(self, *args: Any, **options: Any) -> None:
        try:
            count = credentials_rotate(actor=None)
        except UndecipherableError as error:
            raise CommandError(f"{error}. Nothing was changed; bring back the key it was written with.") from error
        self.stdout.write(f"{count} credentials are under the first key now; older keys may be removed.")
