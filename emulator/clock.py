"""The world clock: starts at the host's now (or any given time), can be moved, speeded up and frozen."""

import time
from collections.abc import Callable
from datetime import UTC, datetime
from functools import lru_cache

MINUTE = 60
HOUR = 3600
DAY = 86_400

_DAYS = ("Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun")
_MONTHS = ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec")


class WorldClock:
    """Seconds since the epoch (UTC) in the emulated world; `speed` world seconds pass per host second, 0 is frozen."""

    def __init__(
        self, *, start: float | None = None, speed: float = 1.0, host: Callable[[], float] = time.monotonic
    ) -> None:
        self._host = host
        self._base = time.time() if start is None else start
        self._mark = host()
        self.speed = speed

    def now(self) -> float:
        return self._base + (self._host() - self._mark) * self.speed

    def set(self, now: float) -> None:
        self._base, self._mark = now, self._host()

    def advance(self, seconds: float) -> None:
        self.set(self.now() + seconds)

    def set_speed(self, speed: float) -> None:
        self.set(self.now())
        self.speed = speed


def parse_time(text: str) -> float:
    """Epoch seconds of an ISO 8601 text; without a zone it is UTC. Raises ValueError."""
    moment = datetime.fromisoformat(text.replace("Z", "+00:00"))
    return (moment if moment.tzinfo else moment.replace(tzinfo=UTC)).timestamp()


def parse_naive(text: str, *formats: str) -> float:
    """Epoch seconds of a UTC text in the first of `formats` that fits. Raises ValueError."""
    for form in formats:
        try:
            return datetime.strptime(f"{text} +0000", f"{form} %z").timestamp()
        except ValueError:
            continue
    raise ValueError(text)


@lru_cache(maxsize=65_536)
def _stamp(second: int) -> str:
    t = time.gmtime(second)
    return f"{t.tm_year:04d}-{t.tm_mon:02d}-{t.tm_mday:02d}T{t.tm_hour:02d}:{t.tm_min:02d}:{t.tm_sec:02d}"


def iso_z(moment: float) -> str:
    """2026-11-20T08:49:16Z, as Nova and Neutron write."""
    return _stamp(int(moment)) + "Z"


def iso_micro(moment: float, *, zone: str = "") -> str:
    """2026-11-20T08:49:16.000000, as databases behind Nova and Cinder print; Keystone adds Z."""
    second = int(moment // 1)
    return f"{_stamp(second)}.{int((moment - second) * 1e6):06d}{zone}"


@lru_cache(maxsize=64)
def http_date(second: int) -> str:
    t = time.gmtime(second)
    return (
        f"{_DAYS[t.tm_wday]}, {t.tm_mday:02d} {_MONTHS[t.tm_mon - 1]} {t.tm_year:04d} "
        f"{t.tm_hour:02d}:{t.tm_min:02d}:{t.tm_sec:02d} GMT"
    )
