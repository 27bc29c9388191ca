"""Clouds, their plans and the switch of all writes. For operators. No answer ever holds a credential."""

from __future__ import annotations

from typing import Any

from django.db.models import QuerySet
from drf_spectacular.utils import OpenApiParameter, extend_schema, extend_schema_view
from rest_framework import mixins, serializers, status, viewsets
from rest_framework.decorators import action
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from tenancy import selectors, services
from tenancy.api.common import SLUG, Operators, given, person
from tenancy.models import Cloud, SurveyRun
from tenancy.serializers import (
    CloudConnectSerializer,
    CloudDetailSerializer,
    CloudSerializer,
    MissingRightsSerializer,
    ModeSerializer,
    PlanLineSerializer,
    ProbeSerializer,
    RefusedSerializer,
    SettingsSerializer,
    SurveyRunSerializer,
    WhySerializer,
)
from tenancy.services.clouds import Accounts, Connection, MissingRights
from tenancy.shown import plan as shown
from tenancy.shown.plan import Show

REFUSED = {400: RefusedSerializer}


@extend_schema_view(retrieve=extend_schema(responses=CloudDetailSerializer))
class CloudViewSet(mixins.ListModelMixin, mixins.RetrieveModelMixin, viewsets.GenericViewSet[Cloud]):
    """Connected clouds."""

    permission_classes = (Operators,)
    serializer_class = CloudSerializer
    lookup_field = "slug"
    lookup_value_regex = SLUG
    queryset = Cloud.objects.none()

    def get_queryset(self) -> QuerySet[Cloud]:
        rows = selectors.clouds_list()
        if self.action == "list":
            return rows
        return rows.prefetch_related("roles", "versions", "rights", "capabilities")

    def get_serializer_class(self) -> type[serializers.BaseSerializer[Cloud]]:
        return CloudSerializer if self.action == "list" else CloudDetailSerializer

    def _shown(self, cloud: Cloud, code: int = status.HTTP_200_OK) -> Response:
        fresh = self.get_queryset().get(pk=cloud.pk)
        return Response(CloudDetailSerializer(fresh).data, status=code)

    @extend_schema(request=CloudConnectSerializer, responses={201: CloudDetailSerializer, 400: MissingRightsSerializer})
    def create(self, request: Request) -> Response:
        """Test a connection and keep it in observe mode; if anything is missing nothing is kept."""
        values = given(request, CloudConnectSerializer)
        accounts = Accounts(*(values[name] for name in ("accounts_come", "provider", "protocol", "issuer")))
        connection = Connection(values["kind"], values["text"], values["entry"], values["roles"], accounts)
        try:
            cloud = services.cloud_connect(
                actor=person(request), title=values["title"], slug=values["slug"], connection=connection
            )
        except MissingRights as missing:
            return _missing(missing)
        return self._shown(cloud, status.HTTP_201_CREATED)

    @extend_schema(request=SettingsSerializer, responses={200: CloudDetailSerializer, 400: MissingRightsSerializer})
    @action(detail=True, methods=["post"])
    def credential(self, request: Request, slug: str) -> Response:
        """Replace the credential after the new one was tested."""
        cloud = self.get_object()
        values = given(request, SettingsSerializer)
        connection = Connection(cloud.kind, values["text"], values["entry"])
        try:
            services.cloud_credential_change(actor=person(request), cloud=cloud, connection=connection)
        except MissingRights as missing:
            return _missing(missing)
        return self._shown(cloud)

    @extend_schema(request=ModeSerializer, responses={200: CloudDetailSerializer, **REFUSED})
    @action(detail=True, methods=["post"])
    def mode(self, request: Request, slug: str) -> Response:
        cloud = self.get_object()
        services.cloud_mode_set(actor=person(request), cloud=cloud, **given(request, ModeSerializer))
        return self._shown(cloud)

    @extend_schema(request=WhySerializer, responses={200: CloudDetailSerializer, **REFUSED})
    @action(detail=True, methods=["post"])
    def pause(self, request: Request, slug: str) -> Response:
        cloud = self.get_object()
        services.cloud_pause(actor=person(request), cloud=cloud, **given(request, WhySerializer))
        return self._shown(cloud)

    @extend_schema(request=None, responses={200: CloudDetailSerializer})
    @action(detail=True, methods=["post"])
    def resume(self, request: Request, slug: str) -> Response:
        cloud = self.get_object()
        services.cloud_resume(actor=person(request), cloud=cloud)
        return self._shown(cloud)

    @extend_schema(request=None, responses={200: ProbeSerializer})
    @action(detail=True, methods=["post"])
    def probe(self, request: Request, slug: str) -> Response:
        """Test the connection now. Calls the cloud; an error of it is answered 502 with its own words."""
        probe = services.cloud_probe(actor=person(request), cloud=self.get_object())
        return Response(ProbeSerializer(probe).data)

    @extend_schema(request=None, responses={202: CloudDetailSerializer})
    @action(detail=True, methods=["post"])
    def survey(self, request: Request, slug: str) -> Response:
        """Make the next full survey due now; a worker makes it."""
        cloud = self.get_object()
        services.cloud_survey_ask(actor=person(request), cloud=cloud)
        return self._shown(cloud, status.HTTP_202_ACCEPTED)

    @extend_schema(responses=SurveyRunSerializer(many=True))
    @action(detail=True, methods=["get"])
    def surveys(self, request: Request, slug: str) -> Response:
        """Full surveys, newest first."""
        rows: QuerySet[SurveyRun] = selectors.surveys_of(self.get_object())
        page = self.paginate_queryset(rows)  # type: ignore[arg-type]
        return self.get_paginated_response(SurveyRunSerializer(page, many=True).data)  # type: ignore[arg-type]

    @extend_schema(
        parameters=[OpenApiParameter("show", str, enum=[each.value for each in Show if each.value])],
        responses=PlanLineSerializer(many=True),
    )
    @action(detail=True, methods=["get"], pagination_class=None)
    def plan(self, request: Request, slug: str) -> Response:
        """Every line of the newest plan. Never calls the cloud."""
        lines = shown.documents(self.get_object(), shown.show(request.query_params.get("show", "")))
        return Response(PlanLineSerializer(lines, many=True).data)


def _missing(missing: MissingRights) -> Response:
    document = {"message": missing.message, "remedy": missing.remedy, "field": "", "probe": missing.probe}
    return Response(MissingRightsSerializer(document).data, status=status.HTTP_400_BAD_REQUEST)


class WritesSerializer(serializers.Serializer[Any]):
    """The switch of all writes. To pause, a reason is needed."""

    paused = serializers.BooleanField()
    reason = serializers.CharField(required=False, default="", allow_blank=True, max_length=1000)
    since = serializers.DateTimeField(read_only=True, allow_null=True, default=None)


class WritesView(APIView):
    """Whether Tenantry writes to any cloud at all. For operators."""

    permission_classes = (Operators,)

    @extend_schema(responses=WritesSerializer)
    def get(self, request: Request) -> Response:
        switch = selectors.site_switch()
        if switch is None:
            return Response(WritesSerializer({"paused": False, "reason": "", "since": None}).data)
        return Response(WritesSerializer({"paused": True, "reason": switch.reason, "since": switch.paused_at}).data)

    @extend_schema(request=WritesSerializer, responses={200: WritesSerializer, **REFUSED})
    def put(self, request: Request) -> Response:
        values = given(request, WritesSerializer)
        if values["paused"]:
            services.site_pause(actor=person(request), reason=values["reason"])
        else:
            services.site_resume(actor=person(request))
        return self.get(request)
