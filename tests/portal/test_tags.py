"""The tags of `{% load tenantry %}` as text."""

import datetime as dt
from dataclasses import dataclass
from typing import Any

import pytest
from django import forms
from django.template import Context, Template
from django.test import RequestFactory

from config import clock
from portal.states import ICONS, KINDS, Badge

NOW = dt.datetime(2026, 11, 20, 9, 42, tzinfo=dt.UTC)
XSS = "<script>alert(1)</script>"


@dataclass(frozen=True)
class Unit:
    symbol: str = "vCPU"
    base: int = 1000


@pytest.fixture(autouse=True)
def _stand_still() -> None:
    clock.set_source(lambda: NOW)


def show(source: str, query: str = "", **context: Any) -> str:
    request = RequestFactory().get(f"/somewhere/?{query}")
    return Template("{% load tenantry %}" + source).render(Context({"request": request, "unit": Unit(), **context}))


def test_a_state_is_shape_word_and_colour() -> None:
    shown = show('{% state "needs-you" "needs you" %}')
    assert 'class="st st-warn"' in shown
    assert "#i-warn" in shown
    assert shown.endswith("needs you</span>")


@pytest.mark.parametrize("value", [None, "a-state-nobody-listed"])
def test_a_state_that_is_not_known_is_grey(value: str | None) -> None:
    assert "st-none" in show("{% state value %}", value=value)


def test_every_kind_of_state_has_an_icon() -> None:
    assert set(KINDS.values()) <= set(ICONS)


def test_what_does_not_exist_is_a_dash_that_can_be_heard() -> None:
    assert "not there" in show("{{ each|badge }}", each=None)


def test_a_number_leads_to_its_rows_and_says_its_age() -> None:
    shown = show('{% number 1204 "/rows/" read_at %}', read_at=NOW - dt.timedelta(minutes=6))
    assert '<a class="n" href="/rows/">1,204</a>' in shown
    assert '<time datetime="2026-11-20T09:36:00+00:00" title="2026-11-20 09:36:00 UTC">6 minutes ago</time>' in shown


def test_an_unknown_number_is_a_word_without_a_link() -> None:
    assert show('{% number None "/rows/" %}') == '<span class="muted">unknown</span>'


def test_a_meter_says_number_share_and_more_than_colour() -> None:
    shown = show("{% meter 61000 64000 unit %}")
    assert "61 " in shown
    assert "of 64 vCPU" in shown
    assert "95%" in shown
    assert "near the limit" in shown


def test_a_meter_without_a_reading_has_no_share() -> None:
    shown = show("{% meter None 4000 unit %}")
    assert "unknown" in shown
    assert "%" not in shown
    assert "meter none" in shown


def test_a_meter_without_a_limit_says_so() -> None:
    assert "vCPU, no limit" in show("{% meter 12000 -1 unit %}")


@pytest.mark.parametrize(
    "source",
    [
        '{% mark "ok" text %}',
        "{{ badge|badge }}",
        "{% number text text %}",
        '{% state "ok" text %}',
        '{% sort_head "name" text text %}',
        "{% csv_link text %}",
    ],
)
def test_text_is_escaped(source: str) -> None:
    shown = show(source, text=XSS, badge=Badge("ok", XSS))
    assert "<script>" not in shown
    assert "&lt;script&gt;" in shown


def test_a_head_sorts_turns_round_and_forgets_the_page() -> None:
    assert 'href="?cloud=north&amp;sort=name"' in show('{% sort_head "name" "Name" %}', "cloud=north&page=3")
    turned = show('{% sort_head "name" "Name" %}', "sort=name")
    assert 'aria-sort="ascending"' in turned
    assert 'href="?sort=-name"' in turned


def test_the_file_has_the_filters_and_the_order_of_the_page() -> None:
    assert 'href="?q=kelp&amp;sort=-name&amp;format=csv"' in show("{% csv_link %}", "q=kelp&sort=-name&page=2")


class Form(forms.Form):
    title = forms.CharField(help_text="Short.")
    note = forms.CharField(required=False)
    agreed = forms.BooleanField()


def test_a_wrong_field_is_joined_to_its_error_and_help() -> None:
    form = Form({"title": "", "agreed": "on"})
    shown = show("{% field form.title %}", form=form)
    assert 'for="id_title"' in shown
    assert 'aria-invalid="true"' in shown
    assert 'aria-describedby="id_title_helptext id_title_error"' in shown
    assert 'id="id_title_error"' in shown
    assert 'id="id_title_helptext"' in shown


def test_a_field_that_may_be_empty_says_so() -> None:
    assert "if any" in show("{% field form.note %}", form=Form())
    assert "if any" not in show("{% field form.title %}", form=Form())


def test_a_form_that_came_back_names_its_wrong_fields() -> None:
    shown = show('{% include "parts/form_error.html" %}', form=Form({}))
    assert "2 fields need a change." in shown
    assert '<a href="#id_title">Title</a>' in shown
    assert show('{% include "parts/form_error.html" %}', form=Form()).strip() == ""
