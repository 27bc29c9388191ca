"""People and where they are. For operators."""

from __future__ import annotations

from collections.abc import Sequence
from uuid import UUID

from django.http import HttpRequest, HttpResponse
from django.http.response import HttpResponseBase
from django.shortcuts import get_object_or_404, render
from django.urls import reverse
from django.views.decorators.http import require_safe

from config.csv_file import csv_response
from tenancy import selectors
from tenancy.forms import SearchForm
from tenancy.identities import identities_of
from tenancy.models import Membership, Person
from tenancy.shown.parts import Empty, Link
from tenancy.views.common import operators, page_of, sorted_by, wants_csv


@operators
@require_safe
def person_list(request: HttpRequest) -> HttpResponseBase:
    form = SearchForm(request.GET)
    columns = {"name": "name", "username": "username", "projects": "project_count", "seen": "last_login"}
    rows = sorted_by(request, selectors.people_list(form.words), columns, "name")
    if wants_csv(request):
        head = ("username", "name", "email", "institution", "projects", "active", "last_seen")
        return csv_response("people", head, map(_line, rows.iterator(chunk_size=1000)))
    empty = Empty("Nobody fits", act=Link("Show all", reverse("tenancy:person_list")))
    context = {"form": form, "page_obj": page_of(request, rows), "empty": empty}
    return render(request, "tenancy/person_list.html", context)


def _line(person: Person) -> Sequence[object]:
    institution = person.institution.name if person.institution else None
    projects = getattr(person, "project_count", None)
    return (person.username, person.name, person.email, institution, projects, person.is_active, person.last_login)


@operators
@require_safe
def person_detail(request: HttpRequest, pk: UUID) -> HttpResponse:
    """Memberships now and before, accounts on clouds, roles for the site, ways to sign in."""
    person = get_object_or_404(Person.objects.select_related("institution"), pk=pk)
    rows = Membership.objects.filter(person=person).select_related("project", "ended_by")
    context = {
        "person": person,
        "memberships": page_of(request, rows.current().order_by("project__title")),
        "ended": rows.ended().order_by("-ended_at")[:20],
        "accounts": selectors.accounts_of([person.pk]).order_by("cloud__title"),
        "roles": person.site_roles.select_related("institution"),
        "identities": identities_of(person),
        "empty": Empty("In no project", "An owner or a manager of a project can add this person."),
    }
    return render(request, "tenancy/person_detail.html", context)
