"""Counts of calls by endpoint, and the journal of writes: what proves that a plan wrote nothing."""

import threading
from collections import Counter, deque
from typing import Any

SAFE = ("GET", "HEAD", "OPTIONS")
JOURNAL = 10_000
_SECRETS = ("password", "original_password", "secret", "adminPass", "user_data")


def redacted(value: Any) -> Any:
    """The body without its secrets: a journal must not hold passwords."""
    if isinstance(value, dict):
        return {k: "REDACTED" if k in _SECRETS and not isinstance(v, dict) else redacted(v) for k, v in value.items()}
    return [redacted(item) for item in value] if isinstance(value, list) else value


class Counters:
    def __init__(self) -> None:
        self._lock = threading.Lock()
        self.in_flight = 0
        self.connections = 0
        self.reset()

    def reset(self) -> None:
        with self._lock:
            self.calls: Counter[str] = Counter()
            self.statuses: Counter[int] = Counter()
            self.writes = self.tokens = self.unknown = 0
            self.in_flight_peak = self.in_flight
            self.connections_peak = self.connections
            self.journal: deque[dict[str, Any]] = deque(maxlen=JOURNAL)
            self._number = 0

    def enter(self) -> None:
        with self._lock:
            self.in_flight += 1
            self.in_flight_peak = max(self.in_flight_peak, self.in_flight)

    def leave(self, endpoint: str, status: int, *, kind: str) -> None:
        """`kind` is read, write, token or unknown; status 0 is a request that got no answer."""
        with self._lock:
            self.in_flight -= 1
            self.calls[endpoint] += 1
            self.statuses[status] += 1
            self.writes += kind == "write"
            self.tokens += kind == "token"
            self.unknown += kind == "unknown"

    def connected(self, change: int) -> None:
        with self._lock:
            self.connections += change
            self.connections_peak = max(self.connections_peak, self.connections)

    def wrote(self, **entry: Any) -> None:
        with self._lock:
            self._number += 1
            self.journal.append({"number": self._number, **entry})

    def public(self) -> dict[str, Any]:
        with self._lock:
            return {
                "total": sum(self.calls.values()),
                "writes": self.writes,
                "tokens": self.tokens,
                "unknown": self.unknown,
                "calls": dict(sorted(self.calls.items())),
                "statuses": {str(status): n for status, n in sorted(self.statuses.items())},
                "in_flight_peak": self.in_flight_peak,
                "connections": self.connections,
                "connections_peak": self.connections_peak,
            }
