"""Usage: of everything the reader may see, of one project, the spans behind it, and how collecting went."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from urllib.parse import urlencode

from django.core.exceptions import PermissionDenied
from django.core.paginator import Paginator
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponseBase
from django.shortcuts import get_object_or_404, render
from django.urls import reverse
from django.views.decorators.http import require_safe

from config import clock
from config.csv_file import csv_response
from reporting import tables
from reporting.forms import SpanFilter, UsageFilter
from reporting.models import CollectionRun, Span
from reporting.months import Month
from reporting.quantities import meter_of
from reporting.selectors.coverage import Coverage, coverage, runs_list
from reporting.selectors.spans import moment, named, span_amount, spans_between, spans_of, spans_visible, window_of
from reporting.selectors.usage import (
    GroupRow,
    MonthUsage,
    Totals,
    group_rows,
    groups,
    in_month,
    month_usage,
    totals_of,
    totals_visible,
)
from tenancy import access
from tenancy.models import Cloud, Institution

ROWS = 25
BATCH = 500  # groups a query while a file is written
NO_PROJECT = "-"  # in place of a slug: what no project is mapped to


@dataclass(frozen=True, slots=True)
class Asked:
    """What a request for usage is about."""

    form: UsageFilter
    known: Coverage
    now: datetime
    totals: Totals

    @property
    def month(self) -> Month:
        return self.form.wanted_month

    @property
    def key(self) -> str:
        return self.form.wanted_meter

    @property
    def cloud(self) -> Cloud | None:
        return next((each for each in self.known.clouds.values() if each.slug == self.form.wanted_cloud), None)

    def address(self, path: str, **changed: str | int) -> str:
        """`path` with the filters of this page and some of them changed; an empty one is left out."""
        kept = {name: self.form.wanted(name) for name in ("month", "meter", "cloud")}
        wanted = {name: value for name, value in (kept | changed).items() if value}
        return f"{path}?{urlencode(wanted)}" if wanted else path


@require_safe
def usage(request: HttpRequest) -> HttpResponseBase:
    """Usage of all projects the reader may see, by project, institution or cloud."""
    asked = _asked(request, totals_visible(request.user))
    if request.GET.get("format") == "csv":
        return _groups_file(asked, _sort(request, asked))
    found = month_usage(asked.totals, asked.month)
    by = asked.form.wanted_by
    pages = Paginator(groups(asked.totals, asked.month, by, sort=_sort(request, asked)), ROWS)
    page = pages.get_page(request.GET.get("page"))
    rows = group_rows(asked.totals, asked.month, by, list(page), today=asked.now.date())
    keys = tables.columns(asked.key)
    return render(
        request,
        "reporting/usage.html",
        {
            **_common(asked, found, "Usage"),
            "rows": tables.group_table(rows, keys, asked.key, clouds=asked.known.clouds, href=_group_href(asked)),
            "heads": tables.heads(keys),
            "totals": [found.amount(key).text for key in keys],
            "shared": len(asked.known.clouds) > 1,
            "compared_to": asked.month.before().name,
            "page_obj": page,
            "title": f"By {by}",
            "says": f"{len(page)} of {pages.count}" if pages.num_pages > 1 else "",
            "resources": tables.resource_rows(
                found.by_meter(), {}, key=asked.key, href=lambda key: asked.address(request.path, meter=key)
            ),
            "by_cloud": [
                (each, found.amount(asked.key, cloud=each.pk), asked.address(request.path, cloud=each.slug))
                for each in asked.known.clouds.values()
                if each.pk in found.clouds()
            ],
            "sees_site": access.sees_site_usage(request.user),
            "sees_runs": access.is_operator(request.user),
        },
    )


@require_safe
def project_usage(request: HttpRequest, slug: str) -> HttpResponseBase:
    """Usage of one project: by resource and day, down to the single span and its delivery."""
    project = get_object_or_404(access.visible_projects(request.user), slug=slug)
    asked = _asked(request, totals_of(project), of_project=True)
    spans, window = _spans(asked, spans_of(project))
    if request.GET.get("format") == "csv":
        return _spans_file(f"usage-{project.slug}-{asked.month.key}", spans, window)
    found = month_usage(asked.totals, asked.month)
    before = month_usage(asked.totals, asked.month.before()) if not asked.month.runs(asked.now) else None
    return render(
        request,
        "reporting/project_usage.html",
        {
            **_common(asked, found, project.title),
            "project": project,
            "resources": tables.resource_rows(
                found.by_meter(),
                before.by_meter() if before else {},
                key=asked.key,
                href=lambda key: asked.address(request.path, meter=key) + "#spans",
            ),
            "compared_to": asked.month.before().name if before else "",
            **_span_table(request, asked, spans, window),
        },
    )


@require_safe
def span_list(request: HttpRequest) -> HttpResponseBase:
    """Spans of everything the reader may see; `?project=-` is what no project is mapped to."""
    spans = spans_visible(request.user)
    slug = request.GET.get("project", "")
    if slug == NO_PROJECT:
        spans = spans.filter(thing__holder__tenancy__project=None)
    elif slug:
        spans = spans.filter(thing__holder__tenancy__project__slug=slug)
    asked = _asked(request, totals_visible(request.user), of_project=True)
    spans, window = _spans(asked, spans)
    if request.GET.get("format") == "csv":
        return _spans_file(f"spans-{asked.month.key}", spans, window)
    context = {"form": asked.form, "until": asked.known.until(), "month_title": _title(asked)}
    return render(request, "reporting/spans.html", context | _span_table(request, asked, spans, window))


@require_safe
def collection_list(request: HttpRequest) -> HttpResponseBase:
    """How each collection went, source by source, with the cloud's own words; for operators."""
    if not access.is_operator(request.user):
        raise PermissionDenied("Collections are for operators.")
    runs = runs_list()
    if cloud := request.GET.get("cloud"):
        runs = runs.filter(cloud__slug=cloud)
    if request.GET.get("format") == "csv":
        return csv_response("collections", _RUN_HEADS, _run_lines(runs))
    page = Paginator(runs, ROWS).get_page(request.GET.get("page"))
    rows = [(run, moment(run.start), moment(run.end)) for run in page]
    return render(request, "reporting/collections.html", {"rows": rows, "page_obj": page})


