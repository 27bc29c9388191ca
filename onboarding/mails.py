"""What people are told by mail about requests. The text stands in templates/onboarding/mail/."""

from __future__ import annotations

from django.conf import settings
from django.template.loader import render_to_string
from django.urls import reverse

from events.services import mail_enqueue
from onboarding.models import Request
from onboarding.selectors import reviewers


def submitted(request: Request) -> None:
    """To everybody who may decide."""
    for person in reviewers().exclude(pk=request.requested_by_id):
        _send(request, person.email, "submitted", f"Request to decide: {request.title}")


def decided(request: Request) -> None:
    """To who asked, if they have an address."""
    if request.requested_by.email:
        state = request.get_state_display()
        _send(request, request.requested_by.email, "decided", f"Your request “{request.title}” was {state}")


def _send(request: Request, to: str, template: str, subject: str) -> None:
    lines = request.lines.select_related("cloud")
    href = settings.SITE_URL + reverse("onboarding:request_detail", args=[request.pk])
    context = {"request": request, "lines": lines, "href": href, "site_name": settings.SITE_NAME}
    mail_enqueue(
        key=f"request.{template}:{request.pk}:{to}",
        to=to,
        subject=subject,
        body=render_to_string(f"onboarding/mail/{template}.txt", context),
    )
