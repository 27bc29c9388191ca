"""The parts of a page that are smaller than a template: badges, numbers, meters, ages, form fields, table heads.

Everything here escapes what it is given; wording and drawing are in `portal.wording` and `portal.drawing`.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from decimal import Decimal
from typing import Any

from django import template
from django.forms import BaseForm, BoundField, CheckboxInput, RadioSelect, Select
from django.http import HttpRequest, QueryDict
from django.utils.html import format_html
from django.utils.safestring import SafeString

from config import clock
from portal import drawing, navigation, states, wording
from portal.drawing import Chart, Share
from portal.parts import StepRow
from portal.states import ICONS, Badge
from portal.wording import Unit
from tenancy.selectors import site_switch

register = template.Library()

_NOTHING = SafeString("")
_NOT_THERE = SafeString(
    '<span class="muted"><span aria-hidden="true">\N{EN DASH}</span>'
    '<span class="visually-hidden">not there</span></span>'
)
_ARROWS = {
    "ascending": SafeString(' <span aria-hidden="true">↑</span>'),
    "descending": SafeString(' <span aria-hidden="true">↓</span>'),
}


# icons and states


@register.simple_tag
def icon(name: str) -> SafeString:
    """A symbol of parts/sprite.html, for the eye only: the word stands beside it."""
    return format_html('<svg class="ico" aria-hidden="true"><use href="#i-{}"/></svg>', name)


@register.simple_tag
def icon_of(kind: str) -> SafeString:
    """The icon of a kind of state (ok, work, wait, warn, over, none, off, draft, info)."""
    return icon(ICONS[kind])


@register.simple_tag
def mark(kind: str, text: str) -> SafeString:
    """A badge of a kind chosen by the page: `{% mark "warn" "ends in 12 days" %}`."""
    return format_html('<span class="st st-{}">{}{}</span>', kind, icon(ICONS[kind]), text)


@register.simple_tag
def state(value: str | None, label: str = "") -> SafeString:
    """The badge of a TextChoices value: `{% state step.state step.get_state_display %}`."""
    each = states.badge(value, label)
    return mark(each.kind, each.text)


@register.filter
def badge(value: Badge | None) -> SafeString:
    """A ready Badge; None (it does not exist there) is a dash."""
    if value is None:
        return _NOT_THERE
    return mark(value.kind, value.text)


@register.filter
def all_done(steps: Sequence[StepRow]) -> bool:
    """Nothing left to do and nothing wrong: such steps need no attention."""
    return all(step.kind in ("ok", "off") for step in steps)


# numbers


@register.filter
def figure(value: Decimal | int | float | None) -> str:
    """1,204 or 2.5; None is "unknown"."""
    return wording.figure(value)


@register.filter
def amount(value: int | None, unit: Unit) -> str:
    """Base units said in `unit`, without its symbol: `{{ grant.amount|amount:resource.unit }}`."""
    return wording.amount(value, unit)


@register.filter
def money(value: Decimal | None) -> str:
    """€1,204.50; None is "unknown"."""
    return wording.money(value)


@register.simple_tag
def number(value: str | Decimal | int | float | None, href: str = "", read_at: dt.datetime | None = None) -> SafeString:
    """A number that leads to its rows, with the age of what it says when that differs from the panel's."""
    text = value if isinstance(value, str) else wording.figure(value)
    if value is None:
        body = format_html('<span class="muted">{}</span>', text)
    elif href:
        body = format_html('<a class="n" href="{}">{}</a>', href, text)
    else:
        body = format_html("{}", text)
    return body if read_at is None else format_html('{} <span class="age">{}</span>', body, age(read_at))


