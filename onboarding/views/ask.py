"""The forms that ask: for a new project, for more, for a longer life."""

from __future__ import annotations

from collections import Counter
from typing import Any

from django.contrib import messages
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.views.decorators.http import require_http_methods, require_POST

from onboarding import pages
from onboarding.bundles import BUNDLES, Bundle
from onboarding.forms import LinesForm, MoreForm, NewProjectForm, RenewalForm, bundle_fill
from onboarding.models import Request
from onboarding.selectors import Asked, askable, clouds_for, clouds_on_offer, decision_pace
from onboarding.services import request_submit
from onboarding.views.common import person_of
from quotas.forms import refused
from quotas.selectors import tenancies_of
from tenancy import access
from tenancy.errors import RuleError
from tenancy.models import Cloud, Project
from tenancy.shown.parts import Empty


@require_http_methods(["GET", "HEAD", "POST"])
def request_new(request: HttpRequest) -> HttpResponse:
    """Anybody who is signed in may ask. A bundle, by button or by ?bundle=, fills the lines; what was typed stays."""
    offered = askable(clouds_on_offer())
    if "bundle" in request.POST:
        form = _filled(request, offered)
    elif request.method == "POST":
        form = NewProjectForm(request.POST, offered=offered)
        sent = _send(request, form, Request.Kind.NEW, None)
        if sent is not None:
            return sent
    else:
        form = _begun(request, offered)
    context = _lines_context(form, reverse("onboarding:request_new_summary")) | {
        "bundles": BUNDLES.values(),
        "present": "Without asking",
    }
    return render(request, "onboarding/request_new.html", context)


@require_POST
def request_new_summary(request: HttpRequest) -> HttpResponse:
    """What would happen with the form as it is now."""
    form = NewProjectForm(request.POST, offered=askable(clouds_on_offer()))
    return render(request, "parts/request_summary.html", _summary(form))


@require_http_methods(["GET", "HEAD", "POST"])
def project_ask(request: HttpRequest, slug: str) -> HttpResponse:
    """Owners and managers ask for more, or with ?kind=renewal for a later last day."""
    project = _askable_project(request, slug)
    if request.GET.get("kind") == Request.Kind.RENEWAL:
        return _renewal(request, project)
    form = _more_form(request, project)
    if request.method == "POST":
        sent = _send(request, form, Request.Kind.MORE, project)
        if sent is not None:
            return sent
    check = reverse("onboarding:project_ask_summary", args=[project.slug])
    context = _lines_context(form, check) | {"project": project, "present": "In force"}
    return render(request, "onboarding/project_ask.html", context | {"tabs": _ask_tabs(renewal=False)})


@require_POST
def project_ask_summary(request: HttpRequest, slug: str) -> HttpResponse:
    form = _more_form(request, _askable_project(request, slug))
    return render(request, "parts/request_summary.html", _summary(form))


def _renewal(request: HttpRequest, project: Project) -> HttpResponse:
    form = RenewalForm(request.POST or None, initial=RenewalForm.initial_for(project))
    if request.method == "POST":
        sent = _send(request, form, Request.Kind.RENEWAL, project)
        if sent is not None:
            return sent
    context = {"form": form, "project": project, "tabs": _ask_tabs(renewal=True)}
    context |= {"note": pages.summary_note(decision_pace(), [])}
    return render(request, "onboarding/project_renew.html", context)


def _send(
    request: HttpRequest, form: LinesForm | RenewalForm, kind: Request.Kind, project: Project | None
) -> HttpResponse | None:
    """A redirect to the request that was sent; None if the form has to be shown again."""
    if not form.is_valid():
        return None
    wish: dict[str, Any] = {key: value for key, value in form.cleaned_data.items() if key in _FIELDS}
    if isinstance(form, LinesForm):
        wish |= {"clouds": form.chosen(), "lines": form.lines()}
    try:
        sent = request_submit(actor=person_of(request), kind=kind, project=project, **wish)
    except RuleError as error:
        refused(form, error)
        return None
    messages.success(request, f"“{sent.title}” is sent. You get a mail when it is decided.")
    return redirect("onboarding:request_detail", pk=sent.pk)


_FIELDS = frozenset({"title", "purpose", "institution", "description", "starts_on", "ends_on"})


def _begun(request: HttpRequest, offered: list[Asked]) -> NewProjectForm:
    initial = NewProjectForm.initial_for(person_of(request))
    bundle = BUNDLES.get(request.GET.get("bundle", ""))
    if bundle is not None:
        initial = bundle_fill(initial, bundle, _fitting(bundle, offered), offered)
    return NewProjectForm(offered=offered, initial=initial)


def _filled(request: HttpRequest, offered: list[Asked]) -> NewProjectForm:
    """What was typed stays; nothing is checked yet, because nothing was sent."""
    written: dict[str, Any] = {key: value for key, value in request.POST.items() if key != "bundle"}
    written["clouds"] = request.POST.getlist("clouds")
    bundle = BUNDLES.get(request.POST["bundle"])
    if bundle is not None:
        chosen = NewProjectForm(offered=offered, initial=written).chosen()
        written = bundle_fill(written, bundle, chosen or _fitting(bundle, offered), offered)
    return NewProjectForm(offered=offered, initial=written)


def _fitting(bundle: Bundle, offered: list[Asked]) -> list[Cloud]:
    """The first of the clouds that have most of a bundle's resources; where nobody chose one."""
    fits = Counter(each.cloud for each in offered if each.resource.key in bundle.amounts)
    return [cloud for cloud, _ in fits.most_common(1)]


def _askable_project(request: HttpRequest, slug: str) -> Project:
    project = get_object_or_404(access.visible_projects(request.user), slug=slug)
    if not access.can_ask(request.user, project):
        raise PermissionDenied("Only owners and managers ask for their project.")
    return project


def _more_form(request: HttpRequest, project: Project) -> MoreForm:
    held = [tenancy.cloud for tenancy in tenancies_of(project)]
    return MoreForm(request.POST or None, offered=askable(clouds_for(project), project), held=held)


def _lines_context(form: LinesForm, check_href: str) -> dict[str, Any]:
    return _summary(form) | {
        "form": form,
        "groups": pages.form_groups(form),
        "no_capacity": True,
        "check_href": check_href,
        "empty": Empty("No cloud takes projects at present", "An operator has to open one first."),
        "cloud_errors": form.errors.get("clouds") if form.is_bound else None,
    }


def _summary(form: LinesForm) -> dict[str, Any]:
    """The part that htmx asks anew for when a number changes; what is not written yet is not held against anybody."""
    wrong: list[str] = []
    if form.is_bound:
        form.is_valid()
        amounts = [name for name in form.errors if name.startswith("lines.") or name == "clouds"]
        wrong = [str(text) for name in amounts for text in form.errors[name]]
    return {"note": pages.summary_note(decision_pace(), wrong), "facts": pages.summary_facts(form)}


def _ask_tabs(*, renewal: bool) -> list[pages.Tab]:
    return [
        pages.Tab("More", "?kind=more", current=not renewal),
        pages.Tab("A later last day", "?kind=renewal", current=renewal),
    ]
