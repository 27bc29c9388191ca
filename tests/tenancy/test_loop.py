"""The loop on an emulated cloud: provisioning, repair, doubt, failures that stay where they happen."""

from __future__ import annotations

from datetime import timedelta

import pytest

from config import clock
from connectors.types import Mode
from tenancy.errors import LeaseLost
from tenancy.loop import claims, lease, run, settle, slices, survey
from tenancy.models import Condition, PlanLine, Step, Tenancy
from tenancy.services import (
    cloud_mode_set,
    cloud_pause,
    cloud_resume,
    limits_set,
    member_add,
    member_remove,
    member_role_change,
    project_archive,
    project_restore,
    site_pause,
    site_resume,
    tenancy_adopt,
    tenancy_retry,
)
from tests.support.site import Site, open_steps

pytestmark = pytest.mark.django_db


def wanted_limits(tenancy: Tenancy, **changed: int) -> dict[str, int]:
    now = dict(tenancy.limits.values_list("resource", "amount"))
    return now | {key.replace("_", ".", 1): amount for key, amount in changed.items()}


def cores_set(tenancy: Tenancy, cores: int) -> None:
    limits_set(actor=None, tenancy=tenancy, limits=wanted_limits(tenancy, compute_vcpu=cores * 1000), reason="test")


def test_a_wanted_tenancy_becomes_a_project_with_owner_and_limits(site: Site) -> None:
    tenancy = site.ready(owner=site.person("mira"))
    assert site.native_project(tenancy)["id"] == tenancy.native_id
    assert site.roles(tenancy) == {("mira", "member")}
    assert site.cores(tenancy) == 0
    assert set(tenancy.conditions.values_list("state", flat=True)) == {Condition.State.READY}


def test_running_it_twice_writes_nothing_the_second_time(site: Site) -> None:
    tenancy = site.ready()
    site.emulated.forget()
    claims.look_again(Tenancy.objects.all())
    (report,) = site.work()
    assert report.settled
    assert site.writes() == []
    assert tenancy.steps.filter(state=Step.State.DONE).count() == tenancy.steps.count()


def test_members_come_change_and_go(site: Site) -> None:
    tenancy = site.ready(owner=site.person("mira"))
    tomas = member_add(actor=None, project=tenancy.project, person=site.person("tomas"), role="member")
    site.work()
    assert ("tomas", "member") in site.roles(tenancy)
    member_role_change(actor=None, membership=tomas, role="viewer")
    site.work()
    assert site.roles(tenancy) == {("mira", "member"), ("tomas", "reader")}
    member_remove(actor=None, membership=tomas)
    site.work()
    assert site.roles(tenancy) == {("mira", "member")}


def test_a_limit_changed_by_hand_is_put_back_three_times_a_day_and_then_a_person_is_asked(site: Site) -> None:
    tenancy = site.ready()
    native = tenancy.native_id
    for _ in range(3):
        site.emulated.request("PUT", f"/compute/v2.1/os-quota-sets/{native}", {"quota_set": {"cores": 7}})
        survey.run(site.cloud.pk, "test")
        site.work()
        assert site.cores(tenancy) == 0
    site.emulated.request("PUT", f"/compute/v2.1/os-quota-sets/{native}", {"quota_set": {"cores": 7}})
    survey.run(site.cloud.pk, "test")
    claims.look_again(Tenancy.objects.all())
    site.work()
    assert site.cores(tenancy) == 7
    assert tenancy.conditions.get(section="limits.compute").state == Condition.State.CONTESTED
    tenancy_retry(actor=None, tenancy=tenancy)
    site.work()
    assert site.cores(tenancy) == 0


def test_a_role_given_by_hand_is_told_and_left_alone(site: Site) -> None:
    tenancy = site.ready()
    users = site.emulated.request("GET", "/identity/v3/users", name="admin")["users"]
    roles = {r["name"]: r["id"] for r in site.emulated.request("GET", "/identity/v3/roles")["roles"]}
    site.emulated.request(
        "PUT", f"/identity/v3/projects/{tenancy.native_id}/users/{_stranger(site)}/roles/{roles['member']}"
    )
    assert users
    outlook = survey.run(site.cloud.pk, "test")
    assert outlook is not None
    assert not outlook.pending
    (line,) = tenancy.drift_lines.all()
    assert line.kind == "unmanaged"
    assert len(site.roles(tenancy)) == 2