@register.simple_tag
def meter(used: int | None, limit: int | None, unit: Unit, href: str = "", symbol: bool = True) -> SafeString:
    """Use against a limit, both in base units: the numbers, the share in per cent and the bar.

    `symbol=False` where a column's head already says the unit.
    """
    tail = f" {unit.symbol}" if symbol and unit.symbol else ""
    if limit == wording.NO_LIMIT:
        limit_text = f"{tail.strip()}, no limit".lstrip(", ")
    else:
        limit_text = f"of {wording.amount(limit, unit)}{tail}"
    left = number(None if used is None else wording.amount(used, unit), href)
    return format_html(
        '<div><div class="mtr"><span>{} <span class="muted">{}</span></span>{}</div>{}</div>',
        left,
        limit_text,
        _share(used, limit),
        drawing.meter(used, limit),
    )


def _share(used: int | None, limit: int | None) -> SafeString:
    """Per cent of the limit, strong and with a word from 90 %; nothing where a share makes no sense."""
    if used is None or limit is None or limit <= 0:
        return _NOTHING
    level = drawing.level(used, limit)
    said = {"over": "over the limit", "near": "near the limit"}.get(level)
    word = format_html(' <span class="visually-hidden">{}</span>', said) if said else ""
    percent = wording.figure(Decimal(used) * 100 / limit, places=0)
    return format_html('<span class="{}">{}%{}</span>', "strong" if said else "muted", percent, word)


@register.simple_tag
def used_of(used: int | None, limit: int | None, unit: Unit, href: str = "") -> SafeString:
    """Use of a limit ("97 of 128") without a bar, for a cell whose row has one; over the limit it says by how much."""
    text = number(None if used is None else wording.amount(used, unit), href)
    body = format_html('{} <span class="muted">of {}</span>', text, wording.amount(limit, unit))
    if used is None or limit is None or drawing.level(used, limit) != "over":
        return body
    return format_html("{}<br>{}", body, mark("over", f"over by {wording.amount(used - limit, unit)}"))


@register.simple_tag
def amount_link(value: int | None, unit: Unit, href: str = "") -> SafeString:
    """An amount in base units as a number that leads to its rows."""
    return number(None if value is None else wording.amount(value, unit), href)


@register.filter
def nth(items: Sequence[Any], position: int) -> Any:
    """The item at a position 0.., for two lists that belong together; raises IndexError past the end."""
    return items[position]


# drawings


@register.simple_tag
def division(promise: int, shares: Sequence[Share]) -> SafeString:
    """The bar of a promise and its division over clouds."""
    return drawing.division(promise, shares)


@register.simple_tag
def capacity(colour: int, used: int | None, promised: int, total: int) -> SafeString:
    """The bar of used, promised and total."""
    return drawing.capacity(colour, used, promised, total)


@register.simple_tag
def spark(values: Sequence[Decimal | int], label: str) -> SafeString:
    """A trend line; `label` says it in words."""
    return drawing.spark(values, label)


@register.simple_tag
def bars(chart: Chart) -> SafeString:
    """Stacked bars; their table belongs beside them (parts/usage_chart.html does both)."""
    return drawing.bars(chart)


@register.simple_tag
def key(colour: int) -> SafeString:
    """The colour of a cloud (Cloud.color), beside its name."""
    return format_html('<span class="key c{}"></span>', drawing.colour_number(colour))


# times


def _time(value: dt.datetime | None, text: str) -> SafeString:
    if value is None:
        return format_html('<span class="muted">{}</span>', text)
    exact = value.astimezone(dt.UTC)
    return format_html(
        '<time datetime="{}" title="{}">{}</time>',
        exact.isoformat(timespec="seconds"),
        f"{exact:%Y-%m-%d %H:%M:%S} UTC",
        text,
    )


@register.filter
def age(value: dt.datetime | None) -> SafeString:
    """How long ago ("6 minutes ago", "in 12 days"), the exact moment in its title; None is "unknown"."""
    return _time(value, wording.age(value, now=clock.now()))


@register.filter
def moment(value: dt.datetime | None) -> SafeString:
    """A moment: "09:36" today, "18 Nov 11:03" before; None is "unknown"."""
    return _time(value, wording.moment(value, now=clock.now()))


