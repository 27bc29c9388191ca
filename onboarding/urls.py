"""Addresses of the pages of requests."""

from django.urls import path

from onboarding import views

app_name = "onboarding"

urlpatterns = [
    path("requests/", views.request_list, name="request_list"),
    path("requests/new", views.request_new, name="request_new"),
    path("requests/new/summary", views.request_new_summary, name="request_new_summary"),
    path("requests/<uuid:pk>/", views.request_detail, name="request_detail"),
    path("requests/<uuid:pk>/progress", views.request_progress, name="request_progress"),
    path("projects/<slug:slug>/ask", views.project_ask, name="project_ask"),
    path("projects/<slug:slug>/ask/summary", views.project_ask_summary, name="project_ask_summary"),
]
