"""What a slice leaves behind on its tenancy: settled or not, when to try again, and a condition per section.

An unclear outcome is not over when the retry succeeds: until ``verify_at`` the write may still land, so only a
survey after it settles the tenancy.
"""

from __future__ import annotations

import random
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from config import clock
from connectors.plan import HeldChange, Hold, TenancyPlan
from connectors.types import Section
from tenancy.loop.apply import Result
from tenancy.models import Condition, Tenancy
from tenancy.wanted import resource_sections

LATENESS = timedelta(minutes=10)
"""Longer than any proxy or server in between keeps a request."""

BACKOFF = timedelta(seconds=20)
BACKOFF_MOST = timedelta(hours=1)
"""Also the longest a cloud's own Retry-After is believed: nobody's access stays for a week because a proxy says so."""

LOOK_AGAIN = timedelta(hours=1)
"""When a person is needed: look whether the reason went away by itself."""

jitter = random.Random()  # noqa: S311 - spreads retries; simulations seed it

_STATES = {
    Hold.CONTESTED: Condition.State.CONTESTED,
    Hold.GUARD: Condition.State.HELD,
    Hold.MODE: Condition.State.HELD,
    Hold.SUSPECT: Condition.State.HELD,
}


@dataclass(frozen=True, slots=True)
class Ending:
    """How a slice ended, ready to be written with the release of its lease."""

    fields: dict[str, Any]
    settled: bool
    next_try: datetime | None


def ending(
    tenancy: Tenancy, plan: TenancyPlan, held: tuple[HeldChange, ...], result: Result, doubt: bool, taken_at: datetime
) -> Ending:
    """Decide from the plan, what was held and what was done. ``taken_at`` is when the survey was taken."""
    moment = clock.now()
    verify_at = moment + LATENESS if doubt or result.doubt else tenancy.verify_at
    if verify_at and verify_at == tenancy.verify_at and taken_at >= verify_at and not plan.changes:
        verify_at = None
    clean = result.clean and not held and not plan.unknown
    settled = clean and verify_at is None
    fields: dict[str, Any] = {"verify_at": verify_at, "surveyed_at": taken_at}
    if settled:
        fields |= {"settled_version": plan.version, "settled_at": moment, "attempts": 0}
        return Ending(fields, True, None)
    if clean:
        fields["attempts"] = 0
        return Ending(fields, False, verify_at)
    waits_only = result.clean and not plan.unknown
    if waits_only:
        fields["attempts"] = 0
    next_try = moment + (LOOK_AGAIN if waits_only else backoff(tenancy.attempts, result))
    # A moment that has passed is no reason to hurry: what keeps it from being verified is what waits here.
    due = min(next_try, verify_at) if verify_at and verify_at > moment else next_try
    return Ending(fields, False, due)


def backoff(attempts: int, result: Result | None = None) -> timedelta:
    """Jittered and growing, unless the cloud said how long to wait."""
    asked = [error.retry_after for _, error in result.failed if error.retry_after] if result else []
    if asked:
        return timedelta(seconds=min(max(asked), BACKOFF_MOST.total_seconds()))
    if result and result.unfinished and not result.failed:
        return timedelta()
    pause = min(BACKOFF * 2 ** min(max(attempts - 1, 0), 10), BACKOFF_MOST)
    return timedelta(seconds=pause.total_seconds() * jitter.uniform(0.75, 1.25))


def conditions_save(
    tenancy: Tenancy, plan: TenancyPlan, held: Iterable[HeldChange], result: Result, next_try: datetime | None
) -> None:
    """One condition a section, with the wanted version it speaks about."""
    found: dict[str, tuple[str, str]] = {}
    for name in plan.unknown:
        found[name] = (Condition.State.UNKNOWN, "This part of the cloud could not be read.")
    for one in held:
        state = _STATES.get(one.hold, Condition.State.NEEDS_YOU)
        found.setdefault(one.change.section, (state, one.why))
    for step, error in result.failed:
        state = Condition.State.TRYING if error.retry else Condition.State.NEEDS_YOU
        found[step.section] = (state, error.message)
    for step in result.ineffective:
        found[step.section] = (Condition.State.NEEDS_YOU, "The cloud accepted the change, yet nothing changed.")
    sections = {str(Section.TENANCIES), str(Section.MEMBERS), *found, *_limit_sections(tenancy)}
    ending_now = tenancy.wanted == Tenancy.Wanted.SUSPENDED and next_try is not None
    rest = Condition.State.ENDING if ending_now else Condition.State.READY
    _write(tenancy, {name: found.get(name, (rest, "")) for name in sections}, plan.version, next_try)


def _limit_sections(tenancy: Tenancy) -> set[str]:
    sections = resource_sections(tenancy.cloud)
    return {sections[key] for key in tenancy.limits.values_list("resource", flat=True) if key in sections}


def _write(tenancy: Tenancy, states: Mapping[str, tuple[str, str]], version: int, next_try: datetime | None) -> None:
    """``since`` moves only when the state does."""
    moment = clock.now()
    since = {(c.section, c.state): c.since for c in Condition.objects.filter(tenancy=tenancy)}
    Condition.objects.bulk_create(
        (
            Condition(
                tenancy=tenancy,
                section=name,
                state=state,
                reason=reason,
                since=since.get((name, state), moment),
                seen_at=moment,
                next_try_at=next_try,
                version=version,
            )
            for name, (state, reason) in sorted(states.items())
        ),
        update_conflicts=True,
        unique_fields=("tenancy", "section"),
        update_fields=("state", "reason", "since", "seen_at", "next_try_at", "version"),
    )


def all_conditions(tenancy: Tenancy, state: str, reason: str, next_try: datetime | None = None) -> None:
    """The same for every section: the cloud cannot be reached at all, or writes are paused."""
    names = set(Condition.objects.filter(tenancy=tenancy).values_list("section", flat=True))
    names |= {str(Section.TENANCIES), str(Section.MEMBERS)}
    _write(tenancy, dict.fromkeys(names, (state, reason)), tenancy.wanted_version, next_try)
