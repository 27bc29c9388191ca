"""`manage.py plan` writes nothing on the cloud, whatever the cloud answers, and its exit code tells how it went."""

from __future__ import annotations

import io
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from django.core.management import CommandError, call_command

from connectors.types import Mode
from tenancy.models import Cloud, DriftLine, PlanLine, Tenancy
from tenancy.services import cloud_mode_set, limits_set, member_add, member_remove
from tests.support.site import Site, emulated_site
from tests.system.house import open_house

pytestmark = pytest.mark.django_db

FINE, FAILED, PENDING = 0, 1, 2


@pytest.fixture
def site(db: None) -> Iterator[Site]:
    with emulated_site() as made:
        yield made


def plan(*options: str) -> tuple[int, str, str]:
    """Exit code, output and errors of the command."""
    out, err = io.StringIO(), io.StringIO()
    with pytest.raises(SystemExit) as left:
        call_command("plan", *options, stdout=out, stderr=err)
    assert isinstance(left.value.code, int)
    return left.value.code, out.getvalue(), err.getvalue()


def document(*options: str) -> tuple[int, dict[str, Any]]:
    code, out, _ = plan("--json", *options)
    (cloud,) = json.loads(out)["clouds"]
    return code, cloud


def changes_of(tenancy: Tenancy, cloud: dict[str, Any]) -> dict[str, dict[str, Any]]:
    return {c["target"]: c for row in cloud["tenancies"] if row["ref"] == tenancy.ref for c in row["changes"]}


def something_to_do(site: Site) -> Tenancy:
    """A limit to raise, a limit to cut, a person to take away, and a project that is not there yet."""
    tenancy = site.ready("Coastal genomics", site.person("mira"))
    limits_set(actor=None, tenancy=tenancy, limits={"compute.vcpu": 9000, "network.ports": 50}, reason="before")
    second = site.person("tomas")
    membership = member_add(actor=None, project=tenancy.project, person=second, role="member")  # type: ignore[arg-type]
    site.settle()
    limits_set(actor=None, tenancy=tenancy, limits={"compute.vcpu": 2000, "network.ports": 60}, reason="after")
    member_remove(actor=None, membership=membership)
    site.tenancy("New")
    site.emulated.forget()
    return tenancy


def test_nothing_to_do_is_0(site: Site) -> None:
    site.ready()
    site.emulated.forget()
    code, cloud = document()
    assert code == FINE
    assert cloud["tenancies"] == []
    assert all(section["complete"] for section in cloud["sections"].values())
    assert plan()[0] == FINE
    assert site.writes() == []


def test_pending_changes_are_2_and_both_forms_name_them(site: Site) -> None:
    tenancy = something_to_do(site)
    code, cloud = document()
    assert code == PENDING
    changes = changes_of(tenancy, cloud)
    assert {"limit:compute.vcpu", "limit:network.ports"} < changes.keys()
    assert "tenancy" in str(cloud["tenancies"])
    assert changes["limit:network.ports"]["after"] == "60"
    assert any(change["takes"] == "access" for change in changes.values())
    text_code, out, _ = plan("--cloud", "north")
    assert text_code == PENDING
    for target in changes:
        assert target in out
    assert tenancy.native_id in out
    assert site.writes() == []
    assert PlanLine.objects.filter(tenancy=tenancy).exists(), "the pages show what the command saw"


@pytest.mark.parametrize("mode", [Mode.OBSERVE, Mode.ADD_ONLY])
def test_what_the_mode_holds_is_pending_too(site: Site, mode: Mode) -> None:
    something_to_do(site)
    cloud_mode_set(actor=None, cloud=site.cloud, mode=mode)
    code, cloud = document()
    assert code == PENDING
    holds = {held["hold"] for row in cloud["tenancies"] for held in row["held"]}
    assert holds == {"mode"}
    assert site.writes() == []


FAULTS: tuple[dict[str, Any], ...] = (
    {"status": 403},
    {"status": 500},
    {"truncate": True},
)
PARTS: tuple[tuple[dict[str, str], set[str]], ...] = (
    ({"service": "compute"}, {"limits.compute"}),
    ({"service": "volume"}, {"limits.volume"}),
    ({"service": "network"}, {"limits.network"}),
    ({"service": "identity", "path": "/role_assignments$"}, {"members"}),
    ({"service": "identity", "path": "/users$"}, {"accounts"}),
    ({"service": "identity", "path": "/projects$"}, {"tenancies", "limits.compute", "limits.volume", "limits.network"}),
)


