"""Background work of this application."""

from __future__ import annotations

from config.celery import app
from quotas import services


@app.task
def limits_refresh_daily() -> list[int]:
    """Grants begin and run out at midnight UTC: [tenancies changed, projects failed]."""
    return list(services.limits_refresh_all())
