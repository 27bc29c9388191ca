"""The addresses of the site: each application brings its own."""

from django.contrib import admin
from django.urls import include, path

urlpatterns = [
    path("accounts/", include("allauth.urls")),
    path("admin/", admin.site.urls),
    path("api/v1/", include("config.api")),
    *[path("", include(f"{app}.urls")) for app in ("portal", "onboarding", "tenancy", "quotas", "reporting")],
]
