"""Credentials at rest: ciphertext in the row, readable after a rotation, and never half rotated."""

from __future__ import annotations

from io import StringIO
from typing import Any

import pytest
from cryptography.fernet import Fernet
from django.core.management import CommandError, call_command

from config import crypto
from tenancy.clouds import connect
from tenancy.models import Cloud
from tests.support.site import Site

pytestmark = pytest.mark.django_db


def test_the_row_holds_no_secret(site: Site) -> None:
    secret = site.emulated.app.world.config.admin_password
    assert secret not in site.cloud.credential
    assert secret in crypto.decrypt(site.cloud.credential)


def test_a_new_key_takes_over_and_the_old_one_can_go(site: Site, settings: Any) -> None:
    new = Fernet.generate_key().decode()
    settings.ENCRYPTION_KEYS = [new, *settings.ENCRYPTION_KEYS]
    out = StringIO()
    call_command("rotate_credentials", stdout=out)
    assert "1 credentials" in out.getvalue()
    settings.ENCRYPTION_KEYS = [new]
    with connect(site.cloud) as connector:
        assert connector.kind == "openstack"


def test_a_lost_key_is_told_and_nothing_is_changed(site: Site, settings: Any) -> None:
    before = site.cloud.credential
    settings.ENCRYPTION_KEYS = [Fernet.generate_key().decode()]
    with pytest.raises(CommandError, match="Nothing was changed"):
        call_command("rotate_credentials")
    assert Cloud.objects.get().credential == before
