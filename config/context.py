"""What every page may use: the site's name, its mode, its version and the time it was made."""

from typing import Any

from django.conf import settings
from django.http import HttpRequest

from config import clock


def site(request: HttpRequest) -> dict[str, Any]:
    return {
        "site_name": settings.SITE_NAME,
        "demo": settings.DEMO,
        "version": settings.VERSION,
        "now": clock.now(),
        "signup_open": settings.SIGNUP_OPEN,
    }
