"""Writes of requests: sent, withdrawn, approved or refused. An approval sets everything up in one transaction."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable, Mapping, Sequence
from uuid import UUID

from django.db import IntegrityError, transaction

from config import clock
from events.services import record
from events.verbs import Verb
from onboarding import mails, rules
from onboarding.models import Request, RequestCloud, RequestLine
from onboarding.rules import Ask, line_field
from onboarding.selectors import askable
from quotas import services as quotas
from quotas.catalog import AmountError, amount_check, amount_name
from quotas.selectors import limits_wanted, tenancies_of, today
from tenancy import access
from tenancy.errors import NotAllowed, RuleError, Stale
from tenancy.models import Cloud, Institution, Person, Project, Tenancy
from tenancy.services import project_change, project_create, tenancy_create

Lines = Mapping[tuple[UUID, str], int]
"""Limits wanted in all, in base units: (cloud id, resource key) -> amount."""


def request_submit(
    *,
    actor: Person,
    kind: Request.Kind,
    description: str,
    title: str = "",
    purpose: str = "",
    institution: Institution | None = None,
    starts_on: dt.date | None = None,
    ends_on: dt.date | None = None,
    project: Project | None = None,
    clouds: Sequence[Cloud] = (),
    lines: Lines | None = None,
) -> Request:
    """Ask for a new project (anybody), for more or for a renewal (owners and managers of the project).

    `lines` are the limits wanted in all on each cloud; what is no more than there is anyway is left out. Reviewers get
    a mail. Raises NotAllowed, and RuleError naming the field for whatever cannot be asked.
    """
    ask = Ask(
        actor=actor,
        kind=kind,
        title=title.strip(),
        purpose=purpose,
        description=description.strip(),
        institution=institution,
        starts_on=starts_on,
        ends_on=ends_on,
        project=project,
        clouds=tuple(clouds),
        lines=dict(lines or {}),
    )
    rules.check(ask)
    try:
        with transaction.atomic():
            return _store(ask)
    except IntegrityError as error:
        raise RuleError(
            "The same request is open already.", remedy="Wait for its decision, or withdraw it first."
        ) from error


def request_withdraw(*, actor: Person, request: Request) -> Request:
    """Take an open request back: who sent it, who may ask for its project, operators. Raises NotAllowed, Stale."""
    mine = request.requested_by_id == actor.pk or access.is_operator(actor)
    if not mine and not (request.project and access.can_ask(actor, request.project)):
        raise NotAllowed("Only who sent a request may withdraw it.", remedy="Ask them, or ask a reviewer to refuse it.")
    with transaction.atomic():
        _decide(actor, request, Request.State.WITHDRAWN, "")
        _record(actor, request, Verb.REQUEST_WITHDRAWN, f"Withdrew the request “{request.title}”.")
    return request


def request_refuse(*, actor: Person, request: Request, reason: str) -> Request:
    """Refuse an open request; the asker gets the reason by mail. Reviewers. Raises NotAllowed, RuleError, Stale."""
    _reviewers(actor)
    if not reason.strip():
        raise RuleError(
            "A refusal needs a reason.",
            remedy="Write what the asker can do instead; they get it by mail.",
            field="reason",
        )
    with transaction.atomic():
        _decide(actor, request, Request.State.REFUSED, reason)
        _record(actor, request, Verb.REQUEST_REFUSED, f"Refused “{request.title}”: {request.decision_reason}")
        mails.decided(request)
    return request


def request_approve(
    *, actor: Person, request: Request, granted: Mapping[int, int] | None = None, reason: str = ""
) -> Request:
    """Approve an open request and set it up: project, tenancies, grants, limits, in one transaction. Reviewers.

    `granted` gives other amounts than asked (line id -> base units). Of two approvals at once one does it, the other
    raises Stale. Raises NotAllowed, and RuleError for an amount outside the bounds or a project that has gone.
    """
    _reviewers(actor)
    with transaction.atomic():
        _decide(actor, request, Request.State.APPROVED, reason)
        lines = _granted_store(request, granted or {})
        project = _project_for(actor, request)
        tenancies = _tenancies_for(actor, request, project)
        _grant(actor, request, project, tenancies, lines)
        _record(actor, request, Verb.REQUEST_APPROVED, f"Approved “{request.title}”. {_said(lines)}".strip())
        mails.decided(request)
    return request


def requests_approve(*, actor: Person, requests: Iterable[Request]) -> list[tuple[Request, RuleError | None]]:
    """Approve each as asked, in a transaction of its own: one that cannot be approved does not stop the next."""
    results: list[tuple[Request, RuleError | None]] = []
    for request in requests:
        try:
            request_approve(actor=actor, request=request)
        except RuleError as error:
            results.append((request, error))
        else:
            results.append((request, None))
    return results


# sending


def _store(ask: Ask) -> Request:
    request = Request.objects.create(
        kind=ask.kind,
        title=ask.title or str(ask.project),
        slug=rules.slug_free(ask.title) if ask.kind == Request.Kind.NEW else "",
        purpose=ask.purpose,
        description=ask.description,
        institution=ask.institution or (ask.project.institution if ask.project else None),
        starts_on=ask.starts_on,
        ends_on=ask.ends_on,
        project=ask.project,
        requested_by=ask.actor,
    )
    RequestCloud.objects.bulk_create([RequestCloud(request=request, cloud=cloud) for cloud in ask.clouds])
    before = {(each.cloud.pk, each.resource.key): each for each in askable(ask.clouds, ask.project)}
    RequestLine.objects.bulk_create(
        RequestLine(
            request=request, cloud_id=cloud_id, resource=key, amount=amount, before=before[cloud_id, key].before
        )
        for (cloud_id, key), amount in ask.lines.items()
        if amount != before[cloud_id, key].floor
    )
    _record(ask.actor, request, Verb.REQUEST_SUBMITTED, f"Asked for {request.get_kind_display()}: “{request.title}”.")
    mails.submitted(request)
    return request


# deciding


def _decide(actor: Person, request: Request, state: Request.State, reason: str) -> None:
    """Exactly one decision changes the row; whoever comes second learns of the first."""
    waiting = Request.objects.filter(pk=request.pk, state=Request.State.SUBMITTED)
    decided = waiting.update(state=state, decided_by=actor, decided_at=clock.now(), decision_reason=reason.strip())
    request.refresh_from_db()
    if not decided:
        raise Stale(
            f"“{request.title}” was {request.get_state_display()} by {request.decided_by} meanwhile.",
            remedy="Load the page anew to see the decision.",
        )


def _granted_store(request: Request, granted: Mapping[int, int]) -> list[RequestLine]:
    lines = list(request.lines.select_related("cloud"))
    if set(granted) - {line.pk for line in lines}:
        raise RuleError("An amount is given for a line that the request does not have.", remedy="Load the page anew.")
    for line in lines:
        line.granted = granted.get(line.pk, line.amount)
        try:
            amount_check(line.catalog, line.granted)
        except AmountError as error:
            field = line_field(line.cloud, line.resource)
            raise RuleError(error.message, remedy=error.remedy, field=field) from error
    RequestLine.objects.bulk_update(lines, ["granted"])
    return lines


def _project_for(actor: Person, request: Request) -> Project:
    if request.kind == Request.Kind.NEW:
        return _project_new(actor, request)
    project = request.project
    if project is None or project.state != Project.State.OPEN:
        raise RuleError(f"“{request.title}” is not open any more.", remedy="Restore the project first, or refuse.")
    if request.kind == Request.Kind.RENEWAL:
        if project.ends_on is not None and request.ends_on is not None and request.ends_on <= project.ends_on:
            raise RuleError(f"The project lasts until {project.ends_on} already.", remedy="Refuse the request.")
        # By Tenantry: reviewers may not change a project by hand, only by deciding what its owner asked for.
        return project_change(actor=None, project=project, ends_on=request.ends_on)
    return project


def _project_new(actor: Person, request: Request) -> Project:
    if request.starts_on is None or request.ends_on is None:
        raise RuleError("The request has no dates.", remedy="Refuse it and ask for a complete one.")
    if request.ends_on < today():
        raise RuleError(f"Its last day, {request.ends_on}, is over.", remedy="Refuse it and ask for a new one.")
    project = project_create(
        actor=actor,
        title=request.title,
        description=request.description,
        purpose=request.purpose,
        institution=request.institution,
        starts_on=request.starts_on,
        ends_on=request.ends_on,
        owner=request.requested_by,
        slug=rules.slug_free(request.title, keep=request),
    )
    request.project = project
    request.slug = project.slug
    request.save(update_fields=["project", "slug"])
    return project


def _tenancies_for(actor: Person, request: Request, project: Project) -> dict[UUID, Tenancy]:
    """Those on the wanted clouds, by cloud id; the missing ones are made."""
    held = {tenancy.cloud_id: tenancy for tenancy in tenancies_of(project)}
    for wanted in request.wanted_clouds.select_related("cloud"):
        if wanted.cloud_id not in held:
            held[wanted.cloud_id] = tenancy_create(actor=actor, project=project, cloud=wanted.cloud)
    return held


def _grant(
    actor: Person, request: Request, project: Project, tenancies: Mapping[UUID, Tenancy], lines: Sequence[RequestLine]
) -> None:
    now = limits_wanted(list(tenancies.values()))
    targets: dict[UUID, dict[str, int]] = {}
    for line in lines:
        tenancy = tenancies[line.cloud_id]
        limit = now.get((tenancy.pk, line.resource))
        # A request for more never takes anything away, even if more was granted since it was sent.
        if line.granted is not None and (limit is None or line.granted > limit):
            targets.setdefault(tenancy.pk, {})[line.resource] = line.granted
    new = request.kind == Request.Kind.NEW
    quotas.promise_raise(
        actor=actor,
        project=project,
        targets=targets,
        why=f"Request “{request.title}”: {request.decision_reason or request.description}",
        starts_on=max(today(), request.starts_on) if new and request.starts_on else None,
        ends_on=request.ends_on if request.kind == Request.Kind.MORE else None,
        origin_ref=str(request.pk),
    )


def _said(lines: Sequence[RequestLine]) -> str:
    parts = [f"{amount_name(line.catalog, line.granted or 0)} on {line.cloud}" for line in lines]
    return f"Granted: {', '.join(parts)}." if parts else ""


def _record(actor: Person, request: Request, verb: Verb, summary: str) -> None:
    record(actor=actor, verb=verb, target=request, summary=summary, project=request.project)


def _reviewers(actor: Person) -> None:
    if not access.can_review(actor):
        raise NotAllowed("Only reviewers and operators decide requests.", remedy="Wait for a reviewer.")
