"""Addresses that pages of the portal lead to, in one place: those of other apps are named here and nowhere else."""

from __future__ import annotations

from uuid import UUID

from django.urls import reverse

from tenancy.models import Cloud, Project, Tenancy


def _at(name: str, *args: object) -> str:
    return reverse(name, args=args)


def project(each: Project) -> str:
    return _at("portal:project_detail", each.slug)


def project_limits(each: Project) -> str:
    return f"{project(each)}#limits"


def project_usage(each: Project) -> str:
    return _at("reporting:project_usage", each.slug)


def project_report(each: Project, month: str) -> str:
    """`month` is YYYY-MM."""
    return _at("reporting:report_project", month, each.slug)


def project_ask(each: Project) -> str:
    return _at("onboarding:project_ask", each.slug)


def project_entry(each: Project) -> str:
    return _at("tenancy:entry", each.slug)


def project_archive(each: Project) -> str:
    return _at("tenancy:project_archive", each.slug)


def project_restore(each: Project) -> str:
    return _at("tenancy:project_restore", each.slug)


def member_add(each: Project) -> str:
    return _at("tenancy:member_add", each.slug)


def project_clouds(each: Project) -> str:
    return _at("portal:project_clouds", each.slug)


def limits(each: Project) -> str:
    return _at("quotas:limits", each.slug)


def members(each: Project) -> str:
    return _at("tenancy:members_fragment", each.slug)


def progress(each: Project) -> str:
    return _at("tenancy:progress", each.slug)


def tenancy(each: Tenancy) -> str:
    return _at("tenancy:tenancy_detail", each.pk)


def cloud(each: Cloud) -> str:
    return _at("tenancy:cloud_detail", each.slug)


def plan(each: Cloud) -> str:
    return _at("tenancy:plan", each.slug)


def person(pk: UUID) -> str:
    return _at("tenancy:person_detail", pk)


def audit() -> str:
    return _at("tenancy:audit")


def clouds() -> str:
    return _at("tenancy:cloud_list")


def cloud_connect() -> str:
    return _at("tenancy:cloud_connect")


def requests() -> str:
    return _at("onboarding:request_list")


def usage() -> str:
    return _at("reporting:usage")


def reports() -> str:
    return _at("reporting:report_list")


def request_new() -> str:
    return _at("onboarding:request_new")


def request(pk: UUID) -> str:
    return _at("onboarding:request_detail", pk)


def projects() -> str:
    return _at("portal:project_list")
