"""Projects and their members."""

from __future__ import annotations

from django.db.models import QuerySet
from django.shortcuts import get_object_or_404
from drf_spectacular.utils import OpenApiParameter, extend_schema, extend_schema_view
from rest_framework import mixins, status, viewsets
from rest_framework.decorators import action
from rest_framework.request import Request
from rest_framework.response import Response

from tenancy import access, selectors, services
from tenancy.api.common import SLUG, UUID, given, person
from tenancy.errors import NotAllowed
from tenancy.models import Membership, Project
from tenancy.serializers import (
    MemberAddSerializer,
    MemberRoleSerializer,
    MembershipSerializer,
    ProjectChangeSerializer,
    ProjectMakeSerializer,
    ProjectSerializer,
    RefusedSerializer,
    WhySerializer,
)

STATE = OpenApiParameter("state", str, enum=Project.State.values)
WORDS = OpenApiParameter("q", str, description="Part of the title.")


@extend_schema_view(list=extend_schema(parameters=[STATE, WORDS]))
class ProjectViewSet(mixins.ListModelMixin, mixins.RetrieveModelMixin, viewsets.GenericViewSet[Project]):
    """Projects one may open."""

    serializer_class = ProjectSerializer
    lookup_field = "slug"
    lookup_value_regex = SLUG
    queryset = Project.objects.none()

    def get_queryset(self) -> QuerySet[Project]:
        rows = selectors.projects_list(self.request.user).order_by("slug")
        if state := self.request.query_params.get("state"):
            rows = rows.filter(state=state)
        for word in self.request.query_params.get("q", "").split():
            rows = rows.filter(title__icontains=word)
        return rows

    @extend_schema(request=ProjectMakeSerializer, responses={201: ProjectSerializer, 400: RefusedSerializer})
    def create(self, request: Request) -> Response:
        """Make a project without a request. For operators."""
        if not access.is_operator(request.user):
            raise NotAllowed("Only operators make projects directly.", remedy="Send a request for one.")
        made = services.project_create(actor=person(request), **given(request, ProjectMakeSerializer))
        return self._shown(made, status.HTTP_201_CREATED)

    @extend_schema(request=ProjectChangeSerializer, responses={200: ProjectSerializer, 400: RefusedSerializer})
    def partial_update(self, request: Request, slug: str) -> Response:
        values = given(request, ProjectChangeSerializer)
        return self._shown(services.project_change(actor=person(request), project=self.get_object(), **values))

    @extend_schema(request=WhySerializer, responses={200: ProjectSerializer, 400: RefusedSerializer})
    @action(detail=True, methods=["post"])
    def archive(self, request: Request, slug: str) -> Response:
        """End access on every cloud, stop work, take limits to 0; data stays. For owners."""
        values = given(request, WhySerializer)
        return self._shown(services.project_archive(actor=person(request), project=self.get_object(), **values))

    @extend_schema(request=WhySerializer, responses={200: ProjectSerializer, 400: RefusedSerializer})
    @action(detail=True, methods=["post"])
    def restore(self, request: Request, slug: str) -> Response:
        """Open an archived project again. For operators."""
        values = given(request, WhySerializer)
        return self._shown(services.project_restore(actor=person(request), project=self.get_object(), **values))

    def _shown(self, project: Project, code: int = status.HTTP_200_OK) -> Response:
        # Read anew: the list's annotations are not on the object that a service gives back.
        fresh = selectors.projects_list(self.request.user).filter(pk=project.pk).first() or project
        return Response(ProjectSerializer(fresh).data, status=code)


class MemberViewSet(mixins.ListModelMixin, viewsets.GenericViewSet[Membership]):
    """Current members of a project, by name."""

    serializer_class = MembershipSerializer
    lookup_value_regex = UUID
    queryset = Membership.objects.none()

    def get_queryset(self) -> QuerySet[Membership]:
        return selectors.members_of(self._project()).order_by("person__name", "person__username")

    def _project(self) -> Project:
        return get_object_or_404(access.visible_projects(self.request.user), slug=self.kwargs["slug"])

    @extend_schema(request=MemberAddSerializer, responses={201: MembershipSerializer, 400: RefusedSerializer})
    def create(self, request: Request, slug: str) -> Response:
        """Add a person. Adding somebody who is in already is refused with the rule's words."""
        project = self._project()
        values = given(request, MemberAddSerializer)
        made = services.member_add(actor=person(request), project=project, **values)
        return Response(MembershipSerializer(made).data, status=status.HTTP_201_CREATED)

    @extend_schema(request=MemberRoleSerializer, responses={200: MembershipSerializer, 400: RefusedSerializer})
    def partial_update(self, request: Request, slug: str, pk: str) -> Response:
        membership = self.get_object()
        values = given(request, MemberRoleSerializer)
        changed = services.member_role_change(actor=person(request), membership=membership, **values)
        return Response(MembershipSerializer(changed).data)

    @extend_schema(request=None, responses={204: None, 400: RefusedSerializer})
    def destroy(self, request: Request, slug: str, pk: str) -> Response:
        """End a membership: access goes on every cloud at once. Everybody may leave, except as the last owner."""
        services.member_remove(actor=person(request), membership=self.get_object())
        return Response(status=status.HTTP_204_NO_CONTENT)
