"""Pages of grants, limits, their division, and the catalog."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any
from uuid import UUID

from django.contrib import messages
from django.core.exceptions import PermissionDenied
from django.core.paginator import Paginator
from django.db.models import Q, QuerySet
from django.http import HttpRequest, HttpResponse, HttpResponseBase
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from config.csv_file import csv_response
from quotas import pages, services
from quotas.catalog import RESOURCES, enforced_keys
from quotas.forms import DivisionForm, GrantFilterForm, GrantForm, refused
from quotas.models import Grant
from quotas.selectors import grants_of, limits_wanted, project_limits, promises, tenancies_of, today
from tenancy import access
from tenancy.errors import NotAllowed, RuleError
from tenancy.models import Person, Project
from tenancy.shown.parts import Empty

ROWS = 25
HEAD = ("resource", "amount", "unit", "base units", "from", "last day", "state", "what for", "origin", "by", "given")


@require_safe
def catalog(request: HttpRequest) -> HttpResponseBase:
    """What can be asked for and what is counted, with units, bounds and how each kind of cloud treats it."""
    if request.GET.get("format") == "csv":
        return csv_response("resources", pages.CATALOG_HEAD, pages.catalog_csv())
    return render(request, "quotas/catalog.html", pages.catalog_part())


@require_safe
def limits(request: HttpRequest, slug: str) -> HttpResponseBase:
    """Promise, division, limit and use; as a fragment for htmx, as a page otherwise."""
    project = _project(request, slug)
    if request.GET.get("format") == "csv":
        return csv_response(f"limits-{project.slug}", pages.LIMITS_HEAD, pages.limits_csv(project_limits(project)))
    usage = reverse("reporting:project_usage", args=[project.slug])
    template = "parts/limits.html" if request.headers.get("HX-Request") else "quotas/limits.html"
    return render(request, template, pages.limits_part(project, request.user, usage_href=usage) | {"project": project})


@require_http_methods(["GET", "HEAD", "POST"])
def grant_list(request: HttpRequest, slug: str) -> HttpResponseBase:
    """Every grant of a project; operators give one here."""
    project = _project(request, slug)
    form = GrantForm.fresh()
    if request.method == "POST":
        form = GrantForm(request.POST)
        if _give(request, project, form):
            return redirect("quotas:grant_list", slug=project.slug)
    filters = GrantFilterForm(request.GET)
    filters.is_valid()
    rows = _filtered(grants_of(project), filters.cleaned_data)
    if request.GET.get("format") == "csv":
        return csv_response(f"grants-{project.slug}", HEAD, _csv_rows(rows))
    operator = access.is_operator(request.user)
    page = Paginator(rows, ROWS).get_page(request.GET.get("page"))
    context = {
        "project": project,
        "filters": filters,
        "page_obj": page,
        "rows": [pages.grant_row(grant, today(), operator=operator) for grant in page],
        "operator": operator,
        "form": form,
        "empty": Empty("No grant here", "Without a grant every tenancy has the default limits of the catalog."),
    }
    return render(request, "quotas/grant_list.html", context)


@require_POST
def grant_end(request: HttpRequest, slug: str, pk: UUID) -> HttpResponse:
    grant = get_object_or_404(grants_of(_project(request, slug)), pk=pk)
    try:
        services.grant_end(actor=_person(request), grant=grant, reason=request.POST.get("reason", ""))
    except NotAllowed as error:
        raise PermissionDenied(error.message) from error
    except RuleError as error:
        messages.error(request, " ".join(filter(None, (error.message, error.remedy))))
    else:
        messages.success(request, "The grant is ended; the limits follow.")
    return redirect("quotas:grant_list", slug=slug)


@require_http_methods(["GET", "HEAD", "POST"])
def division(request: HttpRequest, slug: str) -> HttpResponse:
    """Owners divide what is promised over the clouds, one resource at a time (?resource=)."""
    project = _project(request, slug)
    if not access.can_own(request.user, project):
        raise PermissionDenied("Only owners divide a promise.")
    choices = pages.divisible(project)
    chosen = next(
        (each for each in choices if each.key == request.GET.get("resource")), choices[0] if choices else None
    )
    context: dict[str, Any] = {"project": project, "choices": choices, "chosen": chosen}
    context["empty"] = Empty(
        "Nothing to divide", "A promise is divided when the project is on two clouds that enforce the same resource."
    )
    if chosen is None:
        return render(request, "quotas/division.html", context)
    tenancies = [each for each in tenancies_of(project) if chosen.key in enforced_keys(each.cloud.kind)]
    initial = DivisionForm.initial_of(chosen, tenancies, limits_wanted(tenancies))
    form = DivisionForm(request.POST or None, resource=chosen, tenancies=tenancies, initial=initial)
    if request.method == "POST" and _divide(request, project, form):
        return redirect("quotas:limits", slug=project.slug)
    context |= {"form": form, "promise": promises([project])[project.pk, chosen.key]}
    return render(request, "quotas/division.html", context)


def _give(request: HttpRequest, project: Project, form: GrantForm) -> bool:
    if not access.is_operator(request.user):
        raise PermissionDenied("Only operators give grants.")
    if not form.is_valid():
        return False
    try:
        services.grant_give(actor=_person(request), project=project, **form.cleaned_data)
    except RuleError as error:
        refused(form, error)
        return False
    messages.success(request, "The grant is given; the limits follow.")
    return True


def _divide(request: HttpRequest, project: Project, form: DivisionForm) -> bool:
    if not form.is_valid():
        return False
    try:
        services.division_set(actor=_person(request), project=project, resource=form.resource.key, shares=form.shares())
    except RuleError as error:
        refused(form, error)
        return False
    messages.success(request, f"{form.resource.label} is divided anew; the limits follow.")
    return True


def _filtered(rows: QuerySet[Grant], wanted: dict[str, Any]) -> QuerySet[Grant]:
    if wanted.get("resource"):
        rows = rows.filter(resource=wanted["resource"])
    if wanted.get("state") != "all":
        rows = rows.filter(Q(ends_on__isnull=True) | Q(ends_on__gte=today()), ended_at__isnull=True)
    return rows


def _csv_rows(rows: QuerySet[Grant]) -> Iterator[list[object]]:
    day = today()
    for grant in rows.iterator(chunk_size=500):
        each = RESOURCES[grant.resource]
        yield [
            grant.resource, pages.amount_cell(each, grant.amount), each.unit.symbol, grant.amount, grant.starts_on,
            grant.ends_on, grant.state_on(day).label, grant.why, grant.get_origin_display(), str(grant.by or ""),
            grant.created_at.isoformat(timespec="seconds"),
        ]  # fmt: skip


def _project(request: HttpRequest, slug: str) -> Project:
    """A stranger does not learn that it exists: 404."""
    return get_object_or_404(access.visible_projects(request.user), slug=slug)


def _person(request: HttpRequest) -> Person:
    if not isinstance(request.user, Person):
        raise PermissionDenied("Sign in first.")
    return request.user
