"""API tokens: made once, shown once, stored as a hash."""

from datetime import datetime
from typing import NamedTuple

from django.contrib.auth.base_user import AbstractBaseUser
from django.db import transaction
from knox.models import AuthToken
from knox.settings import knox_settings

from config import clock
from events.services import record
from events.verbs import Verb


class TooManyTokensError(Exception):
    """The person has as many living tokens as one may have. Revoke one; a retry alone does not help."""

    retry = False


class NewToken(NamedTuple):
    """`token` is the only copy of the secret; `expires_at` is aware UTC."""

    token: str
    expires_at: datetime


def token_create(*, person: AbstractBaseUser) -> NewToken:
    """A token that acts as `person` until it expires. Raises TooManyTokensError."""
    with transaction.atomic():
        living = AuthToken.objects.filter(user=person, expiry__gt=clock.now()).count()
        if living >= knox_settings.TOKEN_LIMIT_PER_USER:
            raise TooManyTokensError(f"{living} tokens are in force, and no more are allowed. Revoke one first.")
        row, token = AuthToken.objects.create(user=person)
        record(actor=person, verb=Verb.TOKEN_CREATED, target=person, summary=f"Created the API token {row.token_key}…")
    return NewToken(token=token, expires_at=row.expiry)


def token_revoke(*, person: AbstractBaseUser, token: AuthToken) -> None:
    """The token is refused from now on."""
    with transaction.atomic():
        record(
            actor=person, verb=Verb.TOKEN_REVOKED, target=person, summary=f"Revoked the API token {token.token_key}…"
        )
        token.delete()
