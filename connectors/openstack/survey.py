"""A survey: what the cloud holds now, section by section; a section that fails says so and hinders no other."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from types import MappingProxyType

from connectors.errors import BadAnswer, ConnectorError
from connectors.openstack import limits, work
from connectors.openstack.errors import readable
from connectors.openstack.identity import Directory
from connectors.openstack.session import OpenStack
from connectors.types import (
    FoundAccount,
    FoundLimit,
    FoundMember,
    FoundTenancy,
    FoundWork,
    Scope,
    Section,
    SectionState,
    Survey,
    Wanted,
)

Reading = Callable[[], tuple[int, ConnectorError | None]]


class Surveyor:
    """Builds one survey. Every ``_read_*`` fills its rows and tells their number and what it could not read."""

    def __init__(self, cloud: OpenStack, directory: Directory, scope: Scope) -> None:
        self.cloud = cloud
        self.directory = directory
        self.scope = scope
        self.tenancies: list[FoundTenancy] = []
        self.accounts: list[FoundAccount] = []
        self.members: list[FoundMember] = []
        self.limits: list[FoundLimit] = []
        self.work: list[FoundWork] = []
        self.sections: dict[str, SectionState] = {}
        self.failed: dict[str, ConnectorError] = {}

    def survey(self) -> Survey:
        before = dict(self.cloud.line.calls)
        with self.cloud.crew() as pool:
            self._take(pool)
        calls = {call: n - before.get(call, 0) for call, n in self.cloud.line.calls.items() if n != before.get(call)}
        return Survey(
            taken_at=self.cloud.host_now(),
            scope=self.scope,
            sections=MappingProxyType(self.sections),
            tenancies=tuple(self.tenancies),
            accounts=tuple(self.accounts),
            members=tuple(self.members),
            limits=tuple(self.limits),
            work=tuple(self.work),
            calls=MappingProxyType(calls),
        )

    def _take(self, pool: ThreadPoolExecutor) -> None:
        wanted = self.scope.tenancy
        self._section(Section.TENANCIES, self._read_tenancies)
        if wanted is None:
            self._section(Section.ACCOUNTS, self._read_accounts)
        self._section(Section.MEMBERS, self._read_members)
        if wanted is not None:
            self._section(Section.ACCOUNTS, self._accounts_of_members)
        for section in limits.SERVICES:
            self._section(section, self._limits_reader(section, pool))
        if wanted is not None and (wanted.state is Wanted.SUSPENDED or wanted.restart):
            self._section(Section.WORK, self._read_work)

    def _section(self, name: str, read: Reading) -> None:
        try:
            with readable(name):
                count, error = read()
        except ConnectorError as failed:
            count, error = 0, failed
        if error is not None:
            self.failed[str(name)] = error
        self.sections[str(name)] = SectionState(str(name), error is None, count, error.info() if error else None)

    def _read_tenancies(self) -> tuple[int, ConnectorError | None]:
        wanted = self.scope.tenancy
        if wanted is not None:
            self.tenancies = self.directory.lookup(wanted.native_id, wanted.ref, wanted.name)
            return len(self.tenancies), None
        read = self.directory.projects(self.scope.recorded)
        self.tenancies = list(read.rows)
        return len(self.tenancies), None if read.complete else BadAnswer(read.why)

    def _read_accounts(self) -> tuple[int, ConnectorError | None]:
        read = self.directory.accounts()
        self.accounts = list(read.rows)
        return len(self.accounts), None if read.complete else BadAnswer(read.why)

    def _accounts_of_members(self) -> tuple[int, ConnectorError | None]:
        # One project's people came with their roles; the rest of the domain was not asked for.
        return len(self.accounts), self.failed.get(Section.MEMBERS)

    def _read_members(self) -> tuple[int, ConnectorError | None]:
        # Those on record as well: a list of projects that cannot be read hides nobody's role.
        ids = list({*(tenancy.native_id for tenancy in self.tenancies), *self.scope.recorded})
        if self.scope.tenancy is not None and not ids:
            return 0, self.failed.get(Section.TENANCIES)
        only = ids[0] if self.scope.tenancy is not None and len(ids) == 1 else ""
        self.members, people = self.directory.members(ids, only)
        known = {account.native_id for account in self.accounts}
        self.accounts.extend(account for account in people if account.native_id not in known)
        return len(self.members), None

    def _limits_reader(self, section: str, pool: ThreadPoolExecutor) -> Reading:
        def read() -> tuple[int, ConnectorError | None]:
            projects = self._measured()
            if not projects:
                return 0, self.failed.get(Section.TENANCIES)
            scoped = self.scope.tenancy is not None
            rows, error = limits.survey_section(self.cloud, section, projects, pool, scoped=scoped)
            self.limits.extend(rows)
            return len(rows), error

        return read

    def _measured(self) -> list[str]:
        """The projects whose limits are read: ours and those on record, else a big cloud costs 2 calls a stranger."""
        if self.scope.tenancy is not None:
            return [tenancy.native_id for tenancy in self.tenancies]
        recorded = self.scope.recorded
        return [t.native_id for t in self.tenancies if t.ref or t.native_id in recorded]

    def _read_work(self) -> tuple[int, ConnectorError | None]:
        failed = self.failed.get(Section.TENANCIES)
        self.work = [row for tenancy in self.tenancies for row in work.servers_of(self.cloud, tenancy.native_id)]
        return len(self.work), failed


def survey(cloud: OpenStack, directory: Directory, scope: Scope) -> Survey:
    return Surveyor(cloud, directory, scope).survey()
