"""The services of the world: where each lives, which microversions it speaks, and the form of its errors."""

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from emulator.wire import ApiError, Body, Version

REASONS = {
    400: "Bad Request", 401: "Unauthorized", 403: "Forbidden", 404: "Not Found", 405: "Method Not Allowed",
    406: "Not Acceptable",
    409: "Conflict", 411: "Length Required", 413: "Request Entity Too Large", 429: "Too Many Requests",
    500: "Internal Server Error", 501: "Not Implemented", 502: "Bad Gateway", 503: "Service Unavailable",
    504: "Gateway Timeout",
}  # fmt: skip
_FAULTS = {
    400: "badRequest", 401: "unauthorized", 403: "forbidden", 404: "itemNotFound", 405: "badMethod",
    409: "conflictingRequest",
    413: "overLimit", 429: "overLimit", 501: "notImplemented", 503: "serviceUnavailable",
}  # fmt: skip
UNAUTHORIZED = "The request you have made requires authentication."


def _keystone_error(error: ApiError, request_id: str) -> Body:
    return {"error": {"code": error.status, "message": error.message, "title": REASONS.get(error.status, "Error")}}


def _fault_error(error: ApiError, request_id: str) -> Body:
    """Nova and Cinder: the kind of fault is the root key."""
    body: dict[str, Any] = {"code": error.status, "message": error.message}
    if error.status in (413, 429):
        body["retryAfter"] = error.headers.get("Retry-After", "0")
    return {_FAULTS.get(error.status, "computeFault"): body}


def _neutron_error(error: ApiError, request_id: str) -> Body:
    kind = error.kind or {400: "HTTPBadRequest", 403: "PolicyNotAuthorized", 404: "HTTPNotFound"}.get(
        error.status, "HTTPInternalServerError"
    )
    return {"NeutronError": {"type": kind, "message": error.message, "detail": ""}}


def _placement_error(error: ApiError, request_id: str) -> Body:
    title = REASONS.get(error.status, "Error")
    one = {"status": error.status, "title": title, "detail": error.message, "request_id": request_id}
    return {"errors": [one | ({"code": error.kind} if error.kind else {"code": "placement.undefined_code"})]}


def _glance_error(error: ApiError, request_id: str) -> Body:
    title = REASONS.get(error.status, "Error")
    return {"message": f"{error.message}<br /><br />\n\n\n", "code": f"{error.status} {title}", "title": title}


def _middleware_401(error: ApiError, request_id: str) -> Body:
    """What keystonemiddleware answers before the service sees the request."""
    return {"error": {"code": 401, "title": "Unauthorized", "message": error.message}}


@dataclass(frozen=True, slots=True)
class Service:
    """`kind` is the name faults and counters use; `type` and `name` are the catalog's."""

    kind: str
    name: str
    prefix: str
    error: Callable[[ApiError, str], Body]
    header: str = ""  # the service's word in OpenStack-API-Version
    versions: dict[str, tuple[Version, Version]] = field(default_factory=dict)  # release -> (lowest, highest)

    def render(self, error: ApiError, request_id: str) -> Body:
        if error.status == 401 and self.kind not in ("identity", "image"):
            return _middleware_401(error, request_id)
        return self.error(error, request_id)

    def headers(self, version: Version, request_id: str) -> dict[str, str]:
        if not request_id:
            return {}
        found = {"x-openstack-request-id": request_id}
        if self.kind == "identity":
            found["Vary"] = "X-Auth-Token"
        if self.kind in ("compute", "volume"):
            found["x-compute-request-id"] = request_id
        if version != (0, 0):
            text = f"{version[0]}.{version[1]}"
            found["OpenStack-API-Version"] = f"{self.header} {text}"
            found["Vary"] = "OpenStack-API-Version"
            if self.kind == "compute":
                found["X-OpenStack-Nova-API-Version"] = text
                found["Vary"] = "OpenStack-API-Version, X-OpenStack-Nova-API-Version"
        return found


IDENTITY = Service("identity", "keystone", "/identity", _keystone_error)
COMPUTE = Service(
    "compute", "nova", "/compute", _fault_error, "compute", {"2026.1": ((2, 1), (2, 103)), "zed": ((2, 1), (2, 93))}
)
VOLUME = Service(
    "volume", "cinder", "/volume", _fault_error, "volume", {"2026.1": ((3, 0), (3, 71)), "zed": ((3, 0), (3, 70))}
)
NETWORK = Service("network", "neutron", "/network", _neutron_error)
PLACEMENT = Service(
    "placement",
    "placement",
    "/placement",
    _placement_error,
    "placement",
    {"2026.1": ((1, 0), (1, 39)), "zed": ((1, 0), (1, 39))},
)
IMAGE = Service("image", "glance", "/image", _glance_error)
SERVICES = {service.prefix[1:]: service for service in (IDENTITY, COMPUTE, VOLUME, NETWORK, PLACEMENT, IMAGE)}
