"""The answers that real services were seen to give, and what they are in our words."""

from __future__ import annotations

import json
from typing import Any

import pytest
import requests
import urllib3
from keystoneauth1 import exceptions as ksa

from connectors import errors
from connectors.openstack.errors import MAX_TEXT, from_response, translate
from connectors.openstack.transport import Sent

READ, WRITE = Sent("GET", "compute", "/servers"), Sent("PUT", "compute", "/os-quota-sets/{id}")
LOGIN = Sent("POST", "identity", "/auth/tokens")


def neutron(kind: str, message: str) -> dict[str, Any]:
    return {"NeutronError": {"type": kind, "message": message, "detail": ""}}


def other(root: str, status: int, message: str) -> dict[str, Any]:
    return {root: {"code": status, "message": message}}


NOVA_QUOTA = "Quota exceeded for cores: Requested 2, but already used 2 of 2 cores"
CINDER_QUOTA = "VolumeSizeExceedsAvailableQuota: Requested volume or snapshot exceeds allowed gigabytes quota."
BELOW_USE = "Quota limit 1 for cores must be greater than or equal to already used and reserved 4."
LOG_IN = "The request you have made requires authentication."
NO_POLICY = "Policy doesn't allow os_compute_api:os-quota-sets:update to be performed."
SEEN = [
    (403, other("forbidden", 403, NOVA_QUOTA), errors.Refused),
    (413, other("overLimit", 413, CINDER_QUOTA), errors.Refused),
    (409, neutron("OverQuota", "Quota exceeded for resources: ['network']."), errors.Refused),
    (400, other("badRequest", 400, "Project ID nosuch is not a valid project."), errors.NotFound),
    (400, other("badRequest", 400, BELOW_USE), errors.Refused),
    (400, neutron("HTTPBadRequest", "Unrecognized attribute(s) 'bogus'"), errors.Refused),
    (400, other("badRequest", 400, "marker [nope] not found"), errors.Refused),
    (401, other("error", 401, LOG_IN), errors.Busy),
    (403, other("error", 403, "You are not authorized to perform the requested action"), errors.Forbidden),
    (403, other("forbidden", 403, NO_POLICY), errors.Forbidden),
    (403, neutron("PolicyNotAuthorized", "rule:update_quota is disallowed by policy"), errors.Forbidden),
    (404, other("error", 404, "Could not find project: nope."), errors.NotFound),
    (404, neutron("TenantQuotaNotFound", "Quota for project x could not be found."), errors.NotFound),
    (409, other("error", 409, "it is not permitted to have two projects with the same name"), errors.Conflict),
    (409, neutron("NetworkInUse", "Unable to complete operation on network"), errors.Conflict),
    (406, other("computeFault", 406, "Version 2.999 is not supported by the API."), errors.Unsupported),
    (429, other("overLimit", 429, "slow down"), errors.Busy),
    (503, other("error", 503, "no backend"), errors.Busy),
    (500, other("computeFault", 500, "Unexpected API Error."), errors.ServerFault),
    (504, {}, errors.ServerFault),
    (302, {}, errors.BadAnswer),
]


def answer(status: int, body: Any, **headers: str) -> requests.Response:
    made = requests.Response()
    made.status_code = status
    made._content = body if isinstance(body, bytes) else json.dumps(body).encode()
    made.headers.update({"x-openstack-request-id": "req-1", "Date": "Fri, 20 Nov 2026 12:00:00 GMT"} | headers)
    return made


def test_only_the_identity_service_can_refuse_our_credential() -> None:
    """Another service that says so after a new token has a fault of its own, which must not stop the whole cloud."""
    said = answer(401, other("error", 401, LOG_IN))
    assert type(from_response(said, Sent("GET", "identity", "/projects"), ())) is errors.Unauthorized
    error = from_response(said, Sent("GET", "block-storage", "/os-quota-sets/{id}"), ())
    assert type(error) is errors.Busy
    assert "clock" in error.remedy


