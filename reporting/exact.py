"""Sums in the database that stay exact integers beyond 63 bits.

SQLite refuses to add beyond 2^63, and a site's GiB-seconds get there. So each summand is split into its high part and
its low 32 bits, the two are added apart, and Python puts them together.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from django.db.models import BigIntegerField, F, Q, Sum
from django.db.models.expressions import Combinable, ExpressionWrapper

_BITS = 32
_LOW = 2**_BITS - 1


def exact_sum(name: str, summand: str | Combinable, only: Q | None = None) -> dict[str, Sum]:
    """Annotations for ``exact_value``: the sum of a column or of a non-negative integer expression."""
    each = F(summand) if isinstance(summand, str) else summand
    parts = {f"{name}_high": each.bitrightshift(_BITS), f"{name}_low": each.bitand(_LOW)}
    return {
        part: Sum(ExpressionWrapper(value, output_field=BigIntegerField()), filter=only, default=0)
        for part, value in parts.items()
    }


def exact_value(row: Mapping[str, Any], name: str) -> int:
    """The sum called ``name`` in a row of ``.values()``; exact at any size."""
    return (int(row[f"{name}_high"]) << _BITS) + int(row[f"{name}_low"])
