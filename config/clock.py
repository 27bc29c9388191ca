"""The one source of time. Nothing else in Tenantry asks the host what time it is.

Three sources, the first that is set wins:

1. a function given to `set_source` (tests and the simulation),
2. the `Date` header of TENANTRY_CLOCK_URL (the demo follows the emulator, whose clock can be moved and speeded up),
3. the host's clock.

Needs no Django, so that plain modules and scripts can use it.
"""

import logging
import os
import threading
import time
import urllib.error
import urllib.request
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from email.utils import parsedate_to_datetime

logger = logging.getLogger(__name__)

Source = Callable[[], datetime]

_REMOTE_AGE = 1.0  # host seconds for which one answer of the remote clock is trusted
_REMOTE_TIMEOUT = 2.0  # seconds; a clock that is slower than this is no clock


class RemoteClock:
    """Follows the HTTP Date header of one address; between two looks it goes on at the host's speed."""

    def __init__(self, url: str) -> None:
        self.url = url
        self._lock = threading.Lock()
        self._asked_at: float | None = None
        self._answer: datetime | None = None

    def now(self) -> datetime:
        """Aware UTC. Falls back to the host's clock, with an error in the log each time it asked in vain."""
        with self._lock:
            moment = time.monotonic()
            if self._asked_at is None or moment - self._asked_at >= _REMOTE_AGE:
                self._answer = self._ask()
                self._asked_at = moment
            if self._answer is None:
                return datetime.now(UTC)
            return self._answer + timedelta(seconds=moment - self._asked_at)

    def _ask(self) -> datetime | None:
        request = urllib.request.Request(self.url, method="HEAD")  # noqa: S310 - the address comes from the site's own settings
        try:
            with urllib.request.urlopen(request, timeout=_REMOTE_TIMEOUT) as answer:  # noqa: S310
                header = answer.headers["Date"]
        except urllib.error.HTTPError as error:
            # A refusal has a Date as well, and it is the time we came for.
            header = error.headers["Date"]
            error.close()
        except OSError as error:
            logger.error("clock: %s does not answer (%s); using the host's clock until it does", self.url, error)
            return None
        try:
            return parsedate_to_datetime(header).astimezone(UTC)
        except (TypeError, ValueError) as error:
            logger.error("clock: %s sends no usable Date (%s); using the host's clock until it does", self.url, error)
            return None


_source: Source | None = None
_remote: RemoteClock | None = None


def now() -> datetime:
    """The present moment as aware UTC.

    Raises ValueError when a source given to `set_source` answers with a time that has no zone.
    """
    if _source is not None:
        moment = _source()
        if moment.tzinfo is None:
            raise ValueError("a clock source must return aware times")
        return moment.astimezone(UTC)
    remote = _follow()
    return remote.now() if remote else datetime.now(UTC)


def set_source(source: Source | None) -> None:
    """Take the time from `source` from now on; None returns to the remote or the host's clock."""
    global _source
    _source = source


def is_set() -> bool:
    """Whether something else than the host's clock decides: then leases follow it instead of the database's clock."""
    return _source is not None or _follow() is not None


def _follow() -> RemoteClock | None:
    global _remote
    url = os.environ.get("TENANTRY_CLOCK_URL", "").strip()
    if not url:
        return None
    if _remote is None or _remote.url != url:
        _remote = RemoteClock(url)
    return _remote
