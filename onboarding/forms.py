"""Forms of requests: a new project, more for one, a longer life, the decision, and the filters of the queue."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, cast
from uuid import UUID

from django import forms

from onboarding.bundles import Bundle
from onboarding.models import Request, RequestLine
from onboarding.rules import TITLE_MOST, last_day, line_field
from onboarding.selectors import Asked, filter_options
from quotas.catalog import amount_format
from quotas.forms import AmountField, day_field
from quotas.selectors import today
from tenancy.models import Cloud, Institution, Person, Project


@dataclass(frozen=True)
class LineRow:
    """A line of the form: its bound field, and what there is without asking."""

    asked: Asked
    field: forms.BoundField


@dataclass(frozen=True)
class CloudGroup:
    """The lines of one cloud, the ones most people change apart from those whose default is mostly enough.

    `box` is the value with which the cloud is chosen; `held` tells that the project is there already.
    """

    cloud: Cloud
    chosen: bool
    held: bool
    main: Sequence[LineRow]
    rest: Sequence[LineRow]

    @property
    def rest_open(self) -> bool:
        return any(row.field.errors for row in self.rest)


class LinesForm(forms.Form):
    """What new projects and requests for more share: clouds, and a line for every resource of each."""

    description = forms.CharField(
        label="What it is for, in one or two sentences", max_length=4000, widget=forms.Textarea(attrs={"rows": 3})
    )

    def __init__(self, *args: Any, offered: Sequence[Asked], held: Iterable[Cloud] = (), **options: Any) -> None:
        super().__init__(*args, **options)
        self.offered = offered
        self.held = {cloud.pk for cloud in held}
        self.choosable = list(dict.fromkeys(each.cloud for each in offered))
        self.fields["clouds"] = forms.MultipleChoiceField(
            choices=[(cloud.slug, str(cloud)) for cloud in self.choosable], required=False
        )
        for each in offered:
            self.fields[line_field(each.cloud, each.resource.key)] = AmountField(
                resource=each.resource, present=each.floor, initial=amount_format(each.resource, each.floor)
            )

    def chosen(self) -> list[Cloud]:
        """Clouds the project is on, and those that are ticked; the only one there is needs no tick."""
        ticked = set(self["clouds"].value() or [])
        only = len(self.choosable) == 1
        return [cloud for cloud in self.choosable if only or cloud.pk in self.held or cloud.slug in ticked]

    def clean(self) -> dict[str, Any]:
        cleaned = super().clean() or {}
        chosen = set(self.chosen())
        for each in self.offered:
            name = line_field(each.cloud, each.resource.key)
            amount = cleaned.get(name)
            if each.cloud not in chosen and amount is not None and amount != each.floor:
                self.add_error("clouds", f"There is an amount for {each.cloud}: choose the cloud as well, or clear it.")
                break
        return cleaned

    def lines(self) -> dict[tuple[UUID, str], int]:
        """Amounts in base units that are written, can be read and differ from what there is, on the chosen clouds."""
        chosen = set(self.chosen())
        found = {}
        for each in self.offered:
            amount = self._amount(each) if each.cloud in chosen else None
            if amount is not None and amount != each.floor:
                found[each.cloud.pk, each.resource.key] = amount
        return found

    def _amount(self, each: Asked) -> int | None:
        """Also of a form that was not sent yet, whose lines a bundle filled."""
        name = line_field(each.cloud, each.resource.key)
        field = self.fields[name]
        try:
            return cast("int | None", field.clean(self[name].value()))
        except forms.ValidationError:
            return None

    def groups(self) -> list[CloudGroup]:
        chosen = set(self.chosen())
        groups = []
        for cloud in self.choosable:
            rows = [
                LineRow(each, self[line_field(cloud, each.resource.key)])
                for each in self.offered
                if each.cloud == cloud
            ]
            main = [row for row in rows if row.asked.resource.billable]
            rest = [row for row in rows if not row.asked.resource.billable]
            groups.append(CloudGroup(cloud, cloud in chosen, cloud.pk in self.held, main, rest))
        return groups


class NewProjectForm(LinesForm):
    title = forms.CharField(max_length=TITLE_MOST)
    purpose = forms.ChoiceField(choices=Request.Purpose)
    institution = forms.ModelChoiceField(Institution.objects.all(), required=False, empty_label="none")
    starts_on = day_field(label="Starts on")
    ends_on = day_field(label="Last day")

    field_order = ("title", "purpose", "institution", "starts_on", "ends_on", "description")

    @staticmethod
    def initial_for(person: Person) -> dict[str, Any]:
        day = today()
        return {
            "institution": person.institution_id,
            "starts_on": day,
            "ends_on": min(day + dt.timedelta(days=365), last_day()),
            "purpose": Request.Purpose.RESEARCH,
        }


class MoreForm(LinesForm):
    ends_on = day_field(label="Needed until", required=False, help_text="Empty: as long as the project")


class RenewalForm(forms.Form):
    ends_on = day_field(label="New last day")
    description = forms.CharField(label="Why it goes on", max_length=4000, widget=forms.Textarea(attrs={"rows": 3}))

    @staticmethod
    def initial_for(project: Project) -> dict[str, Any]:
        start = max(project.ends_on or today(), today())
        return {"ends_on": min(start + dt.timedelta(days=365), last_day())}


def bundle_fill(
    written: Mapping[str, Any], bundle: Bundle, clouds: Sequence[Cloud], offered: Sequence[Asked]
) -> dict[str, Any]:
    """What was written, with the amounts of a bundle on these clouds; never less than there is."""
    filled = dict(written) | {"clouds": [cloud.slug for cloud in clouds]}
    for each in offered:
        if each.cloud in clouds:
            amount = max(bundle.amounts.get(each.resource.key, each.floor), each.floor)
            filled[line_field(each.cloud, each.resource.key)] = amount_format(each.resource, amount)
    return filled


class DecisionForm(forms.Form):
    """The amounts to grant, one field a line, and the words to the asker."""

    reason = forms.CharField(
        label="Note to who asked", max_length=2000, required=False, widget=forms.Textarea(attrs={"rows": 3})
    )

    def __init__(self, *args: Any, lines: Sequence[RequestLine], **options: Any) -> None:
        super().__init__(*args, **options)
        self.lines = lines
        for line in lines:
            self.fields[grant_field(line)] = AmountField(
                resource=line.catalog, initial=amount_format(line.catalog, line.amount), required=True
            )

    def granted(self) -> dict[int, int]:
        """Line id -> base units; only after `is_valid`."""
        return {line.pk: self.cleaned_data[grant_field(line)] for line in self.lines}


def grant_field(line: RequestLine) -> str:
    return line_field(line.cloud, line.resource)


class QueueFilterForm(forms.Form):
    """The filters of the queue; their values are the address of the page."""

    q = forms.CharField(label="Project or person", required=False, widget=forms.TextInput(attrs={"type": "search"}))
    cloud = forms.ChoiceField(required=False)
    institution = forms.ChoiceField(required=False)
    kind = forms.ChoiceField(choices=[("", "all"), *Request.Kind.choices], required=False)
    view = forms.CharField(required=False, widget=forms.HiddenInput)
    sort = forms.CharField(required=False, widget=forms.HiddenInput)

    def __init__(self, *args: Any, **options: Any) -> None:
        super().__init__(*args, **options)
        for name, choices in filter_options().items():
            self.fields[name] = forms.ChoiceField(choices=[("", "all"), *choices], required=False)
