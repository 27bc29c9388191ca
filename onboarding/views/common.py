"""What the views of this application share."""

from __future__ import annotations

from uuid import UUID

from django.contrib import messages
from django.http import HttpRequest
from django.shortcuts import get_object_or_404

from onboarding.forms import DecisionForm
from onboarding.models import Request
from onboarding.selectors import peaks, requests_visible, with_lines
from onboarding.services import request_approve, request_refuse
from quotas.forms import refused
from quotas.selectors import limits_wanted, tenancies_of
from tenancy.errors import NotAllowed, RuleError, Stale
from tenancy.models import Person


def person_of(request: HttpRequest) -> Person:
    """LoginRequiredMiddleware has let nobody else in; raises NotAllowed otherwise."""
    if not isinstance(request.user, Person):
        raise NotAllowed("Sign in first.")
    return request.user


def request_visible(request: HttpRequest, pk: UUID) -> Request:
    """A stranger does not learn that it exists: 404."""
    return get_object_or_404(with_lines(requests_visible(request.user)), pk=pk)


def refusal_show(request: HttpRequest, error: RuleError) -> None:
    messages.error(request, " ".join(filter(None, (error.message, error.remedy))))


def decide(request: HttpRequest, asked: Request, form: DecisionForm) -> bool:
    """Approve or refuse as the button `do` says; False if the form has to be shown again with what is wrong."""
    person = person_of(request)
    try:
        if request.POST.get("do") == "refuse":
            request_refuse(actor=person, request=asked, reason=form["reason"].value() or "")
            messages.success(request, f"“{asked.title}” is refused; {asked.requested_by} gets your reason by mail.")
        elif form.is_valid():
            reason = form.cleaned_data["reason"]
            request_approve(actor=person, request=asked, granted=form.granted(), reason=reason)
            messages.success(request, f"“{asked.title}” is approved and being set up.")
        else:
            return False
    except Stale as error:
        refusal_show(request, error)
    except RuleError as error:
        form.full_clean()
        refused(form, error)
        return False
    return True


def standing(asked: Request) -> tuple[dict[tuple[UUID, str], int], dict[tuple[UUID, str], int]]:
    """Limits now and peaks of use of the request's project, by (cloud id, resource)."""
    if asked.project is None:
        return {}, {}
    tenancies = tenancies_of(asked.project)
    clouds = {tenancy.pk: tenancy.cloud_id for tenancy in tenancies}
    limits = {(clouds[pk], key): amount for (pk, key), amount in limits_wanted(tenancies).items()}
    used = {(clouds[pk], key): amount for (pk, key), amount in peaks(tenancies).items()}
    return limits, used
