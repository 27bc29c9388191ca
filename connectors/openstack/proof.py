"""Proof that people are out of a project, read from what Keystone would put into a token today."""

from __future__ import annotations

from collections.abc import Sequence

from connectors.openstack.identity import Directory
from connectors.types import ProofFact

# keystonemiddleware's default; facts 5.1 measured 299.9 s.
TOKEN_CACHE_SECONDS = 300


def prove_gone(directory: Directory, tenancy: str, accounts: Sequence[str]) -> tuple[ProofFact, ...]:
    project = directory.project(tenancy)
    if project is None:
        return tuple(ProofFact(f"access:{one}", True, "The project is gone from the cloud.") for one in accounts)
    effective = directory.effective(tenancy)
    shut = "" if project.enabled else " The project is disabled, so nobody gets a new token for it."
    return tuple(_fact(account, account in effective, shut) for account in accounts)


def _fact(account: str, has_role: bool, shut: str) -> ProofFact:
    if has_role:
        return ProofFact(f"access:{account}", False, f"Still has a role, its own or by a group.{shut}")
    late = f"A service that saw the old token may accept it for up to {TOKEN_CACHE_SECONDS} seconds more."
    return ProofFact(f"access:{account}", True, f"Has no role, neither its own nor by a group.{shut} {late}")
