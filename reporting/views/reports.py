"""Monthly reports: the list, the report of a project, the report of the site; as page, CSV and JSON."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import asdict
from typing import Any

from django.core.exceptions import PermissionDenied
from django.core.paginator import Paginator
from django.http import Http404, HttpRequest, HttpResponseBase, JsonResponse
from django.shortcuts import get_object_or_404, render
from django.urls import reverse
from django.views.decorators.http import require_safe

from config import clock
from config.csv_file import csv_response
from reporting import tables, templating
from reporting.errors import TemplateFault
from reporting.forms import MonthFilter
from reporting.months import Month
from reporting.quantities import Amount, meter_of
from reporting.selectors.coverage import coverage
from reporting.selectors.reports import (
    Line,
    Period,
    ProjectFacts,
    ProjectReport,
    SiteReport,
    project_report,
    projects_reported,
    report_amounts,
    site_report,
)
from reporting.services import report_exported
from tenancy import access
from tenancy.models import Person, Project

ROWS = 25


@require_safe
def report_list(request: HttpRequest) -> HttpResponseBase:
    """The reports of a month: one a project, and that of the site for those who may read it."""
    known, now = coverage(), clock.now()
    form = MonthFilter(request.GET, months=known.months(now), now_month=Month.of(now))
    month = form.wanted_month
    projects = projects_reported(request.user, month)
    if request.GET.get("format") == "csv":
        return _list_file(request, projects, month)
    page = Paginator(projects, ROWS).get_page(request.GET.get("page"))
    amounts = report_amounts(request.user, list(page), month)
    keys = tables.COLUMNS
    rows = [
        (
            project,
            [amounts.get(project.pk, {}).get(key, Amount(meter_of(key))).text for key in keys],
            _href(month, project),
        )
        for project in page
    ]
    return render(
        request,
        "reporting/reports.html",
        {
            "form": form,
            "month": month,
            "month_title": tables.month_title(month, now),
            "rows": rows,
            "heads": tables.heads(keys),
            "page_obj": page,
            "until": known.until(),
            "site_href": _href(month, None) if access.sees_site_usage(request.user) else "",
            "empty": tables.Empty(
                f"No project in {month.label}", "A project has a report for each month it exists. Choose another month."
            ),
        },
    )


@require_safe
def report_project(request: HttpRequest, month: str, slug: str) -> HttpResponseBase:
    """The report of a project for a month; `?format=csv` and `?format=json` are files."""
    wanted = _month(month)
    project = get_object_or_404(access.visible_projects(request.user).select_related("institution"), slug=slug)
    report = project_report(project, wanted)
    form = request.GET.get("format")
    if form == "csv":
        _note(request, project, wanted, "CSV")
        return csv_response(f"report-{slug}-{wanted.key}", _LINE_HEADS, _project_lines(report))
    if form == "json":
        _note(request, project, wanted, "JSON")
        return _json(report, f"report-{slug}-{wanted.key}")
    return _page(request, "project.html", report, title=project.title, project=project)


@require_safe
def report_site(request: HttpRequest, month: str) -> HttpResponseBase:
    """The report of the whole site for a month, for finance and operators."""
    wanted = _month(month)
    if not access.sees_site_usage(request.user):
        raise PermissionDenied("The report of the site is for finance and operators.")
    report = site_report(wanted)
    form = request.GET.get("format")
    if form == "csv":
        _note(request, None, wanted, "CSV")
        return csv_response(f"report-site-{wanted.key}", _LINE_HEADS, _site_lines(report))
    if form == "json":
        _note(request, None, wanted, "JSON")
        return _json(report, f"report-site-{wanted.key}")
    return _page(request, "site.html", report, title="The whole site", project=None)


# --- parts ------------------------------------------------------------------------------------------------------


def _page(
    request: HttpRequest, template: str, report: ProjectReport | SiteReport, *, title: str, project: Project | None
) -> HttpResponseBase:
    fault = None
    try:
        text = templating.render(template, report=report, period=report.period)
    except TemplateFault as error:
        text, fault = None, error
    context = {
        "report": report,
        "text": text,
        "fault": fault,
        "shows_fault": access.is_operator(request.user),
        "page_title": title,
        "project": project,
    }
    return render(request, "reporting/report.html", context)


def _month(text: str) -> Month:
    try:
        month = Month.parse(text)
    except ValueError as error:
        raise Http404(str(error)) from error
    if month > Month.of(clock.now()):
        raise Http404(f"{month.label} has not begun.")
    return month


def _href(month: Month, project: Project | None) -> str:
    if project is None:
        return reverse("reporting:report_site", args=[month.key])
    return reverse("reporting:report_project", args=[month.key, project.slug])


def _cells(amounts: Mapping[str, Amount], keys: Sequence[str]) -> list[Amount]:
    return [amounts.get(key, Amount(meter_of(key))) for key in keys]


def _note(request: HttpRequest, project: Project | None, month: Month, form: str) -> None:
    assert isinstance(request.user, Person)  # noqa: S101 - LoginRequiredMiddleware lets nobody else in
    report_exported(actor=request.user, project=project, month=month.key, form=form)


# --- files ------------------------------------------------------------------------------------------------------


def _json(report: ProjectReport | SiteReport, name: str) -> JsonResponse:
    response = JsonResponse(asdict(report), json_dumps_params={"indent": 2, "ensure_ascii": False})
    response["Content-Disposition"] = f'attachment; filename="{name}.json"'
    return response


_LINE_HEADS = (
    "month", "so far", "collected until", "project", "title", "owner", "institution", "cloud", "resource", "label",
    "quantity", "unit", "known", "total base units x seconds", "exact", "sampled", "estimated", "things",
)  # fmt: skip


def _project_lines(report: ProjectReport) -> Iterator[Sequence[object]]:
    return _lines(report.period, report.project, report.by_cloud)


def _site_lines(report: SiteReport) -> Iterator[Sequence[object]]:
    for each in report.projects:
        yield from _lines(report.period, each.project, each.lines)


def _lines(period: Period, project: ProjectFacts, lines: Iterable[Line]) -> Iterator[Sequence[object]]:
    until = period.collected_until.isoformat() if period.collected_until else "unknown"
    for line in lines:
        yield [
            period.key, "yes" if period.so_far else "no", until, project.slug, project.title, project.owner,
            project.institution, line.cloud, line.resource, line.label, line.quantity, line.unit, line.known,
            line.total_seconds, line.exact_seconds, line.sampled_seconds, line.estimated_seconds, line.things,
        ]  # fmt: skip


def _list_file(request: HttpRequest, projects: Any, month: Month) -> HttpResponseBase:
    listed = list(projects)
    amounts = report_amounts(request.user, listed, month)
    keys = tables.COLUMNS
    heads = ["project", "short name", *(text for _, text in tables.heads(keys))]
    rows = (
        [project.title, project.slug, *(each.hours for each in _cells(amounts.get(project.pk, {}), keys))]
        for project in listed
    )
    return csv_response(f"reports-{month.key}", heads, rows)
