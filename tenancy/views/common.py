"""What these pages share: who may open them, rows in pages and files, and how a refusal is shown."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import wraps
from typing import Any, Concatenate, ParamSpec, TypeVar, cast
from uuid import UUID

from django import forms
from django.contrib import messages
from django.core.exceptions import PermissionDenied
from django.core.paginator import Page, Paginator
from django.db.models import Model, QuerySet
from django.http import Http404, HttpRequest, HttpResponse, QueryDict
from django.http.response import HttpResponseBase
from django.shortcuts import get_object_or_404, render

from connectors.errors import ConnectorError
from tenancy import access
from tenancy.errors import NotAllowed, RuleError
from tenancy.models import Cloud, Person, Project
from tenancy.shown.parts import Note

PAGE = 25
REFUSED = 422
"""The answer to a form with something wrong in it: the page comes back with the reason."""

P = ParamSpec("P")
Row = TypeVar("Row", bound=Model)
Answer = TypeVar("Answer", bound=HttpResponseBase)


def operators(view: Callable[Concatenate[HttpRequest, P], Answer]) -> Callable[Concatenate[HttpRequest, P], Answer]:
    """For operators only. Everybody else is told so before anything is looked up."""

    @wraps(view)
    def checked(request: HttpRequest, /, *args: P.args, **kwargs: P.kwargs) -> Answer:
        if not access.is_operator(request.user):
            raise PermissionDenied("This page is for the operators of the site.")
        return view(request, *args, **kwargs)

    return checked


def reader(request: HttpRequest) -> Person:
    """Who asks; the login middleware has let no visitor come here."""
    return cast("Person", request.user)


def project_or_404(request: HttpRequest, slug: str) -> Project:
    """A project this person may open; a stranger does not learn whether it exists."""
    rows = access.visible_projects(request.user).select_related("institution")
    return get_object_or_404(rows, slug=slug)


def cloud_or_404(slug: str) -> Cloud:
    return get_object_or_404(Cloud.objects.select_related("paused_by"), slug=slug)


def posted(request: HttpRequest) -> QueryDict | None:
    """What a form is bound to: an empty post is a post."""
    return request.POST if request.method == "POST" else None


def uuid_or_404(text: str) -> UUID:
    """An id that came in a form."""
    try:
        return UUID(text)
    except ValueError as error:
        raise Http404 from error


def page_of(request: HttpRequest, rows: QuerySet[Row], size: int = PAGE) -> Page[Row]:
    """The page ``?page=`` asks for; a number that is none or too high gives the first or last one."""
    return Paginator(rows, size).get_page(request.GET.get("page"))


def sorted_by(request: HttpRequest, rows: QuerySet[Row], columns: Mapping[str, str], default: str) -> QuerySet[Row]:
    """Order by ``?sort=name`` or ``?sort=-name``; ``columns`` maps the names to fields."""
    asked = request.GET.get("sort", "")
    if asked.removeprefix("-") not in columns:
        asked = default
    column = columns[asked.removeprefix("-")]
    return rows.order_by(f"-{column}" if asked.startswith("-") else column, "pk")


def wants_csv(request: HttpRequest) -> bool:
    return request.GET.get("format") == "csv"


def done(request: HttpRequest, act: Callable[[], object], said: str) -> bool:
    """Do what a button says and tell how it ended. A refusal changes nothing; the cloud's own words stay in its log."""
    try:
        act()
    except NotAllowed as refusal:
        raise PermissionDenied(refusal.message) from refusal
    except RuleError as refusal:
        messages.error(request, f"{refusal.message} {refusal.remedy}".strip())
        return False
    except ConnectorError as error:
        messages.error(request, f"{error.message} {error.remedy}".strip())
        return False
    messages.success(request, said)
    return True


def accepted(form: forms.Form, act: Callable[[Mapping[str, Any]], object]) -> bool:
    """Whether the form is right and the act was done; otherwise the form says at which field and why not."""
    if not form.is_valid():
        return False
    try:
        act(form.cleaned_data)
    except NotAllowed as refusal:
        raise PermissionDenied(refusal.message) from refusal
    except RuleError as refusal:
        field = refusal.field if refusal.field in form.fields else None
        form.add_error(field, f"{refusal.message} {refusal.remedy}".strip())
        return False
    return True


def form_page(request: HttpRequest, template: str, form: forms.Form, context: Mapping[str, Any]) -> HttpResponse:
    """A page with a form; 422 if the form came back with errors."""
    status = REFUSED if form.is_bound and form.errors else 200
    return render(request, template, {"form": form, **context}, status=status)


def failure_note(error: ConnectorError) -> Note:
    """An error of a cloud for an operator: one sentence, what to do, and the cloud's own words."""
    sub = " · ".join(filter(None, (error.call, str(error.status or ""), error.request_id)))
    return Note("over", error.message, error.remedy, sub=sub, verbatim=error.verbatim)
