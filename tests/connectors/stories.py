"""Words for tests about a tenancy: what is wanted, one turn of the loop without its journal, and who may get in."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from connectors.contract import Connector, Health, Identity, Limits
from connectors.plan import Found, Policy, TenancyPlan, plan_tenancy
from connectors.types import (
    AccountRef,
    Applied,
    Change,
    ChangeKind,
    Mode,
    Role,
    Scope,
    Survey,
    WantedLimit,
    WantedMember,
    WantedTenancy,
)
from tests.connectors.sites import Site


def writes(connector: Connector) -> int:
    """Requests so far that may have changed something; asking for a token does not."""
    harmless = ("GET ", "HEAD ", "POST identity /auth/tokens")
    return sum(n for call, n in connector.calls().items() if not call.startswith(harmless))


def total(connector: Connector) -> int:
    return sum(connector.calls().values())


def policy(connector: Connector, mode: Mode = Mode.ENFORCE) -> Policy:
    assert isinstance(connector, Limits)
    sections = {resource.key: resource.section for resource in connector.resources()}
    return Policy(mode, connector.endpoint.roles, sections)


class Tenancy:
    """A tenancy on its way from wanted to real. `turn` is survey, plan, apply; ids that come back are kept."""

    def __init__(self, site: Site, connector: Connector, **fields: Any) -> None:
        self.site = site
        self.connector = connector
        self.people: list[str] = []
        name = site.unique("contract")
        self.wanted = WantedTenancy(ref=name.removeprefix("contract-"), name=name, version=1, **fields)
        site.discards.append(self.discard)

    def want(self, **fields: Any) -> Tenancy:
        self.wanted = replace(self.wanted, **fields)
        return self

    def person(self, role: Role = Role.MEMBER, prefix: str = "person") -> WantedMember:
        name = self.site.unique(prefix)
        ref = name.removeprefix(f"{prefix}-")
        self.people.append(name)
        return WantedMember(AccountRef(ref, name, email=f"{name}@example.org", title="A person"), role)

    def survey(self) -> Survey:
        return self.connector.survey(Scope(self.wanted))

    def plan(self) -> TenancyPlan:
        return plan_tenancy(self.wanted, Found(self.survey()), policy(self.connector))

    def turn(self) -> list[tuple[Change, Applied]]:
        done = []
        for change in self.plan().changes:
            applied = self.connector.apply(change)
            done.append((change, applied))
            self._keep(change, applied)
        return done

    def _keep(self, change: Change, applied: Applied) -> None:
        if change.kind is ChangeKind.TENANCY_CREATE:
            self.want(native_id=applied.native_id)
        if change.kind in (ChangeKind.ACCOUNT_CREATE, ChangeKind.MEMBER_ADD) and change.account:
            self.link(change.account.ref, applied.native_id)

    def link(self, ref: str, native_id: str) -> None:
        members = tuple(
            replace(m, account=replace(m.account, native_id=native_id)) if m.account.ref == ref else m
            for m in self.wanted.members
        )
        self.want(members=members)

    def settle(self) -> None:
        """Turn until nothing is left, and say so if that does not come."""
        self.turn()
        left = self.plan()
        assert left.settled, left

    def change(self, kind: ChangeKind, **fields: Any) -> Change:
        """A change made by hand, for what a plan would not ask for."""
        base = Change(kind, "", self.wanted.ref, "by hand", "tried", tenancy_native_id=self.wanted.native_id)
        return replace(base, **fields)

    def limit(self, resource: str, amount: int) -> Change:
        return self.change(ChangeKind.LIMIT_RAISE, resource=resource, amount=amount)

    def limits(self) -> dict[str, int]:
        return {row.resource: row.amount for row in self.survey().limits}

    def discard(self) -> None:
        """Nothing is left, not even the limits that two of the services keep for projects that are gone."""
        cloud = self.site.hands()
        identity = cloud.identity
        for name in self.people:
            if user := identity.find_user(name):
                identity.delete_user(user, ignore_missing=True)
        if self.wanted.native_id:
            cloud.network.delete_quota(self.wanted.native_id, ignore_missing=True)
            cloud.block_storage.revert_quota_set(self.wanted.native_id)
            identity.delete_project(self.wanted.native_id, ignore_missing=True)


def all_limits(connector: Connector) -> tuple[WantedLimit, ...]:
    """A modest limit for everything that this kind of cloud can limit."""
    assert isinstance(connector, Limits)
    amounts = {resource.key: 4 * resource.factor for resource in connector.resources()} | {"compute.memory": 8192}
    return tuple(WantedLimit(key, amount) for key, amount in amounts.items())


def small(connector: Connector) -> tuple[WantedLimit, ...]:
    """One modest limit for every service: real servers take a while for each."""
    some = {"compute.vcpu", "compute.memory", "storage.volume", "network.ports"}
    return tuple(limit for limit in all_limits(connector) if limit.resource in some)


__all__ = ["Health", "Identity", "Tenancy", "all_limits", "policy", "small", "total", "writes"]
