"""Encryption of credentials at rest: Fernet (AES-128-CBC with HMAC-SHA256), several keys for rotation.

The keys come from TENANTRY_SECRET_KEYS. To rotate: put a new key in front, run `rotate` over what is stored, then drop
the old key. Nothing here logs, and no error carries the text.
"""

from cryptography.fernet import Fernet, InvalidToken, MultiFernet
from django.conf import settings
from django.core.exceptions import ImproperlyConfigured


class UndecipherableError(Exception):
    """None of the keys reads this text. Bring back the key it was written with; a retry does not help."""

    retry = False


def encrypt(text: str) -> str:
    """`text` under the first key, as URL-safe ASCII."""
    return _keys().encrypt(text.encode()).decode("ascii")


def decrypt(secret: str) -> str:
    """The text that `encrypt` was given. Raises UndecipherableError."""
    try:
        return _keys().decrypt(secret.encode()).decode()
    except (InvalidToken, UnicodeError) as error:
        raise UndecipherableError("no key in TENANTRY_SECRET_KEYS reads this credential") from error


def rotate(secret: str) -> str:
    """The same text under the first key. Raises UndecipherableError."""
    try:
        return _keys().rotate(secret.encode()).decode("ascii")
    except (InvalidToken, UnicodeError) as error:
        raise UndecipherableError("no key in TENANTRY_SECRET_KEYS reads this credential") from error


def _keys() -> MultiFernet:
    try:
        return MultiFernet([Fernet(key) for key in settings.ENCRYPTION_KEYS])
    except ValueError as error:
        # The message of the library is about base64; ours must not show the key.
        raise ImproperlyConfigured(
            "TENANTRY_SECRET_KEYS must hold Fernet keys (32 bytes in URL-safe base64), comma separated."
        ) from error
