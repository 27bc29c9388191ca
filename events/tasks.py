"""Background work of this application."""

from config.celery import app
from events import services


@app.task
def outbox_send() -> int:
    """Send what is due; the number that was sent."""
    return services.outbox_deliver(limit=50)
