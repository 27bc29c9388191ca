"""What the commands of the loop share. Exit codes: 0 fine, 1 a failure that is told, 2 changes are pending."""

from __future__ import annotations

from typing import NoReturn

from django.core.management.base import CommandError, OutputWrapper

from connectors.errors import ConnectorError
from tenancy.models import Cloud

PENDING = 2


def clouds(slug: str | None) -> list[Cloud]:
    """The named cloud, or all. Raises ``CommandError`` if there is none."""
    rows = list(Cloud.objects.filter(slug=slug) if slug else Cloud.objects.all())
    if not rows:
        known = ", ".join(Cloud.objects.values_list("slug", flat=True)) or "none yet"
        raise CommandError(f"There is no cloud “{slug or ''}”. Connected: {known}. See: manage.py connect --help")
    return rows


def tell(stream: OutputWrapper, error: ConnectorError) -> None:
    """The sentence, the remedy and the cloud's own words."""
    info = error.info()
    stream.write(f"{info.message}\n  What to do: {info.remedy}")
    if info.call:
        stream.write(f"  Call: {info.call}{f'  request id {info.request_id}' if info.request_id else ''}")
    if info.verbatim:
        stream.write(f"  The cloud's answer, verbatim: {info.verbatim}")


def leave(code: int) -> NoReturn:
    raise SystemExit(code)
