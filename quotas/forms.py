"""Fields and forms of amounts, grants and divisions."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any
from uuid import UUID

from django import forms

from quotas.catalog import RESOURCES, AmountError, Resource, amount_format, amount_parse
from quotas.selectors import today
from tenancy.errors import RuleError
from tenancy.models import Tenancy


def day_field(**options: Any) -> forms.DateField:
    """A calendar day, written and read as 2026-11-20."""
    widget = forms.DateInput(format="%Y-%m-%d", attrs={"type": "date"})
    return forms.DateField(widget=widget, input_formats=["%Y-%m-%d"], **options)


def refused(form: forms.BaseForm, error: RuleError) -> None:
    """Show a refusal at the field it is about, or above the form, with the way on."""
    field = error.field if error.field in form.fields else None
    form.add_error(field, " ".join(filter(None, (error.message, error.remedy))))


class AmountField(forms.CharField):
    """An amount of one resource as people write it; cleans to base units, or None if nothing is written.

    `present` is the amount there is already: written unchanged it is accepted whatever it is, so that what was adopted
    ("no limit", an odd number of MiB) does not block a form.
    """

    def __init__(
        self, *, resource: Resource, present: int | None = None, unlimited: bool = False, **options: Any
    ) -> None:
        self.resource = resource
        self.present = present
        self.unlimited = unlimited
        options.setdefault("label", resource.label)
        options.setdefault("required", False)
        options.setdefault("max_length", 40)
        super().__init__(widget=forms.TextInput(attrs={"inputmode": "decimal", "autocomplete": "off"}), **options)

    def clean(self, value: Any) -> Any:
        text = super().clean(value)
        if not text:
            return None
        if self.present is not None and text == amount_format(self.resource, self.present):
            return self.present
        try:
            return amount_parse(self.resource, text, unlimited=self.unlimited)
        except AmountError as error:
            raise forms.ValidationError(f"{error.message} {error.remedy}") from error


class GrantForm(forms.Form):
    """An operator gives a grant. `amount` is written in the unit of the resource, or as "no limit"."""

    resource = forms.ChoiceField(choices=[(each.key, each.full_label) for each in RESOURCES.values()])
    amount = forms.CharField(
        max_length=40, widget=forms.TextInput(attrs={"inputmode": "decimal", "autocomplete": "off"})
    )
    starts_on = day_field(label="From")
    ends_on = day_field(label="Last day", required=False)
    why = forms.CharField(label="What for", max_length=500)

    def clean(self) -> dict[str, Any]:
        cleaned = super().clean() or {}
        if "resource" in cleaned and "amount" in cleaned:
            try:
                cleaned["amount"] = amount_parse(RESOURCES[cleaned["resource"]], cleaned["amount"], unlimited=True)
            except AmountError as error:
                self.add_error("amount", f"{error.message} {error.remedy}")
        return cleaned

    @staticmethod
    def fresh() -> GrantForm:
        return GrantForm(initial={"starts_on": today()})


class GrantFilterForm(forms.Form):
    """Which grants of a project are listed."""

    resource = forms.ChoiceField(
        choices=[("", "all"), *((each.key, each.label) for each in RESOURCES.values())], required=False
    )
    state = forms.ChoiceField(choices=[("", "current"), ("all", "all, past too")], required=False)


class DivisionForm(forms.Form):
    """An owner divides the promise of one resource over the tenancies that can have it."""

    def __init__(self, *args: Any, resource: Resource, tenancies: Sequence[Tenancy], **options: Any) -> None:
        super().__init__(*args, **options)
        self.resource = resource
        self.tenancies = tenancies
        for tenancy in tenancies:
            self.fields[_share_name(tenancy)] = AmountField(
                resource=resource, label=str(tenancy.cloud), required=True, unlimited=True
            )

    def shares(self) -> dict[UUID, int]:
        """Only after `is_valid`."""
        return {tenancy.pk: self.cleaned_data[_share_name(tenancy)] for tenancy in self.tenancies}

    @staticmethod
    def initial_of(
        resource: Resource, tenancies: Sequence[Tenancy], limits: dict[tuple[UUID, str], int]
    ) -> dict[str, str]:
        return {
            _share_name(tenancy): amount_format(resource, limits.get((tenancy.pk, resource.key), 0))
            for tenancy in tenancies
        }


def _share_name(tenancy: Tenancy) -> str:
    return f"share-{tenancy.cloud.slug}"
