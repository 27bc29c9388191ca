"""/api/v1: each application brings its own part; the schema and its viewer describe all of it."""

from importlib.util import find_spec

from django.urls import include, path
from drf_spectacular.views import SpectacularAPIView, SpectacularSwaggerSplitView

urlpatterns = [
    path("schema", SpectacularAPIView.as_view(), name="api-schema"),
    path("docs", SpectacularSwaggerSplitView.as_view(url_name="api-schema"), name="api-docs"),
    *[
        path("", include(f"{app}.api"))
        for app in ("onboarding", "tenancy", "quotas", "reporting", "monitoring", "events")
        if find_spec(f"{app}.api")
    ],
]
