"""The loop where two things happen at once, or again, or late."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from allauth.socialaccount.models import SocialAccount

from config import clock
from connectors.types import Endpoint, Mode
from tenancy.errors import RuleError
from tenancy.loop import apply, claims, policy, run, settle, slices, survey
from tenancy.models import Account, Cloud, Project, Step, Tenancy
from tenancy.services import (
    cloud_credential_change,
    cloud_mode_set,
    cloud_pause,
    cloud_resume,
    limits_set,
    member_add,
    member_remove,
    members_import,
    project_archive,
    tenancy_adopt,
)
from tenancy.services.members import ImportRow
from tenancy.wanted import accounts_ensure, wanted_tenancies
from tests.support.site import Site

pytestmark = pytest.mark.django_db


def project_of(tenancy: Tenancy) -> Project:
    assert tenancy.project is not None
    return tenancy.project


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
    rows = [ImportRow(project_of(tenancy), person, "member") for person in people]
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
    tomas = member_add(actor=None, project=project_of(tenancy), person=site.person("tomas"), role="member")
    site.work()
    claims.look_again(Tenancy.objects.all())
    in_the_middle(site, monkeypatch, lambda: member_remove(actor=None, membership=tomas))
    slices.run(tenancy.pk, "one")
    assert claims.due().filter(pk=tenancy.pk, urgent=True).exists()


@pytest.mark.parametrize("switch", ["pause", "observe"])
def test_who_calls_writes_off_during_a_slice_stops_its_next_step(
    site: Site, monkeypatch: pytest.MonkeyPatch, switch: str
) -> None:
    tenancy = site.tenancy()
    real = apply.Applier._one

    def one(self: apply.Applier, step: Step, change: object) -> None:
        real(self, step, change)  # type: ignore[arg-type]
        site.emulated.forget()
        if switch == "pause":
            cloud_pause(actor=None, cloud=site.cloud, reason="test")
        else:
            cloud_mode_set(actor=None, cloud=site.cloud, mode=Mode.OBSERVE)

    monkeypatch.setattr(apply.Applier, "_one", one)
    site.work()
    assert site.writes() == []
    assert tenancy.steps.filter(state=Step.State.PLANNED).exists()
    monkeypatch.undo()
    cloud_resume(actor=None, cloud=site.cloud)
    cloud_mode_set(actor=None, cloud=site.cloud, mode=Mode.ENFORCE)
    site.settle()


def test_a_step_that_met_a_refused_credential_is_tried_again_when_it_is_right(site: Site) -> None:
    tenancy = site.ready()
    tomas = member_add(actor=None, project=project_of(tenancy), person=site.person("tomas"), role="member")
    site.work()
    member_remove(actor=None, membership=tomas)
    site.emulated.fault(service="identity", method="DELETE", path="/roles/", status=401)
    site.work()
    assert ("tomas", "member") in site.roles(tenancy)
    assert site.cloud.breaker_until is not None
    site.emulated.heal()
    site.emulated.advance(3700)
    site.settle()
    assert ("tomas", "member") not in site.roles(tenancy)


def test_members_that_an_import_drops_from_an_archived_project_hold_nobody_else_up(site: Site) -> None:
    old, new = site.ready("Old course", site.person("a")), site.ready("New course", site.person("b"))
    people = [site.person() for _ in range(5)]
    rows = [ImportRow(project_of(old), one, "member") for one in people]
    rows += [ImportRow(project_of(new), one, "member") for one in people[:2]]
    members_import(actor=None, source="registrar", rows=rows)
    site.emulated.advance(86_400)
    site.settle()
    project_archive(actor=None, project=project_of(old), reason="Over.")
    site.settle()
    site.emulated.advance(3600)
    members_import(actor=None, source="registrar", rows=rows[5:])
    site.settle()
    site.emulated.advance(86_400)
    members_import(actor=None, source="registrar", rows=rows[6:])
    site.settle()
    assert len(site.roles(new)) == 2


def test_roles_given_back_by_hand_wait_for_a_person_like_the_first_time(site: Site) -> None:
    tenancy = site.ready("Course", site.person("teacher"))
    rows = [ImportRow(project_of(tenancy), site.person(), "member") for _ in range(6)]
    for count in (6, 5, 4, 3, 2, 1, 0):
        members_import(actor=None, source="registrar", rows=rows[:count] or [])
        site.emulated.advance(86_400)
        site.settle()
    assert len(site.roles(tenancy)) == 1
    site.emulated.advance(86_400)
    roles = {r["name"]: r["id"] for r in site.emulated.request("GET", "/identity/v3/roles")["roles"]}
    for account in Account.objects.exclude(person__username="teacher"):
        path = f"/identity/v3/projects/{tenancy.native_id}/users/{account.native_id}/roles/{roles['member']}"
        site.emulated.request("PUT", path)
    survey.run(site.cloud.pk, "test")
    site.work()
    assert len(site.roles(tenancy)) == 7
    assert tenancy.plan_lines.filter(hold="guard").count() == 6


def test_a_limit_that_follows_its_use_down_in_many_steps_is_not_called_contested(site: Site) -> None:
    tenancy = site.ready()
    tenancy.refresh_from_db()
    for number, left in enumerate((9, 7, 5, 3, 1)):
        Step.objects.create(
            key=f"{number}", tenancy=tenancy, cloud=site.cloud, version=tenancy.wanted_version, round=number,
            position=0, kind="limit-cut", section="limits.volume", target="limit:storage.volume", after=str(left),
            state=Step.State.DONE, wrote=True, settled_at=clock.now(),
        )  # fmt: skip
    assert not policy.policy_for(site.cloud, [tenancy]).stopped


def test_a_stop_whose_answer_was_lost_is_remembered_past_the_next_change(site: Site) -> None:
    tenancy = site.ready()
    Step.objects.create(
        key="stop", tenancy=tenancy, cloud=site.cloud, version=tenancy.wanted_version, position=0, kind="work-stop",
        section="work", target="work:one", native_id="one", state=Step.State.UNCLEAR, sent_at=clock.now(),
    )  # fmt: skip
    cores_set(tenancy, 2)
    site.work()
    (wanted,) = wanted_tenancies(site.cloud, [tenancy])
    assert wanted.restart == ("one",)


def test_who_signs_in_after_becoming_a_member_is_linked(site: Site) -> None:
    """A federated cloud knows nobody before their first sign-in."""
    tenancy = site.tenancy(owner=site.person("mira"))
    Cloud.objects.update(accounts_come=Cloud.Accounts.FEDERATED, provider="campus", protocol="openid", issuer="sso")
    accounts_ensure(site.cloud, [tenancy])
    account = Account.objects.get(person__username="mira")
    assert (account.managed, account.subject) == (False, "")
    SocialAccount.objects.create(user=account.person, provider="sso", uid="mira@campus")
    accounts_ensure(site.cloud, [tenancy])
    account.refresh_from_db()
    assert (account.managed, account.provider, account.subject) == (True, "campus", "mira@campus")


def test_a_volume_service_that_refuses_every_token_keeps_no_role_alive(site: Site) -> None:
    tenancy = site.ready()
    tomas = member_add(actor=None, project=project_of(tenancy), person=site.person("tomas"), role="member")
    site.work()
    member_remove(actor=None, membership=tomas)
    site.emulated.fault(service="volume", status=401)
    site.work()
    assert ("tomas", "member") not in site.roles(tenancy)
    assert site.cloud.breaker_until is None


def test_a_project_whose_name_was_taken_takes_over_what_has_it(site: Site) -> None:
    made = site.emulated.request("POST", "/identity/v3/projects", {"project": {"name": "coastal-genomics"}})
    native = made["project"]["id"]
    waiting = site.tenancy(owner=site.person("mira"))
    site.work()
    assert waiting.plan_lines.get(target="tenancy").hold == "name-taken"
    other = site.project("Other", site.person())
    with pytest.raises(RuleError, match="coastal-genomics"):
        tenancy_adopt(actor=None, cloud=site.cloud, native_id=native, name="coastal-genomics", project=other)
    same = project_of(waiting)
    adopted = tenancy_adopt(actor=None, cloud=site.cloud, native_id=native, name="coastal-genomics", project=same)
    assert adopted.pk == waiting.pk
    site.settle()
    assert site.native_project(waiting)["id"] == native
    assert ("mira", "member") in site.roles(waiting)


def test_what_the_old_credential_might_not_do_is_tried_with_the_new_one(site: Site) -> None:
    tenancy = site.ready()
    tomas = member_add(actor=None, project=project_of(tenancy), person=site.person("tomas"), role="member")
    site.work()
    member_remove(actor=None, membership=tomas)
    site.emulated.fault(service="identity", method="DELETE", path="/roles/", status=403)
    site.work()
    assert ("tomas", "member") in site.roles(tenancy)
    site.emulated.heal()
    cloud_credential_change(actor=None, cloud=site.cloud, connection=site.connection())
    site.work()
    assert ("tomas", "member") not in site.roles(tenancy)


def test_the_last_slice_of_a_task_ends_before_the_task_is_killed(settings: Any) -> None:
    """A slice that is killed leaves doubt, and after a few times its row is parked."""
    survey_and_last_call = 2 * timedelta(seconds=Endpoint.__dataclass_fields__["timeout"].default)
    longest = run.PATIENCE + apply.SLICE + survey_and_last_call
    assert longest < timedelta(seconds=settings.CELERY_TASK_SOFT_TIME_LIMIT)
