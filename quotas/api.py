"""/api/v1: the catalog, grants and limits. Amounts are integers in base units; the catalog tells their units."""

from __future__ import annotations

from typing import Any

from django.db.models import QuerySet
from django.shortcuts import get_object_or_404
from django.urls import path
from drf_spectacular.utils import OpenApiParameter, extend_schema, extend_schema_view
from rest_framework import mixins, serializers, status, viewsets
from rest_framework.decorators import action
from rest_framework.generics import GenericAPIView
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.routers import SimpleRouter
from rest_framework.views import APIView

from quotas import services
from quotas.catalog import RESOURCES
from quotas.models import Grant
from quotas.selectors import project_limits
from tenancy import access
from tenancy.errors import NotAllowed
from tenancy.models import Person, Project


class ResourceSerializer(serializers.Serializer[Any]):
    """`factor` base units make one `unit`; bounds, step and default are in base units."""

    key = serializers.CharField()
    label = serializers.CharField()  # type: ignore[assignment]  # a declared field, not the attribute of its base
    unit = serializers.CharField(source="unit.symbol")
    factor = serializers.IntegerField()
    group = serializers.CharField(source="group.value")
    minimum = serializers.IntegerField()
    maximum = serializers.IntegerField()
    step = serializers.IntegerField()
    default = serializers.IntegerField()
    billable = serializers.BooleanField()
    description = serializers.CharField()


class ResourceListView(APIView):
    """What a project can be promised."""

    @extend_schema(responses=ResourceSerializer(many=True))
    def get(self, request: Request) -> Response:
        return Response(ResourceSerializer(RESOURCES.values(), many=True).data)


class GrantSerializer(serializers.ModelSerializer[Grant]):
    """`amount` -1 is no limit; `ends_on` is the last day, null as long as the project."""

    project = serializers.SlugRelatedField[Project](slug_field="slug", read_only=True)
    by = serializers.SlugRelatedField[Person](slug_field="username", read_only=True)

    class Meta:
        model = Grant
        fields = (
            "id", "project", "resource", "amount", "starts_on", "ends_on", "why", "origin", "origin_ref", "by",
            "created_at", "ended_at", "end_reason",
        )  # fmt: skip
        read_only_fields = fields


class GrantGiveSerializer(serializers.Serializer[Any]):
    project = serializers.SlugField()
    resource = serializers.CharField()
    amount = serializers.IntegerField()
    why = serializers.CharField(max_length=500)
    starts_on = serializers.DateField(required=False, allow_null=True, default=None)
    ends_on = serializers.DateField(required=False, allow_null=True, default=None)


class ReasonSerializer(serializers.Serializer[Any]):
    reason = serializers.CharField(max_length=2000)


@extend_schema_view(
    list=extend_schema(parameters=[OpenApiParameter("project", str, description="Slug of a project.")]),
)
class GrantViewSet(mixins.ListModelMixin, mixins.RetrieveModelMixin, viewsets.GenericViewSet[Grant]):
    """Grants of the projects one may open; operators give and end them."""

    serializer_class = GrantSerializer
    queryset = Grant.objects.none()

    def get_queryset(self) -> QuerySet[Grant]:
        rows = Grant.objects.filter(project__in=access.visible_projects(self.request.user))
        rows = rows.select_related("project", "by").order_by("-created_at", "pk")
        slug = self.request.query_params.get("project")
        return rows.filter(project__slug=slug) if slug else rows

    @extend_schema(request=GrantGiveSerializer, responses={201: GrantSerializer})
    def create(self, request: Request) -> Response:
        wanted = GrantGiveSerializer(data=request.data)
        wanted.is_valid(raise_exception=True)
        fields = dict(wanted.validated_data)
        project = get_object_or_404(access.visible_projects(request.user), slug=fields.pop("project"))
        grant = services.grant_give(actor=_person(request), project=project, **fields)
        return Response(GrantSerializer(grant).data, status=status.HTTP_201_CREATED)

    @extend_schema(request=ReasonSerializer, responses=GrantSerializer)
    @action(detail=True, methods=["post"])
    def end(self, request: Request, pk: str) -> Response:
        wanted = ReasonSerializer(data=request.data)
        wanted.is_valid(raise_exception=True)
        grant = services.grant_end(actor=_person(request), grant=self.get_object(), **wanted.validated_data)
        return Response(GrantSerializer(grant).data)


class LimitCellSerializer(serializers.Serializer[Any]):
    """`limit` and `used` are what was last read (null: never read); `wanted` is what Tenantry sets."""

    cloud = serializers.CharField()
    wanted = serializers.IntegerField(allow_null=True)
    limit = serializers.IntegerField(allow_null=True)
    used = serializers.IntegerField(allow_null=True)
    read_at = serializers.DateTimeField(allow_null=True)


class LimitRowSerializer(serializers.Serializer[Any]):
    """`by_default`: no grant stands behind the promise; `undivided` is null where it has no meaning."""

    resource = serializers.CharField()
    promise = serializers.IntegerField()
    by_default = serializers.BooleanField()
    undivided = serializers.IntegerField(allow_null=True)
    tenancies = LimitCellSerializer(many=True)


class ProjectLimitsView(GenericAPIView[Project]):
    """Promise, limit and use of every resource of a project, cloud by cloud."""

    serializer_class = LimitRowSerializer
    pagination_class = None
    lookup_field = "slug"
    queryset = Project.objects.none()

    def get_queryset(self) -> QuerySet[Project]:
        return access.visible_projects(self.request.user)

    @extend_schema(responses=LimitRowSerializer(many=True))
    def get(self, request: Request, slug: str) -> Response:
        table = project_limits(self.get_object())
        rows = [
            {
                "resource": row.catalog.key,
                "promise": row.promise,
                "by_default": row.by_default,
                "undivided": row.undivided,
                "tenancies": [
                    {"cloud": tenancy.cloud.slug, "wanted": cell.wanted, "limit": cell.limit, "used": cell.used,
                     "read_at": cell.read_at}
                    for tenancy, cell in zip(table.tenancies, row.cells, strict=True)
                    if cell is not None
                ],
            }
            for row in table.rows
        ]  # fmt: skip
        return Response(LimitRowSerializer(rows, many=True).data)


def _person(request: Request) -> Person:
    if not isinstance(request.user, Person):
        raise NotAllowed("Sign in first.")
    return request.user


router = SimpleRouter()
router.register("grants", GrantViewSet, basename="api-grant")

urlpatterns = [
    path("resources/", ResourceListView.as_view(), name="api-resources"),
    path("projects/<slug:slug>/limits/", ProjectLimitsView.as_view(), name="api-project-limits"),
    *router.urls,
]
