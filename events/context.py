"""Which request we are in: kept beside the call, so that services need no request to write an audit entry."""

import logging
from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass


@dataclass(frozen=True)
class RequestContext:
    """`request_id` is also sent back as X-Request-ID; `address` is the network address the request came from."""

    request_id: str = ""
    address: str = ""


_NOWHERE = RequestContext()
_current: ContextVar[RequestContext] = ContextVar("events_request", default=_NOWHERE)


def current() -> RequestContext:
    """The context of this request or task; empty fields outside of both."""
    return _current.get()


@contextmanager
def within(context: RequestContext) -> Iterator[None]:
    token = _current.set(context)
    try:
        yield
    finally:
        _current.reset(token)


class RequestIdFilter(logging.Filter):
    """Gives each log record the id of its request, so that a line and an audit entry can be matched."""

    def filter(self, record: logging.LogRecord) -> bool:
        record.request_id = current().request_id or "-"
        return True


_CONTROLS = {code: f"\\x{code:02x}" for code in (*range(32), *range(127, 160), 0x2028, 0x2029)} | {
    10: "\\n",
    13: "\\r",
    9: " ",
}


class OneLineFilter(logging.Filter):
    """A message stays one line, whatever a cloud or a person wrote into it: nobody forges a line of the log."""

    def filter(self, record: logging.LogRecord) -> bool:
        record.msg, record.args = record.getMessage().translate(_CONTROLS), None
        return True
