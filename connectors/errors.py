"""What can go wrong on a cloud, in our own words.

::

    ConnectorError
    ├── Unreachable      no connection, nothing was sent            retry
    ├── Unclear          sent, but the answer was lost              retry, the effect may have happened
    ├── Busy             429 or 503, with Retry-After if given      retry
    ├── ServerFault      any other 5xx                              retry, the effect may have happened
    ├── BadAnswer        an answer that cannot be read              retry, the effect may have happened
    ├── Unauthorized     our credential is not accepted             a person
    ├── Forbidden        our credential lacks a right               a person
    ├── NotFound         the object is not there
    ├── Conflict         it is there already, or in the way         a person
    ├── Refused          the cloud understood and said no           a person
    ├── Unsupported      a version outside the range we know        a person
    └── Misconfigured    what we were given cannot work             a person

Every error keeps the cloud's own text and request id, so that an operator can search for it; the
original exception is its ``__cause__``. Library exceptions never leave a connector.
"""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class ErrorInfo:
    """The part of an error that can be stored and shown."""

    kind: str
    message: str
    remedy: str
    retry: bool
    verbatim: str = ""
    request_id: str = ""
    status: int | None = None
    call: str = ""


class ConnectorError(Exception):
    """Base of all; ``message`` is one plain sentence, ``verbatim`` the cloud's own words.

    ``call`` is the method and endpoint template, such as ``PUT /os-quota-sets/{id}``.
    """

    retry = False
    remedy = "Read the cloud's own answer below and its log at the request id."

    def __init__(
        self,
        message: str,
        *,
        verbatim: str = "",
        request_id: str = "",
        status: int | None = None,
        call: str = "",
        remedy: str = "",
        retry_after: float | None = None,
    ) -> None:
        super().__init__(message)
        self.message = message
        self.verbatim = verbatim
        self.request_id = request_id
        self.status = status
        self.call = call
        self.retry_after = retry_after
        self.doubt = False
        if remedy:
            self.remedy = remedy

    @property
    def maybe_applied(self) -> bool:
        """Whether a write that ended so may still have happened, now or a little later.

        ``doubt`` is set by a connector whose earlier attempt of the same write was already unclear.
        """
        return self.doubt or isinstance(self, (Unclear, ServerFault, BadAnswer))

    def info(self) -> ErrorInfo:
        return ErrorInfo(
            kind=type(self).__name__,
            message=self.message,
            remedy=self.remedy,
            retry=self.retry,
            verbatim=self.verbatim,
            request_id=self.request_id,
            status=self.status,
            call=self.call,
        )


class Unreachable(ConnectorError):
    retry = True
    remedy = "Check the address, the network and whether the service runs; Tenantry tries again by itself."


class Unclear(ConnectorError):
    retry = True
    remedy = "Nothing to do: Tenantry looks again before it calls this settled."


class Busy(ConnectorError):
    retry = True
    remedy = "The cloud asks to slow down; Tenantry waits and tries again by itself."


class ServerFault(ConnectorError):
    retry = True
    remedy = "The cloud failed inside; Tenantry tries again. If it lasts, see the service's log at the request id."


class BadAnswer(ConnectorError):
    retry = True
    remedy = "The answer could not be read; a proxy in between or the service itself may be at fault."


class Unauthorized(ConnectorError):
    remedy = "Give Tenantry a valid credential on the cloud's page; until then it does not call this cloud."


class Forbidden(ConnectorError):
    remedy = "Give Tenantry's user on the cloud the right named here, then test the connection again."


class NotFound(ConnectorError):
    remedy = "Look whether somebody removed it on the cloud."


class Conflict(ConnectorError):
    remedy = "Adopt the object that is in the way, or rename one of the two."


class Refused(ConnectorError):
    remedy = "The cloud does not accept this value; read its answer and change what is wanted."


class Unsupported(ConnectorError):
    remedy = "See the supported versions of this connector in the documentation."


class Misconfigured(ConnectorError):
    remedy = "Correct the connection's settings and test again."
