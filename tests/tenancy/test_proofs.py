"""The proof of a goodbye: had once it is good, tried again until then, and no reason to forget a doubt."""

from __future__ import annotations

import pytest

from tenancy.loop import settle
from tenancy.services import project_archive
from tests.support.site import Site

pytestmark = pytest.mark.django_db


def test_a_proof_that_could_not_be_had_is_tried_again_and_spoils_nothing(site: Site) -> None:
    mira = site.person("mira")
    tenancy = site.ready(owner=mira)
    site.emulated.fault(service="identity", path="role_assignments", query="effective", status=500)
    project_archive(actor=mira, project=tenancy.project, reason="over")
    site.work()
    assert site.roles(tenancy) == set()
    assert not tenancy.proofs.exists()
    tenancy.refresh_from_db()
    assert tenancy.settled, "what was read back is true without a proof"
    site.emulated.heal()
    site.emulated.advance(settle.LOOK_AGAIN.total_seconds() + 1)
    site.work()
    assert list(tenancy.proofs.values_list("ok", flat=True)) == [True]
