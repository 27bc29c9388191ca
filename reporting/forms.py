"""Filters of usage pages: GET forms, so that the address is the state. What cannot be used is left out."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from django import forms

from quotas.catalog import METERS
from reporting.months import Month
from tenancy.models import Cloud, Institution

DEFAULT_METER = "compute.vcpu"
BY = (("project", "projects"), ("institution", "institutions"), ("cloud", "clouds"))


class MonthFilter(forms.Form):
    """A month that was collected, or this one."""

    month = forms.ChoiceField(label="Month", required=False)

    def __init__(self, data: Any, *, months: Sequence[Month], now_month: Month) -> None:
        super().__init__(data)
        self.now_month = now_month
        self.offer("month", [(each.key, _month_label(each, now_month)) for each in months])

    def offer(self, name: str, choices: list[tuple[str, str]]) -> None:
        field = self.fields[name]
        assert isinstance(field, forms.ChoiceField)  # noqa: S101 - tells the type checker what is written above
        field.choices = choices

    def wanted(self, name: str) -> str:
        """The chosen value; empty if nothing that can be used was chosen."""
        self.is_valid()
        return str(self.cleaned_data.get(name) or "")

    @property
    def wanted_month(self) -> Month:
        key = self.wanted("month")
        return Month.parse(key) if key else self.now_month


class UsageFilter(MonthFilter):
    """Month, rows, measure and cloud; institutions only where there are some to choose from."""

    by = forms.ChoiceField(label="Rows are", choices=BY, required=False)
    meter = forms.ChoiceField(label="Measure", required=False)
    cloud = forms.ChoiceField(label="Cloud", required=False)
    institution = forms.ChoiceField(label="Institution", required=False)

    def __init__(
        self, data: Any, *, clouds: Sequence[Cloud], institutions: Sequence[Institution] = (), **options: Any
    ) -> None:
        super().__init__(data, **options)
        self.offer("meter", [(each.key, f"{each.label}, {each.time_unit.symbol}") for each in METERS.values()])
        self.offer("cloud", [("", f"all {len(clouds)}"), *((each.slug, each.title) for each in clouds)])
        self.offer("institution", [("", f"all {len(institutions)}"), *((i.slug, i.name) for i in institutions)])
        if not institutions:
            del self.fields["institution"]

    @property
    def wanted_by(self) -> str:
        return self.wanted("by") or "project"

    @property
    def wanted_meter(self) -> str:
        return self.wanted("meter") or DEFAULT_METER

    @property
    def wanted_cloud(self) -> str:
        return self.wanted("cloud")

    @property
    def wanted_institution(self) -> str:
        return self.wanted("institution")


class SpanFilter(UsageFilter):
    """For one project: also the name of a thing, and a day of the month."""

    thing = forms.CharField(label="Thing", required=False, max_length=255)
    day = forms.IntegerField(label="Day", required=False, min_value=1, max_value=31)
    project = forms.CharField(required=False, max_length=50, widget=forms.HiddenInput)

    def __init__(self, data: Any, **options: Any) -> None:
        super().__init__(data, **options)
        del self.fields["by"]

    @property
    def wanted_thing(self) -> str:
        return self.wanted("thing")

    @property
    def wanted_day(self) -> int | None:
        day = self.wanted("day")
        return int(day) if day else None


def _month_label(month: Month, now: Month) -> str:
    return f"{month.key}, so far" if month == now else month.key
