"""The audit log. For operators."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime, time, timedelta
from typing import Any

from django.db.models import Q, QuerySet
from django.http import HttpRequest
from django.http.response import HttpResponseBase
from django.shortcuts import render
from django.urls import reverse
from django.views.decorators.http import require_safe

from config.csv_file import csv_response
from events.models import AuditEntry
from events.selectors import activity_all
from tenancy.forms import AuditFilter, chosen
from tenancy.models import Project
from tenancy.shown.parts import Empty, Link
from tenancy.views.common import operators, page_of, wants_csv

HEAD = ("at", "actor", "verb", "target_type", "target_id", "project_id", "cloud_id", "summary", "request_id", "address")


@operators
@require_safe
def audit(request: HttpRequest) -> HttpResponseBase:
    """Who did what and when, newest first."""
    form = AuditFilter(request.GET)
    rows = _filtered(activity_all(), chosen(form))
    if wants_csv(request):
        return csv_response("audit", HEAD, map(_line, rows.iterator(chunk_size=1000)))
    empty = Empty("No entry fits", act=Link("Show all", reverse("tenancy:audit")))
    return render(request, "tenancy/audit.html", {"form": form, "page_obj": page_of(request, rows), "empty": empty})


def _filtered(rows: QuerySet[AuditEntry], filters: Mapping[str, Any]) -> QuerySet[AuditEntry]:
    for word in filters.get("q", "").split():
        rows = rows.filter(Q(actor_label__icontains=word) | Q(summary__icontains=word) | Q(request_id=word))
    if verb := filters.get("verb"):
        rows = rows.filter(verb=verb)
    if slug := filters.get("project"):
        ids = Project.objects.filter(Q(slug=slug) | Q(title__iexact=slug)).values_list("pk", flat=True)
        rows = rows.filter(project_id__in=[str(pk) for pk in ids])
    if since := filters.get("since"):
        rows = rows.filter(at__gte=datetime.combine(since, time(), UTC))
    if until := filters.get("until"):
        rows = rows.filter(at__lt=datetime.combine(until + timedelta(days=1), time(), UTC))
    return rows


def _line(entry: AuditEntry) -> Sequence[object]:
    return (
        entry.at, entry.actor_label, entry.verb, entry.target_type, entry.target_id, entry.project_id,
        entry.cloud_id, entry.summary, entry.request_id, entry.address,
    )  # fmt: skip
