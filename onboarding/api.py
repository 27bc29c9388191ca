"""/api/v1/requests: ask, and decide. Amounts are integers in base units, limits wanted in all on each cloud."""

from __future__ import annotations

from typing import Any

from django.db.models import QuerySet
from django.shortcuts import get_object_or_404
from drf_spectacular.utils import OpenApiParameter, extend_schema, extend_schema_view
from rest_framework import mixins, serializers, status, viewsets
from rest_framework.decorators import action
from rest_framework.request import Request as Call
from rest_framework.response import Response
from rest_framework.routers import SimpleRouter

from onboarding import services
from onboarding.models import Request, RequestLine
from onboarding.selectors import requests_visible, with_lines
from tenancy import access
from tenancy.errors import NotAllowed, RuleError
from tenancy.models import Cloud, Institution, Person, Project


class RequestLineSerializer(serializers.ModelSerializer[RequestLine]):
    """`before` is the limit when it was asked (null: no tenancy there), `granted` what was decided."""

    cloud = serializers.SlugRelatedField[Cloud](slug_field="slug", read_only=True)

    class Meta:
        model = RequestLine
        fields = ("id", "cloud", "resource", "before", "amount", "granted")
        read_only_fields = fields


class RequestSerializer(serializers.ModelSerializer[Request]):
    institution = serializers.SlugRelatedField[Institution](slug_field="slug", read_only=True)
    project = serializers.SlugRelatedField[Project](slug_field="slug", read_only=True)
    requested_by = serializers.SlugRelatedField[Person](slug_field="username", read_only=True)
    decided_by = serializers.SlugRelatedField[Person](slug_field="username", read_only=True)
    clouds = serializers.SerializerMethodField()
    lines = RequestLineSerializer(many=True, read_only=True)

    class Meta:
        model = Request
        fields = (
            "id", "kind", "state", "title", "slug", "purpose", "description", "institution", "starts_on", "ends_on",
            "project", "clouds", "lines", "requested_by", "created_at", "decided_by", "decided_at", "decision_reason",
        )  # fmt: skip
        read_only_fields = fields

    def get_clouds(self, request: Request) -> list[str]:
        return [wanted.cloud.slug for wanted in request.wanted_clouds.all()]


class LineAskSerializer(serializers.Serializer[Any]):
    cloud = serializers.SlugField()
    resource = serializers.CharField()
    amount = serializers.IntegerField(help_text="Base units, in all (not in addition).")


class RequestAskSerializer(serializers.Serializer[Any]):
    """A new project has title, purpose, institution, both days and clouds; the other kinds name their project."""

    kind = serializers.ChoiceField(choices=Request.Kind.choices)
    description = serializers.CharField(max_length=4000)
    title = serializers.CharField(required=False, default="", allow_blank=True, max_length=120)
    purpose = serializers.CharField(
        required=False, default="", allow_blank=True, help_text="research, teaching, service"
    )
    institution = serializers.SlugField(required=False, default=None, allow_null=True)
    starts_on = serializers.DateField(required=False, default=None, allow_null=True)
    ends_on = serializers.DateField(required=False, default=None, allow_null=True)
    project = serializers.SlugField(required=False, default=None, allow_null=True)
    clouds = serializers.ListField(
        help_text="Also those without a line.", child=serializers.SlugField(), required=False, default=list
    )
    lines = LineAskSerializer(many=True, required=False, default=list)


class GrantedSerializer(serializers.Serializer[Any]):
    line = serializers.IntegerField()
    amount = serializers.IntegerField(help_text="Base units, in all.")


class ApprovalSerializer(serializers.Serializer[Any]):
    reason = serializers.CharField(required=False, default="", allow_blank=True, max_length=2000)
    granted = GrantedSerializer(many=True, required=False, default=list)


class RefusalSerializer(serializers.Serializer[Any]):
    reason = serializers.CharField(max_length=2000)


