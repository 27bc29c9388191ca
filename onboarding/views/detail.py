"""One request: what was asked, its decision, and how far the clouds are."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from django.contrib import messages
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.views.decorators.http import require_http_methods, require_safe

from events.selectors import activity_of_target
from onboarding import pages
from onboarding.forms import DecisionForm
from onboarding.models import Request
from onboarding.services import request_withdraw
from onboarding.views.common import decide, person_of, refusal_show, request_visible
from onboarding.views.queue import decision_context
from tenancy import access
from tenancy.errors import NotAllowed, RuleError
from tenancy.shown.progress import progress_of


@require_http_methods(["GET", "HEAD", "POST"])
def request_detail(request: HttpRequest, pk: UUID) -> HttpResponse:
    asked = request_visible(request, pk)
    form = DecisionForm(request.POST or None, lines=list(asked.lines.all()))
    if request.method == "POST":
        done = _withdraw(request, asked) if request.POST.get("do") == "withdraw" else _decide(request, asked, form)
        if done:
            return redirect("onboarding:request_detail", pk=asked.pk)
    return render(request, "onboarding/request_detail.html", _context(request, asked, form))


@require_safe
def request_progress(request: HttpRequest, pk: UUID) -> HttpResponse:
    """The fragment that a page asks again for every two seconds while something moves."""
    asked = request_visible(request, pk)
    if not request.headers.get("HX-Request"):
        return redirect("onboarding:request_detail", pk=asked.pk)
    return render(request, "parts/progress.html", _progress(request, asked))


def _decide(request: HttpRequest, asked: Request, form: DecisionForm) -> bool:
    if not access.can_review(request.user):
        raise PermissionDenied("Only reviewers and operators decide requests.")
    return decide(request, asked, form)


def _withdraw(request: HttpRequest, asked: Request) -> bool:
    try:
        request_withdraw(actor=person_of(request), request=asked)
    except NotAllowed as error:
        raise PermissionDenied(error.message) from error
    except RuleError as error:
        refusal_show(request, error)
    else:
        messages.success(request, f"“{asked.title}” is withdrawn.")
    return True


def _context(request: HttpRequest, asked: Request, form: DecisionForm) -> dict[str, Any]:
    reviews = access.can_review(request.user) and asked.is_open
    context: dict[str, Any] = {
        "asked": asked,
        "badge": pages.state_badge(asked),
        "period": pages.period(asked),
        "asked_lines": list(asked.lines.all()),
        "reviews": reviews,
        "form": form,
        "may_withdraw": asked.is_open and _may_withdraw(request, asked),
        "activity": activity_of_target(asked._meta.label_lower, asked.pk)[:20],
    }
    if reviews:
        context |= decision_context(asked, form)
    if asked.state == Request.State.APPROVED and asked.project is not None:
        context |= {"progress": True, "project": asked.project} | _progress(request, asked)
    return context


def _may_withdraw(request: HttpRequest, asked: Request) -> bool:
    person = person_of(request)
    return (
        asked.requested_by_id == person.pk
        or access.is_operator(person)
        or (asked.project is not None and access.can_ask(person, asked.project))
    )


def _progress(request: HttpRequest, asked: Request) -> dict[str, Any]:
    if asked.project is None:
        return {"title": "On the clouds", "steps": [], "running": False}
    found = progress_of(asked.project, request.user)
    return {
        "title": found.title,
        "steps": found.steps,
        "running": found.running,
        "started_at": found.started_at,
        "refresh_href": reverse("onboarding:request_progress", args=[asked.pk]),
    }
