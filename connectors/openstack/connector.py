"""The OpenStack connector: a thin front over the modules beside it. See ``connectors.contract``."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from types import MappingProxyType

from connectors.errors import ConnectorError, Refused
from connectors.openstack import (
    account_changes,
    entry,
    limit_changes,
    limits,
    member_changes,
    proof,
    tenancy_changes,
    usage,
    work,
)
from connectors.openstack.errors import readable
from connectors.openstack.identity import Directory
from connectors.openstack.probe import probe
from connectors.openstack.session import OpenStack
from connectors.openstack.survey import survey
from connectors.types import (
    AccountRef,
    Applied,
    Change,
    ChangeKind,
    Deliveries,
    Endpoint,
    EntryFile,
    FoundTenancy,
    IssuedSecret,
    KnownThing,
    Meter,
    NativeResource,
    Probe,
    ProofFact,
    Scope,
    Survey,
)

_OF_DIRECTORY = {
    ChangeKind.ACCOUNT_CREATE: account_changes.create,
    ChangeKind.TENANCY_CREATE: tenancy_changes.create,
    ChangeKind.TENANCY_TAG: tenancy_changes.tag,
    ChangeKind.TENANCY_ENABLE: tenancy_changes.switch,
    ChangeKind.TENANCY_DISABLE: tenancy_changes.switch,
    ChangeKind.MEMBER_ADD: member_changes.add,
    ChangeKind.MEMBER_REMOVE: member_changes.remove,
    ChangeKind.LIMIT_RAISE: limit_changes.apply,
    ChangeKind.LIMIT_CUT: limit_changes.apply,
}
_OF_WORK = (ChangeKind.WORK_START, ChangeKind.WORK_STOP)


class OpenStackConnector:
    kind = "openstack"

    def __init__(self, endpoint: Endpoint) -> None:
        self.endpoint = endpoint
        self._cloud = OpenStack(endpoint)
        self._directory = Directory(self._cloud)

    def __repr__(self) -> str:
        return f"<OpenStackConnector {self.endpoint.name}>"

    def close(self) -> None:
        self._cloud.close()

    def calls(self) -> Mapping[str, int]:
        return MappingProxyType(dict(self._cloud.line.calls))

    def survey(self, scope: Scope) -> Survey:
        return survey(self._cloud, self._directory, scope)

    def apply(self, change: Change) -> Applied:
        self._cloud.unclear_writes = 0
        try:
            with readable(change.kind):
                applied = self._apply(change)
        except ConnectorError as error:
            error.doubt = self._cloud.unclear_writes > 0
            raise
        return replace(applied, doubt=self._cloud.unclear_writes > 0)

    def _apply(self, change: Change) -> Applied:
        if change.kind in _OF_WORK:
            return work.apply(self._cloud, change)
        handler = _OF_DIRECTORY.get(change.kind)
        if handler is None:
            raise Refused(f"OpenStack knows no change “{change.kind}”.")
        return handler(self._directory, change)

    def entry_files(self, tenancy: FoundTenancy, account: AccountRef) -> tuple[EntryFile, ...]:
        return entry.entry_files(self._cloud, tenancy, account)

    def secret_issue(self, account: AccountRef) -> IssuedSecret:
        with readable("secret"):
            return account_changes.secret_issue(self._directory, account)

    def resources(self) -> tuple[NativeResource, ...]:
        return limits.RESOURCES

    def meters(self) -> tuple[Meter, ...]:
        return usage.METERS

    def collect(self, start: int, end: int, known: Mapping[str, KnownThing]) -> Deliveries:
        return usage.collect(self._cloud, start, end, known)

    def probe(self) -> Probe:
        with readable("probe"):
            return probe(self._cloud, self._directory)

    def prove_gone(self, tenancy: str, accounts: Sequence[str]) -> tuple[ProofFact, ...]:
        with readable("proof"):
            return proof.prove_gone(self._directory, tenancy, accounts)