@extend_schema_view(
    list=extend_schema(
        parameters=[
            OpenApiParameter("state", str, enum=Request.State.values),
            OpenApiParameter("project", str, description="Slug of a project."),
        ]
    ),
)
class RequestViewSet(mixins.ListModelMixin, mixins.RetrieveModelMixin, viewsets.GenericViewSet[Request]):
    """Requests one may open, newest first."""

    serializer_class = RequestSerializer
    queryset = Request.objects.none()

    def get_queryset(self) -> QuerySet[Request]:
        rows = with_lines(requests_visible(self.request.user)).order_by("-created_at", "pk")
        for name, column in (("state", "state"), ("project", "project__slug")):
            value = self.request.query_params.get(name)
            if value:
                rows = rows.filter(**{column: value})
        return rows

    @extend_schema(request=RequestAskSerializer, responses={201: RequestSerializer})
    def create(self, request: Call) -> Response:
        wanted = RequestAskSerializer(data=request.data)
        wanted.is_valid(raise_exception=True)
        sent = services.request_submit(actor=_person(request), **_wish(request, dict(wanted.validated_data)))
        return Response(self._shown(sent), status=status.HTTP_201_CREATED)

    @extend_schema(request=ApprovalSerializer, responses=RequestSerializer)
    @action(detail=True, methods=["post"])
    def approve(self, request: Call, pk: str) -> Response:
        wanted = ApprovalSerializer(data=request.data)
        wanted.is_valid(raise_exception=True)
        granted = {each["line"]: each["amount"] for each in wanted.validated_data["granted"]}
        asked = services.request_approve(
            actor=_person(request),
            request=self.get_object(),
            granted=granted,
            reason=wanted.validated_data["reason"],
        )
        return Response(self._shown(asked))

    @extend_schema(request=RefusalSerializer, responses=RequestSerializer)
    @action(detail=True, methods=["post"])
    def refuse(self, request: Call, pk: str) -> Response:
        wanted = RefusalSerializer(data=request.data)
        wanted.is_valid(raise_exception=True)
        asked = services.request_refuse(actor=_person(request), request=self.get_object(), **wanted.validated_data)
        return Response(self._shown(asked))

    @extend_schema(request=None, responses=RequestSerializer)
    @action(detail=True, methods=["post"])
    def withdraw(self, request: Call, pk: str) -> Response:
        return Response(self._shown(services.request_withdraw(actor=_person(request), request=self.get_object())))

    def _shown(self, request: Request) -> Any:
        return RequestSerializer(with_lines(Request.objects.filter(pk=request.pk)).get()).data


def _wish(call: Call, fields: dict[str, Any]) -> dict[str, Any]:
    """Slugs become rows; a project that the person may not open is 404."""
    clouds = {cloud.slug: cloud for cloud in Cloud.objects.filter(slug__in=_named(fields))}
    institution, project = fields["institution"], fields["project"]
    return fields | {
        "institution": get_object_or_404(Institution, slug=institution) if institution else None,
        "project": get_object_or_404(access.visible_projects(call.user), slug=project) if project else None,
        "clouds": [_known(clouds, slug) for slug in _named(fields)],
        "lines": {(_known(clouds, line["cloud"]).pk, line["resource"]): line["amount"] for line in fields["lines"]},
    }


def _named(fields: dict[str, Any]) -> list[str]:
    """A cloud with a line is wanted as well."""
    return list(dict.fromkeys([*fields["clouds"], *(line["cloud"] for line in fields["lines"])]))


def _known(clouds: dict[str, Cloud], slug: str) -> Cloud:
    if slug not in clouds:
        raise RuleError(f"There is no cloud “{slug}”.", field="clouds")
    return clouds[slug]


def _person(call: Call) -> Person:
    if not isinstance(call.user, Person):
        raise NotAllowed("Sign in first.")
    return call.user


router = SimpleRouter()
router.register("requests", RequestViewSet, basename="api-request")

urlpatterns = router.urls
