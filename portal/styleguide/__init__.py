"""Samples for /styleguide/: every part of the pages with made-up data, in every state it knows."""

from __future__ import annotations

import datetime as dt
from typing import Any

from portal.styleguide.basics import basics
from portal.styleguide.operations import plan, usage
from portal.styleguide.projects import home, project
from portal.styleguide.requests import requests


def samples(now: dt.datetime) -> dict[str, Any]:
    """The context of templates/portal/styleguide.html; times are told relative to `now`, aware UTC."""
    return basics(now) | home(now) | project(now) | requests(now) | plan() | usage(now)
