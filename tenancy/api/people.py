"""Institutions and people; a person sees themself at /me/."""

from __future__ import annotations

import uuid

from django.db.models import Prefetch, QuerySet
from django.shortcuts import get_object_or_404
from drf_spectacular.utils import OpenApiParameter, extend_schema, extend_schema_view
from rest_framework import mixins, status, viewsets
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from tenancy import selectors, services
from tenancy.api.common import UUID, Operators, given, person
from tenancy.models import Account, Institution, Membership, Person
from tenancy.serializers import (
    InstitutionSerializer,
    IssuedSecretSerializer,
    PersonDetailSerializer,
    PersonSerializer,
    RefusedSerializer,
)


class InstitutionViewSet(mixins.ListModelMixin, viewsets.GenericViewSet[Institution]):
    """Institutions and their departments. Everybody reads them, operators add."""

    serializer_class = InstitutionSerializer
    queryset = Institution.objects.select_related("parent").order_by("name", "pk")

    @extend_schema(request=InstitutionSerializer, responses={201: InstitutionSerializer})
    def create(self, request: Request) -> Response:
        made = services.institution_create(actor=person(request), **given(request, InstitutionSerializer))
        return Response(InstitutionSerializer(made).data, status=status.HTTP_201_CREATED)


def people_detailed(rows: QuerySet[Person]) -> QuerySet[Person]:
    """With what PersonDetailSerializer gives: three more queries for any number of people."""
    current = Membership.objects.current().select_related("project").order_by("project__slug")
    return rows.prefetch_related(
        "site_roles__institution",
        "accounts__cloud",
        Prefetch("memberships", current, to_attr="current_memberships"),
    )


@extend_schema_view(list=extend_schema(parameters=[OpenApiParameter("q", str, description="Part of a name.")]))
class PersonViewSet(mixins.ListModelMixin, mixins.RetrieveModelMixin, viewsets.GenericViewSet[Person]):
    """Everybody known here. For operators."""

    permission_classes = (Operators,)
    serializer_class = PersonSerializer
    lookup_value_regex = UUID
    queryset = Person.objects.none()

    def get_queryset(self) -> QuerySet[Person]:
        return selectors.people_list(self.request.query_params.get("q", ""))

    @extend_schema(responses=PersonDetailSerializer)
    def retrieve(self, request: Request, pk: str) -> Response:
        found = get_object_or_404(people_detailed(self.get_queryset()), pk=pk)
        return Response(PersonDetailSerializer(found).data)


class MeView(APIView):
    """Who asks: memberships, accounts on clouds, roles for the site."""

    @extend_schema(responses=PersonDetailSerializer)
    def get(self, request: Request) -> Response:
        found = people_detailed(selectors.people_list()).get(pk=person(request).pk)
        return Response(PersonDetailSerializer(found).data)


class AccountSecretView(APIView):
    """A new secret for one's own account on a cloud. Calls the cloud; the old secret stops working."""

    @extend_schema(request=None, responses={200: IssuedSecretSerializer, 400: RefusedSerializer})
    def post(self, request: Request, pk: uuid.UUID) -> Response:
        mine = Account.objects.filter(person=person(request)).select_related("cloud", "person")
        issued = services.account_secret_issue(actor=person(request), account=get_object_or_404(mine, pk=pk))
        return Response(IssuedSecretSerializer(issued).data, headers={"Cache-Control": "no-store"})
