"""What a plan may do on a cloud right now: its mode, our own objects, and what was stopped."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from datetime import timedelta

from django.db.models import F, Q

from config import clock
from connectors.plan import Hold, Policy
from connectors.types import Mode
from tenancy.clouds import role_map
from tenancy.models import Cloud, SiteSwitch, Step, Tenancy
from tenancy.wanted import resource_sections

CONTESTED_AFTER = 3
CONTESTED_WINDOW = timedelta(hours=24)

Stopped = dict[tuple[str, str], tuple[Hold, str]]


def policy_for(cloud: Cloud, tenancies: Sequence[Tenancy], suspect: frozenset[str] = frozenset()) -> Policy:
    return Policy(
        mode=Mode(cloud.mode),
        roles=role_map(cloud),
        sections=resource_sections(cloud),
        own_account=cloud.own_account,
        own_tenancy=cloud.own_tenancy,
        stopped=_stopped(tenancies),
        suspect=suspect,
    )


def _stopped(tenancies: Sequence[Tenancy]) -> Stopped:
    """Targets whose last try says that another would be useless, at the version now wanted."""
    refs = {tenancy.pk: tenancy.ref for tenancy in tenancies}
    useless = Q(state__in=(Step.State.INEFFECTIVE, Step.State.FAILED))
    put_back_lately = Q(state=Step.State.DONE, wrote=True, round__gt=0, settled_at__gt=clock.now() - CONTESTED_WINDOW)
    rows = Step.objects.filter(useless | put_back_lately, version=F("tenancy__wanted_version"))
    if len(refs) == 1:
        rows = rows.filter(tenancy=next(iter(refs)))
    stopped: Stopped = {}
    # The same value each time: a limit that follows its use down is nobody else's doing.
    put_back: Counter[tuple[tuple[str, str], str]] = Counter()
    for step in rows.order_by("planned_at"):
        where = (refs.get(step.tenancy_id, ""), step.target)
        if step.state == Step.State.INEFFECTIVE:
            stopped[where] = (Hold.INEFFECTIVE, f"The cloud accepted it and kept {step.now or 'what was there'}.")
        elif step.state == Step.State.FAILED:
            stopped[where] = (Hold.REFUSED, step.error)
        else:
            put_back[where, step.after] += 1
    for (where, _), times in put_back.items():
        if times >= CONTESTED_AFTER:
            why = f"Put back {times} times within a day; somebody else keeps changing it on the cloud."
            stopped[where] = (Hold.CONTESTED, why)
    return stopped


def paused_because(cloud: Cloud) -> str:
    """Why nothing is written to this cloud now, or an empty text."""
    switch = SiteSwitch.objects.filter(pk=1, paused_at__isnull=False).first()
    if switch is not None:
        return f"All writes are paused: {switch.reason}"
    if cloud.paused_at is not None:
        return f"Writes to this cloud are paused: {cloud.pause_reason}"
    return ""
