"""One tenancy: its conditions, its journal with the cloud's own words, surveys and proofs. For operators."""

from __future__ import annotations

from functools import partial
from uuid import UUID

from django.http import HttpRequest, HttpResponse
from django.http.response import HttpResponseBase
from django.shortcuts import get_object_or_404, redirect, render
from django.views.decorators.http import require_POST, require_safe

from config.csv_file import csv_response
from tenancy import selectors, services
from tenancy.models import Step, Tenancy
from tenancy.shown import wording
from tenancy.shown.parts import Empty
from tenancy.views.clouds import STEP_HEAD, step_line
from tenancy.views.common import done, operators, page_of, reader, wants_csv

SURVEYS_SHOWN = 5
PROOFS_SHOWN = 20


@operators
@require_safe
def tenancy_detail(request: HttpRequest, pk: UUID) -> HttpResponseBase:
    tenancy = get_object_or_404(selectors.tenancies_list().select_related("project__institution"), pk=pk)
    rows = selectors.steps_of(tenancy)
    if wants_csv(request):
        return csv_response(f"steps-{tenancy.name}", STEP_HEAD, map(step_line, rows.iterator(chunk_size=1000)))
    page = page_of(request, rows)
    context = {
        "tenancy": tenancy,
        "page_obj": page,
        "steps": [_step(step) for step in page],
        "limits": _limits(tenancy),
        "runs": tenancy.survey_runs.prefetch_related("sections")[:SURVEYS_SHOWN],
        "proofs": tenancy.proofs.all()[:PROOFS_SHOWN],
        "empty": Empty("No step yet", "Every change is written here before it is sent to the cloud."),
    }
    return render(request, "tenancy/tenancy_detail.html", context)


def _step(step: Step) -> dict[str, object]:
    return {
        "row": step,
        "what": wording.what(step),
        "object": wording.object_name(step),
        "before": wording.value(step, step.before),
        "after": wording.value(step, step.after),
        "now": wording.value(step, step.now),
    }


def _limits(tenancy: Tenancy) -> list[dict[str, object]]:
    """Wanted limits next to what the last survey found, in the cloud's own units."""
    readings = selectors.latest_readings([tenancy])
    wanted = {limit.resource: limit for limit in tenancy.limits.all()}
    keys = sorted(wanted.keys() | {resource for _, resource in readings})
    rows: list[dict[str, object]] = []
    for key in keys:
        limit, reading = wanted.get(key), readings.get((tenancy.pk, key))
        kind = tenancy.cloud.kind
        rows.append(
            {
                "resource": wording.native_name(kind, key),
                "key": key,
                "wanted": wording.native_amount(kind, key, limit.amount if limit else None),
                "limit": wording.native_amount(kind, key, reading.limit if reading else None),
                "used": wording.native_amount(kind, key, reading.in_use if reading else None),
                "read_at": reading.at if reading else None,
                "reason": limit.reason if limit else "",
            }
        )
    return rows


@operators
@require_POST
def tenancy_retry(request: HttpRequest, pk: UUID) -> HttpResponse:
    """Try again what was stopped, parked or refused."""
    tenancy = get_object_or_404(Tenancy.objects.select_related("cloud", "project"), pk=pk)
    act = partial(services.tenancy_retry, actor=reader(request), tenancy=tenancy)
    done(request, act, f"{tenancy} is tried again; a worker takes it up within seconds.")
    return redirect("tenancy:tenancy_detail", pk=pk)
