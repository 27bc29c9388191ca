"""Addresses of the pages composed from several apps."""

from django.urls import path

from portal import views

app_name = "portal"

urlpatterns = [
    path("", views.home, name="home"),
    path("projects/", views.project_list, name="project_list"),
    path("projects/<slug:slug>/", views.project_detail, name="project_detail"),
    path("search", views.search, name="search"),
    path("styleguide/", views.styleguide, name="styleguide"),
]
