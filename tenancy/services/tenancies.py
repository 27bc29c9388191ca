"""Tenancies: asked for, adopted, limited, tried again."""

from __future__ import annotations

from collections.abc import Mapping

from django.db import transaction
from django.db.models import Q

from config import clock
from connectors.types import UNLIMITED
from events.services import record
from events.verbs import Verb
from tenancy.errors import RuleError
from tenancy.loop import claims
from tenancy.models import Cloud, DriftLine, Limit, Person, Project, Step, Tenancy
from tenancy.services.rules import free_slug, open_only, operator_only, wake_workers
from tenancy.wanted import resource_sections


@transaction.atomic
def tenancy_create(*, actor: Person | None, project: Project, cloud: Cloud) -> Tenancy:
    """Want the project on a cloud; a worker makes it so. Asking twice gives the same tenancy."""
    open_only(project)
    here = Tenancy.objects.filter(project=project, cloud=cloud).first()
    if here is not None:
        return here
    taken = set(Tenancy.objects.filter(cloud=cloud).values_list("name", flat=True))
    tenancy = Tenancy.objects.create(project=project, cloud=cloud, name=free_slug(project.slug, taken))
    summary = f"Asked for {project.title} on {cloud}."
    record(actor=actor, verb=Verb.TENANCY_CREATED, target=tenancy, summary=summary, project=project, cloud=cloud)
    wake_workers()
    return tenancy


@transaction.atomic
def tenancy_adopt(*, actor: Person | None, cloud: Cloud, native_id: str, name: str, project: Project) -> Tenancy:
    """Take an object that is on the cloud already as this project's tenancy. Its name there stays."""
    operator_only(actor)
    open_only(project)
    if native_id == cloud.own_tenancy:
        raise RuleError("This is Tenantry's own project on the cloud; it cannot be adopted.")
    if Tenancy.objects.filter(cloud=cloud, native_id=native_id).exists():
        raise RuleError("It belongs to a project here already.")
    waiting = _waiting_for(cloud, project, name[:64])
    if waiting is None:
        tenancy = Tenancy.objects.create(project=project, cloud=cloud, name=name[:64], native_id=native_id)
    else:
        rows = Tenancy.objects.filter(pk=waiting.pk)
        rows.update(native_id=native_id)
        claims.bump(rows)
        tenancy = rows.get()
    DriftLine.objects.filter(cloud=cloud, native_id=native_id, tenancy=None, gone_at=None).update(gone_at=clock.now())
    summary = f"Adopted {name} on {cloud} for {project.title}."
    record(actor=actor, verb=Verb.TENANCY_ADOPTED, target=tenancy, summary=summary, project=project, cloud=cloud)
    wake_workers()
    return tenancy


def _waiting_for(cloud: Cloud, project: Project, name: str) -> Tenancy | None:
    """The project's own tenancy, if all it waits for is this name, which somebody else's object has."""
    here = Tenancy.objects.filter(Q(project=project) | Q(name=name), cloud=cloud).select_related("project")
    for tenancy in here:
        if tenancy.project_id != project.pk:
            raise RuleError(
                f"“{name}” is the name of {tenancy.project or 'another tenancy'} on {cloud}.",
                remedy="Adopt it into that project, or rename one of the two on the cloud.",
                field="project",
            )
        if tenancy.native_id or tenancy.name != name:
            raise RuleError(f"{project.title} has a tenancy on {cloud} already.", field="project")
    return here.first()


@transaction.atomic
def limits_set(
    *, actor: Person | None, tenancy: Tenancy, limits: Mapping[str, int], reason: str, decided: bool = True
) -> bool:
    """Replace the wanted limits of a tenancy (base units, -1 unlimited). True if anything changed.

    Raises ``RuleError`` for a resource that this kind of cloud does not limit or an amount below -1.
    """
    sections = resource_sections(tenancy.cloud)
    for resource, amount in limits.items():
        if resource not in sections:
            raise RuleError(f"{tenancy.cloud} has no limit for {resource}.")
        if amount < UNLIMITED:
            raise RuleError(f"{amount} is no limit for {resource}: use 0 or more, or -1 for unlimited.")
    before = dict(tenancy.limits.values_list("resource", "amount"))
    if before == dict(limits):
        return False
    tenancy.limits.exclude(resource__in=limits).delete()
    changed = {resource: amount for resource, amount in limits.items() if before.get(resource) != amount}
    Limit.objects.bulk_create(
        (
            Limit(tenancy=tenancy, resource=resource, amount=amount, reason=reason, decided=decided)
            for resource, amount in changed.items()
        ),
        update_conflicts=True,
        unique_fields=("tenancy", "resource"),
        update_fields=("amount", "reason", "decided"),
    )
    claims.bump(Tenancy.objects.filter(pk=tenancy.pk))
    named = ", ".join(sorted(changed)) or "some"
    record(
        actor=actor,
        verb=Verb.LIMIT_CHANGED,
        target=tenancy,
        summary=f"Limits of {tenancy} on {tenancy.cloud} follow: {reason} ({named})",
        project=tenancy.project,
        cloud=tenancy.cloud,
    )
    wake_workers()
    return True


@transaction.atomic
def tenancy_retry(*, actor: Person | None, tenancy: Tenancy) -> None:
    """Try again what was stopped, parked or refused: a new version is wanted, and old verdicts no longer count."""
    operator_only(actor)
    stopped = (Step.State.FAILED, Step.State.INEFFECTIVE)
    Step.objects.filter(tenancy=tenancy, state__in=stopped).update(state=Step.State.SUPERSEDED)
    claims.bump(Tenancy.objects.filter(pk=tenancy.pk))
    record(
        actor=actor,
        verb=Verb.STEP_RELEASED,
        target=tenancy,
        summary=f"Asked to try {tenancy} on {tenancy.cloud} again.",
        project=tenancy.project,
        cloud=tenancy.cloud,
    )
    wake_workers()
