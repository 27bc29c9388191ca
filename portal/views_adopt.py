"""Adopting what is on a cloud already into a project: an existing one, or one made for it. For operators."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, cast

from django import forms
from django.contrib import messages
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.views.decorators.http import require_http_methods

from config import clock
from connectors.errors import ConnectorError
from portal.services import NewProject, tenancy_adopt
from quotas.catalog import AmountError
from tenancy import access
from tenancy.errors import RuleError
from tenancy.models import Cloud, DriftLine, Institution, Person, Project
from tenancy.selectors import drift_lines
from tenancy.views.common import REFUSED, failure_note, posted


class AdoptForm(forms.Form):
    """The project it belongs to: by its short name, or made anew with its owner."""

    project = forms.SlugField(
        label="Project", required=False, help_text="The short name in the project's address; leave empty to make one."
    )
    title = forms.CharField(label="Name of a new project", max_length=120, required=False)
    description = forms.CharField(label="What it is for", required=False, widget=forms.Textarea(attrs={"rows": 2}))
    purpose = forms.ChoiceField(label="Purpose", choices=Project.Purpose.choices, initial=Project.Purpose.RESEARCH)
    institution = forms.ModelChoiceField(
        label="Institution", required=False, queryset=Institution.objects.all(), empty_label="none"
    )
    owner = forms.CharField(label="Owner", required=False, help_text="The user name of somebody known here.")
    ends_on = forms.DateField(label="Ends on", required=False, widget=forms.DateInput(attrs={"type": "date"}))

    def clean_project(self) -> Project | None:
        slug = self.cleaned_data["project"]
        if not slug:
            return None
        project = Project.objects.filter(slug=slug).first()
        if project is None:
            raise forms.ValidationError("There is no project of this short name.")
        return project

    def clean_owner(self) -> Person | None:
        name = self.cleaned_data["owner"]
        if not name:
            return None
        person = Person.objects.filter(username=name, is_active=True).first()
        if person is None:
            raise forms.ValidationError("There is nobody of this user name.")
        return person

    def clean(self) -> dict[str, Any]:
        values = self.cleaned_data
        if values.get("project") is None and not self.errors.get("project"):
            for name in ("title", "owner"):
                if not values.get(name) and name not in self.errors:
                    self.add_error(name, "A new project needs this.")
        return values


@require_http_methods(["GET", "HEAD", "POST"])
def adopt(request: HttpRequest, slug: str, native_id: str) -> HttpResponse:
    """Choose or make the project. Adopting reads the object once and changes nothing on the cloud but its mark."""
    if not access.is_operator(request.user):
        raise PermissionDenied("Only operators adopt what is on a cloud.")
    cloud = get_object_or_404(Cloud, slug=slug)
    line = get_object_or_404(drift_lines(cloud), tenancy=None, native_id=native_id)
    form = AdoptForm(posted(request), initial={"title": line.object})
    context: dict[str, object] = {"cloud": cloud, "line": line, "form": form}
    try:
        if request.method == "POST" and form.is_valid():
            tenancy = tenancy_adopt(
                actor=cast("Person", request.user),
                cloud=cloud,
                native_id=native_id,
                name=line.object,
                project=_project(form.cleaned_data, line),
            )
            messages.success(request, f"{line.object} is adopted with the limits it has; nothing on {cloud} changed.")
            return redirect("tenancy:tenancy_detail", pk=tenancy.pk)
    except ConnectorError as error:
        context["failure"] = failure_note(error)
    except (RuleError, AmountError) as refusal:
        field = refusal.field if isinstance(refusal, RuleError) and refusal.field in form.fields else None
        form.add_error(field, f"{refusal.message} {refusal.remedy}".strip())
    return render(request, "portal/adopt.html", context, status=REFUSED if form.is_bound else 200)


def _project(values: Mapping[str, Any], line: DriftLine) -> Project | NewProject:
    if values["project"] is not None:
        return cast("Project", values["project"])
    return NewProject(
        title=values["title"],
        description=values["description"] or f"Adopted from {line.object} on {line.cloud}.",
        purpose=values["purpose"],
        institution=values["institution"],
        starts_on=clock.now().date(),
        ends_on=values["ends_on"],
        owner=values["owner"],
    )
