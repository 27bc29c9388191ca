"""The list of requests: one's own, or the review queue with its decisions."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any
from uuid import UUID

from django.contrib import messages
from django.core.exceptions import PermissionDenied
from django.core.paginator import Paginator
from django.db.models import Q, QuerySet
from django.http import HttpRequest, HttpResponseBase
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.utils.http import urlencode
from django.views.decorators.http import require_http_methods

from config.csv_file import csv_response
from onboarding import pages
from onboarding.forms import DecisionForm, QueueFilterForm
from onboarding.models import Request
from onboarding.selectors import decision_pace, queue_figures, requests_visible, with_lines
from onboarding.services import requests_approve
from onboarding.views.common import decide, person_of, refusal_show, standing
from tenancy import access
from tenancy.shown.parts import Empty, Link, Note

ROWS = 25
SORTS = {
    "project": ("title", "created_at"),
    "-project": ("-title", "created_at"),
    "waits": ("-created_at", "pk"),
    "-waits": ("created_at", "pk"),
}
HEAD = (
    "request", "state", "kind", "title", "project", "institution", "asked by", "sent", "first day", "last day",
    "asks for", "decided by", "decided", "reason",
)  # fmt: skip


@require_http_methods(["GET", "HEAD", "POST"])
def request_list(request: HttpRequest) -> HttpResponseBase:
    """Everybody sees what they may open; who reviews decides here, one by one or several as asked."""
    if request.method == "POST":
        return _decide(request)
    return _show(request, None)


def _decide(request: HttpRequest) -> HttpResponseBase:
    if not access.can_review(request.user):
        raise PermissionDenied("Only reviewers and operators decide requests.")
    kept = {key: value for key, value in _asked_for(request).items() if key != "open"}
    here = f"{reverse('onboarding:request_list')}?{urlencode(kept)}"
    if request.POST.get("do") == "approve-chosen":
        _approve_chosen(request)
        return redirect(here)
    asked = get_object_or_404(with_lines(requests_visible(request.user)), pk=_uuid(request.POST.get("open")))
    form = DecisionForm(request.POST, lines=list(asked.lines.all()))
    return redirect(here) if decide(request, asked, form) else _show(request, form)


def _approve_chosen(request: HttpRequest) -> None:
    ids = [pk for text in request.POST.getlist("id") if (pk := _uuid(text))]
    chosen = list(requests_visible(request.user).waiting().filter(pk__in=ids).order_by("created_at"))
    if not chosen:
        messages.warning(request, "Nothing was chosen that still waits.")
    done = 0
    for _, error in requests_approve(actor=person_of(request), requests=chosen):
        if error is None:
            done += 1
        else:
            refusal_show(request, error)
    if done:
        messages.success(request, f"{done} approved as asked; they are being set up.")


def _show(request: HttpRequest, form: DecisionForm | None) -> HttpResponseBase:
    reviews = access.can_review(request.user)
    filters = QueueFilterForm(request.GET)
    filters.is_valid()
    visible = requests_visible(request.user)
    view = _view(request, reviews)
    rows = _filtered(_of_view(visible, view, request), filters.cleaned_data)
    if request.GET.get("format") == "csv":
        return csv_response("requests", HEAD, _csv_rows(rows))
    page = Paginator(with_lines(rows), ROWS).get_page(request.GET.get("page"))
    deciding = reviews and view == "waiting"
    opened = _uuid(request.POST.get("open") or request.GET.get("open")) if deciding else None
    query = _asked_for(request)
    figures = queue_figures(visible)
    context: dict[str, Any] = {
        "reviews": reviews,
        "deciding": deciding,
        "figures": figures,
        "pace_says": pages.pace_says(decision_pace()) if reviews else "",
        "tabs": _tabs(figures, view, reviews=reviews),
        "form": filters,
        "page_obj": page,
        "rows": [pages.queue_row(each, deciding=deciding, opened=opened, query=query) for each in page],
        "empty": _empty(filters, reviews=reviews),
        "query": urlencode(query),
        "policy_head": "If approved" if deciding else "State",
        "sent_shown": not deciding,
    }
    return render(request, "onboarding/request_list.html", context | _opened(page.object_list, opened, form))


def _opened(rows: Any, opened: UUID | None, form: DecisionForm | None) -> dict[str, Any]:
    """The decision under the opened row."""
    asked = next((each for each in rows if each.pk == opened), None)
    if asked is None:
        return {}
    form = form or DecisionForm(lines=list(asked.lines.all()))
    return {"opened": asked, "decision": form} | decision_context(asked, form)


def decision_context(asked: Request, form: DecisionForm) -> dict[str, Any]:
    """What parts/decision.html takes."""
    limits, used = standing(asked)
    ready = pages.readiness(asked)
    note = None if ready.kind == "ok" else Note("warn", f"{ready.text[0].upper()}{ready.text[1:]}.", _WARNED)
    return {
        "lines": pages.decision_lines(form, limits, used),
        "fields": [form["reason"]],
        "writes": asked.description,
        "by": asked.requested_by,
        "note": note,
        "links": _links(asked),
    }


_WARNED = "Approving is possible; nothing happens there before that changes."


def _links(asked: Request) -> list[Link]:
    links = [Link("Page of this request", reverse("onboarding:request_detail", args=[asked.pk]))]
    if asked.project is not None:
        links.append(Link("Project page", reverse("portal:project_detail", args=[asked.project.slug])))
    return links


def _view(request: HttpRequest, reviews: bool) -> str:
    view = request.GET.get("view", "")
    return view if view in ("waiting", "decided", "mine", "all") else ("waiting" if reviews else "all")


def _of_view(rows: QuerySet[Request], view: str, request: HttpRequest) -> QuerySet[Request]:
    if view == "waiting":
        return rows.filter(state=Request.State.SUBMITTED).order_by("created_at", "pk")
    if view == "decided":
        decided = rows.filter(state__in=(Request.State.APPROVED, Request.State.REFUSED))
        return decided.order_by("-decided_at", "pk")
    if view == "mine":
        rows = rows.filter(requested_by=person_of(request))
    return rows.order_by("-created_at", "pk")


def _filtered(rows: QuerySet[Request], wanted: dict[str, Any]) -> QuerySet[Request]:
    if wanted.get("q"):
        text = wanted["q"]
        person = Q(requested_by__name__icontains=text) | Q(requested_by__username__icontains=text)
        rows = rows.filter(Q(title__icontains=text) | Q(slug__icontains=text) | person)
    if wanted.get("cloud"):
        rows = rows.filter(wanted_clouds__cloud__slug=wanted["cloud"])
    if wanted.get("institution"):
        rows = rows.filter(institution__slug=wanted["institution"])
    if wanted.get("kind"):
        rows = rows.filter(kind=wanted["kind"])
    order = SORTS.get(wanted.get("sort", ""))
    return rows.order_by(*order) if order else rows


def _tabs(figures: Any, view: str, *, reviews: bool) -> list[pages.Tab]:
    named = [("waiting", "Waiting", figures.waiting), ("decided", "Decided", None)]
    named.append(("mine", "Sent by me", None) if reviews else ("all", "All", None))
    if not reviews:
        named.reverse()
    return [pages.Tab(text, f"?view={key}", count, key == view) for key, text, count in named]


def _empty(filters: QueueFilterForm, *, reviews: bool) -> Empty:
    if any(value for name, value in filters.cleaned_data.items() if name not in ("view", "sort")):
        return Empty("No request fits these filters", act=Link("Show all", "?"))
    new = Link("Ask for a new project", reverse("onboarding:request_new"))
    if reviews:
        return Empty("Nothing here", "What people ask for appears here, the oldest first.", new)
    return Empty("You have asked for nothing yet", "A project gives you and others a place on the clouds.", new)


def _csv_rows(rows: QuerySet[Request]) -> Iterator[list[object]]:
    for each in with_lines(rows).iterator(chunk_size=500):
        yield [
            str(each.pk), each.state, each.kind, each.title, each.project.slug if each.project else None,
            str(each.institution or ""), str(each.requested_by), each.created_at.isoformat(timespec="seconds"),
            each.starts_on, each.ends_on, pages.asks(each), str(each.decided_by or ""),
            each.decided_at.isoformat(timespec="seconds") if each.decided_at else None, each.decision_reason,
        ]  # fmt: skip


def _asked_for(request: HttpRequest) -> dict[str, str]:
    """The address of the page as view, filters, order and opened row."""
    return {key: str(value) for key, value in request.GET.items() if value}


def _uuid(text: str | None) -> UUID | None:
    try:
        return UUID(text or "")
    except ValueError:
        return None
