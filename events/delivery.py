"""How a message leaves the house: by the mail server of the site, or by an HTTP POST."""

import hashlib
import smtplib

import requests
from django.conf import settings
from django.core.mail import EmailMessage

from events.errors import DeliveryError
from events.models import Outbox

WEBHOOK_TIMEOUT = 20  # seconds
_ANSWER_KEPT = 500  # characters of a refusal that are kept for the operator


def send(row: Outbox) -> None:
    """Raises DeliveryError with the other side's words and whether another try may help."""
    if row.kind == Outbox.Kind.MAIL:
        _mail(row)
    else:
        _webhook(row)


def _mail(row: Outbox) -> None:
    message = EmailMessage(
        subject=row.subject,
        body=row.body,
        to=[row.to],
        # The same id at every try, so that a mail that was sent twice is recognised as one.
        headers={"Message-ID": f"<{hashlib.sha256(row.key.encode()).hexdigest()[:32]}@{settings.MESSAGE_ID_DOMAIN}>"},
    )
    try:
        message.send()
    except smtplib.SMTPResponseException as error:
        # RFC 5321: 5yz is a permanent refusal, 4yz asks for another try.
        raise DeliveryError(str(error), retry=error.smtp_code < 500) from error
    except smtplib.SMTPRecipientsRefused as error:
        codes = [code for code, _ in error.recipients.values()]
        raise DeliveryError(str(error), retry=all(code < 500 for code in codes)) from error
    except (smtplib.SMTPException, OSError) as error:
        raise DeliveryError(f"{type(error).__name__}: {error}", retry=True) from error
    except ValueError as error:
        # Django refuses line breaks in headers and addresses that are none.
        raise DeliveryError(str(error), retry=False) from error


def _webhook(row: Outbox) -> None:
    headers = {"Content-Type": "application/json", "Idempotency-Key": row.key}
    try:
        answer = requests.post(
            row.to, data=row.body.encode(), headers=headers, timeout=WEBHOOK_TIMEOUT, allow_redirects=False
        )
    except (requests.ConnectionError, requests.Timeout) as error:
        raise DeliveryError(f"{type(error).__name__}: {error}", retry=True) from error
    except requests.RequestException as error:
        raise DeliveryError(f"{type(error).__name__}: {error}", retry=False) from error
    if not 200 <= answer.status_code < 300:
        # A redirect counts as a refusal: following it would post to an address that nobody entered.
        busy = answer.status_code in (408, 429) or answer.status_code >= 500
        raise DeliveryError(f"{answer.status_code}: {answer.text[:_ANSWER_KEPT]}", retry=busy)
