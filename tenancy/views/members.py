"""Members of a project: found, added, changed, removed; and their list as a part of a page."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from functools import partial
from uuid import UUID

from django.contrib import messages
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse
from django.http.response import HttpResponseBase
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.views.decorators.http import require_http_methods, require_safe

from config.csv_file import csv_response
from tenancy import access, selectors, services
from tenancy.forms import MemberForm, RoleForm, SearchForm
from tenancy.models import Membership, Project
from tenancy.shown.roster import members_shown, roles_changeable
from tenancy.views.common import REFUSED, accepted, done, form_page, page_of, posted, project_or_404, reader, wants_csv

FOUND = 10
LEAST_LETTERS = 2


def _managing(request: HttpRequest, project: Project) -> None:
    if not access.can_manage_members(request.user, project):
        raise PermissionDenied("Owners and managers of the project decide who is in it.")


def _roles(request: HttpRequest, project: Project) -> list[tuple[str, str]]:
    """The roles this person may give."""
    owner = access.can_own(request.user, project)
    return [(value, label) for value, label in Membership.Role.choices if owner or value != Membership.Role.OWNER]


@require_http_methods(["GET", "HEAD", "POST"])
def member_add(request: HttpRequest, slug: str) -> HttpResponse:
    """Find a person by name, user name or e-mail address and give them a role."""
    project = project_or_404(request, slug)
    _managing(request, project)
    search = SearchForm(request.GET)
    form = MemberForm(posted(request), initial={"role": Membership.Role.MEMBER})
    form.fields["role"].choices = _roles(request, project)  # type: ignore[attr-defined]
    if request.method == "POST" and accepted(
        form,
        lambda values: services.member_add(
            actor=reader(request), project=project, person=values["person"], role=values["role"]
        ),
    ):
        messages.success(request, f"{form.cleaned_data['person']} is added; access follows on every cloud.")
        return redirect(project_page(project))
    return form_page(request, "tenancy/member_add.html", form, {"project": project, **_found(project, search)})


def _found(project: Project, search: SearchForm) -> dict[str, object]:
    """A handful of people who fit, and who of them is in the project already."""
    words = search.words
    if len(words) < LEAST_LETTERS:
        return {"search": search, "words": "", "found": [], "more": False}
    people = list(selectors.people_list(words).filter(is_active=True)[: FOUND + 1])
    here = set(
        Membership.objects.current().filter(project=project, person__in=people).values_list("person_id", flat=True)
    )
    found = [(person, person.pk in here) for person in people[:FOUND]]
    return {"search": search, "words": words, "found": found, "more": len(people) > FOUND}


def project_page(project: Project) -> str:
    return reverse("portal:project_detail", args=[project.slug])


def _membership(request: HttpRequest, pk: UUID) -> Membership:
    """A current membership of a project this person may open."""
    rows = Membership.objects.current().select_related("person", "project")
    return get_object_or_404(rows.filter(project__in=access.visible_projects(request.user)), pk=pk)


@require_http_methods(["GET", "HEAD", "POST"])
def member_role(request: HttpRequest, pk: UUID) -> HttpResponse:
    """Give a member another role."""
    membership = _membership(request, pk)
    project = membership.project
    _managing(request, project)
    form = RoleForm(posted(request), initial={"role": membership.role})
    form.fields["role"].choices = _roles(request, project)  # type: ignore[attr-defined]
    if request.method == "POST" and accepted(
        form,
        lambda values: services.member_role_change(actor=reader(request), membership=membership, role=values["role"]),
    ):
        messages.success(request, f"{membership.person} is {form.cleaned_data['role']} now.")
        return redirect(project_page(project))
    return form_page(request, "tenancy/member_role.html", form, {"membership": membership, "project": project})


@require_http_methods(["GET", "HEAD", "POST"])
def member_remove(request: HttpRequest, pk: UUID) -> HttpResponse:
    """Ask once more, then end a membership. Everybody may leave."""
    membership = _membership(request, pk)
    project = membership.project
    leaves = membership.person_id == reader(request).pk
    if not leaves:
        _managing(request, project)
    refused = request.method == "POST"
    if request.method == "POST":
        act = partial(services.member_remove, actor=reader(request), membership=membership)
        said = f"You left {project}." if leaves else f"{membership.person} is removed; access ends on every cloud now."
        if done(request, act, said):
            still = access.can_view_project(reader(request), project)
            return redirect(project_page(project) if still else "portal:home")
    context = {"membership": membership, "project": project, "leaves": leaves}
    return render(request, "tenancy/member_remove.html", context, status=REFUSED if refused else 200)


@require_safe
def members_fragment(request: HttpRequest, slug: str) -> HttpResponseBase:
    """The members of a project with their state on each cloud: the part of the page, or all of them as a file."""
    project = project_or_404(request, slug)
    rows = selectors.members_of(project).order_by("person__name", "person__username")
    if wants_csv(request):
        head = ("name", "username", "email", "institution", "role", "added_at", "last_seen")
        return csv_response(f"members-{project.slug}", head, _lines(project))
    page = page_of(request, rows)
    changeable = roles_changeable(project, request.user)
    clouds, members = members_shown(project, list(page), request.user, changeable=changeable)
    context = {
        "clouds": clouds,
        "members": members,
        "count": page.paginator.count,
        "add_href": reverse("tenancy:member_add", args=[slug]) if changeable else "",
        "csv_href": f"{reverse('tenancy:members_fragment', args=[slug])}?format=csv",
        "page_obj": page,
    }
    return render(request, "parts/members.html", context)


def _lines(project: Project) -> Iterator[Sequence[object]]:
    for row in selectors.members_of(project).order_by("person__name").iterator(chunk_size=1000):
        person = row.person
        institution = person.institution.name if person.institution else None
        yield (
            person.name, person.username, person.email, institution, row.role, row.added_at, person.last_login
        )  # fmt: skip
