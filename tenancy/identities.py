"""Linked identities of people: issuer and subject, kept by allauth. E-mail never identifies anybody."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from allauth.socialaccount.models import SocialAccount

from tenancy.models import Person


def subjects(people: Iterable[Person], issuer: str) -> dict[UUID, str]:
    """Each person's subject at this issuer (allauth's provider id); people without one are left out."""
    rows = SocialAccount.objects.filter(user__in=list(people), provider=issuer)
    return dict(rows.values_list("user_id", "uid"))


@dataclass(frozen=True, slots=True)
class LinkedIdentity:
    """One way to sign in: the provider's name here, and the person's subject there."""

    provider: str
    subject: str
    last_login: datetime | None


def identities_of(person: Person) -> list[LinkedIdentity]:
    rows = SocialAccount.objects.filter(user=person).order_by("provider", "uid")
    return [LinkedIdentity(*row) for row in rows.values_list("provider", "uid", "last_login")]
