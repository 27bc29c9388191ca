"""The newest plan of a cloud, and what a person says to it. Never calls a cloud. For operators."""

from __future__ import annotations

from functools import partial

from django.contrib import messages
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.http.response import HttpResponseBase
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from config.csv_file import csv_response
from tenancy import selectors, services
from tenancy.forms import ConfirmForm
from tenancy.loop import guard
from tenancy.models import Cloud, PlanLine, SurveyRun, Tenancy
from tenancy.shown import plan as shown
from tenancy.shown import wording
from tenancy.shown.parts import Act, Empty, Link, Note
from tenancy.shown.plan import Show
from tenancy.views.common import (
    accepted,
    cloud_or_404,
    done,
    form_page,
    operators,
    page_of,
    posted,
    reader,
    uuid_or_404,
)


@operators
@require_safe
def plan(request: HttpRequest, slug: str) -> HttpResponseBase:
    """Found, wanted and why, a group each project; the filters are in the address."""
    cloud = cloud_or_404(slug)
    what = shown.show(request.GET.get("show", ""))
    if request.GET.get("format") == "csv":
        rows = ([line[name] for name in shown.CSV_HEAD] for line in shown.documents(cloud, what))
        return csv_response(f"plan-{slug}", shown.CSV_HEAD, rows)
    if request.GET.get("format") == "json":
        return JsonResponse({"cloud": slug, "mode": cloud.mode, "lines": list(shown.documents(cloud, what))})
    return render(request, "tenancy/plan.html", _context(request, cloud, what))


def _context(request: HttpRequest, cloud: Cloud, what: Show) -> dict[str, object]:
    run = selectors.last_survey(cloud)
    counted = shown.counts(cloud)
    kinds, causes = shown.filters(counted, reverse("tenancy:plan", args=[cloud.slug]))
    page = page_of(request, shown.tenancies_of_plan(cloud, what))
    strangers = page_of(request, shown.strangers_of(cloud, what).filter(tenancy=None), shown.OUTSIDE)
    return {
        "cloud": cloud,
        "run": run,
        "took": run.finished_at - run.started_at if run and run.finished_at else None,
        "counts": _sections(run),
        "waits": _waits(cloud),
        "incomplete": _incomplete(run),
        "counted": counted,
        "kinds": kinds,
        "causes": causes,
        "what": what.value,
        "groups": shown.groups(cloud, list(page), what),
        "outside": shown.outside(cloud, strangers, strangers.paginator.count),
        "page_obj": page if page.paginator.num_pages >= strangers.paginator.num_pages else strangers,
        "json_href": f"?show={what}&format=json",
        "empty": _empty(cloud, run, what),
        "switch": selectors.site_switch(),
    }


def _sections(run: SurveyRun | None) -> list[tuple[str, int | None]]:
    """What the survey held, section by section; None where it could not be read."""
    if run is None:
        return []
    return [(section.name, section.count if section.complete else None) for section in run.sections.all()]


def _waits(cloud: Cloud) -> dict[str, object] | None:
    """The batch the guard holds, with the ways to decide it."""
    lines = guard.held_lines(cloud)
    if not lines:
        return None
    many = f"{len(lines):,}"
    print_ = guard.fingerprint(lines)
    confirm = f"{reverse('tenancy:plan_confirm', args=[cloud.slug])}?fingerprint={print_}"
    word = "change waits" if len(lines) == 1 else "changes wait"
    return {
        "title": f"{many} {word} for a person",
        "text": lines[0].why,
        "sub": lines[0].reason,
        "look": Link(f"Look at the {many}", f"{reverse('tenancy:plan', args=[cloud.slug])}?show=held"),
        "buttons": [
            Act("Keep their access", "keep", print_),
            Act(f"Remove the {many}…", href=confirm, takes_away=True),
        ],
    }


def _incomplete(run: SurveyRun | None) -> list[Note]:
    """What could not be read, and what follows from it."""
    if run is None:
        return []
    if run.state == SurveyRun.State.FAILED:
        text = "What is shown below is from before; nothing new is planned from it."
        return [Note("over", f"The last survey failed: {run.error}", text, verbatim=run.verbatim)]
    notes = []
    for section in run.sections.all():
        if not section.complete:
            text = "It is unknown, so no change to it is planned and nothing of it is taken away."
            headline = f"{section.name} could not be read. {section.error}".strip()
            notes.append(Note("none", headline, text, sub=section.request_id, verbatim=section.verbatim))
        elif section.suspect:
            text = "Nothing of it is taken away until a person has looked."
            notes.append(Note("warn", f"{section.name} suddenly holds half or less of what it held.", text))
    return notes


def _empty(cloud: Cloud, run: SurveyRun | None, what: Show) -> Empty:
    address = reverse("tenancy:plan", args=[cloud.slug])
    if run is None:
        again = Link("Look again", address)
        return Empty("Not surveyed yet", "A worker reads the cloud within a minute.", again, kind="none")
    if what is not Show.ALL:
        return Empty("No line fits this filter", act=Link("Show all", address))
    return Empty("Everything is as wanted", "What is found on the cloud and what is wanted here do not differ.")


@operators
@require_POST
def plan_act(request: HttpRequest, slug: str) -> HttpResponse:
    """A button of the plan: keep what a held batch would take, or try a stopped tenancy again."""
    cloud = cloud_or_404(slug)
    if print_ := request.POST.get("keep", ""):
        act = partial(services.batch_keep, actor=reader(request), cloud=cloud, fingerprint=print_)
        done(request, act, "Their memberships are given back; nothing is removed.")
    elif pk := request.POST.get("retry", ""):
        rows = Tenancy.objects.filter(cloud=cloud).select_related("cloud", "project")
        tenancy = get_object_or_404(rows, pk=uuid_or_404(pk))
        act_again = partial(services.tenancy_retry, actor=reader(request), tenancy=tenancy)
        done(request, act_again, f"{tenancy} is tried again.")
    else:
        messages.error(request, "Nothing was chosen, nothing was changed.")
    return redirect("tenancy:plan", slug=slug)


@operators
@require_http_methods(["GET", "HEAD", "POST"])
def plan_confirm(request: HttpRequest, slug: str) -> HttpResponse:
    """Let exactly the batch that was looked at pass, with a reason. A batch that changed since is refused."""
    cloud = cloud_or_404(slug)
    form = ConfirmForm(posted(request), initial={"fingerprint": request.GET.get("fingerprint", "")})
    if request.method == "POST" and accepted(
        form,
        lambda values: services.batch_confirm(
            actor=reader(request), cloud=cloud, fingerprint=values["fingerprint"], reason=values["reason"]
        ),
    ):
        messages.success(request, "Confirmed: these changes, once, within 24 hours.")
        return redirect("tenancy:plan", slug=slug)
    lines = guard.held_lines(cloud)
    context = {"cloud": cloud, "lines": [(line, *_said(line)) for line in lines], "count": len(lines)}
    return form_page(request, "tenancy/plan_confirm.html", form, context)


def _said(line: PlanLine) -> tuple[str, str, str]:
    return wording.what(line), wording.value(line, line.before), wording.value(line, line.after)
