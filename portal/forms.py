"""What a person filters the pages of the portal by."""

from __future__ import annotations

from typing import Any

from django import forms

from portal.selectors.projects import institutions_of
from tenancy import access
from tenancy.models import Project


class ProjectFilter(forms.Form):
    """Filters of the list of projects; a value that nobody offers is left out, never an error page."""

    q = forms.CharField(label="Title", required=False, max_length=100, widget=forms.TextInput(attrs={"type": "search"}))
    state = forms.ChoiceField(label="State", required=False, choices=[("", "any"), *Project.State.choices])
    institution = forms.ChoiceField(label="Institution", required=False)
    sort = forms.CharField(required=False, widget=forms.HiddenInput)

    def __init__(self, who: access.Who, data: Any) -> None:
        super().__init__(data)
        houses = [(str(pk), name) for pk, name in institutions_of(who).values_list("pk", "name")]
        self.fields["institution"] = forms.ChoiceField(
            label="Institution", required=False, choices=[("", "any"), *houses]
        )

    def chosen(self) -> dict[str, str]:
        """The filters in force, as `projects_found` takes them."""
        self.is_valid()
        return {
            "words": self.cleaned_data.get("q", ""),
            "state": self.cleaned_data.get("state", ""),
            "institution": self.cleaned_data.get("institution", ""),
            "sort": self.cleaned_data.get("sort", ""),
        }


class SearchForm(forms.Form):
    """One field for everything that has a name or an id."""

    q = forms.CharField(
        label="Name or id", required=False, max_length=200, widget=forms.TextInput(attrs={"type": "search"})
    )
