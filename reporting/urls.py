"""Addresses of usage and reports."""

from __future__ import annotations

from django.urls import path

from reporting.views import reports, usage

app_name = "reporting"

urlpatterns = [
    path("usage/", usage.usage, name="usage"),
    path("usage/spans/", usage.span_list, name="span_list"),
    path("usage/collections/", usage.collection_list, name="collection_list"),
    path("projects/<slug:slug>/usage/", usage.project_usage, name="project_usage"),
    path("reports/", reports.report_list, name="report_list"),
    path("reports/<str:month>/", reports.report_site, name="report_site"),
    path("reports/<str:month>/<slug:slug>/", reports.report_project, name="report_project"),
]
