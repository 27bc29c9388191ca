"""Addresses of the pages composed from several apps."""

from django.urls import path

from portal import views, views_adopt

app_name = "portal"

urlpatterns = [
    path("", views.home, name="home"),
    path("projects/", views.project_list, name="project_list"),
    path("projects/<slug:slug>/", views.project_detail, name="project_detail"),
    path("projects/<slug:slug>/clouds/", views.project_clouds, name="project_clouds"),
    path("clouds/<slug:slug>/adopt/<str:native_id>/", views_adopt.adopt, name="adopt"),
    path("search", views.search, name="search"),
    path("styleguide/", views.styleguide, name="styleguide"),
]
