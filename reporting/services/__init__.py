"""What reporting writes. Import from here: ``from reporting.services import cloud_collect``."""

from reporting.services.collection import Collected, cloud_collect, clouds_collect_due
from reporting.services.deliveries import Stored, delivery_store, holders_link
from reporting.services.exports import report_exported

__all__ = [
    "Collected",
    "Stored",
    "cloud_collect",
    "clouds_collect_due",
    "delivery_store",
    "holders_link",
    "report_exported",
]