def _stranger(site: Site) -> str:
    return str(site.emulated.request("POST", "/identity/v3/users", {"user": {"name": "stranger"}})["user"]["id"])


@pytest.mark.parametrize("mode", [Mode.OBSERVE, Mode.ADD_ONLY])
def test_a_mode_below_enforce_takes_nothing_away(site: Site, mode: Mode) -> None:
    tenancy = site.ready(owner=site.person("mira"))
    tomas = member_add(actor=None, project=tenancy.project, person=site.person("tomas"), role="member")
    site.work()
    cloud_mode_set(actor=None, cloud=site.cloud, mode=mode)
    site.work()
    site.emulated.forget()
    member_remove(actor=None, membership=tomas)
    member_add(actor=None, project=tenancy.project, person=site.person("ana"), role="member")
    site.work()
    assert ("tomas", "member") in site.roles(tenancy)
    assert (("ana", "member") in site.roles(tenancy)) == (mode is Mode.ADD_ONLY)
    assert bool(site.writes()) == (mode is Mode.ADD_ONLY)
    assert tenancy.plan_lines.filter(hold=PlanLine.HoldChoice.MODE).exists()
    assert tenancy.conditions.get(section="members").state == Condition.State.HELD
    cloud_mode_set(actor=None, cloud=site.cloud, mode=Mode.ENFORCE)
    site.work()
    assert site.roles(tenancy) == {("mira", "member"), ("ana", "member")}


def test_an_hour_in_observe_mode_writes_nothing(site: Site) -> None:
    site.ready("First")
    cloud_mode_set(actor=None, cloud=site.cloud, mode=Mode.OBSERVE)
    site.emulated.forget()
    tenancy = site.tenancy("Second")
    cores_set(Tenancy.objects.get(project__title="First"), 9)
    for _ in range(60):
        run.surveys_due("test")
        site.work()
        site.emulated.advance(60)
    assert site.writes() == []
    assert not Tenancy.objects.get(pk=tenancy.pk).native_id


def test_a_pause_stops_writes_and_a_resume_catches_up(site: Site) -> None:
    site_pause(actor=None, reason="storage move")
    tenancy = site.tenancy()
    site.emulated.forget()
    site.work()
    assert site.writes() == []
    assert tenancy.conditions.first().state == Condition.State.PAUSED  # type: ignore[union-attr]
    site_resume(actor=None)
    cloud_pause(actor=None, cloud=site.cloud, reason="upgrade")
    site.work()
    assert site.writes() == []
    cloud_resume(actor=None, cloud=site.cloud)
    site.settle()
    assert site.native_project(tenancy)


def test_archive_ends_access_stops_work_and_takes_limits_to_nothing(site: Site) -> None:
    mira = site.person("mira")
    tenancy = site.ready(owner=mira)
    server = _server(site, tenancy)
    project_archive(actor=mira, project=tenancy.project, reason="The grant ended.")
    site.settle()
    assert site.roles(tenancy) == set()
    assert site.native_project(tenancy)["enabled"] is False
    assert _status(site, server) == "SHUTOFF"
    assert site.cores(tenancy) == 0
    assert list(tenancy.proofs.values_list("ok", flat=True)) == [True]
    kinds = list(tenancy.steps.filter(version=Tenancy.objects.get().wanted_version).values_list("kind", flat=True))
    assert kinds.index("member-remove") < kinds.index("work-stop") < kinds.index("limit-cut")


def test_an_archived_project_opens_again_with_its_work(site: Site) -> None:
    mira = site.person("mira")
    tenancy = site.ready(owner=mira)
    server = _server(site, tenancy)
    project_archive(actor=mira, project=tenancy.project, reason="Done.")
    site.settle()
    project_restore(actor=None, project=tenancy.project, reason="Not done.")
    cores_set(tenancy, 4)
    site.settle()
    assert site.roles(tenancy) == {("mira", "member")}
    assert _status(site, server) == "ACTIVE"


