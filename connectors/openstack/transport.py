"""The one line to a cloud: every HTTP request of every library goes through ``Line``.

It sets the timeout, counts, remembers what was sent last (an error has to say which call it was, and whether the
request may have reached the server) and reads the cloud's clock from the ``Date`` header.
"""

from __future__ import annotations

import json
import re
import ssl
import threading
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from typing import Any
from urllib.parse import urlsplit

import requests
from requests.adapters import HTTPAdapter

CONNECT_TIMEOUT = 10.0
READS = frozenset(("GET", "HEAD", "OPTIONS"))

_VERSION = re.compile(r"^.*?/v\d+(?:\.\d+)?(?=/|$)")
_ID = re.compile(r"^(?:[0-9a-f]{32}|[0-9a-f]{64}|[0-9a-fA-F]{8}(?:-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}|req-.+)$")
_OWNERS = frozenset(("projects", "users", "roles", "groups", "domains", "tags", "identity_providers", "protocols"))


@dataclass(slots=True)
class Sent:
    """The last request of a thread: ``body`` is its parsed answer, ``error`` what broke it."""

    method: str
    service: str
    path: str
    body: Any = None
    error: requests.RequestException | None = None

    @property
    def call(self) -> str:
        return f"{self.method} {self.service} {self.path}"

    @property
    def is_write(self) -> bool:
        """Whether it may have changed something; asking for a token does not."""
        return self.method not in READS and self.path != "/auth/tokens"


class Line(requests.Session):
    """A ``requests`` session with a memory, shared by the threads of one connector."""

    def __init__(self, *, timeout: float, now: Callable[[], datetime]) -> None:
        super().__init__()
        self.timeout = (min(CONNECT_TIMEOUT, timeout), timeout)
        self.calls: Counter[str] = Counter()
        self.skew: float | None = None
        self.host_skew = 0.0
        self._now = now
        self._lock = threading.Lock()
        self._local = threading.local()

    @property
    def last(self) -> Sent | None:
        return getattr(self._local, "last", None)

    def forget(self) -> None:
        self._local.last = None

    def serve(self, service: str) -> None:
        """From now on this thread speaks to ``service``."""
        self._local.service = service

    def request(self, method: str | bytes, url: str | bytes, *args: Any, **kwargs: Any) -> requests.Response:
        """As ``requests``; an answer that claims to be JSON and is not raises ``InvalidJSONError``."""
        path = template(str(url))
        service = "identity" if path == "/auth/tokens" else getattr(self._local, "service", "identity")
        sent = Sent(str(method).upper(), service, path)
        self._local.last = sent
        kwargs["timeout"] = self.timeout
        with self._lock:
            self.calls[sent.call] += 1
        try:
            response = super().request(method, url, *args, **kwargs)
            self._note_time(response)
            sent.body = _parsed(response)
        except requests.RequestException as error:
            sent.error = error
            raise
        return response

    def _note_time(self, response: requests.Response) -> None:
        try:
            theirs = parsedate_to_datetime(response.headers["Date"])
            self.skew = (theirs - self._now()).total_seconds()
            self.host_skew = (theirs - datetime.now(UTC)).total_seconds()
        except (KeyError, TypeError, ValueError):
            return


def _parsed(response: requests.Response) -> Any:
    if not (response.ok and response.content and "json" in response.headers.get("Content-Type", "")):
        return None
    try:
        return json.loads(response.content)
    except ValueError as error:
        raise requests.exceptions.InvalidJSONError(str(error), response=response) from error


def template(url: str) -> str:
    """The endpoint of a URL without its version and ids: ``/os-quota-sets/{id}/detail``."""
    path = urlsplit(url).path
    if not _VERSION.match(path):
        # The list of versions, wherever it is served.
        return "/"
    parts = _VERSION.sub("", path, count=1).split("/")
    for position, part in enumerate(parts):
        if part and (_ID.match(part) or (position and parts[position - 1] in _OWNERS)):
            parts[position] = "{id}"
    return "/".join(parts) or "/"


class PrivateAuthority(HTTPAdapter):
    """Trusts one more certificate authority, given as text: nothing is written to a file."""

    def __init__(self, pem: str, **kwargs: Any) -> None:
        self._context = ssl.create_default_context(cadata=pem)
        super().__init__(**kwargs)

    def init_poolmanager(self, *args: Any, **kwargs: Any) -> None:
        super().init_poolmanager(*args, ssl_context=self._context, **kwargs)


def mount(line: Line, *, transport: Any, connections: int, pem: str | None) -> None:
    """Let ``line`` use the given adapter, or real sockets with at most ``connections`` of them.

    Raises ``ssl.SSLError`` for a certificate that cannot be read.
    """
    adapter = transport
    if adapter is None:
        pool: dict[str, Any] = {"pool_connections": 8, "pool_maxsize": connections, "pool_block": True}
        adapter = PrivateAuthority(pem, **pool) if pem else HTTPAdapter(**pool)
    line.mount("https://", adapter)
    line.mount("http://", adapter)
