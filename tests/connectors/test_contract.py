"""What every connector promises (`connectors.contract`), on the emulator and on real servers: the same test code."""

from __future__ import annotations

import json
import os
from dataclasses import replace

import pytest
import yaml
from openstack.config import OpenStackConfig

from connectors import registry
from connectors.contract import Connector, Health, Identity, Limits, Proof, Usage
from connectors.errors import Conflict, NotFound, Refused, Unauthorized, Unreachable
from connectors.plan import plan_cloud
from connectors.types import (
    UNLIMITED,
    AccountRef,
    ChangeKind,
    EndedMember,
    Outcome,
    Role,
    Scope,
    Wanted,
)
from tests.connectors.sites import Site
from tests.connectors.stories import Tenancy, all_limits, policy, total, writes

# --- what it is ---


def test_the_kind_is_registered_and_has_every_capability(connector: Connector) -> None:
    kind = registry.kind(connector.kind)
    for capability in (Connector, Identity, Limits, Usage, Health, Proof):
        assert isinstance(connector, capability)
    keys = [resource.key for resource in kind.resources]
    assert len(set(keys)) == len(keys) >= 11
    assert set(kind.default_roles) == set(Role)


def test_meters_are_declared_before_anything_is_measured(connector: Connector) -> None:
    assert isinstance(connector, Usage)
    keys = [meter.key for meter in connector.meters()]
    assert len(set(keys)) == len(keys)
    assert total(connector) == 0


# --- connection test ---


def test_a_probe_finds_everything_in_order_and_writes_nothing(connector: Connector) -> None:
    assert isinstance(connector, Health)
    probe = connector.probe()
    assert probe.ok, [right for right in probe.rights if not right.ok]
    assert probe.own_account
    assert probe.own_tenancy
    assert set(connector.endpoint.roles.values()) <= set(probe.roles)
    assert probe.capabilities["nova.limits"] == "quota"
    assert writes(connector) == 0


def test_a_role_that_the_cloud_does_not_have_is_a_failing_right(site: Site) -> None:
    connector = site.connect(roles={Role.OWNER: "no-such-role"})
    assert isinstance(connector, Health)
    failing = [right for right in connector.probe().rights if right.ok is False]
    assert ["no-such-role" in right.name for right in failing] == [True]


def test_a_wrong_password_is_refused_and_not_tried_again(site: Site) -> None:
    entry = json.loads(json.dumps(site.entry))
    entry["auth"]["password"] = "not-the-password"
    connector = site.connect(settings=entry)
    assert isinstance(connector, Health)
    for _ in range(3):
        with pytest.raises(Unauthorized) as caught:
            connector.probe()
    assert total(connector) == 1
    assert "not-the-password" not in repr(caught.value.info())


def test_a_survey_says_in_every_section_that_it_could_not_sign_in(site: Site) -> None:
    entry = json.loads(json.dumps(site.entry))
    entry["auth"]["password"] = "not-the-password"
    found = site.connect(settings=entry).survey(Scope())
    assert found.sections
    for section in found.sections.values():
        assert not section.complete
        assert section.error


def test_an_address_where_nobody_listens_is_unreachable(site: Site) -> None:
    entry = json.loads(json.dumps(site.entry))
    entry["auth"]["auth_url"] = "http://127.0.0.1:1/v3"
    connector = site.connect(settings=entry, transport=None, sleep=lambda seconds: None)
    assert isinstance(connector, Health)
    with pytest.raises(Unreachable) as caught:
        connector.probe()
    assert "refused" in caught.value.verbatim


# --- surveys ---


def test_a_full_survey_is_complete_and_writes_nothing(connector: Connector, tenancy: Tenancy) -> None:
    before = writes(connector)
    found = connector.survey(Scope(recorded=frozenset({tenancy.wanted.native_id})))
    assert [name for name, section in found.sections.items() if not section.complete] == []
    here = next(t for t in found.tenancies if t.native_id == tenancy.wanted.native_id)
    assert (here.ref, here.name, here.enabled) == (tenancy.wanted.ref, tenancy.wanted.name, True)
    assert writes(connector) == before


def test_a_full_survey_plans_nothing_for_a_settled_tenancy(connector: Connector, tenancy: Tenancy) -> None:
    found = connector.survey(Scope(recorded=frozenset({tenancy.wanted.native_id})))
    plan = plan_cloud([tenancy.wanted], found, policy(connector))
    assert plan.tenancies[0].settled, plan.tenancies[0]


def test_full_and_scoped_surveys_agree(connector: Connector, tenancy: Tenancy) -> None:
    full, scoped = connector.survey(Scope()), tenancy.survey()
    here = tenancy.wanted.native_id
    assert {row for row in full.limits if row.tenancy == here} == set(scoped.limits)
    assert {row for row in full.members if row.tenancy == here} == set(scoped.members)


