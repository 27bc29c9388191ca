"""Background work of this application."""

from __future__ import annotations

from config.celery import app
from quotas import services


@app.task
def limits_refresh() -> list[int]:
    """Every hour, so that grants begin and run out soon after midnight UTC: [tenancies changed, projects failed]."""
    return list(services.limits_refresh_all())
