"""The Celery application. A message only wakes a worker earlier: the work itself is a row in the database.

A task module says `from config.celery import app` and `@app.task`; a service that made work due says
`wake("events.tasks.outbox_send")`.
"""

import logging
import os
import signal
from functools import partial

from celery import Celery
from celery.signals import worker_process_init
from django.db import transaction
from kombu.exceptions import KombuError
from kombu.transport import TRANSPORT_ALIASES

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "config.settings")
TRANSPORT_ALIASES["tenantry-files"] = "config.broker:Transport"

logger = logging.getLogger(__name__)

app = Celery("tenantry")
app.config_from_object("django.conf:settings", namespace="CELERY")
app.autodiscover_tasks()
app.conf.beat_schedule = {
    "outbox": {"task": "events.tasks.outbox_send", "schedule": 10.0, "options": {"expires": 10.0}},
    # Finds due rows whose message was lost; a message only shortens the wait.
    "sweep": {"task": "tenancy.tasks.sweep", "schedule": 5.0, "options": {"expires": 5.0}},
    "probe": {"task": "tenancy.tasks.probe", "schedule": 86_400.0, "options": {"expires": 3600.0}},
    # Grants begin and run out at midnight UTC, projects are restored at any time.
    "limits": {"task": "quotas.tasks.limits_refresh", "schedule": 60.0, "options": {"expires": 60.0}},
    # Each cloud is collected hourly: this looks every minute which of them are due.
    "usage": {"task": "reporting.tasks.collect_due", "schedule": 60.0, "options": {"expires": 60.0}},
}


@worker_process_init.connect
def _leave_the_end_to_the_master(**_arguments: object) -> None:
    """Whoever stops a whole process group must not kill the children in the middle of their task.

    The master tells them when to end; a child that is over its time limit gets SIGKILL after SIGTERM.
    """
    signal.signal(signal.SIGTERM, signal.SIG_IGN)


def wake(task: str, **arguments: str | int) -> None:
    """Send the task of that name to a worker once the present transaction is committed.

    A name and ids, not the function and objects: services stand below tasks, and a row may have changed by the time
    the worker reads it. A broker that cannot be reached is logged and no more: the sweeper finds the row a few seconds
    later.
    """
    transaction.on_commit(partial(_send, task, arguments))


def _send(task: str, arguments: dict[str, str | int]) -> None:
    try:
        app.send_task(task, kwargs=arguments, retry=False)
    except (KombuError, OSError) as error:
        logger.warning("broker: %s was not sent (%s); the sweeper will find its row", task, error)
