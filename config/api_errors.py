"""How the API says no: a rule of ours answers with what is refused, the way on, and the field it is about."""

from typing import Any

from rest_framework import status
from rest_framework.response import Response
from rest_framework.views import exception_handler

from tenancy.errors import NotAllowed, RuleError


def handle(error: Exception, context: dict[str, Any]) -> Response | None:
    """RuleError is 400 and NotAllowed 403, both as {"message", "remedy", "field"}; everything else as DRF has it."""
    if not isinstance(error, RuleError):
        return exception_handler(error, context)
    code = status.HTTP_403_FORBIDDEN if isinstance(error, NotAllowed) else status.HTTP_400_BAD_REQUEST
    return Response({"message": error.message, "remedy": error.remedy, "field": error.field}, status=code)