def test_a_limit_that_cannot_go_below_its_use_follows_it_down(site: Site) -> None:
    """Cinder refuses a limit below what is in use, and an archived project settles all the same."""
    mira = site.person("mira")
    tenancy = site.ready(owner=mira)
    room = wanted_limits(tenancy, storage_volume=20 * 1024, storage_volumes=5)
    limits_set(actor=None, tenancy=tenancy, limits=room, reason="room for a volume")
    site.work()
    body = {"volume": {"size": 3, "name": "data"}}
    made = site.emulated.request("POST", "/volume/v3/volumes", body, token=_inside(site, tenancy))
    _leave(site, tenancy)
    site.emulated.advance(60)
    project_archive(actor=mira, project=tenancy.project, reason="Done.")
    site.settle()
    assert _gigabytes(site, tenancy) == 3
    site.emulated.request("DELETE", f"/volume/v3/volumes/{made['volume']['id']}")
    site.emulated.advance(60)
    survey.run(site.cloud.pk, "test")
    site.settle()
    assert _gigabytes(site, tenancy) == 0


def _gigabytes(site: Site, tenancy: Tenancy) -> int:
    quota = site.emulated.request("GET", f"/volume/v3/os-quota-sets/{tenancy.native_id}")["quota_set"]
    return int(quota["gigabytes"])


def _inside(site: Site, tenancy: Tenancy) -> str:
    """A token of the cloud's admin in the tenancy, until ``_leave``."""
    site.emulated.request("PUT", _grant(site, tenancy))
    return site.emulated.token(project_id=tenancy.native_id)


def _leave(site: Site, tenancy: Tenancy) -> None:
    site.emulated.request("DELETE", _grant(site, tenancy))


def _grant(site: Site, tenancy: Tenancy) -> str:
    roles = {r["name"]: r["id"] for r in site.emulated.request("GET", "/identity/v3/roles")["roles"]}
    admin = site.emulated.request("GET", "/identity/v3/users", name="admin")["users"][0]["id"]
    return f"/identity/v3/projects/{tenancy.native_id}/users/{admin}/roles/{roles['admin']}"


def _server(site: Site, tenancy: Tenancy) -> str:
    cores_set(tenancy, 4)
    limits_set(
        actor=None, tenancy=tenancy, limits=wanted_limits(tenancy, compute_memory=65536), reason="room for a server"
    )
    site.work()
    flavor = site.emulated.request("GET", "/compute/v2.1/flavors")["flavors"][0]["id"]
    image = site.emulated.request("GET", "/image/v2/images")["images"][0]["id"]
    token = _inside(site, tenancy)
    body = {"server": {"name": "one", "flavorRef": flavor, "imageRef": image, "networks": "none"}}
    server = site.emulated.request("POST", "/compute/v2.1/servers", body, token=token)["server"]["id"]
    site.emulated.advance(60)
    _leave(site, tenancy)
    assert _status(site, server) == "ACTIVE"
    return str(server)


def _status(site: Site, server: str) -> str:
    return str(site.emulated.request("GET", f"/compute/v2.1/servers/{server}")["server"]["status"])


def test_a_lost_answer_is_settled_by_a_later_look(site: Site) -> None:
    """Decision 4: unclear is not over when the retry succeeds."""
    tenancy = site.ready()
    site.emulated.fault(service="compute", method="PUT", path="os-quota-sets", lose_answer=True, times=3)
    cores_set(tenancy, 8)
    site.work()
    tenancy.refresh_from_db()
    assert not tenancy.settled
    assert tenancy.verify_at is not None
    assert tenancy.steps.filter(state=Step.State.UNCLEAR).exists()
    site.settle()
    tenancy.refresh_from_db()
    assert tenancy.settled
    assert tenancy.settled_at is not None
    assert site.cores(tenancy) == 8


def test_a_write_that_lands_after_the_lease_moved_on_leaves_the_cloud_as_wanted(site: Site) -> None:
    """The answer is lost, another worker wants something newer and gets it, and then the old write lands."""
    tenancy = site.ready()
    site.emulated.fault(
        service="compute", method="PUT", path="os-quota-sets", late=400, lose_answer="hang", times=1, after=0
    )
    cores_set(tenancy, 8)
    site.work()
    cores_set(tenancy, 4)
    site.work()
    assert site.cores(tenancy) == 4
    tenancy.refresh_from_db()
    assert not tenancy.settled, "an unclear outcome is not over when the retry succeeds"
    site.emulated.advance(420)
    assert site.cores(tenancy) == 8, "the late write is meant to land"
    site.settle()
    assert site.cores(tenancy) == 4