# --- parts of these pages ---------------------------------------------------------------------------------------


def _asked(request: HttpRequest, totals: Totals, *, of_project: bool = False) -> Asked:
    known, now = coverage(), clock.now()
    institutions: Sequence[Institution] = ()
    if not of_project and access.sees_site_usage(request.user):
        institutions = list(Institution.objects.all())
    form = (SpanFilter if of_project else UsageFilter)(
        request.GET,
        months=known.months(now),
        now_month=Month.of(now),
        clouds=list(known.clouds.values()),
        institutions=institutions,
    )
    asked = Asked(form, known, now, totals)
    if asked.cloud is not None:
        totals = totals.filter(holder__cloud=asked.cloud)
    if form.wanted_institution:
        totals = totals.filter(holder__tenancy__project__institution__slug=form.wanted_institution)
    return Asked(form, known, now, totals)


def _common(asked: Asked, found: MonthUsage, title: str) -> dict[str, Any]:
    meter = meter_of(asked.key)
    return {
        "form": asked.form,
        "page_title": title,
        "month_title": _title(asked),
        "month_key": asked.month.key,
        "meter": meter,
        "daily": tables.daily(
            found,
            asked.known,
            asked.key,
            title=f"{meter.label} a day",
            now=asked.now,
            href=lambda day: asked.address("", day=day, month=asked.month.key) + "#spans",
        ),
        "until": asked.known.until([asked.cloud.pk] if asked.cloud else found.clouds() or None),
        "meter_until": tables.meter_until(found, asked.known, asked.key),
        "amount": found.amount(asked.key),
        "empty": _nothing(asked),
    }


def _title(asked: Asked) -> str:
    return tables.month_title(asked.month, asked.now)


def _nothing(asked: Asked) -> tables.Empty:
    """Why a page has no row: never looked, or nothing used."""
    if not asked.known.clouds:
        return tables.Empty("No cloud is connected", "Usage appears here an hour after an operator has connected one.")
    if asked.known.until() is None:
        return tables.Empty(
            "Not collected yet", "At least one cloud was never read whole, so this is unknown.", kind="none"
        )
    return tables.Empty(f"Nothing was used in {asked.month.label}", "Choose another month, cloud or measure above.")


def _sort(request: HttpRequest, asked: Asked) -> str:
    """The wanted order if the table has that column, else most of the measure first."""
    sort = request.GET.get("sort", "")
    return sort if sort.lstrip("-") in ("title", *tables.columns(asked.key)) else f"-{asked.key}"


def _group_href(asked: Asked) -> Callable[[GroupRow], str]:
    by, usage_page = asked.form.wanted_by, reverse("reporting:usage")

    def href(row: GroupRow) -> str:
        if row.id is None:
            return asked.address(reverse("reporting:span_list"), project=NO_PROJECT)
        if by == "project":
            return asked.address(reverse("reporting:project_usage", args=[row.slug]))
        return asked.address(usage_page, **{by: row.slug})

    return href


