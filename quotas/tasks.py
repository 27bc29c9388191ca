"""Background work of this application."""

from __future__ import annotations

from config.celery import app
from quotas import services


@app.task
def limits_refresh() -> list[int]:
    """Grants begin and run out at midnight UTC, projects are restored: [tenancies changed, projects failed]."""
    return list(services.limits_refresh_all())
