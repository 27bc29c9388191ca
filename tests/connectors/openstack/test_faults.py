"""A cloud that stumbles: what is tried again, what is said when it lasts, and that nothing is done twice."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from connectors.contract import Connector, Health, Usage
from connectors.errors import Busy, ConnectorError, Unclear
from connectors.openstack import pages
from connectors.types import Change, ChangeKind, KnownThing, Outcome, Role, Scope, SourceResult
from tests.connectors.openstack.conftest import Worlds
from tests.connectors.sites import EmulatedSite
from tests.connectors.stories import Tenancy, all_limits, total

PASSING = [
    pytest.param({"status": 429, "retry_after": 7}, id="429"),
    pytest.param({"status": 500}, id="500"),
    pytest.param({"status": 503}, id="503"),
    pytest.param({"cut": True}, id="cut"),
    pytest.param({"hang": True}, id="timeout"),
    pytest.param({"truncate": True}, id="truncated"),
]
LASTING = [
    ({"status": 429}, "Busy", 429),
    ({"status": 503}, "Busy", 503),
    ({"status": 500}, "ServerFault", 500),
    ({"status": 403}, "Forbidden", 403),
    ({"status": 404}, "NotFound", 404),
    ({"cut": True}, "Unreachable", None),
    ({"hang": True}, "Unreachable", None),
    ({"truncate": True}, "BadAnswer", 200),
]


@pytest.mark.parametrize("fault", PASSING)
@pytest.mark.parametrize("where", ["/projects$", "/auth/tokens", "/detail$", "/quotas", "/role_assignments"])
def test_a_read_that_fails_once_is_read_again(
    site: EmulatedSite, tenancy: Tenancy, fault: dict[str, Any], where: str
) -> None:
    site.emulated.fault(path=where, times=1, **fault)
    found = site.connect().survey(Scope())
    assert [section for section in found.sections.values() if not section.complete] == []
    assert len(site.emulated.slept) == 1


def test_the_cloud_says_how_long_to_wait(site: EmulatedSite, connector: Connector) -> None:
    site.emulated.fault(path="/projects$", times=2, status=429, retry_after=7)
    assert connector.survey(Scope()).complete("tenancies")
    assert site.emulated.slept == [7.0, 7.0]


def test_a_very_long_wait_is_left_to_the_caller(site: EmulatedSite, tenancy: Tenancy, connector: Connector) -> None:
    site.emulated.fault(path="/os-quota-sets", method="PUT", status=429, retry_after=3600)
    with pytest.raises(Busy) as caught:
        connector.apply(tenancy.limit("compute.vcpu", 5000))
    assert caught.value.retry_after == 3600
    assert site.emulated.slept == []


@pytest.mark.parametrize(("fault", "kind", "status"), LASTING)
def test_what_lasts_makes_one_section_incomplete_and_says_why(
    site: EmulatedSite, tenancy: Tenancy, fault: dict[str, Any], kind: str, status: int | None
) -> None:
    site.emulated.fault(service="volume", path="/os-quota-sets/", **fault)
    found = site.connect().survey(Scope())
    incomplete = {name: section.error for name, section in found.sections.items() if not section.complete}
    assert list(incomplete) == ["limits.volume"]
    error = incomplete["limits.volume"]
    assert error
    assert (error.kind, error.status) == (kind, status)
    assert error.call == "GET block-storage /os-quota-sets/{id}"
    assert error.verbatim
    assert bool(error.request_id) is (status is not None)
    assert {row.section for row in found.limits} == {"limits.compute", "limits.network"}


def test_one_project_of_five_that_fails_leaves_the_others_known(site: EmulatedSite, connector: Connector) -> None:
    made = [Tenancy(site, connector, limits=all_limits(connector)[:1]) for _ in range(5)]
    for one in made:
        one.settle()
    bad = made[2].wanted.native_id
    site.emulated.fault(service="compute", path=f"/os-quota-sets/{bad}", status=500, message="cell down")
    found = site.connect().survey(Scope())
    assert {row.tenancy for row in found.limits if row.section == "limits.compute"} == {
        one.wanted.native_id for one in made if one is not made[2]
    }
    error = found.sections["limits.compute"].error
    assert error
    assert "cell down" in error.verbatim
    for one in made:
        one.want(limits=(replace(one.wanted.limits[0], amount=6000),))
    # The fifth is not even planned: its limit is unknown, and the others' are not.
    assert [len(one.turn()) for one in made] == [1, 1, 0, 1, 1]
    assert made[2].plan().unknown == ("limits.compute",)


def test_a_dead_service_costs_a_few_calls_and_not_one_a_project(site: EmulatedSite, connector: Connector) -> None:
    for _ in range(9):
        Tenancy(site, connector).turn()
    site.emulated.fault(service="compute", path="/os-quota-sets", cut=True)
    # One connection, so that the count does not depend on who is first.
    survey = site.connect(attempts=1, connections=1)
    survey.survey(Scope())
    assert survey.calls()["GET compute /os-quota-sets/{id}/detail"] == 5


@pytest.mark.parametrize("page", [1, 2, 3])
def test_a_list_of_which_a_page_fails_is_not_complete(
    world: Worlds, monkeypatch: pytest.MonkeyPatch, page: int
) -> None:
    monkeypatch.setattr(pages, "PAGE", 3)
    site = world(projects=13)
    assert len(site.connect().survey(Scope()).tenancies) >= 13
    site.emulated.fault(path="/projects$", page=page, status=500)
    found = site.connect(attempts=1).survey(Scope())
    assert not found.complete("tenancies")
    assert not found.complete("limits.compute")
    assert found.complete("accounts")


def test_nothing_is_called_gone_when_a_page_of_usage_fails(world: Worlds, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(pages, "PAGE", 5)
    site = world(servers=30, volumes=30)
    end = site.now()
    lost = {
        kind: KnownThing(f"lost-{kind}", kind, "t", "running", end - 1800, {"compute.vcpu": 1, "storage.volume": 1})
        for kind in ("server", "volume")
    }
    for path in ("/servers/detail", "/volumes/detail"):
        site.emulated.fault(path=path, page=3, status=500)
    connector = site.connect(attempts=1)
    assert isinstance(connector, Usage)
    told = list(connector.collect(end - 3600, end, lost))
    results = {one.source: one for one in told if isinstance(one, SourceResult)}
    assert {name for name, one in results.items() if not one.complete} == {"servers", "volumes"}
    assert results["servers"].things == 10
    assert results["volumes"].error
    things = {thing.native_id for one in told if not isinstance(one, SourceResult) for thing in one.things}
    assert not things & set(lost)


def test_an_expired_token_is_renewed_once(site: EmulatedSite, tenancy: Tenancy) -> None:
    connector = site.connect()
    connector.survey(Scope())
    site.emulated.fault(path="/projects$", times=1, expire_token=True)
    assert connector.survey(Scope()).complete("tenancies")
    assert connector.calls()["POST identity /auth/tokens"] == 2


def test_a_credential_that_stops_working_stops_all_calls(site: EmulatedSite, connector: Connector) -> None:
    connector.survey(Scope())
    site.emulated.fault(status=401)
    before = total(connector)
    found = connector.survey(Scope())
    assert {section.error.kind for section in found.sections.values() if section.error} == {"Unauthorized"}
    # The refused call, the new token, and not one more.
    assert total(connector) - before == 2


@pytest.mark.parametrize("year", [2021, 2038])
def test_a_cloud_with_another_clock_keeps_its_token(world: Worlds, year: int) -> None:
    site = world()
    site.emulated.control("POST", "/clock", {"now": f"{year}-05-01T00:00:00Z"})
    connector = site.connect()
    for _ in range(3):
        assert connector.survey(Scope()).complete("limits.network")
    assert connector.calls()["POST identity /auth/tokens"] == 1
    site.emulated.advance(7200)
    assert connector.survey(Scope()).complete("limits.network")
    assert connector.calls()["POST identity /auth/tokens"] == 2


def test_the_probe_tells_how_wrong_the_clock_is(site: EmulatedSite) -> None:
    connector = site.connect(now=lambda: site.emulated.now().replace(minute=55))
    assert isinstance(connector, Health)
    skew = connector.probe().skew_seconds
    assert skew == -55 * 60


# --- writes whose answer is lost ---


def _changes(tenancy: Tenancy) -> dict[str, Any]:
    other = tenancy.person(Role.VIEWER)
    fresh = Tenancy(tenancy.site, tenancy.connector)
    owner = tenancy.wanted.members[0].account
    return {
        "account": tenancy.change(ChangeKind.ACCOUNT_CREATE, account=other.account),
        "tenancy": fresh.change(ChangeKind.TENANCY_CREATE, name=fresh.wanted.name),
        "compute": tenancy.limit("compute.vcpu", 9000),
        "volume": tenancy.limit("storage.volume", 9 * 1024),
        "network": tenancy.limit("network.ports", 9),
        "give": tenancy.change(ChangeKind.MEMBER_ADD, account=owner, role="reader"),
        "take": tenancy.change(ChangeKind.MEMBER_REMOVE, account=owner, role="member"),
        "disable": tenancy.change(ChangeKind.TENANCY_DISABLE),
    }


WRITES = ["account", "tenancy", "compute", "volume", "network", "give", "take", "disable"]


@pytest.mark.parametrize("lost", ["cut", "hang", 504])
@pytest.mark.parametrize("name", WRITES)
def test_a_write_whose_answer_is_lost_once_is_found_done_and_done_once(
    site: EmulatedSite, tenancy: Tenancy, connector: Connector, name: str, lost: Any
) -> None:
    change = _changes(tenancy)[name]
    before = _counted(site)
    site.emulated.fault(writes=True, times=1, lose_answer=lost)
    applied = connector.apply(change)
    assert applied.outcome in (Outcome.DONE, Outcome.ALREADY)
    assert connector.apply(change).outcome is Outcome.ALREADY
    made = 1 if name in ("account", "tenancy") else 0
    assert sum(_counted(site)) - sum(before) == made


@pytest.mark.parametrize("name", [name for name in WRITES if name not in ("account", "tenancy")])
def test_a_write_whose_answers_are_all_lost_is_unclear_and_found_later(
    site: EmulatedSite, tenancy: Tenancy, connector: Connector, name: str
) -> None:
    change = _changes(tenancy)[name]
    site.emulated.fault(writes=True, lose_answer="cut")
    with pytest.raises(Unclear) as caught:
        connector.apply(change)
    assert caught.value.maybe_applied
    site.emulated.heal()
    assert connector.apply(change).outcome is Outcome.ALREADY


@pytest.mark.parametrize("name", ["account", "tenancy"])
def test_a_creation_that_did_not_arrive_is_unclear_and_made_once_later(
    site: EmulatedSite, tenancy: Tenancy, connector: Connector, name: str
) -> None:
    change = _changes(tenancy)[name]
    before = _counted(site)
    site.emulated.fault(writes=True, cut=True)
    with pytest.raises(Unclear):
        connector.apply(change)
    assert _counted(site) == before
    # A creation is never sent twice by itself: the first may still land.
    assert sum(1 for method, _ in site.emulated.transport.sent if method == "POST") - _tokens(site) == 1
    site.emulated.heal()
    assert connector.apply(change).outcome is Outcome.DONE


def _tokens(site: EmulatedSite) -> int:
    return sum(1 for method, path in site.emulated.transport.sent if method == "POST" and "/auth/tokens" in path)


def _counted(site: EmulatedSite) -> tuple[int, int]:
    projects = site.emulated.request("GET", "/identity/v3/projects")["projects"]
    users = site.emulated.request("GET", "/identity/v3/users")["users"]
    return len(projects), len(users)


@pytest.mark.parametrize("name", ["compute", "volume", "network", "give", "take", "disable"])
def test_a_cloud_that_lies_ends_ineffective(
    site: EmulatedSite, tenancy: Tenancy, connector: Connector, name: str
) -> None:
    site.emulated.fault(writes=True, lie=True)
    assert connector.apply(_changes(tenancy)[name]).outcome is Outcome.INEFFECTIVE


def test_no_library_exception_leaves_whatever_is_broken(site: EmulatedSite, tenancy: Tenancy) -> None:
    changes = _changes(tenancy)
    for fault, _, _ in LASTING:
        for where in ("identity", "compute", "volume", "network"):
            site.emulated.heal()
            site.emulated.fault(service=where, **fault)
            connector = site.connect(attempts=1)
            raised = [error for change in changes.values() if (error := _raised(connector, change))]
            assert raised
            assert all(error.info().message and error.info().remedy for error in raised)
            assert connector.survey(Scope()).sections


def _raised(connector: Connector, change: Change) -> ConnectorError | None:
    """Any other exception ends the test by itself."""
    try:
        connector.apply(change)
    except ConnectorError as error:
        return error
    return None
