"""Accounts of people: local ones that we make, federated ones made ahead of their first sign-in, foreign ones found.

Sources: Identity API v3, "Users" (``federated`` objects from 3.10 on, the filters ``idp_id``, ``protocol_id`` and
``unique_id`` of the list); facts 5.1 (unknown filters are ignored, so every answer is checked again).
"""

from __future__ import annotations

import secrets
from collections.abc import Mapping
from typing import Any

from connectors.errors import Conflict, ConnectorError, NotFound, Refused
from connectors.openstack.identity import ACCOUNT_MARK, Directory
from connectors.openstack.pages import Row, keystone_list
from connectors.types import AccountRef, Applied, Change, Federated, IssuedSecret, Outcome

SECRET_BYTES = 24


def create(directory: Directory, change: Change) -> Applied:
    account = _of(change)
    if found := find(directory, account):
        return Applied(Outcome.ALREADY, str(found["id"]), str(found["name"]))
    if not account.manage or directory.cloud.own.accounts == "existing":
        raise Refused(
            f"“{account.name}” has no account on this cloud, and accounts are not made by Tenantry here.",
            remedy="Ask the cloud's operators for an account, then link it to the person.",
        )
    body = _body(directory, account)
    try:
        made = directory.cloud.identity(lambda client: client.users.create(**body), repeat=False)
    except ConnectorError as error:
        if not (isinstance(error, Conflict) or error.maybe_applied):
            raise
        # Somebody, or our own lost call, was faster: ours only if it carries our mark.
        if again := find(directory, account):
            return Applied(Outcome.ALREADY, str(again["id"]), str(again["name"]), error.message)
        raise
    return Applied(Outcome.DONE, str(made.id), str(_show(directory, str(made.id))["name"]))


def _of(change: Change) -> AccountRef:
    if change.account is None:
        raise Refused("The change names no account.")
    return change.account


def _body(directory: Directory, account: AccountRef) -> dict[str, Any]:
    body: dict[str, Any] = {"name": account.name, "enabled": True, ACCOUNT_MARK: account.ref}
    body |= {"email": account.email} if account.email else {}
    body |= {"description": account.title} if account.title else {}
    if account.federated is None:
        if directory.cloud.own.accounts == "federated":
            raise Refused(
                "People come to this cloud by an identity provider, and this person has no identity of it.",
                remedy="Let the person sign in to Tenantry by that identity provider once.",
            )
        return body | {"domain": directory.domain()}
    who = account.federated
    protocols = [{"protocol_id": who.protocol, "unique_id": who.subject}]
    federated = [{"idp_id": who.provider, "protocols": protocols}]
    return body | {"domain": directory.provider_domain(who.provider), "federated": federated}


def find(directory: Directory, account: AccountRef) -> Row | None:
    """The account's user, None if there is none. Raises ``Conflict`` if a stranger has its name."""
    if account.native_id:
        try:
            return _show(directory, account.native_id)
        except NotFound:
            return None
    if account.federated is not None:
        return _find_federated(directory, account.federated)
    rows, _ = keystone_list(directory.cloud, "/users", "users", name=account.name, domain_id=directory.domain())
    named = next((row for row in rows if row.get("name") == account.name), None)
    if named is None or named.get(ACCOUNT_MARK) == account.ref:
        return named
    if account.link or directory.cloud.own.accounts == "existing":
        return named
    raise Conflict(f"An account called “{account.name}” exists on the cloud and was not made for this person.")


def _find_federated(directory: Directory, who: Federated) -> Row | None:
    rows, _ = keystone_list(
        directory.cloud, "/users", "users", idp_id=who.provider, protocol_id=who.protocol, unique_id=who.subject
    )
    for row in rows:
        full = row if "federated" in row or len(rows) > 1 else _show(directory, str(row["id"]))
        if _is(full, who):
            return full
    return None


def _is(row: Row, who: Federated) -> bool:
    pairs = [
        (provider.get("idp_id"), protocol.get("protocol_id"), protocol.get("unique_id"))
        for provider in row.get("federated") or ()
        for protocol in provider["protocols"]
    ]
    return (who.provider, who.protocol, who.subject) in pairs


def _show(directory: Directory, native_id: str) -> Mapping[str, Any]:
    row: Mapping[str, Any] = directory.cloud.identity(lambda client: client.users.get(native_id)).to_dict()
    return row


def native_id(directory: Directory, account: AccountRef) -> str:
    """The cloud's id of an account. Raises ``NotFound`` if it has none yet."""
    if account.native_id:
        return account.native_id
    found = find(directory, account)
    if found is None:
        raise NotFound(f"“{account.name}” has no account on this cloud yet.")
    return str(found["id"])


def secret_issue(directory: Directory, account: AccountRef) -> IssuedSecret:
    """A new random password for a local account that we made; nobody else's password is ever changed."""
    if account.federated is not None:
        raise Refused("This person signs in by an identity provider; there is no password to give.")
    user = find(directory, account)
    if user is None:
        raise NotFound(f"“{account.name}” has no account on this cloud yet.")
    if user.get(ACCOUNT_MARK) != account.ref:
        raise Refused("This account was not made by Tenantry; its password is not ours to change.")
    secret = secrets.token_urlsafe(SECRET_BYTES)
    directory.cloud.hide(secret)
    directory.cloud.identity(lambda client: client.users.update(str(user["id"]), password=secret))
    return IssuedSecret(str(user["name"]), secret)
