"""What these endpoints share: who asks, and who may."""

from __future__ import annotations

from typing import Any, TypeVar, cast

from rest_framework import serializers
from rest_framework.permissions import BasePermission
from rest_framework.request import Request
from rest_framework.views import APIView

from tenancy import access
from tenancy.models import Person

SLUG = r"[-a-zA-Z0-9_]+"
UUID = "[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}"

S = TypeVar("S", bound="serializers.BaseSerializer[Any]")


class Operators(BasePermission):
    """Clouds, plans, people and steps are for the operators of the site."""

    message = "This is for the operators of the site."

    def has_permission(self, request: Request, view: APIView) -> bool:
        return access.is_operator(request.user)


def person(request: Request) -> Person:
    """Who asks; the default permission has let no visitor come here."""
    return cast("Person", request.user)


def given(request: Request, serializer: type[S]) -> dict[str, Any]:
    """The body as values. Raises ValidationError, answered 400 with the words at each field."""
    form = serializer(data=request.data)
    form.is_valid(raise_exception=True)
    return cast("dict[str, Any]", form.validated_data)
