"""Background work of this application."""

from __future__ import annotations

import logging

from config.celery import app, wake
from reporting import services
from reporting.errors import AlreadyCollecting, LeaseLost
from tenancy.models import Cloud

logger = logging.getLogger(__name__)

SLICES = 4  # windows a message; a back-fill of months goes on with further messages


@app.task
def collect_due() -> int:
    """Send a worker to each cloud whose collection is due; how many."""
    due = services.clouds_collect_due()
    for cloud in due:
        wake("reporting.tasks.cloud_collect", cloud_id=str(cloud.pk))
    return len(due)


# One window of one cloud cannot be divided further, and 100,000 servers are a hundred pages: so more than five minutes.
@app.task(soft_time_limit=3480, time_limit=3600)
def cloud_collect(cloud_id: str) -> int:
    """Collect a cloud; the number of windows read."""
    cloud = Cloud.objects.get(pk=cloud_id)
    try:
        collected = services.cloud_collect(cloud=cloud, slices=SLICES)
    except (AlreadyCollecting, LeaseLost) as error:
        logger.info("%s", error)
        return 0
    if collected.complete and not collected.finished:
        wake("reporting.tasks.cloud_collect", cloud_id=cloud_id)
    return len(collected.runs)
