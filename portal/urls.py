"""Addresses of the pages composed from several apps."""

from django.urls import path

from portal import views

urlpatterns = [
    path("styleguide/", views.styleguide, name="styleguide"),
]
