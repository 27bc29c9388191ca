"""Linked identities of people: issuer and subject, kept by allauth. E-mail never identifies anybody."""

from __future__ import annotations

from collections.abc import Iterable
from uuid import UUID

from allauth.socialaccount.models import SocialAccount

from tenancy.models import Person


def subjects(people: Iterable[Person], issuer: str) -> dict[UUID, str]:
    """Each person's subject at this issuer (allauth's provider id); people without one are left out."""
    rows = SocialAccount.objects.filter(user__in=list(people), provider=issuer)
    return dict(rows.values_list("user_id", "uid"))
