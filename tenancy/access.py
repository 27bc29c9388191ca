"""Who may do what. Every page, API view and service asks here and nowhere else.

A visitor is not signed in; a stranger is signed in and has nothing to do with the project. Institution admins see
the projects of their institution and its departments. Only operators see clouds, plans and steps.
"""

from __future__ import annotations

from uuid import UUID

from django.contrib.auth.models import AnonymousUser
from django.db.models import Q, QuerySet

from tenancy.models import Institution, Membership, Person, Project, SiteRole

Who = Person | AnonymousUser

MANAGING = frozenset({Membership.Role.OWNER, Membership.Role.MANAGER})


def site_roles(who: Who) -> frozenset[str]:
    """Site roles without those of a single institution. Read once a person object."""
    if not isinstance(who, Person) or not who.is_active:
        return frozenset()
    cached: frozenset[str] | None = getattr(who, "_site_roles", None)
    if cached is None:
        rows = list(who.site_roles.all())
        cached = frozenset(row.role for row in rows if row.institution_id is None)
        who._site_institutions = frozenset(  # type: ignore[attr-defined]
            row.institution_id for row in rows if row.institution_id and row.role == SiteRole.Role.INSTITUTION_ADMIN
        )
        who._site_roles = cached  # type: ignore[attr-defined]
    return cached


def is_operator(who: Who) -> bool:
    return SiteRole.Role.OPERATOR in site_roles(who)


def can_review(who: Who) -> bool:
    """May approve and refuse requests."""
    return bool(site_roles(who) & {SiteRole.Role.OPERATOR, SiteRole.Role.REVIEWER})


def sees_all_projects(who: Who) -> bool:
    return bool(site_roles(who) & {SiteRole.Role.OPERATOR, SiteRole.Role.REVIEWER, SiteRole.Role.FINANCE})


def sees_site_usage(who: Who) -> bool:
    """May read usage and reports of the whole site."""
    return bool(site_roles(who) & {SiteRole.Role.OPERATOR, SiteRole.Role.FINANCE})


def administered_institutions(who: Who) -> frozenset[UUID]:
    """Institutions of which this person is an institution admin, departments of every depth included."""
    site_roles(who)
    roots: frozenset[UUID] = getattr(who, "_site_institutions", frozenset())
    if not roots:
        return roots
    children: dict[UUID | None, list[UUID]] = {}
    for pk, parent in Institution.objects.values_list("id", "parent_id"):
        children.setdefault(parent, []).append(pk)
    found: set[UUID] = set()
    todo = list(roots)
    while todo:
        pk = todo.pop()
        if pk not in found:
            found.add(pk)
            todo.extend(children.get(pk, ()))
    return frozenset(found)


def visible_projects(who: Who) -> QuerySet[Project]:
    """Projects this person may open."""
    if not isinstance(who, Person) or not who.is_active:
        return Project.objects.none()
    if sees_all_projects(who):
        return Project.objects.all()
    mine = Membership.objects.current().filter(person=who).values("project_id")
    institutions = administered_institutions(who)
    return Project.objects.filter(Q(id__in=mine) | Q(institution_id__in=institutions))


def project_role(who: Who, project: Project) -> Membership.Role | None:
    """The person's current role in the project, or None."""
    if not isinstance(who, Person) or not who.is_active:
        return None
    role = Membership.objects.current().filter(person=who, project=project).values_list("role", flat=True).first()
    return Membership.Role(role) if role else None


def can_view_project(who: Who, project: Project) -> bool:
    return visible_projects(who).filter(pk=project.pk).exists()


def can_manage_members(who: Who, project: Project) -> bool:
    """Owners and managers of the project, and operators."""
    return is_operator(who) or project_role(who, project) in MANAGING


def can_own(who: Who, project: Project) -> bool:
    """What only an owner (or an operator) may do: archive, make owners, divide."""
    return is_operator(who) or project_role(who, project) is Membership.Role.OWNER


def can_ask(who: Who, project: Project) -> bool:
    """May ask for more or for a renewal."""
    return can_manage_members(who, project)