@pytest.mark.parametrize(("status", "body", "kind"), SEEN)
def test_each_answer_is_the_right_error_with_the_clouds_own_words(
    status: int, body: dict[str, Any], kind: type[errors.ConnectorError]
) -> None:
    error = from_response(answer(status, body), WRITE, ())
    assert type(error) is kind
    assert error.verbatim == json.dumps(body)
    assert (error.request_id, error.status, error.call) == ("req-1", status, "PUT compute /os-quota-sets/{id}")


@pytest.mark.parametrize(
    ("status", "kind"),
    [(401, errors.Unauthorized), (404, errors.Misconfigured), (300, errors.Misconfigured), (503, errors.Busy)],
)
def test_a_failed_sign_in_speaks_of_the_credential_or_the_address(
    status: int, kind: type[errors.ConnectorError]
) -> None:
    assert type(from_response(answer(status, {}), LOGIN, ())) is kind


def test_what_is_no_json_is_kept_as_it_is_and_cut() -> None:
    error = from_response(answer(500, b"<html>" + b"x" * 5000), READ, ())
    assert error.verbatim.startswith("<html>xxx")
    assert len(error.verbatim) == MAX_TEXT


def test_secrets_are_hidden_wherever_the_cloud_echoes_them() -> None:
    body = {"error": {"message": "password hunter22 is wrong", "adminPass": "made-by-nova"}}
    error = from_response(answer(400, body), WRITE, {"hunter22"})
    assert "hunter22" not in repr(error.info())
    assert "made-by-nova" not in repr(error.info())


@pytest.mark.parametrize(
    ("value", "seconds"),
    [("7", 7.0), ("0", 0.0), ("-3", 0.0), ("Fri, 20 Nov 2026 12:01:00 GMT", 60.0), ("soon", None)],
)
def test_when_to_come_back_is_read_in_seconds_or_as_a_date(value: str, seconds: float | None) -> None:
    assert from_response(answer(429, {}, **{"Retry-After": value}), READ, ()).retry_after == seconds


def _refused() -> requests.exceptions.ConnectionError:
    reason = urllib3.exceptions.NewConnectionError(None, "refused")  # type: ignore[arg-type]
    return requests.exceptions.ConnectionError(urllib3.exceptions.MaxRetryError(None, "/", reason))  # type: ignore[arg-type]


CUT = requests.exceptions.ConnectionError(urllib3.exceptions.ProtocolError("Connection aborted."))


@pytest.mark.parametrize(
    ("cause", "sent", "kind"),
    [
        (_refused(), READ, errors.Unreachable),
        (_refused(), WRITE, errors.Unreachable),
        (requests.exceptions.ConnectTimeout(), WRITE, errors.Unreachable),
        (requests.exceptions.ReadTimeout(), READ, errors.Unreachable),
        (requests.exceptions.ReadTimeout(), WRITE, errors.Unclear),
        (CUT, READ, errors.Unreachable),
        (CUT, WRITE, errors.Unclear),
        (requests.exceptions.ChunkedEncodingError(), WRITE, errors.Unclear),
        (CUT, LOGIN, errors.Unreachable),
        (requests.exceptions.SSLError("self-signed"), WRITE, errors.Misconfigured),
        (requests.exceptions.InvalidURL(), READ, errors.Misconfigured),
    ],
)
def test_a_broken_connection_says_whether_the_write_may_have_arrived(
    cause: requests.RequestException, sent: Sent, kind: type[errors.ConnectorError]
) -> None:
    under_way = Sent(sent.method, sent.service, sent.path, error=cause)
    error = translate(ksa.UnknownConnectionError("library words", cause), under_way, ())
    assert type(error) is kind
    assert type(cause).__name__ in error.verbatim
    assert error.retry is (kind is not errors.Misconfigured)
    assert error.maybe_applied is (kind is errors.Unclear)
