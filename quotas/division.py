"""From grants to limits: what is promised on a day, and how a promise is divided. Pure: no Django.

Grants in force replace the default of a resource, also a grant of 0 (adopted that way); without one, every tenancy has
the default of the catalog.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import TypeVar

from connectors.types import UNLIMITED

Key = TypeVar("Key")


def promise(amounts: Iterable[int]) -> int | None:
    """Grants in force together; one without a limit makes the promise unlimited; None if there is no grant."""
    given = list(amounts)
    if not given:
        return None
    return UNLIMITED if UNLIMITED in given else sum(given)


def divide(promised: int | None, default: int, step: int, shares: Mapping[Key, int | None]) -> dict[Key, int]:
    """The limit of each tenancy, in base units.

    `shares` names every tenancy of the project, with its share or None if none was set. A single tenancy gets all of
    the promise. With several, one without a share gets nothing of it: that part is not divided. When a grant ended and
    the shares are more than what is left, they shrink in proportion, in whole steps, so that the sum never exceeds the
    promise; the shares themselves are kept for the day a grant follows.
    """
    if promised is None:
        return dict.fromkeys(shares, default)
    if len(shares) == 1:
        return dict.fromkeys(shares, promised)
    if promised == UNLIMITED:
        return {key: UNLIMITED if share is None else share for key, share in shares.items()}
    wanted = {key: _bounded(share or 0, promised) for key, share in shares.items()}
    total = sum(wanted.values())
    if total <= promised:
        return wanted
    return {key: amount * promised // total // step * step for key, amount in wanted.items()}


def _bounded(share: int, promised: int) -> int:
    """An unlimited share of a limited promise is all of it."""
    return promised if share == UNLIMITED else share


def undivided(promised: int | None, limits: Iterable[int]) -> int | None:
    """What of a promise is on no tenancy; None where that has no meaning (no grant, or no limit)."""
    if promised is None or promised == UNLIMITED:
        return None
    return promised - sum(limits)