@register.filter
def waited(since: dt.datetime) -> SafeString:
    """How long something has waited: "3 days"."""
    return _time(since, wording.span(clock.now() - since))


@register.filter
def day(value: dt.date | None) -> str:
    """A calendar day: "2 Dec 2026"; None is "unknown"."""
    return wording.day(value)


@register.filter
def lasting(value: dt.timedelta) -> str:
    """A length of time in words: "3 hours"."""
    return wording.span(value)


# forms


@register.inclusion_tag("parts/field.html")
def field(bound: BoundField, classes: str = "", label: str = "") -> dict[str, Any]:
    """A form field with its label, help and errors, joined for a screen reader: `{% field form.title %}`."""
    return {
        "field": bound,
        "control": control(bound, classes),
        "label": label or bound.label,
        "is_choice": _is_choice(bound),
    }


@register.simple_tag
def control(bound: BoundField, classes: str = "", label: str = "") -> SafeString:
    """Only the input of a field, for a table cell; `label` names it where no <label> does."""
    widget = bound.field.widget
    if isinstance(widget, CheckboxInput | RadioSelect):
        base = "form-check-input"
    else:
        base = "form-select" if isinstance(widget, Select) else "form-control"
    wrong = "is-invalid" if bound.errors else ""
    attrs: dict[str, str | bool] = {
        "class": " ".join(filter(None, (base, classes, wrong, widget.attrs.get("class", ""))))
    }
    if label:
        attrs["aria-label"] = label
    return bound.as_widget(attrs=attrs)


@register.filter
def wrong_fields(form: BaseForm) -> list[BoundField]:
    """The fields of a form that came back with errors, in the order of the page."""
    return [bound for bound in form if bound.errors]


def _is_choice(bound: BoundField) -> bool:
    return isinstance(bound.field.widget, CheckboxInput)


# the bar at the top


@register.inclusion_tag("parts/topbar.html", takes_context=True)
def topbar(context: template.Context) -> dict[str, Any]:
    """The bar with what this person may open; a page without a request (500) has the brand only."""
    request: HttpRequest | None = context.get("request")
    person = getattr(request, "user", None)
    bar: dict[str, Any] = {
        "site_name": context.get("site_name"),
        "person": person,
        "csrf_token": context.get("csrf_token"),
    }
    if request is not None and person is not None:
        bar |= navigation.bar(request)
    return bar


@register.inclusion_tag("parts/site_notice.html", takes_context=True)
def site_notice(context: template.Context) -> dict[str, Any]:
    """That all writes are paused, on every page of who is signed in: one query. A page of an error has none."""
    person = getattr(context.get("request"), "user", None)
    return {"switch": site_switch() if person is not None and person.is_authenticated else None}


# tables


def _query(context: template.Context) -> QueryDict:
    request: HttpRequest | None = context.get("request")
    return request.GET.copy() if request is not None else QueryDict(mutable=True)


@register.simple_tag(takes_context=True)
def sort_head(context: template.Context, name: str, title: str, classes: str = "") -> SafeString:
    """A <th> that sorts by `name` (?sort=name, ?sort=-name): `{% sort_head "title" "Project" %}`."""
    query = _query(context)
    direction = {name: "ascending", f"-{name}": "descending"}.get(query.get("sort", ""))
    query["sort"] = f"-{name}" if direction == "ascending" else name
    query.pop("page", None)
    return format_html(
        '<th scope="col" class="{}"{}><a class="sort" href="?{}">{}{}</a></th>',
        classes,
        format_html(' aria-sort="{}"', direction) if direction else "",
        query.urlencode(),
        title,
        _ARROWS[direction] if direction else "",
    )


@register.simple_tag(takes_context=True)
def csv_link(context: template.Context, title: str = "CSV") -> SafeString:
    """The same rows, filters and order as a file (?format=csv)."""
    query = _query(context)
    query["format"] = "csv"
    query.pop("page", None)
    return format_html('<a class="chip" href="?{}">{}</a>', query.urlencode(), title)
