"""A survey, indexed for planning."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Protocol, TypeVar

from connectors.types import (
    FoundTenancy,
    Survey,
)


class _OfTenancy(Protocol):
    @property
    def tenancy(self) -> str: ...


Row = TypeVar("Row", bound=_OfTenancy)


def _group(rows: Iterable[Row]) -> dict[str, list[Row]]:
    grouped: dict[str, list[Row]] = {}
    for row in rows:
        grouped.setdefault(row.tenancy, []).append(row)
    return grouped


class Found:
    """A survey indexed once, so that planning 1,000 tenancies stays linear."""

    def __init__(self, survey: Survey) -> None:
        self.survey = survey
        self.by_id = {t.native_id: t for t in survey.tenancies}
        self.by_name = {t.name: t for t in survey.tenancies}
        self.by_ref: dict[str, list[FoundTenancy]] = {}
        for tenancy in survey.tenancies:
            if tenancy.ref:
                self.by_ref.setdefault(tenancy.ref, []).append(tenancy)
        self.members = _group(survey.members)
        self.limits = _group(survey.limits)
        self.work = _group(survey.work)
