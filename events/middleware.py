"""Names each request and remembers where it came from."""

import uuid
from collections.abc import Callable

from django.conf import settings
from django.http import HttpRequest, HttpResponse

from events.context import RequestContext, within


class RequestContextMiddleware:
    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        context = RequestContext(request_id=uuid.uuid4().hex, address=client_address(request))
        with within(context):
            response = self.get_response(request)
        response["X-Request-ID"] = context.request_id
        return response


def client_address(request: HttpRequest) -> str:
    """The address of the client as the outermost of our own proxies saw it; what lies before it can be forged."""
    hops: list[str] = [hop.strip() for hop in request.META.get("HTTP_X_FORWARDED_FOR", "").split(",") if hop.strip()]
    if settings.PROXIES and len(hops) >= settings.PROXIES:
        return hops[-int(settings.PROXIES)]
    return str(request.META.get("REMOTE_ADDR", ""))