def test_the_number_of_calls_is_bounded(site: Site, tenancy: Tenancy) -> None:
    scoped = site.connect()
    scoped.survey(Scope(replace(tenancy.wanted, state=Wanted.SUSPENDED)))
    assert total(scoped) <= 10, dict(scoped.calls())
    full = site.connect()
    found = full.survey(Scope())
    ours = sum(1 for one in found.tenancies if one.ref)
    assert total(full) <= 2 * ours + 15 + _list_pages(full), dict(full.calls())


def _list_pages(connector: Connector) -> int:
    lists = ("projects", "users", "networks", "routers", "ports", "floatingips", "security-groups")
    return sum(n for call, n in connector.calls().items() if call.endswith(tuple(f"/{name}" for name in lists)))


# --- making and repeating ---


def test_a_second_turn_changes_nothing(connector: Connector, tenancy: Tenancy) -> None:
    before = writes(connector)
    assert tenancy.turn() == []
    assert writes(connector) == before


def test_every_change_repeated_is_already_true_and_not_written_again(site: Site, connector: Connector) -> None:
    tenancy = Tenancy(site, connector, limits=all_limits(connector))
    tenancy.want(members=(tenancy.person(Role.OWNER), tenancy.person(Role.VIEWER)))
    done = tenancy.turn()
    assert {applied.outcome for _, applied in done} == {Outcome.DONE}
    before = writes(connector)
    again = [connector.apply(change) for change, _ in done]
    assert {applied.outcome for applied in again} == {Outcome.ALREADY}
    assert [applied.native_id for applied in again] == [applied.native_id for _, applied in done]
    assert writes(connector) == before


def test_a_taken_name_is_a_conflict_and_the_stranger_is_left_alone(site: Site, connector: Connector) -> None:
    tenancy = Tenancy(site, connector)
    stranger = site.hands().identity.create_project(name=tenancy.wanted.name, domain_id="default")
    site.discards.append(lambda: site.hands().identity.delete_project(stranger))
    with pytest.raises(Conflict):
        connector.apply(tenancy.change(ChangeKind.TENANCY_CREATE, name=tenancy.wanted.name))
    assert site.hands().identity.get_project(stranger).tags == []


def test_adopting_adds_our_mark_and_keeps_theirs(site: Site, connector: Connector) -> None:
    tenancy = Tenancy(site, connector)
    stranger = site.hands().identity.create_project(name=tenancy.wanted.name, domain_id="default", tags=["theirs"])
    tenancy.want(native_id=stranger.id)
    tenancy.settle()
    tags = site.hands().identity.get_project(stranger.id).tags
    assert sorted(tags) == sorted(["theirs", f"tenantry:{tenancy.wanted.ref}"])


def test_a_stranger_with_the_name_of_an_account_is_a_conflict(site: Site, connector: Connector) -> None:
    tenancy = Tenancy(site, connector)
    person = tenancy.person()
    stranger = site.hands().identity.create_user(name=person.account.name, domain_id="default")
    site.discards.append(lambda: site.hands().identity.delete_user(stranger))
    with pytest.raises(Conflict):
        connector.apply(tenancy.change(ChangeKind.ACCOUNT_CREATE, account=person.account))
    linked = connector.apply(tenancy.change(ChangeKind.ACCOUNT_CREATE, account=replace(person.account, link=True)))
    assert (linked.outcome, linked.native_id) == (Outcome.ALREADY, stranger.id)


def test_an_account_that_others_make_is_not_made(site: Site, connector: Connector) -> None:
    account = AccountRef("nobody", site.unique("nobody"), manage=False)
    change = Tenancy(site, connector).change(ChangeKind.ACCOUNT_CREATE, account=account)
    with pytest.raises(Refused):
        connector.apply(change)
    assert writes(connector) == 0


# --- limits ---


@pytest.mark.parametrize("section", ["limits.compute", "limits.volume", "limits.network"])
def test_limits_go_up_down_to_zero_and_to_unlimited(connector: Connector, tenancy: Tenancy, section: str) -> None:
    assert isinstance(connector, Limits)
    for resource in (one for one in connector.resources() if one.section == section):
        for amount in (7 * resource.factor, 0, UNLIMITED, 3 * resource.factor):
            assert connector.apply(tenancy.limit(resource.key, amount)).outcome is Outcome.DONE
            assert tenancy.limits()[resource.key] == amount


def test_one_limit_leaves_the_others_alone(connector: Connector, tenancy: Tenancy) -> None:
    before = tenancy.limits()
    connector.apply(tenancy.limit("storage.volumes", 9))
    assert tenancy.limits() == before | {"storage.volumes": 9}


@pytest.mark.parametrize("resource", ["compute.vcpu", "storage.volume", "network.ports"])
def test_a_limit_for_a_project_that_is_not_there_is_never_written(
    site: Site, connector: Connector, resource: str
) -> None:
    change = Tenancy(site, connector).limit(resource, 1024000)
    with pytest.raises(NotFound):
        connector.apply(replace(change, tenancy_native_id="0" * 32))
    assert writes(connector) == 0


