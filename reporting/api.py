"""/api/v1: usage, spans, reports and collection runs, for the same people as the pages."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, TypeVar

from django.db.models import QuerySet
from django.http import Http404
from django.urls import path
from drf_spectacular.utils import OpenApiParameter, extend_schema
from rest_framework import serializers
from rest_framework.generics import ListAPIView
from rest_framework.permissions import IsAuthenticated
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from config import clock
from reporting.models import CollectionRun, CollectionSource, DailyTotal, Span
from reporting.months import Month
from reporting.selectors.coverage import runs_list
from reporting.selectors.reports import project_report, site_report
from reporting.selectors.spans import moment, span_amount, spans_between, spans_visible
from reporting.selectors.usage import totals_visible, usage_line_amount, usage_lines
from tenancy import access
from tenancy.errors import NotAllowed, RuleError

MONTH = OpenApiParameter("month", str, description="A UTC month, 2026-11; this one if left out.")
PROJECT = OpenApiParameter("project", str, description="Short name of a project; “-” is what no project is mapped to.")
CLOUD = OpenApiParameter("cloud", str, description="Short name of a cloud.")
RESOURCE = OpenApiParameter("resource", str, description="Key of a meter, compute.vcpu.")
NO_PROJECT = "-"

Rows = TypeVar("Rows", bound=QuerySet[Any])


class UsageLineSerializer(serializers.Serializer[Any]):
    """What was used of a resource by a project on a cloud, in a month or on a day of it.

    `quantity` is in `unit`, rounded; the rest are integers in base units x seconds, exact.
    """

    project = serializers.CharField(allow_null=True)
    title = serializers.CharField(allow_null=True)
    institution = serializers.CharField(allow_null=True)
    cloud = serializers.CharField()
    resource = serializers.CharField()
    day = serializers.DateField(allow_null=True)
    quantity = serializers.DecimalField(max_digits=24, decimal_places=2)
    unit = serializers.CharField()
    known = serializers.CharField(help_text="exact, sampled or estimated: how well the worst part is known")
    total_seconds = serializers.IntegerField()
    exact_seconds = serializers.IntegerField()
    sampled_seconds = serializers.IntegerField()
    estimated_seconds = serializers.IntegerField()

    def to_representation(self, instance: Mapping[str, Any]) -> dict[str, Any]:
        amount = usage_line_amount(instance)
        names = {name: instance[name] for name in ("project", "title", "institution", "cloud")}
        return super().to_representation(
            names
            | {
                "resource": amount.meter.key,
                "day": instance.get("day"),
                "quantity": amount.hours,
                "unit": amount.unit,
                "known": amount.known,
                "total_seconds": amount.whole,
                "exact_seconds": amount.exact,
                "sampled_seconds": amount.sampled,
                "estimated_seconds": amount.estimated,
            }
        )


class SpanSerializer(serializers.Serializer[Span]):
    """A thing's quantity in base units and its state from `start` to `end`, and the delivery that said so last.

    `seconds_in_month` is quantity x seconds inside the month that was asked for.
    """

    project = serializers.CharField(source="thing.holder.tenancy.project.slug", default=None, allow_null=True)
    cloud = serializers.CharField(source="thing.cloud.slug")
    kind = serializers.CharField(source="thing.kind")
    thing = serializers.CharField(source="thing.native_id")
    name = serializers.CharField(source="thing.name")
    detail = serializers.CharField(source="thing.detail")
    resource = serializers.CharField(source="meter.key")
    state = serializers.CharField()
    start = serializers.SerializerMethodField()
    end = serializers.SerializerMethodField()
    quantity = serializers.IntegerField()
    seconds_in_month = serializers.SerializerMethodField()
    known = serializers.CharField(source="accuracy")
    reason = serializers.CharField()
    source = serializers.CharField(source="delivery.source")  # type: ignore[assignment]  # a column of ours
    observed_at = serializers.DateTimeField(source="delivery.observed_at")
    stored_at = serializers.DateTimeField(source="delivery.stored_at")

    def get_start(self, span: Span) -> str:
        return moment(span.start).isoformat()

    def get_end(self, span: Span) -> str:
        return moment(span.end).isoformat()

    def get_seconds_in_month(self, span: Span) -> int:
        month: Month = self.context["month"]
        return span_amount(span, month.start, month.end).whole


class LineSerializer(serializers.Serializer[Any]):
    resource = serializers.CharField()
    label = serializers.CharField()  # type: ignore[assignment]  # a column of ours that DRF's Field has too
    unit = serializers.CharField()
    quantity = serializers.DecimalField(max_digits=24, decimal_places=2)
    known = serializers.CharField()
    known_text = serializers.CharField()
    total_seconds = serializers.IntegerField()
    exact_seconds = serializers.IntegerField()
    sampled_seconds = serializers.IntegerField()
    estimated_seconds = serializers.IntegerField()
    base = serializers.IntegerField(help_text="base units x seconds that make one of `unit`")
    cloud = serializers.CharField(allow_blank=True)
    things = serializers.IntegerField(allow_null=True)


class ReachSerializer(serializers.Serializer[Any]):
    cloud = serializers.CharField()
    since = serializers.DateTimeField(allow_null=True)
    until = serializers.DateTimeField(allow_null=True)
    gap = serializers.CharField(allow_blank=True)


class PeriodSerializer(serializers.Serializer[Any]):
    key = serializers.CharField()
    label = serializers.CharField()  # type: ignore[assignment]  # a column of ours that DRF's Field has too
    so_far = serializers.BooleanField()
    complete = serializers.BooleanField()
    made_at = serializers.DateTimeField()
    collected_until = serializers.DateTimeField(allow_null=True)
    reach = ReachSerializer(many=True)


class ProjectFactsSerializer(serializers.Serializer[Any]):
    title = serializers.CharField()
    slug = serializers.CharField(allow_blank=True)
    owner = serializers.CharField()
    institution = serializers.CharField()
    purpose = serializers.CharField(allow_blank=True)


class ProjectReportSerializer(serializers.Serializer[Any]):
    period = PeriodSerializer()
    project = ProjectFactsSerializer()
    lines = LineSerializer(many=True)
    by_cloud = LineSerializer(many=True)


class ProjectLinesSerializer(serializers.Serializer[Any]):
    project = ProjectFactsSerializer()
    lines = LineSerializer(many=True)


class SiteReportSerializer(serializers.Serializer[Any]):
    period = PeriodSerializer()
    lines = LineSerializer(many=True)
    projects = ProjectLinesSerializer(many=True)


class CollectionSourceSerializer(serializers.ModelSerializer[CollectionSource]):
    class Meta:
        model = CollectionSource
        fields = ("source", "complete", "things", "spans", "error", "remedy", "verbatim", "request_id", "call")


class CollectionRunSerializer(serializers.ModelSerializer[CollectionRun]):
    """One reading of a cloud over a window; `start` and `end` are epoch seconds."""

    cloud = serializers.CharField(source="cloud.slug")
    sources = CollectionSourceSerializer(many=True)

    class Meta:
        model = CollectionRun
        fields = (
            "id", "cloud", "state", "start", "end", "started_at", "finished_at", "calls",
            "error", "remedy", "verbatim", "request_id", "sources",
        )  # fmt: skip


class UsageView(ListAPIView[DailyTotal]):
    """Usage by project, cloud and resource; `by=day` also by day."""

    serializer_class = UsageLineSerializer  # of rows of .values()

    @extend_schema(
        parameters=[MONTH, PROJECT, CLOUD, RESOURCE, OpenApiParameter("by", str, enum=["month", "day"])],
        operation_id="usage_list",
    )
    def get(self, request: Request, *args: Any, **kwargs: Any) -> Response:
        return super().get(request, *args, **kwargs)

    def get_queryset(self) -> QuerySet[DailyTotal]:
        if getattr(self, "swagger_fake_view", False):
            return DailyTotal.objects.none()
        query = self.request.query_params
        totals = totals_visible(self.request.user)
        totals = _narrowed(totals, query, project="holder__tenancy__project", cloud="holder__cloud", resource="meter")
        by_day = _choice(query, "by", ("month", "day")) == "day"
        return usage_lines(totals, _month(query.get("month")), by_day=by_day)


class SpanView(ListAPIView[Span]):
    """Spans that touch the month, newest first."""

    serializer_class = SpanSerializer

    @extend_schema(
        parameters=[MONTH, PROJECT, CLOUD, RESOURCE, OpenApiParameter("thing", str, description="The cloud's own id.")],
        operation_id="span_list",
    )
    def get(self, request: Request, *args: Any, **kwargs: Any) -> Response:
        return super().get(request, *args, **kwargs)

    def get_queryset(self) -> QuerySet[Span]:
        if getattr(self, "swagger_fake_view", False):
            return Span.objects.none()
        query = self.request.query_params
        spans = spans_visible(self.request.user)
        spans = _narrowed(
            spans, query, project="thing__holder__tenancy__project", cloud="thing__cloud", resource="meter"
        )
        if thing := query.get("thing"):
            spans = spans.filter(thing__native_id=thing)
        month = _month(query.get("month"))
        return spans_between(spans, month.start, month.end)

    def get_serializer_context(self) -> dict[str, Any]:
        fake = getattr(self, "swagger_fake_view", False)
        month = None if fake else _month(self.request.query_params.get("month"))
        return {**super().get_serializer_context(), "month": month}


class SiteReportView(APIView):
    """The monthly report of the whole site, for finance and operators."""

    @extend_schema(responses=SiteReportSerializer, operation_id="report_site")
    def get(self, request: Request, month: str) -> Response:
        if not access.sees_site_usage(request.user):
            raise NotAllowed("The report of the site is for finance and operators.")
        return Response(SiteReportSerializer(site_report(_month(month))).data)


class ProjectReportView(APIView):
    """The monthly report of a project."""

    @extend_schema(responses=ProjectReportSerializer, operation_id="report_project")
    def get(self, request: Request, month: str, slug: str) -> Response:
        project = access.visible_projects(request.user).select_related("institution").filter(slug=slug).first()
        if project is None:
            raise Http404("There is no such project.")
        return Response(ProjectReportSerializer(project_report(project, _month(month))).data)


class CollectionView(ListAPIView[CollectionRun]):
    """Collection runs with their sources, newest first; for operators."""

    serializer_class = CollectionRunSerializer
    permission_classes = (IsAuthenticated,)

    @extend_schema(parameters=[CLOUD], operation_id="collection_list")
    def get(self, request: Request, *args: Any, **kwargs: Any) -> Response:
        if not access.is_operator(request.user):
            raise NotAllowed("Collections are for operators.")
        return super().get(request, *args, **kwargs)

    def get_queryset(self) -> QuerySet[CollectionRun]:
        if getattr(self, "swagger_fake_view", False):
            return CollectionRun.objects.none()
        runs = runs_list()
        cloud = self.request.query_params.get("cloud")
        return runs.filter(cloud__slug=cloud) if cloud else runs


def _month(text: str | None) -> Month:
    if not text:
        return Month.of(clock.now())
    try:
        return Month.parse(text)
    except ValueError as error:
        raise RuleError(str(error), remedy="Write a month as 2026-11.", field="month") from error


def _choice(query: Mapping[str, str], name: str, allowed: tuple[str, ...]) -> str:
    value = query.get(name) or allowed[0]
    if value not in allowed:
        raise RuleError(f"“{value}” is not allowed here.", remedy=f"Use one of: {', '.join(allowed)}.", field=name)
    return value


def _narrowed(rows: Rows, query: Mapping[str, str], *, project: str, cloud: str, resource: str) -> Rows:
    """Rows of the project, cloud and resource that were asked for."""
    if slug := query.get("project"):
        rows = rows.filter(**({project: None} if slug == NO_PROJECT else {f"{project}__slug": slug}))
    if slug := query.get("cloud"):
        rows = rows.filter(**{f"{cloud}__slug": slug})
    if key := query.get("resource"):
        rows = rows.filter(**{f"{resource}__key": key})
    return rows


urlpatterns = [
    path("usage/", UsageView.as_view(), name="api-usage"),
    path("spans/", SpanView.as_view(), name="api-spans"),
    path("reports/<str:month>/", SiteReportView.as_view(), name="api-report-site"),
    path("reports/<str:month>/<slug:slug>/", ProjectReportView.as_view(), name="api-report-project"),
    path("collections/", CollectionView.as_view(), name="api-collections"),
]
