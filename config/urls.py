"""The addresses of the site: each application brings its own."""

from allauth.account.decorators import secure_admin_login
from django.contrib import admin
from django.urls import include, path

# One door with one rate limit: Django's own sign-in page of the admin would let passwords be guessed without end.
admin.autodiscover()
admin.site.login = secure_admin_login(admin.site.login)  # type: ignore[method-assign]

urlpatterns = [
    path("accounts/", include("allauth.urls")),
    path("admin/", admin.site.urls),
    path("api/v1/", include("config.api")),
    *[path("", include(f"{app}.urls")) for app in ("portal", "onboarding", "tenancy", "quotas", "reporting")],
]
