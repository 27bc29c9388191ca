"""Every failure of an OpenStack call in the words of ``connectors.errors``.

Statuses as the services were seen to use them: over quota is 403 from Nova, 413 from Cinder, 409 from Neutron; Nova
says 400 for an unknown project. A library's exception becomes the ``__cause__``, never the error itself.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from email.utils import parsedate_to_datetime
from typing import Any

import requests
from keystoneauth1 import exceptions as ksa
from urllib3.exceptions import ConnectTimeoutError, NameResolutionError, NewConnectionError

from connectors import errors
from connectors.openstack.transport import Sent
from connectors.openstack.versions import Service

MAX_TEXT = 2000
MAX_SENTENCE = 300
_HIDDEN = "[hidden]"
_SECRET_KEY = re.compile(r'("(?:password|secret|adminPass|original_password)"\s*:\s*)"[^"]*"')


def translate(error: Exception, sent: Sent | None, secrets: Iterable[str]) -> errors.ConnectorError:
    """The error of ours for a library's exception; ``sent`` is the request that was under way."""
    if isinstance(error, ksa.HttpError) and error.response is not None:
        return from_response(error.response, sent, secrets)
    if isinstance(error, (ksa.EndpointNotFound, ksa.CatalogException)):
        return errors.Misconfigured(
            "The cloud's catalog has no address for a service Tenantry needs.",
            verbatim=_clean(str(error), secrets),
            remedy="Check the region and interface of the entry, or give an endpoint override.",
        )
    cause = sent.error if sent and sent.error else error
    return _from_failure(cause, sent, secrets)


def _from_failure(cause: Exception, sent: Sent | None, secrets: Iterable[str]) -> errors.ConnectorError:
    call = sent.call if sent else ""
    verbatim = _clean(f"{type(cause).__name__}: {cause}{_said(cause)}", secrets)
    write = bool(sent and sent.is_write)
    if isinstance(cause, requests.exceptions.SSLError):
        return errors.Misconfigured(
            "The cloud's certificate is not trusted.",
            verbatim=verbatim,
            call=call,
            remedy="Put the text of the certificate authority under “cacert_pem” in the entry, then test again.",
        )
    if isinstance(cause, requests.exceptions.InvalidJSONError):
        response = cause.response
        return errors.BadAnswer(
            "The answer is not valid JSON.",
            verbatim=_clean(response.text if response is not None else str(cause), secrets),
            request_id=_request_id(response),
            status=response.status_code if response is not None else None,
            call=call,
        )
    if isinstance(cause, (requests.exceptions.InvalidURL, requests.exceptions.MissingSchema)):
        return errors.Misconfigured("The address of a service cannot be used.", verbatim=verbatim, call=call)
    if _never_sent(cause) or (isinstance(cause, requests.RequestException) and not write):
        return errors.Unreachable(f"No answer from {_place(sent)}.", verbatim=verbatim, call=call)
    if sent is not None and sent.path == "/auth/tokens":
        return errors.Misconfigured("What answers at “auth_url” is no OpenStack.", verbatim=verbatim, call=call)
    if isinstance(cause, requests.RequestException):
        return errors.Unclear(
            f"The request to {_place(sent)} was sent, its answer did not come.", verbatim=verbatim, call=call
        )
    return errors.Misconfigured("The connection cannot be set up.", verbatim=verbatim, call=call)


def _said(cause: Exception) -> str:
    """What a server answered that keystoneauth calls invalid: a web page tells more than that."""
    response = cause.response if isinstance(cause, ksa.InvalidResponse) else None
    return f" {response.status_code} {response.text}" if response is not None else ""


def _never_sent(cause: Exception) -> bool:
    if isinstance(cause, (requests.exceptions.ConnectTimeout, requests.exceptions.ProxyError)):
        return True
    if not isinstance(cause, requests.exceptions.ConnectionError):
        return False
    inner = cause.args[0] if cause.args else None
    reason = getattr(inner, "reason", inner)
    return isinstance(reason, (NewConnectionError, NameResolutionError, ConnectTimeoutError))


def _place(sent: Sent | None) -> str:
    return f"the {sent.service} service" if sent else "the cloud"


