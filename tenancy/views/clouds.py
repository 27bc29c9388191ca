"""Clouds: connected, tested, paused, surveyed. For operators."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from functools import partial

from django.contrib import messages
from django.db.models import Q
from django.http import HttpRequest, HttpResponse
from django.http.response import HttpResponseBase
from django.shortcuts import redirect, render
from django.urls import reverse
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from config.csv_file import csv_response
from connectors import registry
from connectors.errors import ConnectorError
from tenancy import selectors, services
from tenancy.forms import ConnectForm, ReasonForm, SettingsForm, StepFilter, TenancyFilter, chosen
from tenancy.loop import breaker, guard
from tenancy.models import Cloud, Step, Tenancy
from tenancy.services.clouds import MissingRights
from tenancy.shown import wording
from tenancy.shown.parts import Empty, Link
from tenancy.views.common import (
    REFUSED,
    accepted,
    cloud_or_404,
    done,
    failure_note,
    form_page,
    operators,
    page_of,
    posted,
    reader,
    sorted_by,
    wants_csv,
)

SURVEYS_SHOWN = 5


@operators
@require_safe
def cloud_list(request: HttpRequest) -> HttpResponseBase:
    """Every cloud: mode, age of what is known, what is not as wanted, breaker and pause."""
    columns = {"title": "title", "mode": "mode", "kind": "kind", "surveyed": "surveyed_at"}
    rows = sorted_by(request, selectors.clouds_list(), columns, "title")
    if wants_csv(request):
        head = ("slug", "title", "kind", "mode", "tenancies", "not_as_wanted", "surveyed_at", "paused", "breaker_until")
        return csv_response("clouds", head, map(_cloud_line, rows))
    page = page_of(request, rows)
    connect = Link("Connect the first one", reverse("tenancy:cloud_connect"))
    context = {
        "page_obj": page,
        "clouds": [(cloud, breaker.open_until(cloud)) for cloud in page],
        "switch": selectors.site_switch(),
        "empty": Empty("No cloud is connected", "Projects need one. You need a credential of it.", connect),
    }
    return render(request, "tenancy/cloud_list.html", context)


def _cloud_line(cloud: Cloud) -> Sequence[object]:
    counted = [getattr(cloud, name) for name in ("tenancy_count", "unsettled_count", "surveyed_at")]
    return (cloud.slug, cloud.title, cloud.kind, cloud.mode, *counted, cloud.paused_at, breaker.open_until(cloud))


@operators
@require_http_methods(["GET", "HEAD", "POST"])
def cloud_connect(request: HttpRequest) -> HttpResponseBase:
    """Test a connection and keep it if nothing is missing; otherwise say what is, and keep nothing."""
    form = ConnectForm(posted(request))
    hints = [kind for kind in registry.kinds().values() if kind.settings_hint]

    def act() -> Cloud:
        return services.cloud_connect(
            actor=reader(request), title=form.cleaned_data["title"], connection=form.connection()
        )

    said = "{} is connected and only observed. Nothing is written to it until you say so."
    return _tested(request, "tenancy/cloud_connect.html", form, act, said, {"hints": hints})


@operators
@require_http_methods(["GET", "HEAD", "POST"])
def cloud_credential(request: HttpRequest, slug: str) -> HttpResponseBase:
    """Replace the credential of a cloud; the new one is tested before the old one goes."""
    cloud = cloud_or_404(slug)
    form = SettingsForm(posted(request))

    def act() -> Cloud:
        connection = form.connection(cloud.kind)
        return services.cloud_credential_change(actor=reader(request), cloud=cloud, connection=connection)

    said = "{} has the new credential; it was tested."
    return _tested(request, "tenancy/cloud_credential.html", form, act, said, {"cloud": cloud})


def _tested(
    request: HttpRequest,
    template: str,
    form: SettingsForm,
    act: Callable[[], Cloud],
    said: str,
    context: dict[str, object],
) -> HttpResponse:
    """A form whose settings are tried on the cloud. What is missing is told right by right, and nothing is kept."""
    made: list[Cloud] = []

    def tried(_: object) -> None:
        try:
            made.append(act())
        except MissingRights as lacking:
            context["missing"] = lacking.probe
            raise

    try:
        if request.method == "POST" and accepted(form, tried):
            messages.success(request, said.format(made[0]))
            return redirect("tenancy:cloud_detail", slug=made[0].slug)
    except ConnectorError as error:
        return render(request, template, {**context, "form": form, "failure": failure_note(error)}, status=REFUSED)
    return form_page(request, template, form, context)


@operators
@require_safe
def cloud_detail(request: HttpRequest, slug: str) -> HttpResponse:
    """What is known of one cloud, and the switches of it."""
    return render(request, "tenancy/cloud_detail.html", _detail(cloud_or_404(slug)))


def _detail(cloud: Cloud) -> dict[str, object]:
    runs = list(selectors.surveys_of(cloud)[:SURVEYS_SHOWN])
    finished = next((run for run in runs if run.finished_at), None)
    return {
        "cloud": cloud,
        "versions": cloud.versions.all(),
        "rights": list(cloud.rights.all()),
        "capabilities": cloud.capabilities.all(),
        "roles": cloud.roles.all(),
        "modes": Cloud.Mode.choices,
        "runs": runs,
        "last": finished,
        "breaker": breaker.open_until(cloud),
        "switch": selectors.site_switch(),
        "counts": selectors.clouds_list().get(pk=cloud.pk),
        "waiting": len(guard.held_lines(cloud)),
        "no_survey": Empty("Not surveyed yet", "A worker reads the cloud within a minute.", kind="none"),
    }


@operators
@require_POST
def cloud_mode(request: HttpRequest, slug: str) -> HttpResponse:
    cloud = cloud_or_404(slug)
    mode = request.POST.get("mode", "")
    act = partial(services.cloud_mode_set, actor=reader(request), cloud=cloud, mode=mode)
    done(request, act, f"{cloud} is in the mode {mode} now.")
    return redirect("tenancy:cloud_detail", slug=slug)


@operators
@require_http_methods(["GET", "HEAD", "POST"])
def cloud_pause(request: HttpRequest, slug: str) -> HttpResponse:
    """Pause all writes to one cloud, with the reason people will read."""
    cloud = cloud_or_404(slug)
    form = ReasonForm(posted(request))
    if request.method == "POST" and accepted(
        form, lambda values: services.cloud_pause(actor=reader(request), cloud=cloud, reason=values["reason"])
    ):
        messages.success(request, f"Writes to {cloud} are paused.")
        return redirect("tenancy:cloud_detail", slug=slug)
    return form_page(request, "tenancy/cloud_pause.html", form, {"cloud": cloud})


@operators
@require_POST
def cloud_resume(request: HttpRequest, slug: str) -> HttpResponse:
    cloud = cloud_or_404(slug)
    act = partial(services.cloud_resume, actor=reader(request), cloud=cloud)
    done(request, act, f"Writes to {cloud} go on.")
    return redirect("tenancy:cloud_detail", slug=slug)


@operators
@require_POST
def cloud_probe(request: HttpRequest, slug: str) -> HttpResponse:
    """Test the connection again, now. An error is shown with the cloud's own words."""
    cloud = cloud_or_404(slug)
    try:
        probe = services.cloud_probe(actor=reader(request), cloud=cloud)
    except ConnectorError as error:
        context = {**_detail(cloud_or_404(slug)), "failure": failure_note(error)}
        return render(request, "tenancy/cloud_detail.html", context, status=REFUSED)
    if probe.ok:
        messages.success(request, f"{cloud} answers and every right is there.")
    else:
        messages.error(request, f"{cloud} answers, but something is missing; see the rights below.")
    return redirect("tenancy:cloud_detail", slug=slug)


