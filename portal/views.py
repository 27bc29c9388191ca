"""Pages composed from several apps."""

from __future__ import annotations

from collections.abc import Iterator

from django.conf import settings
from django.contrib.auth.decorators import login_not_required
from django.contrib.auth.views import redirect_to_login
from django.core.exceptions import PermissionDenied
from django.core.paginator import Paginator
from django.http import HttpRequest, HttpResponse, HttpResponseBase
from django.shortcuts import get_object_or_404, redirect, render
from django.views.decorators.http import require_safe

from config import clock
from config.csv_file import csv_response
from portal import links, parts
from portal.forms import ProjectFilter, SearchForm
from portal.selectors import search as finding
from portal.selectors.home import home_page
from portal.selectors.project import clouds_part, project_page
from portal.selectors.projects import project_rows, projects_found, projects_open
from portal.styleguide import samples
from tenancy import access
from tenancy.models import Person, Project
from tenancy.selectors import members_of

ROWS = 25
"""Rows on a page of a list."""


@login_not_required
@require_safe
def home(request: HttpRequest) -> HttpResponse:
    """What waits for the reader and their projects; a visitor reads what this site is and how to come in."""
    if not isinstance(request.user, Person):
        return render(request, "portal/welcome.html")
    return render(request, "portal/home.html", home_page(request.user))


@require_safe
def project_list(request: HttpRequest) -> HttpResponseBase:
    """The projects the reader may open: filtered, sorted, in pages, or all that match as a file."""
    form = ProjectFilter(request.user, request.GET)
    found = projects_found(request.user, **form.chosen())
    if request.GET.get("format") == "csv":
        return csv_response("projects", _CSV_HEAD, _csv_rows(found.iterator(chunk_size=500)))
    page = Paginator(found, ROWS).get_page(request.GET.get("page"))
    projects = list(page.object_list)
    columns, rows = project_rows(projects)
    filtered = any(form.chosen()[name] for name in ("words", "state", "institution"))
    context = {
        "form": form,
        "columns": columns,
        "rows": rows,
        "page_obj": page,
        "new_href": links.request_new(),
        "empty": _nothing_matches() if filtered else _no_projects(),
    }
    return render(request, "portal/projects.html", context)


_CSV_HEAD = ("slug", "title", "institution", "state", "purpose", "owner", "members", "clouds", "starts", "ends")


def _csv_rows(projects: Iterator[Project]) -> Iterator[tuple[object, ...]]:
    for each in projects:
        yield (
            each.slug,
            each.title,
            each.institution.name if each.institution else "",
            each.state,
            each.purpose,
            getattr(each, "owner_name", None),
            getattr(each, "people", None),
            " ".join(tenancy.cloud.slug for tenancy in each.tenancies.all()),
            each.starts_on,
            each.ends_on,
        )


def _nothing_matches() -> parts.Empty:
    return parts.Empty("Nothing matches", "No project has all of this.", parts.Link("Show all", links.projects()))


def _no_projects() -> parts.Empty:
    ask = parts.Link("Ask for a project", links.request_new())
    return parts.Empty("No project yet", "Projects that you may open are listed here.", ask)


@require_safe
def project_detail(request: HttpRequest, slug: str) -> HttpResponse:
    """One project. A stranger does not learn that it exists."""
    project = get_object_or_404(projects_open(request.user), slug=slug)
    members = members_of(project).order_by("person__name", "person__username", "pk")
    page = Paginator(members, ROWS).get_page(request.GET.get("page"))
    return render(request, "portal/project.html", project_page(request.user, project, page))


@require_safe
def project_clouds(request: HttpRequest, slug: str) -> HttpResponse:
    """How the project stands on its clouds: the part of its page that is asked again when a change has ended."""
    project = get_object_or_404(projects_open(request.user), slug=slug)
    if not request.headers.get("HX-Request"):
        return redirect(f"{links.project(project)}#tenancies")
    return render(request, "parts/tenancies.html", clouds_part(request.user, project))


@require_safe
def search(request: HttpRequest) -> HttpResponse:
    """Everything with a name or an id that the reader may open."""
    form = SearchForm(request.GET)
    words = form.cleaned_data["q"] if form.is_valid() else ""
    context = {"form": form, "words": words, "found": finding.search(request.user, words)}
    return render(request, "portal/search.html", context)


@login_not_required
@require_safe
def styleguide(request: HttpRequest) -> HttpResponse:
    """Every part of the pages with sample data: for operators, and for everybody in the demo."""
    if not (settings.DEMO or access.is_operator(request.user)):
        if not request.user.is_authenticated:
            return redirect_to_login(request.get_full_path())
        raise PermissionDenied("The styleguide is for operators.")
    return render(request, "portal/styleguide.html", samples(clock.now()))
