"""/api/v1: each application brings its own part; the schema and its viewer describe all of it."""

from typing import Any, cast

from django.contrib.auth.base_user import AbstractBaseUser
from django.urls import include, path
from drf_spectacular.utils import OpenApiResponse, extend_schema
from drf_spectacular.views import SpectacularAPIView, SpectacularSwaggerSplitView
from knox.auth import TokenAuthentication
from rest_framework import serializers, status
from rest_framework.authentication import SessionAuthentication
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from config import tokens


class TokenSerializer(serializers.Serializer[Any]):
    """`token` is shown this once and never again."""

    token = serializers.CharField(read_only=True)
    expires_at = serializers.DateTimeField(read_only=True)


class TokenCreateView(APIView):
    """Make a token. Only from a signed-in browser: a token that could make tokens would never end."""

    authentication_classes = (SessionAuthentication,)

    @extend_schema(request=None, responses={201: TokenSerializer, 409: OpenApiResponse(description="Too many tokens")})
    def post(self, request: Request) -> Response:
        try:
            made = tokens.token_create(person=_person(request))
        except tokens.TooManyTokensError as error:
            return Response({"detail": str(error)}, status=status.HTTP_409_CONFLICT)
        return Response(TokenSerializer(made).data, status=status.HTTP_201_CREATED)


class TokenCurrentView(APIView):
    """The token this call was made with."""

    authentication_classes = (TokenAuthentication,)

    @extend_schema(request=None, responses={204: None})
    def delete(self, request: Request) -> Response:
        tokens.token_revoke(person=_person(request), token=request.auth)
        return Response(status=status.HTTP_204_NO_CONTENT)


def _person(request: Request) -> AbstractBaseUser:
    # The default permission, IsAuthenticated, has let nobody else in.
    return cast("AbstractBaseUser", request.user)


urlpatterns = [
    path("schema", SpectacularAPIView.as_view(), name="api-schema"),
    path("docs", SpectacularSwaggerSplitView.as_view(url_name="api-schema"), name="api-docs"),
    path("tokens", TokenCreateView.as_view(), name="api-tokens"),
    path("tokens/current", TokenCurrentView.as_view(), name="api-token-current"),
    *[path("", include(f"{app}.api")) for app in ("onboarding", "tenancy", "quotas", "reporting")],
]
