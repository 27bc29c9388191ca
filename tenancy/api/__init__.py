"""/api/v1 of people, projects, clouds and tenancies: the same services and rights as the pages."""

from django.urls import path
from rest_framework.routers import SimpleRouter

from tenancy.api.clouds import CloudViewSet, WritesView
from tenancy.api.people import AccountSecretView, InstitutionViewSet, MeView, PersonViewSet
from tenancy.api.projects import MemberViewSet, ProjectViewSet
from tenancy.api.tenancies import TenancyViewSet

router = SimpleRouter()
router.register("projects", ProjectViewSet, basename="api-project")
router.register("projects/(?P<slug>[-a-zA-Z0-9_]+)/members", MemberViewSet, basename="api-member")
router.register("institutions", InstitutionViewSet, basename="api-institution")
router.register("people", PersonViewSet, basename="api-person")
router.register("clouds", CloudViewSet, basename="api-cloud")
router.register("tenancies", TenancyViewSet, basename="api-tenancy")

urlpatterns = [
    *router.urls,
    path("me/", MeView.as_view(), name="api-me"),
    path("accounts/<uuid:pk>/secret/", AccountSecretView.as_view(), name="api-account-secret"),
    path("writes/", WritesView.as_view(), name="api-writes"),
]