@pytest.mark.parametrize(("resource", "amount"), [("compute.vcpu", 1500), ("storage.volume", 1), ("network.ports", -7)])
def test_an_amount_the_cloud_cannot_express_is_refused_before_any_call(
    site: Site, connector: Connector, resource: str, amount: int
) -> None:
    with pytest.raises(Refused):
        connector.apply(replace(Tenancy(site, connector).limit(resource, amount), tenancy_native_id="0" * 32))
    assert total(connector) == 0


# --- people ---


def test_a_role_is_changed_by_giving_the_new_before_taking_the_old(connector: Connector, tenancy: Tenancy) -> None:
    viewer = replace(tenancy.person(), role=Role.VIEWER)
    tenancy.want(members=(*tenancy.wanted.members, viewer))
    tenancy.settle()
    owner, viewer = tenancy.wanted.members
    tenancy.want(members=(owner, replace(viewer, role=Role.MEMBER)))
    kinds = [change.kind for change, _ in tenancy.turn()]
    assert kinds == [ChangeKind.MEMBER_ADD, ChangeKind.MEMBER_REMOVE]
    roles = {row.role for row in tenancy.survey().members if row.account == viewer.account.native_id}
    assert roles == {"member"}


def test_a_member_gets_in_until_removed_and_the_proof_says_so(
    site: Site, connector: Connector, tenancy: Tenancy
) -> None:
    assert isinstance(connector, Identity)
    assert isinstance(connector, Proof)
    member = tenancy.person()
    tenancy.want(members=(*tenancy.wanted.members, member))
    tenancy.settle()
    owner, member = tenancy.wanted.members
    project, account = tenancy.wanted.native_id, member.account
    issued = connector.secret_issue(account)
    assert issued.secret not in repr(issued)
    assert site.gets_in(issued.name, issued.secret, project)
    assert [fact.ok for fact in connector.prove_gone(project, [account.native_id])] == [False]

    tenancy.want(members=(owner,), ended=(EndedMember(account, member.role, decided=True),))
    tenancy.settle()
    assert not site.gets_in(issued.name, issued.secret, project)
    proof = connector.prove_gone(project, [account.native_id, owner.account.native_id])
    assert [fact.ok for fact in proof] == [True, False]
    assert "300 seconds" in proof[0].detail


def test_removing_twice_is_already_done(connector: Connector, tenancy: Tenancy) -> None:
    owner = tenancy.wanted.members[0].account
    change = tenancy.change(ChangeKind.MEMBER_REMOVE, account=owner, role="member")
    assert connector.apply(change).outcome is Outcome.DONE
    assert connector.apply(change).outcome is Outcome.ALREADY


def test_a_person_whose_account_vanished_is_not_found(connector: Connector, tenancy: Tenancy) -> None:
    ghost = AccountRef("ghost", "ghost", native_id="0" * 32)
    with pytest.raises(NotFound):
        connector.apply(tenancy.change(ChangeKind.MEMBER_ADD, account=ghost, role="member"))


def test_our_own_account_and_project_are_untouchable(connector: Connector, tenancy: Tenancy) -> None:
    assert isinstance(connector, Health)
    probe = connector.probe()
    own = AccountRef("own", "own", native_id=probe.own_account)
    before = writes(connector)
    with pytest.raises(Refused):
        connector.apply(
            tenancy.change(ChangeKind.MEMBER_REMOVE, account=own, role="member", tenancy_native_id=probe.own_tenancy)
        )
    with pytest.raises(Refused):
        connector.apply(tenancy.change(ChangeKind.TENANCY_DISABLE, tenancy_native_id=probe.own_tenancy))
    assert writes(connector) == before


def test_only_our_own_local_accounts_get_a_secret(site: Site, connector: Connector) -> None:
    assert isinstance(connector, Identity)
    stranger = site.hands().identity.create_user(name=site.unique("stranger"), domain_id="default")
    site.discards.append(lambda: site.hands().identity.delete_user(stranger))
    with pytest.raises(Refused):
        connector.secret_issue(AccountRef("x", stranger.name, native_id=stranger.id))
    assert writes(connector) == 0


def test_the_way_in_is_a_file_without_a_secret_that_the_sdk_understands(
    site: Site, connector: Connector, tenancy: Tenancy, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert isinstance(connector, Identity)
    account = tenancy.wanted.members[0].account
    issued = connector.secret_issue(account)
    here = tenancy.survey().tenancies[0]
    calls = total(connector)
    files = {file.name: file.text for file in connector.entry_files(here, account)}
    assert total(connector) == calls
    assert all(site.entry["auth"]["password"] not in text for text in files.values())
    clouds = yaml.safe_load(files["clouds.yaml"])
    name = next(iter(clouds["clouds"]))
    for variable in [key for key in os.environ if key.startswith("OS_")]:
        monkeypatch.delenv(variable)
    loader = OpenStackConfig(load_yaml_config=False, load_envvars=False)
    loader.cloud_config = clouds
    entry = loader.get_one(name, auth={"password": issued.secret}).config["auth"]
    assert entry["auth_url"] == site.auth_url
    assert site.gets_in(entry["username"], entry["password"], entry["project_id"])
