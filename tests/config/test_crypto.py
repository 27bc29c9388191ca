from typing import Any

import pytest
from cryptography.fernet import Fernet
from django.core.exceptions import ImproperlyConfigured
from hypothesis import given
from hypothesis import strategies as st

from config import crypto
from config.crypto import UndecipherableError


def new_key() -> str:
    return Fernet.generate_key().decode()


@given(st.text())
def test_any_text_comes_back_and_is_not_seen_in_between(text: str) -> None:
    secret = crypto.encrypt(text)
    assert crypto.decrypt(secret) == text
    assert len(text) < 8 or text not in secret


def test_a_key_is_rotated_without_losing_what_was_stored(settings: Any) -> None:
    old, new = new_key(), new_key()
    settings.ENCRYPTION_KEYS = [old]
    stored = crypto.encrypt("password")
    settings.ENCRYPTION_KEYS = [new, old]
    assert crypto.decrypt(stored) == "password"
    rotated = crypto.rotate(stored)
    settings.ENCRYPTION_KEYS = [new]
    assert crypto.decrypt(rotated) == "password"
    with pytest.raises(UndecipherableError):
        crypto.decrypt(stored)


@pytest.mark.parametrize("verb", [crypto.decrypt, crypto.rotate])
@pytest.mark.parametrize("stored", ["", "password", "gAAAAABkunreadable", "ö"])
def test_what_we_did_not_write_is_refused_in_plain_words(verb: Any, stored: str) -> None:
    with pytest.raises(UndecipherableError) as caught:
        verb(stored)
    assert caught.value.retry is False
    assert not stored or stored not in str(caught.value)


@pytest.mark.parametrize("keys", [["short"], []])
def test_a_bad_key_is_named_by_its_setting_and_not_shown(settings: Any, keys: list[str]) -> None:
    settings.ENCRYPTION_KEYS = keys
    with pytest.raises(ImproperlyConfigured, match="TENANTRY_SECRET_KEYS") as caught:
        crypto.encrypt("password")
    assert "short" not in str(caught.value)
