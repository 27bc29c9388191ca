"""Verbs that need several apps at once: one transaction each, like every service."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date

from django.db import transaction

from connectors.errors import BadAnswer, NotFound
from connectors.types import Scope, Section, Survey, WantedTenancy
from quotas.services import grants_from_found
from tenancy import services
from tenancy.clouds import connect
from tenancy.loop import record
from tenancy.models import Cloud, Institution, Person, Project, Tenancy
from tenancy.services.rules import operator_only


@dataclass(frozen=True, slots=True)
class NewProject:
    """A project to be made for what is adopted."""

    title: str
    description: str
    purpose: str
    institution: Institution | None
    starts_on: date
    ends_on: date | None
    owner: Person


def tenancy_adopt(
    *, actor: Person | None, cloud: Cloud, native_id: str, name: str, project: Project | NewProject
) -> Tenancy:
    """Adopt what is on a cloud with the limits it has, so that adopting changes nothing there.

    Reads the object once (at most ten calls, no write), then saves the project, the tenancy, its readings and grants
    in one transaction. Raises ``ConnectorError`` as the cloud answers, ``NotFound`` if the object is gone, and
    ``RuleError`` if it cannot be adopted or one of its limits could not be read.
    """
    operator_only(actor)
    survey = _look(cloud, native_id, name)
    found = {row.resource: row.amount for row in survey.limits if row.tenancy == native_id}
    with transaction.atomic():
        if isinstance(project, NewProject):
            project = _project_create(actor, project)
        tenancy = services.tenancy_adopt(actor=actor, cloud=cloud, native_id=native_id, name=name, project=project)
        record.readings_save(survey.limits, {native_id: tenancy.pk}, survey.taken_at)
        grants_from_found(actor=actor, tenancy=tenancy, found=found)
    return tenancy


def _look(cloud: Cloud, native_id: str, name: str) -> Survey:
    with connect(cloud) as connector:
        survey = connector.survey(Scope(tenancy=WantedTenancy(ref="", name=name, version=0, native_id=native_id)))
    if unread := survey.sections[Section.TENANCIES].error:
        raise BadAnswer(unread.message, verbatim=unread.verbatim, request_id=unread.request_id, remedy=unread.remedy)
    if not any(row.native_id == native_id for row in survey.tenancies):
        raise NotFound(f"{cloud} has no object {native_id} any more.", remedy="Survey the cloud again.")
    return survey


def _project_create(actor: Person | None, new: NewProject) -> Project:
    return services.project_create(
        actor=actor,
        title=new.title,
        description=new.description,
        purpose=new.purpose,
        institution=new.institution,
        starts_on=new.starts_on,
        ends_on=new.ends_on,
        owner=new.owner,
    )
