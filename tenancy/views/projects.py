"""What members do with a project as a whole: archive it, look how its changes go, get in."""

from __future__ import annotations

import re
from urllib.parse import quote
from uuid import UUID

from django.contrib import messages
from django.core.exceptions import PermissionDenied
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from config.crypto import UndecipherableError
from connectors.errors import ConnectorError
from connectors.types import EntryFile
from tenancy import access, services
from tenancy.entry import entries_of
from tenancy.errors import NotAllowed, RuleError
from tenancy.forms import ReasonForm
from tenancy.models import Account, Project
from tenancy.shown.parts import Empty, Link
from tenancy.shown.progress import progress_of
from tenancy.views.common import REFUSED, accepted, form_page, operators, posted, project_or_404, reader
from tenancy.views.members import project_page


@require_http_methods(["GET", "HEAD", "POST"])
def project_archive(request: HttpRequest, slug: str) -> HttpResponse:
    """End access on every cloud, with a reason the members will read."""
    project = project_or_404(request, slug)
    if not access.can_own(request.user, project):
        raise PermissionDenied("Only owners of the project may archive it.")
    form = ReasonForm(posted(request))
    if request.method == "POST" and accepted(
        form,
        lambda values: services.project_archive(actor=reader(request), project=project, reason=values["reason"]),
    ):
        messages.success(request, f"{project} is archived; access ends on every cloud now.")
        return redirect(project_page(project))
    members = project.memberships.filter(ended_at__isnull=True).count()
    clouds = [tenancy.cloud.title for tenancy in project.tenancies.select_related("cloud")]
    context = {"project": project, "members": members, "clouds": clouds}
    return form_page(request, "tenancy/project_archive.html", form, context)


@operators
@require_http_methods(["GET", "HEAD", "POST"])
def project_restore(request: HttpRequest, slug: str) -> HttpResponse:
    """Open an archived project again. For operators."""
    project = project_or_404(request, slug)
    form = ReasonForm(posted(request))
    if request.method == "POST" and accepted(
        form,
        lambda values: services.project_restore(actor=reader(request), project=project, reason=values["reason"]),
    ):
        messages.success(request, f"{project} is open again; its limits follow its grants.")
        return redirect(project_page(project))
    return form_page(request, "tenancy/project_restore.html", form, {"project": project})


@require_safe
@never_cache
def progress(request: HttpRequest, slug: str) -> HttpResponse:
    """The steps of a project's clouds now: a part of its page that asks again while something happens.

    A browser that does not ask with htmx is sent to the page that holds the part.
    """
    project = project_or_404(request, slug)
    if not request.headers.get("HX-Request"):
        return redirect(f"{project_page(project)}#progress")
    shown = progress_of(project, request.user)
    context = {
        "title": shown.title,
        "started_at": shown.started_at,
        "steps": shown.steps,
        "running": shown.running,
        "refresh_href": reverse("tenancy:progress", args=[slug]),
    }
    answer = render(request, "parts/progress.html", context)
    if not shown.running:
        # The page that holds the part asks for its other parts again: what they say is from before the change.
        answer["HX-Trigger"] = "settled"
    return answer


@require_safe
@never_cache
def entry(request: HttpRequest, slug: str) -> HttpResponse:
    """How the reader gets in: a file each cloud, without any secret. Calls no cloud."""
    project = project_or_404(request, slug)
    return render(request, "tenancy/entry.html", _entry_context(request, project))


def _entry_context(request: HttpRequest, project: Project) -> dict[str, object]:
    member = access.project_role(request.user, project) is not None
    ask = Link("To the project", project_page(project))
    if member:
        empty = Empty("On no cloud yet", "When the project is on a cloud, the way in stands here.", ask)
    else:
        empty = Empty("You are not a member", "Only members get in. An owner or a manager can add you.", ask)
    return {"project": project, "entries": entries_of(project, reader(request)) if member else [], "empty": empty}


@require_safe
@never_cache
def entry_file(request: HttpRequest, slug: str, cloud: str, name: str) -> HttpResponse:
    """One of the files, as a download."""
    project = project_or_404(request, slug)
    if access.project_role(request.user, project) is None:
        raise Http404
    for each in entries_of(project, reader(request)):
        file = next((file for file in each.files if file.name == name), None)
        if each.tenancy.cloud.slug == cloud and file is not None:
            return _download(file)
    raise Http404


def _download(file: EntryFile) -> HttpResponse:
    answer = HttpResponse(file.text, content_type=f"{file.media_type}; charset=utf-8")
    plain = re.sub(r"[^A-Za-z0-9._-]", "_", file.name)
    answer["Content-Disposition"] = f"attachment; filename=\"{plain}\"; filename*=UTF-8''{quote(file.name)}"
    return answer


@require_POST
@never_cache
def account_secret(request: HttpRequest, slug: str, pk: UUID) -> HttpResponse:
    """A new password for one's own account on a cloud, shown on this one answer and nowhere else."""
    project = project_or_404(request, slug)
    mine = Account.objects.filter(person=reader(request)).select_related("cloud", "person")
    account = get_object_or_404(mine, pk=pk, cloud__tenancies__project=project)
    context = _entry_context(request, project)
    try:
        issued = services.account_secret_issue(actor=reader(request), account=account)
    except NotAllowed as refusal:
        raise PermissionDenied(refusal.message) from refusal
    except (RuleError, ConnectorError) as refusal:
        context["refusal"] = f"{refusal.message} {refusal.remedy}".strip()
        return render(request, "tenancy/entry.html", context, status=REFUSED)
    except UndecipherableError:
        context["refusal"] = "Tenantry's own connection to this cloud needs its operators."
        return render(request, "tenancy/entry.html", context, status=REFUSED)
    answer = render(request, "tenancy/entry.html", {**context, "issued": issued, "issued_for": account})
    answer["Cache-Control"] = "no-store, private"
    return answer
