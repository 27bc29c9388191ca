"""Credentials of clouds at rest: put under the first key again after a key was added in front."""

from __future__ import annotations

from django.db import transaction

from config import crypto
from events.services import record
from events.verbs import Verb
from tenancy.models import Cloud, Person
from tenancy.services.rules import operator_only


@transaction.atomic
def credentials_rotate(*, actor: Person | None) -> int:
    """Encrypt every stored credential with the first key; how many. Afterwards the old keys may be dropped.

    Raises ``config.crypto.UndecipherableError``, and changes nothing, if one cannot be read by any key.
    """
    operator_only(actor)
    clouds = list(Cloud.objects.select_for_update())
    for cloud in clouds:
        cloud.credential = crypto.rotate(cloud.credential)
        cloud.save(update_fields=("credential",))
        summary = f"Encrypted the credential of {cloud} with the newest key."
        record(actor=actor, verb=Verb.CLOUD_CREDENTIAL_CHANGED, target=cloud, summary=summary, cloud=cloud)
    return len(clouds)