def _spans(asked: Asked, spans: QuerySet[Span]) -> tuple[QuerySet[Span], tuple[int, int]]:
    form = asked.form
    assert isinstance(form, SpanFilter)  # noqa: S101 - made so by `of_project`
    window = window_of(asked.month, form.wanted_day)
    spans = spans_between(spans, *window).filter(meter__key=asked.key)
    if asked.cloud is not None:
        spans = spans.filter(thing__cloud=asked.cloud)
    return (named(spans, form.wanted_thing) if form.wanted_thing else spans), window


def _span_table(request: HttpRequest, asked: Asked, spans: QuerySet[Span], window: tuple[int, int]) -> dict[str, Any]:
    form = asked.form
    assert isinstance(form, SpanFilter)  # noqa: S101 - made so by `of_project`
    page = Paginator(spans, ROWS).get_page(request.GET.get("page"))
    keep: dict[str, str | int] = {"day": form.wanted_day or "", "project": request.GET.get("project", "")}
    rows = tables.span_rows(
        list(page),
        *window,
        asked.known,
        href=lambda span: asked.address("", thing=span.thing.native_id, **keep) + "#spans",
    )
    when = f"{form.wanted_day} {asked.month.label}" if form.wanted_day else _title(asked)
    narrowed = form.wanted_thing or form.wanted_day
    return {
        "spans": rows,
        "spans_title": f"{meter_of(asked.key).label}, spans of {when}",
        "origins": form.wanted_thing != "" and len({row.span.thing_id for row in rows}) == 1,
        "close_href": asked.address("", project=str(keep["project"])) or "?" if narrowed else "",
        "page_obj": page,
        "spans_empty": tables.Empty("No span here", "Nothing of this kind was seen in this time.")
        if asked.known.until() is not None
        else _nothing(asked),
    }


# --- files ------------------------------------------------------------------------------------------------------


def _groups_file(asked: Asked, sort: str) -> HttpResponseBase:
    by = asked.form.wanted_by
    keys = list(
        in_month(asked.totals, asked.month).order_by("meter__key").values_list("meter__key", flat=True).distinct()
    )
    heads = [by, "short name", *(f"{meter_of(key).label}, {meter_of(key).time_unit.symbol}" for key in keys)]

    def lines() -> Iterator[Sequence[object]]:
        found = list(groups(asked.totals, asked.month, by, sort=sort))
        for first in range(0, len(found), BATCH):
            for row in group_rows(asked.totals, asked.month, by, found[first : first + BATCH], today=asked.now.date()):
                yield [row.title, row.slug, *(row.amount(key).hours for key in keys)]

    return csv_response(f"usage-by-{by}-{asked.month.key}", heads, lines())


_SPAN_HEADS = (
    "project", "cloud", "kind", "thing", "name", "detail", "resource", "state", "from", "to", "quantity", "unit",
    "quantity x seconds in this time", "known", "reason", "source", "observed at",
)  # fmt: skip


def _spans_file(name: str, spans: QuerySet[Span], window: tuple[int, int]) -> HttpResponseBase:
    def lines() -> Iterator[Sequence[object]]:
        for span in spans.iterator(chunk_size=2000):
            tenancy, amount = span.thing.holder.tenancy, span_amount(span, *window)
            project = tenancy.project.slug if tenancy and tenancy.project else ""
            yield [
                project, span.thing.cloud.slug, span.thing.kind, span.thing.native_id, span.thing.name,
                span.thing.detail, span.meter.key, span.state, moment(span.start).isoformat(),
                moment(span.end).isoformat(), amount.hours, amount.unit, amount.whole, span.accuracy, span.reason,
                span.delivery.source, span.delivery.observed_at.isoformat(),
            ]  # fmt: skip

    return csv_response(name, _SPAN_HEADS, lines())


_RUN_HEADS = ("cloud", "from", "to", "started", "finished", "state", "source", "complete", "things", "spans", "error")


def _run_lines(runs: QuerySet[CollectionRun]) -> Iterator[Sequence[object]]:
    for run in runs.iterator(chunk_size=500):
        head = [run.cloud.slug, moment(run.start).isoformat(), moment(run.end).isoformat(), run.started_at.isoformat()]
        done = run.finished_at.isoformat() if run.finished_at else None
        for source in run.sources.all():
            tail = [source.source, source.complete, source.things, source.spans, source.error]
            yield [*head, done, run.state, *tail]
