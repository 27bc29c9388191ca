"""Connect a cloud: test the credential, name each missing right, and save it in observe mode."""

from __future__ import annotations

import sys
from argparse import ArgumentParser
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from connectors.errors import ConnectorError
from tenancy.errors import RuleError
from tenancy.management.commands._common import leave, tell
from tenancy.models import Cloud
from tenancy.services import cloud_connect, cloud_credential_change, cloud_mode_set
from tenancy.services.clouds import Accounts, Connection, MissingRights


class Command(BaseCommand):
    help = "Test and save the connection to a cloud. With --update, replace the credential of one that is connected."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("slug", help="short name of the cloud here, such as north")
        parser.add_argument("--kind", default="openstack", help="kind of connector (default: openstack)")
        parser.add_argument("--title", default="", help="name people read (default: the short name)")
        parser.add_argument("--clouds-yaml", required=True, metavar="FILE", help="its settings; - reads standard input")
        parser.add_argument(
            "--cloud", default="", metavar="NAME", help="which entry of the file (default: the only one)"
        )
        parser.add_argument("--accounts", default=Cloud.Accounts.LOCAL, choices=Cloud.Accounts.values)
        parser.add_argument("--provider", default="", help="identity provider of the cloud, for federated accounts")
        parser.add_argument("--protocol", default="", help="its protocol, such as openid")
        parser.add_argument("--issuer", default="", help="the sign-in provider here whose subjects are theirs")
        parser.add_argument("--mode", default="", choices=["", *Cloud.Mode.values], help="default: observe")
        parser.add_argument("--update", action="store_true")

    def handle(self, *args: Any, **options: Any) -> None:
        accounts = Accounts(options["accounts"], options["provider"], options["protocol"], options["issuer"])
        connection = Connection(options["kind"], self._text(options["clouds_yaml"]), options["cloud"], {}, accounts)
        try:
            cloud = self._connect(connection, options)
            if options["mode"] and options["mode"] != cloud.mode:
                cloud_mode_set(actor=None, cloud=cloud, mode=options["mode"])
        except MissingRights as error:
            self._missing(error)
            leave(1)
        except RuleError as error:
            raise CommandError(f"{error.message} {error.remedy}".strip()) from error
        except ConnectorError as error:
            tell(self.stderr, error)
            leave(1)
        self.stdout.write(f"Connected {cloud.title} ({cloud.kind}) at {cloud.address}, mode {cloud.mode}.")
        for version in cloud.versions.all():
            self.stdout.write(f"  {version.service}: found {version.found}, used {version.used}")

    def _connect(self, connection: Connection, options: dict[str, Any]) -> Cloud:
        slug = options["slug"]
        here = Cloud.objects.filter(slug=slug).first()
        if here is not None and options["update"]:
            return cloud_credential_change(actor=None, cloud=here, connection=connection)
        return cloud_connect(actor=None, title=options["title"] or slug, slug=slug, connection=connection)

    def _text(self, name: str) -> str:
        if name == "-":
            return sys.stdin.read()
        try:
            return Path(name).read_text()
        except OSError as error:
            raise CommandError(f"{name} cannot be read: {error.strerror}.") from error

    def _missing(self, error: MissingRights) -> None:
        self.stderr.write(f"{error.message}\n  What to do: {error.remedy}")
        for right in error.probe.rights:
            if not right.ok:
                self.stderr.write(f"  missing: {right.name} (needed for {right.needed_for})")
                if right.error:
                    self.stderr.write(f"    {right.error.message}")
                if right.error and right.error.verbatim:
                    self.stderr.write(f"    The cloud's answer, verbatim: {right.error.verbatim}")
