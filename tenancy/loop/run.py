"""Run what is due: what the worker's task and the ``reconcile`` command share."""

from __future__ import annotations

import logging
from collections.abc import Callable
from datetime import timedelta
from functools import partial
from typing import TypeVar
from uuid import UUID

from config import clock
from connectors.errors import ConnectorError
from tenancy.loop import claims, slices, survey
from tenancy.models import Cloud, Tenancy

logger = logging.getLogger(__name__)

PATIENCE = timedelta(seconds=40)
"""No new slice of a task is begun later: the last one still has to end before the task's own time limit."""

UNHURRIED = timedelta(days=1)
"""For a command in the foreground, which nobody kills."""

CRASHES = 5


def work_due(holder: str, *, patience: timedelta = PATIENCE) -> list[slices.Report]:
    """Work on due tenancies until none is left or ``patience`` is over."""
    reports: list[slices.Report] = []
    tried: set[UUID] = set()
    stop_at = clock.now() + patience
    while clock.now() < stop_at:
        fresh = [pk for pk in claims.candidates(len(reports)) if pk not in tried or _again(pk)]
        if not fresh:
            break
        report = work_one(fresh[0], holder)
        tried.add(fresh[0])
        if report is not None:
            reports.append(report)
    return reports


def _again(tenancy_id: UUID) -> bool:
    """A tenancy already worked on is taken up again only if something newer is wanted since."""
    return Tenancy.objects.unsettled().filter(pk=tenancy_id, attempts=0).exists()


def work_one(tenancy_id: UUID, holder: str) -> slices.Report | None:
    """One slice; a bug in it is logged and after a few times parks the row, so that it stops no other."""
    report, broke = _boundary(f"slice of {tenancy_id}", lambda: slices.run(tenancy_id, holder))
    if broke:
        attempts = Tenancy.objects.filter(pk=tenancy_id).values_list("attempts", flat=True).first() or 0
        if attempts >= CRASHES:
            slices.park(tenancy_id, "Tenantry itself failed here several times; the log of the worker says why.")
    return report


def surveys_due(holder: str) -> int:
    """Survey each cloud whose turn it is; how many were done."""
    done = 0
    for cloud in claims.surveys_due():
        outlook, _ = _boundary(f"survey of {cloud}", partial(_survey_one, cloud, holder))
        done += outlook is not None
    return done


def _survey_one(cloud: Cloud, holder: str) -> survey.Outlook | None:
    try:
        return survey.run(cloud.pk, holder)
    except ConnectorError as error:
        logger.warning("survey of %s: %s [%s]", cloud, error.message, error.request_id)
        return None


T = TypeVar("T")


def _boundary(what: str, call: Callable[[], T]) -> tuple[T | None, bool]:
    """The task boundary, the one place that catches everything: what comes here is a bug of ours. (result, broke)"""
    try:
        return call(), False
    except Exception:
        logger.exception("%s broke", what)
        return None, True