def from_response(response: requests.Response, sent: Sent | None, secrets: Iterable[str]) -> errors.ConnectorError:
    text = _clean(reason(response), secrets)
    remedy = ""
    if sent is not None and sent.path == "/auth/tokens":
        kind, sentence = _login(response.status_code, text)
    elif response.status_code == 401 and sent is not None and sent.service != Service.IDENTITY:
        # keystoneauth has just fetched a new token and asked again: our credential is right, this service is not well.
        kind, sentence = errors.Busy, f"{_begun(_place(sent))} does not accept a token the identity service just gave."
        remedy = "Look at that service's own credential, its cache of tokens and its clock."
    else:
        kind, sentence = _judge(response.status_code, text, _place(sent))
    return kind(
        sentence,
        verbatim=_clean(response.text or "", secrets),
        request_id=_request_id(response),
        status=response.status_code,
        call=sent.call if sent else "",
        retry_after=_retry_after(response),
        remedy=remedy,
    )


def _begun(place: str) -> str:
    return place[0].upper() + place[1:]


_KINDS: dict[int, tuple[type[errors.ConnectorError], str]] = {
    401: (errors.Unauthorized, "{} does not accept our credential."),
    403: (errors.Forbidden, "{} does not let Tenantry's user do this."),
    404: (errors.NotFound, "{} has no such object."),
    406: (errors.Unsupported, "{} does not speak the version we asked for."),
    409: (errors.Conflict, "{} has something in the way of this."),
    413: (errors.Refused, "{} refused: over quota."),
    429: (errors.Busy, "{} is busy."),
    503: (errors.Busy, "{} is busy."),
}


def _login(status: int, text: str) -> tuple[type[errors.ConnectorError], str]:
    if status == 401:
        # Keystone says the same for all of these (facts 5.1).
        return errors.Unauthorized, "The user, its password or its project is wrong, disabled or without any role."
    if status in (300, 404, 405):
        return errors.Misconfigured, "There is no OpenStack identity service at “auth_url”."
    return _judge(status, text, "the identity service")


def _judge(status: int, text: str, place: str) -> tuple[type[errors.ConnectorError], str]:
    place = _begun(place)
    if status == 400 and "is not a valid project" in text:
        return errors.NotFound, f"{place} does not know this project."
    if status in (403, 409) and re.search(r"quota exceeded|over ?quota", text, re.IGNORECASE):
        return errors.Refused, f"{place} refused: over quota."
    if status in _KINDS:
        kind, sentence = _KINDS[status]
        return kind, sentence.format(place)
    if status >= 500:
        return errors.ServerFault, f"{place} failed inside ({status})."
    if status >= 400:
        return errors.Refused, f"{place} refused: {text or status}"[:MAX_SENTENCE]
    return errors.BadAnswer, f"{place} gave an answer nobody expected ({status})."


@contextmanager
def readable(call: str) -> Iterator[None]:
    """An answer of another shape than documented is a ``BadAnswer`` to whoever asked, not our own crash."""
    try:
        yield
    except (KeyError, TypeError, ValueError, AttributeError) as error:
        raise errors.BadAnswer(
            "The cloud's answer has not the documented shape.", verbatim=f"{type(error).__name__}: {error}", call=call
        ) from error


def reason(response: requests.Response) -> str:
    """The cloud's own sentence: ``{"error": {"message"}}``, ``{"forbidden": {..}}``, ``{"NeutronError": {..}}``."""
    try:
        body: Any = json.loads(response.content or b"")
    except ValueError:
        return ""
    inner = next(iter(body.values()), None) if isinstance(body, dict) and body else None
    if not isinstance(inner, dict):
        return str(inner) if isinstance(inner, str) else ""
    message = str(inner.get("message") or "")
    return f"{inner['type']}: {message}" if "type" in inner else message


def _request_id(response: requests.Response | None) -> str:
    if response is None:
        return ""
    return str(response.headers.get("x-openstack-request-id") or response.headers.get("x-compute-request-id") or "")


def _retry_after(response: requests.Response) -> float | None:
    value = response.headers.get("Retry-After")
    if not value:
        return None
    try:
        return max(0.0, float(value))
    except ValueError:
        pass
    try:
        then = parsedate_to_datetime(value)
        sent = parsedate_to_datetime(response.headers["Date"])
    except (KeyError, TypeError, ValueError):
        return None
    return max(0.0, (then - sent).total_seconds())


def _clean(text: str, secrets: Iterable[str]) -> str:
    """At most ``MAX_TEXT`` characters of the cloud's words, without any secret of ours it may have echoed."""
    text = _SECRET_KEY.sub(rf'\1"{_HIDDEN}"', text)
    for secret in secrets:
        text = text.replace(secret, _HIDDEN)
    return text[:MAX_TEXT]