def test_one_project_of_five_that_fails_says_why_and_stops_no_other(site: Site) -> None:
    tenancies = [site.ready(f"Project {n}") for n in range(5)]
    bad = tenancies[2]
    site.emulated.fault(service="compute", method="PUT", path=f"os-quota-sets/{bad.native_id}", status=500)
    for tenancy in tenancies:
        cores_set(tenancy, 6)
    site.work()
    for tenancy in tenancies:
        tenancy.refresh_from_db()
        assert tenancy.settled == (tenancy != bad), open_steps(tenancy)
        assert site.cores(tenancy) == (0 if tenancy == bad else 6)
    step = bad.steps.get(target="limit:compute.vcpu", version=bad.wanted_version)
    assert step.error_kind == "ServerFault"
    assert step.request_id
    assert step.verbatim
    condition = bad.conditions.get(section="limits.compute")
    assert condition.state == Condition.State.TRYING
    assert condition.next_try_at is not None
    site.emulated.heal()
    site.settle()
    assert site.cores(bad) == 6


def test_a_volume_service_that_is_out_keeps_no_role_alive(site: Site) -> None:
    tenancy = site.ready(owner=site.person("mira"))
    tomas = member_add(actor=None, project=tenancy.project, person=site.person("tomas"), role="member")
    site.work()
    site.emulated.fault(service="volume", status=503)
    member_remove(actor=None, membership=tomas)
    site.work()
    assert site.roles(tenancy) == {("mira", "member")}
    tenancy.refresh_from_db()
    assert not tenancy.settled
    assert tenancy.conditions.get(section="limits.volume").state == Condition.State.UNKNOWN
    assert tenancy.conditions.get(section="members").state == Condition.State.READY
    site.emulated.heal()
    site.settle()


def test_a_write_that_changes_nothing_is_tried_once_and_shown(site: Site) -> None:
    tenancy = site.ready()
    site.emulated.fault(service="compute", method="PUT", path="os-quota-sets", lie=True)
    cores_set(tenancy, 5)
    site.work()
    site.emulated.forget()
    for _ in range(5):
        site.emulated.advance(3700)
        site.work()
    assert site.writes() == []
    assert tenancy.steps.filter(state=Step.State.INEFFECTIVE).count() == 1
    assert tenancy.conditions.get(section="limits.compute").state == Condition.State.NEEDS_YOU
    site.emulated.heal()
    tenancy_retry(actor=None, tenancy=tenancy)
    site.settle()
    assert site.cores(tenancy) == 5


def test_our_own_credential_refused_stops_all_calls_for_an_hour(site: Site) -> None:
    site.ready()
    site.tenancy("Second")
    site.emulated.fault(service="identity", path="auth/tokens", status=401)
    site.work()
    site.emulated.forget()
    site.emulated.advance(600)
    assert site.work() == []
    assert site.emulated.transport.sent == []
    assert site.cloud.breaker_until is not None
    site.emulated.heal()
    site.emulated.advance(3600)
    site.settle()
    assert site.cloud.breaker_until is None


def test_a_project_deleted_on_the_cloud_is_shown_and_not_made_anew(site: Site) -> None:
    tenancy = site.ready()
    site.emulated.request("DELETE", f"/identity/v3/projects/{tenancy.native_id}")
    survey.run(site.cloud.pk, "test")
    claims.look_again(Tenancy.objects.all())
    site.emulated.forget()
    site.work()
    assert site.writes() == []
    assert tenancy.plan_lines.get(target="tenancy").hold == PlanLine.HoldChoice.MISSING
    assert tenancy.conditions.get(section="tenancies").state == Condition.State.NEEDS_YOU


def test_a_name_that_is_taken_is_shown_and_nothing_is_touched(site: Site) -> None:
    site.emulated.request("POST", "/identity/v3/projects", {"project": {"name": "coastal-genomics"}})
    tenancy = site.tenancy()
    site.emulated.forget()
    site.work()
    assert site.writes() == []
    assert tenancy.plan_lines.get(target="tenancy").hold == PlanLine.HoldChoice.NAME_TAKEN


def test_adopting_keeps_name_and_people(site: Site) -> None:
    survey.run(site.cloud.pk, "test")
    line = site.cloud.drift_lines.filter(tenancy=None).first()
    assert line is not None
    project = site.project("Taken over", site.person("mira"))
    tenancy = tenancy_adopt(actor=None, cloud=site.cloud, native_id=line.native_id, name=line.object, project=project)
    before = set(_assignments(site, line.native_id))
    site.settle()
    assert site.native_project(tenancy)["name"] == line.object
    after = set(_assignments(site, line.native_id))
    assert after - before == {("mira", "member")}
    assert before <= after


