"""Projects on clouds: conditions and steps. Members see those of their projects, operators all."""

from __future__ import annotations

from django.db.models import QuerySet
from drf_spectacular.utils import OpenApiParameter, extend_schema, extend_schema_view
from rest_framework import mixins, serializers, viewsets
from rest_framework.decorators import action
from rest_framework.request import Request
from rest_framework.response import Response

from tenancy import access, selectors, services
from tenancy.api.common import UUID, person
from tenancy.models import Tenancy
from tenancy.serializers import StepSerializer, TenancyDetailSerializer, TenancySerializer

PROJECT = OpenApiParameter("project", str, description="Slug of a project.")
CLOUD = OpenApiParameter("cloud", str, description="Slug of a cloud.")


@extend_schema_view(
    list=extend_schema(parameters=[PROJECT, CLOUD]), retrieve=extend_schema(responses=TenancyDetailSerializer)
)
class TenancyViewSet(mixins.ListModelMixin, mixins.RetrieveModelMixin, viewsets.GenericViewSet[Tenancy]):
    serializer_class = TenancySerializer
    lookup_value_regex = UUID
    queryset = Tenancy.objects.none()

    def get_serializer_class(self) -> type[serializers.BaseSerializer[Tenancy]]:
        return TenancyDetailSerializer if self.action == "retrieve" else TenancySerializer

    def get_queryset(self) -> QuerySet[Tenancy]:
        who = self.request.user
        rows = selectors.tenancies_list().order_by("cloud__slug", "name")
        if not access.is_operator(who):
            rows = rows.filter(project__in=access.visible_projects(who))
        if self.action == "retrieve":
            rows = rows.prefetch_related("limits", "proofs")
        for name in ("project", "cloud"):
            if slug := self.request.query_params.get(name):
                rows = rows.filter(**{f"{name}__slug": slug})
        return rows

    @extend_schema(responses=StepSerializer(many=True))
    @action(detail=True, methods=["get"])
    def steps(self, request: Request, pk: str) -> Response:
        """The journal, newest plan first."""
        page = self.paginate_queryset(selectors.steps_of(self.get_object()))  # type: ignore[arg-type]
        context = {"verbatim": access.is_operator(request.user)}
        rows = StepSerializer(page, many=True, context=context)  # type: ignore[arg-type]
        return self.get_paginated_response(rows.data)

    @extend_schema(request=None, responses=TenancyDetailSerializer)
    @action(detail=True, methods=["post"])
    def retry(self, request: Request, pk: str) -> Response:
        """Try again what was stopped, parked or refused. For operators."""
        tenancy = self.get_object()
        services.tenancy_retry(actor=person(request), tenancy=tenancy)
        return Response(TenancyDetailSerializer(self.get_queryset().get(pk=tenancy.pk)).data)
