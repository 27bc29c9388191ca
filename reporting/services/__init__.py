"""What reporting writes. Import from here: ``from reporting.services import collect_cloud``."""

from reporting.services.collection import Collected, clouds_collect_due, collect_cloud
from reporting.services.deliveries import Stored, delivery_store, holders_link
from reporting.services.exports import report_exported

__all__ = [
    "Collected",
    "Stored",
    "clouds_collect_due",
    "collect_cloud",
    "delivery_store",
    "holders_link",
    "report_exported",
]
