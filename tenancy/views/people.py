"""People and where they are. For operators."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial
from uuid import UUID

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.http.response import HttpResponseBase
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from config.csv_file import csv_response
from tenancy import selectors, services
from tenancy.forms import ReasonForm, SearchForm
from tenancy.identities import identities_of
from tenancy.models import Membership, Person
from tenancy.shown.parts import Empty, Link
from tenancy.views.common import (
    accepted,
    done,
    form_page,
    operators,
    page_of,
    posted,
    reader,
    sorted_by,
    wants_csv,
)


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


@operators
@require_http_methods(["GET", "HEAD", "POST"])
def person_deactivate(request: HttpRequest, pk: UUID) -> HttpResponse:
    """End somebody's sign-in and their access on every cloud; memberships stay."""
    person = get_object_or_404(Person, pk=pk)
    form = ReasonForm(posted(request))
    if request.method == "POST" and accepted(
        form, lambda values: services.person_deactivate(actor=reader(request), person=person, reason=values["reason"])
    ):
        messages.success(request, f"{person} is not active any more; access on the clouds ends now.")
        return redirect("tenancy:person_detail", pk=pk)
    return form_page(request, "tenancy/person_deactivate.html", form, {"person": person})


@operators
@require_POST
def person_activate(request: HttpRequest, pk: UUID) -> HttpResponse:
    person = get_object_or_404(Person, pk=pk)
    act = partial(services.person_activate, actor=reader(request), person=person)
    done(request, act, f"{person} is active again.")
    return redirect("tenancy:person_detail", pk=pk)
