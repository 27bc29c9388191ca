"""The services' ways of writing a time: ``2026-11-20T08:49:22.000000``, with or without ``Z``, always UTC."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any


def epoch(text: Any) -> int | None:
    """Whole epoch seconds, None for none. Raises ``ValueError`` for what is no time."""
    if not text:
        return None
    moment = datetime.fromisoformat(str(text).replace("Z", "+00:00"))
    return int((moment if moment.tzinfo else moment.replace(tzinfo=UTC)).timestamp())


def iso(moment: int) -> str:
    return datetime.fromtimestamp(moment, UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
