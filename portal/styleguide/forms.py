"""Forms of the samples; what they are sent goes nowhere."""

from __future__ import annotations

import datetime as dt

from django import forms


class ProjectForm(forms.Form):
    """A form that comes back with two errors."""

    title = forms.CharField(label="Name", help_text="Becomes the name on the clouds.")
    ends_on = forms.DateField(label="Ends on", widget=forms.DateInput(attrs={"type": "date"}))
    purpose = forms.CharField(
        required=False,
        widget=forms.Textarea(attrs={"rows": 2}),
        help_text="One or two sentences; reviewers and members read them.",
    )
    terms = forms.BooleanField(label="I have read the terms of use", required=False)

    def clean_title(self) -> str:
        raise forms.ValidationError("A project of Physics has this name. Choose another one.")

    def clean_ends_on(self) -> dt.date:
        raise forms.ValidationError("At most 24 months: until 2028-11-20.")


class FilterForm(forms.Form):
    """Filters of a list."""

    q = forms.CharField(label="Project or person", required=False, widget=forms.TextInput(attrs={"type": "search"}))
    cloud = forms.ChoiceField(label="Cloud", required=False, choices=[("", "all 3"), ("north", "north")])
    kind = forms.ChoiceField(
        label="Kind", required=False, choices=[("", "all"), ("new", "new project"), ("more", "more")]
    )


class AmountForm(forms.Form):
    """Amounts of two resources."""

    vcpu = forms.DecimalField(widget=forms.TextInput(attrs={"inputmode": "numeric"}))
    memory = forms.DecimalField(widget=forms.TextInput(attrs={"inputmode": "numeric"}))


class DecisionForm(AmountForm):
    """What a reviewer answers."""

    until = forms.DateField(label="Valid until", widget=forms.DateInput(attrs={"type": "date"}))
    note = forms.CharField(label="Note to the owner", required=False, widget=forms.Textarea(attrs={"rows": 2}))
