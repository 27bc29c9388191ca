"""Addresses of the pages of grants, limits and the catalog."""

from django.urls import path

from quotas import views

app_name = "quotas"

urlpatterns = [
    path("quotas/catalog/", views.catalog, name="catalog"),
    path("projects/<slug:slug>/grants/", views.grant_list, name="grant_list"),
    path("projects/<slug:slug>/grants/<uuid:pk>/end", views.grant_end, name="grant_end"),
    path("projects/<slug:slug>/limits/", views.limits, name="limits"),
    path("projects/<slug:slug>/division/", views.division, name="division"),
]
