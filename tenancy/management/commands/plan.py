"""Show what would be done on the clouds. Writes nothing there. Exit code 2 when changes are pending."""

from __future__ import annotations

import json
from argparse import ArgumentParser
from collections.abc import Iterator
from typing import Any

from django.core.management.base import BaseCommand

from connectors.errors import ConnectorError
from connectors.plan import TenancyPlan
from connectors.types import Change, SectionState
from tenancy.loop import survey
from tenancy.management.commands._common import PENDING, clouds, leave, tell
from tenancy.models import Cloud


class Command(BaseCommand):
    help = "Survey the clouds and print the plan; exit code 2 when changes are pending, 1 when one could not be read."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--cloud", metavar="NAME", help="one cloud (default: all)")
        parser.add_argument("--json", action="store_true", help="machine-readable")

    def handle(self, *args: Any, **options: Any) -> None:
        told: list[dict[str, Any]] = []
        failed = pending = False
        for cloud in clouds(options["cloud"]):
            try:
                outlook = survey.look(cloud)
            except ConnectorError as error:
                failed = True
                tell(self.stderr, error)
                told.append({"cloud": cloud.slug, "error": error.message, "verbatim": error.verbatim})
                continue
            failed = failed or not outlook.complete
            pending = pending or outlook.pending
            told.append(_document(cloud, outlook))
            if not options["json"]:
                self._print(cloud, outlook)
        if options["json"]:
            self.stdout.write(json.dumps({"clouds": told}, indent=2))
        leave(1 if failed else PENDING if pending else 0)

    def _print(self, cloud: Cloud, outlook: survey.Outlook) -> None:
        self.stdout.write(f"{cloud.title} ({cloud.mode}): {len(outlook.plan.changes)} changes")
        for state in outlook.survey.sections.values():
            if not state.complete:
                why = state.error.message if state.error else "not read"
                self.stdout.write(f"  ? {state.name}: incomplete, nothing of it is taken away. {why}")
                if state.error and state.error.verbatim:
                    self.stdout.write(f"    The cloud's answer, verbatim: {state.error.verbatim}")
        for line in _lines(outlook):
            self.stdout.write(f"  {line}")
        for drift in (*outlook.plan.drift, *(d for t in outlook.plan.tenancies for d in t.drift)):
            self.stdout.write(f"  = {drift.kind}: {drift.object} {drift.native_id}: {drift.note}")


def _lines(outlook: survey.Outlook) -> Iterator[str]:
    for tenancy in outlook.plan.tenancies:
        for change in tenancy.changes:
            yield f"{_sign(change)} {_name(tenancy)} {_change(change)}"
        for held in tenancy.held:
            yield f"! {_name(tenancy)} {_change(held.change)} [held: {held.hold}] {held.why}"


def _name(plan: TenancyPlan) -> str:
    return plan.native_id or plan.ref


def _sign(change: Change) -> str:
    return "-" if change.takes != "nothing" else "+"


def _change(change: Change) -> str:
    return (
        f"{change.kind} {change.target}: {change.before or 'nothing'} -> {change.after or 'nothing'} ({change.reason})"
    )


def _document(cloud: Cloud, outlook: survey.Outlook) -> dict[str, Any]:
    return {
        "cloud": cloud.slug,
        "mode": cloud.mode,
        "taken_at": outlook.survey.taken_at.isoformat(),
        "sections": {state.name: _section(state) for state in outlook.survey.sections.values()},
        "tenancies": [
            {
                "ref": plan.ref,
                "native_id": plan.native_id,
                "version": plan.version,
                "unknown": list(plan.unknown),
                "changes": [_json(change) for change in plan.changes],
                "held": [{**_json(h.change), "hold": h.hold.value, "why": h.why} for h in plan.held],
            }
            for plan in outlook.plan.tenancies
            if plan.changes or plan.held or plan.unknown
        ],
        "drift": [
            {"kind": d.kind.value, "object": d.object, "native_id": d.native_id, "found": d.found, "note": d.note}
            for d in (*outlook.plan.drift, *(d for t in outlook.plan.tenancies for d in t.drift))
        ],
    }


def _section(state: SectionState) -> dict[str, Any]:
    said: dict[str, Any] = {"complete": state.complete, "count": state.count}
    if state.error:
        said |= {"error": state.error.message, "verbatim": state.error.verbatim, "request_id": state.error.request_id}
    return said


def _json(change: Change) -> dict[str, Any]:
    return {
        "kind": change.kind.value,
        "target": change.target,
        "before": change.before,
        "after": change.after,
        "takes": change.takes.value,
        "decided": change.decided,
        "reason": change.reason,
    }
