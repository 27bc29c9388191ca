"""What a late holder of a lease may still write: nothing, at whichever line it was held up."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import pytest

from tenancy.errors import LeaseLost
from tenancy.loop import journal, lease, slices
from tenancy.models import Step, Tenancy
from tests.support.site import Site, emulated_site

pytestmark = pytest.mark.django_db


@pytest.fixture
def site(db: None) -> Iterator[Site]:
    with emulated_site() as made:
        yield made


def rows() -> list[Any]:
    return list(Step.objects.order_by("key").values_list("key", "state", "fence", "settled_at", "detail"))


@pytest.mark.parametrize("where", ["step_sent", "step_applied", "step_failed"])
def test_a_holder_that_was_held_up_in_the_journal_changes_no_row(
    site: Site, monkeypatch: pytest.MonkeyPatch, where: str
) -> None:
    tenancy = site.tenancy()
    if where == "step_failed":
        site.emulated.fault(writes=True, status=409, times=1)
    real: Callable[..., None] = getattr(journal, where)
    after: list[Any] = []

    def held_up(*arguments: Any) -> None:
        if not after:
            after.append(None)
            site.emulated.advance(lease.LEASE.total_seconds() + 1)
            second = slices.run(tenancy.pk, "second")
            assert second is not None
            after[0] = rows()
        real(*arguments)

    monkeypatch.setattr(journal, where, held_up)
    assert slices.run(tenancy.pk, "first") is None
    assert after[0]
    assert rows() == after[0]
    site.settle()
    assert site.native_project(tenancy)


def test_a_holder_that_lost_its_lease_does_not_give_it_back_for_the_other(site: Site) -> None:
    tenancy = site.tenancy()
    first = lease.take(tenancy.pk, "first")
    assert first is not None
    site.emulated.advance(lease.LEASE.total_seconds() + 1)
    assert lease.take(tenancy.pk, "second") is not None
    with pytest.raises(LeaseLost):
        first.release(settled_version=99)
    held = Tenancy.objects.get()
    assert (held.lease_holder, held.settled_version) == ("second", 0)
