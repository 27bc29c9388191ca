"""What can go wrong in this application.

EventsError
 ├── AppendOnlyError   somebody tried to change or delete an audit entry; a retry does not help
 └── DeliveryError     an outbox row could not be sent; `retry` says whether another try may help
"""


class EventsError(Exception):
    """`retry`: may the same call succeed later; `remedy`: what a person should do."""

    retry = False
    remedy = ""


class AppendOnlyError(EventsError):
    remedy = "Write a new entry that corrects the old one."


class DeliveryError(EventsError):
    """The message of the mail server or receiver is kept verbatim."""

    def __init__(self, message: str, *, retry: bool) -> None:
        super().__init__(message)
        self.retry = retry
        self.remedy = (
            "Nothing: it is tried again." if retry else "Mend the address or the settings, then release the row."
        )
