"""The way in: the files with which a person reaches a project's clouds. No call, no secret."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from config.crypto import UndecipherableError
from connectors.contract import Identity
from connectors.errors import ConnectorError
from connectors.types import EntryFile, FoundTenancy
from tenancy.clouds import connect
from tenancy.models import Account, Person, Project, Tenancy
from tenancy.selectors import accounts_of, tenancies_of
from tenancy.wanted import account_ref


@dataclass(frozen=True, slots=True)
class Entry:
    """The way into one tenancy; ``why`` tells why there is none yet. ``secret`` if a password can be made."""

    tenancy: Tenancy
    account: Account | None
    files: Sequence[EntryFile] = ()
    why: str = ""
    secret: bool = False


def entries_of(project: Project, person: Person) -> list[Entry]:
    """One entry a cloud of the project: four queries."""
    accounts = {account.cloud_id: account for account in accounts_of([person.pk])}
    tenancies = tenancies_of(project).prefetch_related("cloud__roles")
    return [_entry(tenancy, accounts.get(tenancy.cloud_id), person) for tenancy in tenancies]


def _entry(tenancy: Tenancy, account: Account | None, person: Person) -> Entry:
    if tenancy.wanted == Tenancy.Wanted.SUSPENDED:
        return Entry(tenancy, account, why="The project is archived: nobody gets in any more.")
    if not tenancy.native_id:
        return Entry(tenancy, account, why="The project is not on this cloud yet; its progress is on its page.")
    if account is None or not account.native_id:
        return Entry(tenancy, account, why="Your account on this cloud is not there yet.")
    found = FoundTenancy(tenancy.native_id, tenancy.name, tenancy.ref)
    try:
        with connect(tenancy.cloud) as connector:
            if not isinstance(connector, Identity):
                return Entry(tenancy, account, why="This kind of cloud has no files to get in with.")
            files = connector.entry_files(found, account_ref(account, person, tenancy.cloud))
    except (ConnectorError, UndecipherableError):
        return Entry(tenancy, account, why="Tenantry's own connection to this cloud needs its operators.")
    return Entry(tenancy, account, files, secret=account.managed and not account.subject)
