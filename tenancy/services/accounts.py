"""A person's own account on a cloud."""

from __future__ import annotations

from connectors.contract import Identity
from connectors.types import IssuedSecret
from events.services import record
from events.verbs import Verb
from tenancy.clouds import connect
from tenancy.errors import NotAllowed, RuleError
from tenancy.models import Account, Person
from tenancy.wanted import account_ref


def account_secret_issue(*, actor: Person, account: Account) -> IssuedSecret:
    """A new secret for one's own account, shown once and stored nowhere. Calls the cloud.

    Raises ``ConnectorError`` as the cloud answers, ``RuleError`` if this kind of cloud or account has no secret.
    """
    if actor.pk != account.person_id:
        raise NotAllowed("Only the person themselves may ask for a new secret.")
    if not account.native_id:
        raise RuleError("The account is not there yet.", remedy="Wait until the project is ready on this cloud.")
    with connect(account.cloud) as connector:
        if not isinstance(connector, Identity):
            raise RuleError(f"{account.cloud} gives no secrets through Tenantry.")
        secret = connector.secret_issue(account_ref(account, account.person, account.cloud))
    summary = f"Made a new secret for {account.name} on {account.cloud}."
    record(actor=actor, verb=Verb.ACCOUNT_SECRET_ISSUED, target=account, summary=summary, cloud=account.cloud)
    return secret
