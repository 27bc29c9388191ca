"""Tasks take ids or nothing and call the loop. A lost message costs seconds: the sweeper finds the rows."""

from __future__ import annotations

from config import clock
from config.celery import app, wake
from connectors.errors import ConnectorError
from tenancy.loop import claims, run
from tenancy.models import Cloud
from tenancy.services import cloud_probe
from tenancy.services.rules import WORK

WORKERS_WOKEN = 4


@app.task(name=WORK)
def work() -> int:
    """Work on what is due. Returns how many slices were run."""
    return len(run.work_due(claims.holder_name()))


@app.task
def sweep() -> int:
    """Wake workers for rows that are due, and for surveys. Sent by beat every few seconds."""
    due = claims.due().count()
    for _ in range(min(due, WORKERS_WOKEN)):
        wake(WORK)
    if claims.surveys_due().exists():
        wake("tenancy.tasks.survey")
    return due


@app.task
def survey() -> int:
    """Read every cloud whose full survey is due."""
    return run.surveys_due(claims.holder_name())


@app.task
def probe() -> int:
    """Test every connection again, daily: capabilities and our own rights change behind our back."""
    tested = 0
    for cloud in Cloud.objects.all():
        try:
            cloud_probe(actor=None, cloud=cloud)
            tested += 1
        except ConnectorError as error:
            run.logger.warning("probe of %s at %s: %s", cloud, clock.now(), error.message)
    return tested