def _assignments(site: Site, native_id: str) -> list[tuple[str, str]]:
    query = {"scope.project.id": native_id, "include_names": "true"}
    rows = site.emulated.request("GET", "/identity/v3/role_assignments", **query)["role_assignments"]
    return [(row.get("user", {}).get("name", ""), row["role"]["name"]) for row in rows]


def test_our_own_project_is_untouchable(site: Site) -> None:
    project = site.project("Own", site.person("mira"))
    tenancy = Tenancy.objects.create(project=project, cloud=site.cloud, name="admin", native_id=site.cloud.own_tenancy)
    site.emulated.forget()
    site.work()
    assert site.writes() == []
    assert set(tenancy.plan_lines.values_list("hold", flat=True)) == {"untouchable"}


def test_a_second_worker_leaves_a_held_tenancy_alone(site: Site) -> None:
    tenancy = site.tenancy()
    assert lease.take(tenancy.pk, "first") is not None
    assert slices.run(tenancy.pk, "second") is None
    assert list(claims.due()) == []


def test_a_lease_that_ran_out_is_taken_over_with_a_second_look(site: Site) -> None:
    tenancy = site.tenancy()
    late = lease.take(tenancy.pk, "first")
    assert late is not None
    site.emulated.advance(181)
    report = slices.run(tenancy.pk, "second")
    assert report is not None
    tenancy.refresh_from_db()
    assert tenancy.verify_at == clock.now() + settle.LATENESS
    assert not tenancy.settled
    with pytest.raises(LeaseLost):
        late.renew()
    site.settle()
    assert site.native_project(tenancy)


def test_a_removal_goes_first_yet_the_oldest_row_gets_its_turn(site: Site) -> None:
    old = site.tenancy("Old")
    site.emulated.advance(30)
    for number in range(8):
        urgent = site.tenancy(f"Urgent {number}")
        Tenancy.objects.filter(pk=urgent.pk).update(urgent=True)
    assert next(claims.candidates(0)) != old.pk
    assert next(claims.candidates(claims.FAIR - 1)) == old.pk


def test_at_most_so_many_slices_run_on_one_cloud(site: Site) -> None:
    tenancies = [site.tenancy(f"Project {n}") for n in range(claims.SLICES + 2)]
    for tenancy in tenancies[: claims.SLICES]:
        lease.take(tenancy.pk, "busy")
    assert not claims.due().exists()
    site.emulated.advance(lease.LEASE.total_seconds() + 1)
    assert claims.due().count() == len(tenancies)


def test_a_bug_parks_the_row_after_a_while_and_a_person_releases_it(
    site: Site, monkeypatch: pytest.MonkeyPatch
) -> None:
    tenancy = site.tenancy()

    def broken(*args: object, **kwargs: object) -> None:
        raise RuntimeError("a bug")

    with monkeypatch.context() as patch:
        patch.setattr(slices, "plan_tenancy", broken)
        for _ in range(run.CRASHES + 1):
            site.work()
            site.emulated.advance(lease.LEASE.total_seconds() + 1)
    tenancy.refresh_from_db()
    assert tenancy.parked_at is not None
    assert tenancy.conditions.filter(state=Condition.State.NEEDS_YOU).exists()
    tenancy_retry(actor=None, tenancy=tenancy)
    site.settle()


def test_a_slow_down_is_obeyed(site: Site) -> None:
    tenancy = site.ready()
    site.emulated.fault(service="compute", method="PUT", path="os-quota-sets", status=429, retry_after=900, times=10)
    cores_set(tenancy, 3)
    start = clock.now()
    site.settle()
    assert clock.now() - start >= timedelta(seconds=900)
    assert site.cores(tenancy) == 3


def test_a_limit_that_was_read_back_is_known_at_once(site: Site) -> None:
    tenancy = site.tenancy()
    site.work()
    new = tenancy.readings.get(resource="compute.vcpu")
    assert (new.limit, new.in_use) == (0, None), "made a moment ago: nobody has looked at its use"
    site.work()
    new.refresh_from_db()
    assert (new.limit, new.in_use) == (0, 0), "and then somebody has"
    cores_set(tenancy, 8)
    site.work()
    new.refresh_from_db()
    assert (new.limit, new.in_use) == (8000, 0)