@operators
@require_POST
def cloud_survey(request: HttpRequest, slug: str) -> HttpResponse:
    """Ask for a full survey. A worker makes it; this page calls no cloud."""
    cloud = cloud_or_404(slug)
    act = partial(services.cloud_survey_ask, actor=reader(request), cloud=cloud)
    done(request, act, f"A worker surveys {cloud} next; load this page again in a moment.")
    return redirect("tenancy:plan" if request.POST.get("back") == "plan" else "tenancy:cloud_detail", slug=slug)


@operators
@require_http_methods(["GET", "HEAD", "POST"])
def site_pause(request: HttpRequest) -> HttpResponse:
    """The one switch: pause all writes to all clouds, and let them go on."""
    if request.POST.get("do") == "resume":
        done(request, partial(services.site_resume, actor=reader(request)), "All writes go on.")
        return redirect("tenancy:cloud_list")
    form = ReasonForm(posted(request))
    if request.method == "POST" and accepted(
        form, lambda values: services.site_pause(actor=reader(request), reason=values["reason"])
    ):
        messages.success(request, "All writes are paused. Calls under way are not cut off.")
        return redirect("tenancy:cloud_list")
    return form_page(request, "tenancy/site_pause.html", form, {"switch": selectors.site_switch()})


@operators
@require_safe
def cloud_surveys(request: HttpRequest, slug: str) -> HttpResponseBase:
    """Full surveys of a cloud with what each section held."""
    cloud = cloud_or_404(slug)
    rows = selectors.surveys_of(cloud)
    if wants_csv(request):
        head = ("started_at", "finished_at", "state", "calls", "section", "complete", "suspect", "count", "error")
        return csv_response(f"surveys-{slug}", head, _survey_lines(cloud))
    page = page_of(request, rows)
    empty = Empty("Not surveyed yet", "A worker reads the cloud within a minute.", kind="none")
    return render(request, "tenancy/cloud_surveys.html", {"cloud": cloud, "page_obj": page, "empty": empty})


