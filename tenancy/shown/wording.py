"""Changes in words: what a step or a plan line is about, and amounts as the cloud itself would say them."""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache

from connectors import registry
from connectors.errors import Misconfigured
from connectors.types import UNLIMITED, NativeResource
from tenancy.models import Account, PlanLine, Step
from tenancy.models.work import Kind

LIMITS = frozenset({Kind.LIMIT_RAISE, Kind.LIMIT_CUT})
MEMBERS = frozenset({Kind.MEMBER_ADD, Kind.MEMBER_REMOVE})
WORK = frozenset({Kind.WORK_STOP, Kind.WORK_START})

_PLAIN = {
    Kind.TENANCY_CREATE: "Project on the cloud",
    Kind.TENANCY_TAG: "Mark as ours",
    Kind.TENANCY_ENABLE: "Project opened",
    Kind.TENANCY_DISABLE: "Project shut",
}


@cache
def _resources(kind: str) -> Mapping[str, NativeResource]:
    try:
        return {resource.key: resource for resource in registry.kind(kind).resources}
    except Misconfigured:
        # Its connector was uninstalled: the rows are still readable by our own names.
        return {}


def what(change: Step | PlanLine) -> str:
    """The subject of a change: "Role of Ivo Krasniqi", "Limit of cores"."""
    kind = Kind(change.kind)
    if kind in MEMBERS:
        return f"Role of {_who(change.account)}"
    if kind is Kind.ACCOUNT_CREATE:
        return f"Account of {_who(change.account)}"
    if kind in LIMITS:
        resource = _resource(change)
        return f"Limit of {resource.native if resource else _tail(change.target)}"
    if kind in WORK:
        return f"Work {_tail(change.target)}"
    return _PLAIN[kind]


def object_name(change: Step | PlanLine) -> str:
    """What an operator would look for on the cloud: ``limits.compute: cores``, ``members: ivo``."""
    if change.kind in LIMITS:
        resource = _resource(change)
        return f"{change.section}: {resource.native if resource else _tail(change.target)}"
    if change.account is not None:
        return f"{change.section}: {change.account.name}"
    return f"{change.section}: {_tail(change.target)}"


def value(change: Step | PlanLine, text: str) -> str:
    """``before``, ``after`` or ``now`` of a change; limits in the cloud's own units."""
    if not text or change.kind not in LIMITS:
        return text
    return amount(_resource(change), text)


def amount(resource: NativeResource | None, text: str) -> str:
    """Base units, written as text, in the cloud's own units: exact, "no limit" for -1."""
    base = int(text)
    if base == UNLIMITED:
        return "no limit"
    if resource is None:
        return f"{base} base units"
    whole, rest = divmod(base, resource.factor)
    return f"{whole:,}" if not rest else f"{base / resource.factor:,.3f}"


def native_name(kind: str, key: str) -> str:
    """How this kind of cloud calls a resource; our own key if it does not know it."""
    resource = _resources(kind).get(key)
    return resource.native if resource else key


def native_amount(kind: str, key: str, base: int | None) -> str | None:
    return None if base is None else amount(_resources(kind).get(key), str(base))


def _resource(change: Step | PlanLine) -> NativeResource | None:
    return _resources(change.cloud.kind).get(_tail(change.target))


def _tail(target: str) -> str:
    return target.partition(":")[2] or target


def _who(account: Account | None) -> str:
    return str(account.person) if account is not None else "somebody whose account is gone"
