"""The loop where two things happen at once, or again, or late."""

from __future__ import annotations

from datetime import timedelta

import pytest

from config import clock
from tenancy.loop import claims, settle, slices
from tenancy.models import Tenancy
from tenancy.services import cloud_pause, cloud_resume, limits_set, member_add, member_remove, members_import
from tenancy.services.members import ImportRow
from tests.support.site import Site

pytestmark = pytest.mark.django_db


def cores_set(tenancy: Tenancy, cores: int) -> None:
    now = dict(tenancy.limits.values_list("resource", "amount"))
    limits_set(actor=None, tenancy=tenancy, limits=now | {"compute.vcpu": cores * 1000}, reason="test")


def in_the_middle(site: Site, monkeypatch: pytest.MonkeyPatch, act: object) -> None:
    """Do something once while a slice surveys."""
    real = slices.Slice._survey
    done: list[bool] = []

    def survey(self: slices.Slice, wanted: object) -> object:
        found = real(self, wanted)  # type: ignore[arg-type]
        if not done:
            done.append(True)
            site.emulated.advance(1)
            act()  # type: ignore[operator]
        return found

    monkeypatch.setattr(slices.Slice, "_survey", survey)


def test_a_moment_of_verification_that_has_passed_does_not_undo_the_backoff(site: Site) -> None:
    tenancy = site.ready()
    cores_set(tenancy, 4)
    Tenancy.objects.update(verify_at=clock.now() - timedelta(minutes=1))
    site.emulated.fault(service="compute", method="PUT", path="os-quota-sets", status=503)
    site.work()
    tenancy.refresh_from_db()
    assert tenancy.next_attempt_at is not None
    assert tenancy.next_attempt_at >= clock.now() + timedelta(seconds=10)


def test_a_batch_that_waits_for_a_person_is_not_surveyed_again_and_again(site: Site) -> None:
    tenancy = site.ready("Course", site.person("teacher"))
    people = [site.person() for _ in range(6)]
    rows = [ImportRow(tenancy.project, person, "member") for person in people]
    members_import(actor=None, source="registrar", rows=rows)
    site.emulated.advance(86_400)
    site.settle()
    members_import(actor=None, source="registrar", rows=rows[:1])
    Tenancy.objects.update(verify_at=clock.now() - timedelta(minutes=1))
    assert len(site.work()) == 1


def test_a_retry_after_of_a_thousand_years_is_an_hour(site: Site) -> None:
    tenancy = site.ready()
    cores_set(tenancy, 4)
    site.emulated.fault(service="compute", method="PUT", path="os-quota-sets", status=429, retry_after=10**11)
    site.work()
    tenancy.refresh_from_db()
    assert tenancy.next_attempt_at == clock.now() + settle.BACKOFF_MOST


def test_who_asks_for_another_look_during_a_slice_gets_one(site: Site, monkeypatch: pytest.MonkeyPatch) -> None:
    tenancy = site.ready()
    site.emulated.advance(60)
    claims.look_again(Tenancy.objects.all())
    in_the_middle(site, monkeypatch, lambda: claims.look_again(Tenancy.objects.all()))
    slices.run(tenancy.pk, "one")
    assert claims.due().filter(pk=tenancy.pk).exists()


def test_a_resume_during_a_slice_that_saw_the_pause_is_not_lost(site: Site, monkeypatch: pytest.MonkeyPatch) -> None:
    tenancy = site.ready()
    cores_set(tenancy, 4)
    cloud_pause(actor=None, cloud=site.cloud, reason="test")
    real = settle.all_conditions

    def resumed_meanwhile(*args: object, **kwargs: object) -> None:
        site.emulated.advance(1)
        cloud_resume(actor=None, cloud=site.cloud)
        real(*args, **kwargs)  # type: ignore[arg-type]

    monkeypatch.setattr(settle, "all_conditions", resumed_meanwhile)
    slices.run(tenancy.pk, "one")
    monkeypatch.undo()
    site.work()
    assert site.cores(tenancy) == 4


def test_a_removal_asked_for_during_a_slice_stays_urgent(site: Site, monkeypatch: pytest.MonkeyPatch) -> None:
    tenancy = site.ready()
    tomas = member_add(actor=None, project=tenancy.project, person=site.person("tomas"), role="member")
    site.work()
    claims.look_again(Tenancy.objects.all())
    in_the_middle(site, monkeypatch, lambda: member_remove(actor=None, membership=tomas))
    slices.run(tenancy.pk, "one")
    assert claims.due().filter(pk=tenancy.pk, urgent=True).exists()
