"""How the API says no: what is refused, the way on, and the field it is about."""

from typing import Any

from rest_framework import status
from rest_framework.response import Response
from rest_framework.views import exception_handler

from connectors.errors import ConnectorError
from tenancy import access
from tenancy.errors import NotAllowed, RuleError


def handle(error: Exception, context: dict[str, Any]) -> Response | None:
    """RuleError is 400, NotAllowed 403 and an error of a cloud 502, each as {"message", "remedy", "field"}.

    Operators also get the cloud's own words and its request id. Everything else is as DRF has it.
    """
    if isinstance(error, ConnectorError):
        return _cloud(error, context)
    if not isinstance(error, RuleError):
        return exception_handler(error, context)
    code = status.HTTP_403_FORBIDDEN if isinstance(error, NotAllowed) else status.HTTP_400_BAD_REQUEST
    return Response({"message": error.message, "remedy": error.remedy, "field": error.field}, status=code)


def _cloud(error: ConnectorError, context: dict[str, Any]) -> Response:
    answer = {"message": error.message, "remedy": error.remedy, "field": ""}
    request = context.get("request")
    if request is not None and access.is_operator(request.user):
        answer |= {"verbatim": error.verbatim, "request_id": error.request_id, "call": error.call}
    return Response(answer, status=status.HTTP_502_BAD_GATEWAY)