def _survey_lines(cloud: Cloud) -> Iterator[Sequence[object]]:
    for run in selectors.surveys_of(cloud).iterator(chunk_size=500):
        start = (run.started_at, run.finished_at, run.state, run.calls)
        for each in run.sections.all():
            yield (*start, each.name, each.complete, each.suspect, each.count, each.error)
        if run.error:
            yield (*start, "", False, False, None, run.error)


@operators
@require_safe
def cloud_steps(request: HttpRequest, slug: str) -> HttpResponseBase:
    """The journal of a cloud, newest first."""
    cloud = cloud_or_404(slug)
    form = StepFilter(request.GET)
    rows = selectors.steps_of_cloud(cloud)
    if state := chosen(form).get("state"):
        rows = rows.filter(state=state)
    if wants_csv(request):
        return csv_response(f"steps-{slug}", STEP_HEAD, map(step_line, rows.iterator(chunk_size=1000)))
    page = page_of(request, rows)
    context = {
        "cloud": cloud,
        "form": form,
        "page_obj": page,
        "steps": [(step, wording.what(step)) for step in page],
        "empty": Empty("No step", "Every change Tenantry makes on this cloud is written here before it is sent."),
    }
    return render(request, "tenancy/cloud_steps.html", context)


STEP_HEAD = (
    "planned_at", "tenancy", "what", "kind", "target", "before", "after", "state", "attempts", "sent_at",
    "settled_at", "reason", "error", "remedy", "verbatim", "request_id", "http_status", "call",
)  # fmt: skip


def step_line(step: Step) -> Sequence[object]:
    """A step as a line of a file; amounts in base units."""
    return (
        step.planned_at, str(step.tenancy_id), wording.what(step), step.kind, step.target, step.before, step.after,
        step.state, step.attempts, step.sent_at, step.settled_at, step.reason, step.error, step.remedy,
        step.verbatim, step.request_id, step.http_status, step.call,
    )  # fmt: skip


@operators
@require_safe
def cloud_tenancies(request: HttpRequest, slug: str) -> HttpResponseBase:
    """Every tenancy of a cloud and how it stands."""
    cloud = cloud_or_404(slug)
    form = TenancyFilter(request.GET)
    filters = chosen(form)
    rows = selectors.tenancies_list().filter(cloud=cloud)
    for word in filters.get("q", "").split():
        rows = rows.filter(Q(project__title__icontains=word) | Q(name__icontains=word) | Q(native_id__icontains=word))
    if filters.get("show") == "attention":
        rows = selectors.needing_attention(rows)
    elif filters.get("show") == "unmapped":
        rows = rows.filter(project=None)
    columns = {"name": "name", "title": "project__title", "surveyed": "surveyed_at"}
    rows = sorted_by(request, rows, columns, "name")
    if wants_csv(request):
        head = ("name", "project", "native_id", "wanted", "wanted_version", "settled_version", "surveyed_at")
        return csv_response(f"tenancies-{slug}", head, map(_tenancy_line, rows.iterator(chunk_size=1000)))
    empty = Empty("No tenancy fits", act=Link("Show all", reverse("tenancy:cloud_tenancies", args=[slug])))
    context = {"cloud": cloud, "form": form, "page_obj": page_of(request, rows), "empty": empty}
    return render(request, "tenancy/cloud_tenancies.html", context)


def _tenancy_line(row: Tenancy) -> Sequence[object]:
    project = row.project.slug if row.project else None
    versions = (row.wanted_version, row.settled_version)
    return (row.name, project, row.native_id, row.wanted, *versions, row.surveyed_at)