@pytest.mark.parametrize("fault", FAULTS, ids=lambda fault: "-".join(map(str, fault)))
@pytest.mark.parametrize(
    ("part", "lost"), PARTS, ids=lambda value: "-".join(sorted(value)) if isinstance(value, set) else ""
)
def test_a_part_that_cannot_be_read_is_1_and_takes_nothing_away(
    site: Site, fault: dict[str, Any], part: dict[str, str], lost: set[str]
) -> None:
    tenancy = something_to_do(site)
    site.emulated.fault(**part, **fault)
    code, cloud = document()
    assert code == FAILED
    incomplete = {name for name, section in cloud["sections"].items() if not section["complete"]}
    assert incomplete == lost
    assert all(cloud["sections"][name]["error"] and cloud["sections"][name]["verbatim"] for name in lost)
    changes = changes_of(tenancy, cloud)
    taken = {change["takes"] for change in changes.values()}
    assert ("access" in taken) == ("members" not in lost)
    assert ("limit:compute.vcpu" in changes) == ("limits.compute" not in lost)
    text_code, out, _ = plan()
    assert text_code == FAILED
    assert "incomplete, nothing of it is taken away" in out
    assert site.writes() == []


@pytest.mark.parametrize("fault", FAULTS, ids=lambda fault: "-".join(map(str, fault)))
def test_a_cloud_that_lets_nobody_in_is_1_with_its_own_words(site: Site, fault: dict[str, Any]) -> None:
    something_to_do(site)
    site.emulated.fault(service="identity", path="auth/tokens", **fault)
    code, out, err = plan("--json")
    assert code == FAILED
    (cloud,) = json.loads(out)["clouds"]
    assert not any(section["complete"] for section in cloud["sections"].values())
    assert all(section["error"] for section in cloud["sections"].values())
    assert not any(row["changes"] for row in cloud["tenancies"])
    assert "Traceback" not in out + err
    assert site.writes() == []


def test_what_was_drift_is_still_drift_when_nobody_could_look(site: Site) -> None:
    tenancy = site.ready(owner=site.person("mira"))
    users = site.emulated.request("GET", "/identity/v3/users", name="admin")["users"]
    roles = {role["name"]: role["id"] for role in site.emulated.request("GET", "/identity/v3/roles")["roles"]}
    grant = f"/identity/v3/projects/{tenancy.native_id}/users/{users[0]['id']}/roles/{roles['reader']}"
    Cloud.objects.update(own_account="")
    site.emulated.request("PUT", grant)
    plan()
    drift = set(DriftLine.objects.filter(gone_at=None).values_list("tenancy", "native_id"))
    assert {row[0] is None for row in drift} == {True, False}, "projects nobody asked for, and a role on ours"
    site.emulated.fault(service="identity", method="GET", status=500)
    plan()
    assert set(DriftLine.objects.filter(gone_at=None).values_list("tenancy", "native_id")) == drift
    site.emulated.heal()
    site.emulated.request("DELETE", grant)
    plan()
    left = set(DriftLine.objects.filter(gone_at=None).values_list("tenancy", "native_id"))
    assert left == {row for row in drift if row[0] is None}


def test_a_name_that_is_no_cloud_is_told(site: Site) -> None:
    with pytest.raises(CommandError, match="Connected: north"):
        call_command("plan", "--cloud", "south")


@pytest.mark.django_db(transaction=True)
@pytest.mark.slow
@pytest.mark.xdist_group("run")
def test_the_command_as_a_program(tmp_path: Path) -> None:
    """Exit codes and JSON as a shell sees them, over real sockets; then `reconcile` does what was planned."""
    with open_house(tmp_path / "house") as house:
        tenancy = house.site.tenancy(owner=house.site.person("mira"))
        before = len(house.emulator.writes())
        planned = house.programs.run("plan", "--json")
        assert planned.returncode == PENDING, planned.stderr
        assert len(json.loads(planned.stdout)["clouds"][0]["tenancies"]) == 1
        assert len(house.emulator.writes()) == before == 0
        assert house.programs.run("reconcile").returncode == 0
        tenancy.refresh_from_db()
        assert tenancy.settled
        made = len(house.emulator.writes())
        assert made > 0
        again = house.programs.run("plan")
        assert again.returncode == FINE, again.stdout + again.stderr
        house.emulator.fault(service="compute", method="GET", status=500)
        failed = house.programs.run("plan", "--json")
        assert failed.returncode == FAILED, failed.stdout
        assert json.loads(failed.stdout)["clouds"][0]["sections"]["limits.compute"]["verbatim"]
        assert len(house.emulator.writes()) == made
