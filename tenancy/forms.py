"""What people write on these pages. Rules are in services; a form only reads the words into values."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from django import forms

from connectors import registry
from connectors.types import Role
from events.verbs import Verb
from tenancy.models import Cloud, Membership, Person, Step
from tenancy.services.clouds import Accounts, Connection

SEARCH = forms.TextInput(attrs={"type": "search"})
REASON = forms.Textarea(attrs={"rows": 2})


class SecretText(forms.Textarea):
    """Text with a secret in it: it goes to the server and never comes back into a page."""

    def format_value(self, value: Any) -> str:
        return ""


class SettingsForm(forms.Form):
    """The pasted settings of a cloud."""

    text = forms.CharField(
        label="Settings",
        strip=False,
        widget=SecretText(attrs={"rows": 10, "class": "mono", "spellcheck": "false", "autocomplete": "off"}),
        help_text="For OpenStack the text of a clouds.yaml, with its secret. It is kept encrypted and never shown "
        "again, so it must be pasted anew after an error.",
    )
    entry = forms.CharField(
        label="Entry", required=False, help_text="Which entry of the file is meant, if it has more than one."
    )

    def connection(self, kind: str) -> Connection:
        """Call after ``is_valid``."""
        return Connection(kind=kind, text=self.cleaned_data["text"], entry=self.cleaned_data["entry"])


class ConnectForm(SettingsForm):
    """A new cloud: its settings, how people become users of it, and which of its roles stand for ours."""

    field_order = ("title", "kind", "text", "entry")

    title = forms.CharField(label="Name", max_length=120, help_text="As people know it, such as OpenStack north.")
    kind = forms.ChoiceField(label="Kind", choices=lambda: [(k.kind, k.title) for k in registry.kinds().values()])
    accounts_come = forms.ChoiceField(label="Accounts", choices=Cloud.Accounts.choices, widget=forms.RadioSelect)
    provider = forms.CharField(label="Identity provider", required=False, help_text="Its name on the cloud.")
    protocol = forms.CharField(label="Protocol", required=False, help_text="Its name on the cloud, such as openid.")
    issuer = forms.CharField(
        label="Sign-in provider here", required=False, help_text="Whose subject people have on that cloud."
    )

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        for role in Role:
            self.fields[f"role_{role}"] = forms.CharField(label=f"{role.value.title()}s have", required=False)
        self.fields["accounts_come"].initial = Cloud.Accounts.LOCAL

    def clean(self) -> dict[str, Any]:
        values: dict[str, Any] = super().clean() or self.cleaned_data
        if values.get("accounts_come") == Cloud.Accounts.FEDERATED:
            for name in ("provider", "protocol", "issuer"):
                if not values.get(name):
                    self.add_error(name, "People who come by an identity provider need this.")
        return values

    def connection(self, kind: str = "") -> Connection:
        values = self.cleaned_data
        given = {role: values[f"role_{role}"].strip() for role in Role}
        return Connection(
            kind=values["kind"],
            text=values["text"],
            entry=values["entry"],
            roles={role: native for role, native in given.items() if native},
            accounts=Accounts(values["accounts_come"], values["provider"], values["protocol"], values["issuer"]),
        )


class ReasonForm(forms.Form):
    """Why something is done; it is kept with it."""

    reason = forms.CharField(label="Why", widget=REASON, max_length=1000)


class ConfirmForm(ReasonForm):
    """Letting a held batch pass; the fingerprint says which one was looked at."""

    fingerprint = forms.CharField(widget=forms.HiddenInput)


class RoleForm(forms.Form):
    role = forms.ChoiceField(label="Role", choices=Membership.Role.choices)


class MemberForm(RoleForm):
    """A person found by the search, and the role they get."""

    field_order = ("person", "role")

    person = forms.ModelChoiceField(
        label="Person",
        queryset=Person.objects.filter(is_active=True),
        widget=forms.HiddenInput,
        error_messages={"required": "Choose a person.", "invalid_choice": "There is no such person, or not any more."},
    )


class SearchForm(forms.Form):
    """Finds people."""

    q = forms.CharField(label="Name, user name or e-mail", required=False, max_length=100, widget=SEARCH)

    @property
    def words(self) -> str:
        return str(self.cleaned_data.get("q", "")).strip() if self.is_valid() else ""


class StepFilter(forms.Form):
    """Filters of the steps of a cloud."""

    state = forms.ChoiceField(label="State", required=False, choices=[("", "any"), *Step.State.choices])


class TenancyFilter(forms.Form):
    """Filters of the tenancies of a cloud."""

    q = forms.CharField(label="Project, name or id", required=False, max_length=100, widget=SEARCH)
    show = forms.ChoiceField(
        label="Show", required=False, choices=[("", "all"), ("attention", "not as wanted"), ("unmapped", "no project")]
    )


class AuditFilter(forms.Form):
    """Filters of the audit log."""

    q = forms.CharField(label="Who or what", required=False, max_length=100, widget=SEARCH)
    verb = forms.ChoiceField(label="Verb", required=False, choices=[("", "any"), *Verb.choices])
    project = forms.CharField(label="Project", required=False, max_length=50)
    since = forms.DateField(label="From", required=False, widget=forms.DateInput(attrs={"type": "date"}))
    until = forms.DateField(label="To", required=False, widget=forms.DateInput(attrs={"type": "date"}))


def chosen(form: forms.Form) -> Mapping[str, Any]:
    """The filters that make sense; a value nobody offers filters nothing."""
    form.is_valid()
    return form.cleaned_data
