"""What DATABASE_URL means, with the options under which each engine is safe for us."""

from pathlib import Path
from typing import Any

import dj_database_url
from django.core.exceptions import ImproperlyConfigured

# Readers never block the writer (WAL). Every transaction takes the write lock when it begins: with SQLite's default a
# transaction that reads first and writes later fails at once with "database is locked" when another one wrote in
# between (measured: 900 of 1,200). `synchronous` stays at FULL, because a step must be on disk before its call is sent.
_SQLITE_OPTIONS: dict[str, Any] = {
    "transaction_mode": "IMMEDIATE",
    "timeout": 20,
    "init_command": "PRAGMA journal_mode=WAL;",
}


def database_read(url: str, *, fallback: Path) -> dict[str, Any]:
    """Django's DATABASES entry for `url`; a SQLite file at `fallback` when it is empty.

    Raises ImproperlyConfigured for an address that cannot be read, or an engine we do not test with.
    """
    try:
        found: dict[str, Any] = dict(dj_database_url.parse(url or f"sqlite:///{fallback}"))
    except ValueError as error:
        raise ImproperlyConfigured(f"DATABASE_URL cannot be read: {error}") from error
    engine = found["ENGINE"]
    found["ATOMIC_REQUESTS"] = False
    if engine == "django.db.backends.sqlite3":
        return found | {"OPTIONS": _SQLITE_OPTIONS}
    if engine == "django.db.backends.postgresql":
        return found | {"CONN_MAX_AGE": 60, "CONN_HEALTH_CHECKS": True}
    raise ImproperlyConfigured("DATABASE_URL must begin with sqlite:// or postgres://; nothing else is tested.")
