"""The traps of OpenStack's APIs, each met once: what would go wrong is said in the test's name."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import replace
from typing import Any
from urllib.parse import parse_qsl, urlencode

import pytest

from connectors.contract import Connector, Health, Identity, Proof, Usage
from connectors.errors import Conflict, Misconfigured, NotFound, Refused, Unsupported
from connectors.openstack import pages
from connectors.types import (
    AccountRef,
    ChangeKind,
    Federated,
    FoundMember,
    Outcome,
    Role,
    Scope,
    SourceResult,
)
from tests.connectors.openstack.conftest import Worlds
from tests.connectors.sites import EmulatedSite
from tests.connectors.stories import Tenancy, writes
from tests.support.emulated import WsgiTransport


def without(app: Any, path: str, *names: str) -> Callable[..., Iterable[bytes]]:
    """The same cloud, deaf to some query parameters of one path."""

    def deaf(environ: dict[str, Any], start_response: Any) -> Iterable[bytes]:
        if environ["PATH_INFO"].endswith(path):
            pairs = [pair for pair in parse_qsl(environ["QUERY_STRING"]) if pair[0] not in names]
            environ = environ | {"QUERY_STRING": urlencode(pairs)}
        return app(environ, start_response)  # type: ignore[no-any-return]

    return deaf


def deaf(site: EmulatedSite, path: str, *names: str) -> Connector:
    return site.connect(transport=WsgiTransport(without(site.emulated.app, path, *names)))


# --- lists ---


@pytest.mark.parametrize("limit", [1, 3, 7])
def test_a_server_that_caps_its_lists_does_not_hide_the_rest(world: Worlds, limit: int) -> None:
    site = world(projects=9)
    whole, capped = site.connect().survey(Scope()), world(projects=9, list_limit=limit).connect().survey(Scope())
    assert capped.complete("tenancies")
    assert capped.complete("accounts")
    assert {t.native_id for t in capped.tenancies} == {t.native_id for t in whole.tenancies}
    assert {a.native_id for a in capped.accounts} == {a.native_id for a in whole.accounts}
    assert set(capped.members) == set(whole.members)


def test_a_directory_that_repeats_page_one_ends_and_is_not_complete(
    world: Worlds, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(pages, "PAGE", 3)
    connector = deaf(world(projects=9), "/v3/users", "marker")
    found = connector.survey(Scope())
    assert not found.complete("accounts")
    assert connector.calls()["GET identity /users"] == 2
    assert found.complete("tenancies")


def test_a_server_from_before_paging_tells_everything_at_once(world: Worlds, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(pages, "PAGE", 3)
    site = world(projects=9)
    connector = deaf(site, "/v3/users", "marker", "limit")
    found = connector.survey(Scope())
    assert found.complete("accounts")
    assert len(found.accounts) == len(site.connect().survey(Scope()).accounts)
    assert connector.calls()["GET identity /users"] == 2


def test_an_older_cloud_is_surveyed_and_served(world: Worlds) -> None:
    site = world(release="zed")
    connector = site.connect()
    assert isinstance(connector, Health)
    probe = connector.probe()
    assert {v.service: v.found for v in probe.versions}["compute"] == "2.93"
    assert probe.ok, probe.rights
    tenancy = Tenancy(site, connector)
    tenancy.want(members=(tenancy.person(Role.OWNER),))
    tenancy.settle()


def test_many_pages_of_networks_are_all_counted(site: EmulatedSite, monkeypatch: pytest.MonkeyPatch) -> None:
    tenancy = Tenancy(site, site.connect())
    tenancy.settle()
    project = tenancy.wanted.native_id
    for number in range(7):
        network = {"name": f"n{number}", "project_id": project}
        site.emulated.request("POST", "/network/v2.0/networks", {"network": network})
    monkeypatch.setattr(pages, "PAGE", 2)
    found = site.connect().survey(Scope())
    used = {row.resource: row.in_use for row in found.limits if row.tenancy == project}
    assert used["network.networks"] == 7
    assert used["network.routers"] == 0


# --- writes ---


def test_a_quota_that_lies_in_keystone_is_written_there(world: Worlds) -> None:
    site = world(unified_limits=True)
    services = site.emulated.request("GET", "/identity/v3/services", type="compute")["services"]
    rule = {"service_id": services[0]["id"], "resource_name": "class:VCPU", "default_limit": 20}
    site.emulated.request("POST", "/identity/v3/registered_limits", {"registered_limits": [rule]})
    connector = site.connect()
    assert isinstance(connector, Health)
    assert connector.probe().capabilities["nova.limits"] == "unified"
    tenancy = Tenancy(site, connector)
    tenancy.settle()
    for amount in (12000, 3000):
        applied = connector.apply(tenancy.limit("compute.vcpu", amount))
        assert applied.outcome is Outcome.DONE
        assert "Keystone" in applied.detail
        assert tenancy.limits()["compute.vcpu"] == amount
    limits = site.emulated.request("GET", "/identity/v3/limits", project_id=tenancy.wanted.native_id)["limits"]
    assert [(row["resource_name"], row["resource_limit"]) for row in limits] == [("class:VCPU", 3)]
    assert connector.apply(tenancy.limit("compute.memory", 1024)).outcome is Outcome.INEFFECTIVE, "not registered"


def test_a_tag_the_server_dropped_is_put_on_afterwards(site: EmulatedSite) -> None:
    class DropsTags(WsgiTransport):
        def send(self, request: Any, *args: Any, **kwargs: Any) -> Any:
            if request.method == "POST" and request.path_url.endswith("/projects"):
                request.body = str(request.body).replace('"tags"', '"x_ignored"')
            return super().send(request, *args, **kwargs)

    connector = site.connect(transport=DropsTags(site.emulated.app))
    tenancy = Tenancy(site, connector)
    tenancy.settle()
    assert tenancy.survey().tenancies[0].ref == tenancy.wanted.ref


def test_two_projects_with_our_mark_are_a_conflict(site: EmulatedSite, connector: Connector) -> None:
    tenancy = Tenancy(site, connector)
    for name in ("one", "two"):
        site.hands().identity.create_project(name=name, domain_id="default", tags=[f"tenantry:{tenancy.wanted.ref}"])
    with pytest.raises(Conflict, match="More than one"):
        connector.apply(tenancy.change(ChangeKind.TENANCY_CREATE, name="three"))


def test_another_sites_mark_is_not_ours(site: EmulatedSite, connector: Connector) -> None:
    tenancy = Tenancy(site, connector)
    site.hands().identity.create_project(name="x", domain_id="default", tags=[f"other-site:{tenancy.wanted.ref}"])
    assert connector.apply(tenancy.change(ChangeKind.TENANCY_CREATE, name="mine")).outcome is Outcome.DONE


# --- people ---


def test_a_role_by_group_is_told_as_such_and_never_taken(tenancy: Tenancy, site: EmulatedSite) -> None:
    identity = site.hands().identity
    group = identity.create_group(name="staff", domain_id="default")
    project = identity.get_project(tenancy.wanted.native_id)
    identity.assign_project_role_to_group(project, group, identity.find_role("reader"))
    rows = tenancy.survey().members
    assert FoundMember(tenancy.wanted.native_id, "", "reader", group="staff") in rows
    assert tenancy.plan().changes == ()


def test_access_by_group_is_still_access(tenancy: Tenancy, site: EmulatedSite, connector: Connector) -> None:
    assert isinstance(connector, Proof)
    identity = site.hands().identity
    group = identity.create_group(name="staff", domain_id="default")
    account = tenancy.wanted.members[0].account
    identity.add_user_to_group(account.native_id, group)
    project = identity.get_project(tenancy.wanted.native_id)
    identity.assign_project_role_to_group(project, group, identity.find_role("reader"))
    connector.apply(tenancy.change(ChangeKind.MEMBER_REMOVE, account=account, role="member"))
    proof = connector.prove_gone(tenancy.wanted.native_id, [account.native_id])
    assert [fact.ok for fact in proof] == [False]


def test_a_removed_member_may_be_let_in_by_a_service_for_five_minutes(
    tenancy: Tenancy, site: EmulatedSite, connector: Connector
) -> None:
    assert isinstance(connector, Identity)
    assert isinstance(connector, Proof)
    account = tenancy.wanted.members[0].account
    issued = connector.secret_issue(account)
    project = tenancy.wanted.native_id
    token = site.emulated.token(username=issued.name, password=issued.secret, project_id=project)
    site.emulated.request("GET", "/compute/v2.1/servers", token=token)
    connector.apply(tenancy.change(ChangeKind.MEMBER_REMOVE, account=account, role="member"))
    site.emulated.request("GET", "/compute/v2.1/servers", token=token)
    (fact,) = connector.prove_gone(project, [account.native_id])
    assert fact.ok
    assert "300 seconds" in fact.detail
    site.emulated.advance(301)
    with pytest.raises(Exception, match="401"):
        site.emulated.request("GET", "/compute/v2.1/servers", token=token)


CAMPUS = Federated("campus", "openid", "subject-1")


@pytest.fixture
def federated(site: EmulatedSite) -> Connector:
    own = {"accounts": "federated", "provider": "campus", "protocol": "openid"}
    return site.connect(settings=site.emulated.settings() | {"tenantry": own})


def test_a_federated_person_is_made_once_before_the_first_sign_in(site: EmulatedSite, federated: Connector) -> None:
    account = AccountRef("f1", "ada", federated=CAMPUS)
    change = Tenancy(site, federated).change(ChangeKind.ACCOUNT_CREATE, account=account)
    first, second = federated.apply(change), federated.apply(change)
    assert (first.outcome, second.outcome) == (Outcome.DONE, Outcome.ALREADY)
    assert first.native_id == second.native_id
    assert first.native_id in {one.native_id for one in federated.survey(Scope()).accounts}


def test_a_cloud_that_ignores_the_filter_does_not_hand_out_a_stranger(site: EmulatedSite, federated: Connector) -> None:
    ignoring = deaf(site, "/v3/users", "idp_id", "protocol_id", "unique_id")
    change = Tenancy(site, ignoring).change(
        ChangeKind.ACCOUNT_CREATE, account=AccountRef("f1", "ada", federated=CAMPUS, manage=False)
    )
    with pytest.raises(Refused):
        ignoring.apply(change)


def test_a_person_without_the_clouds_identity_is_refused_where_people_are_federated(
    site: EmulatedSite, federated: Connector
) -> None:
    change = Tenancy(site, federated).change(ChangeKind.ACCOUNT_CREATE, account=AccountRef("l1", "bob"))
    with pytest.raises(Refused, match="identity provider"):
        federated.apply(change)
    assert writes(federated) == 0


# --- rights ---


@pytest.fixture
def reader(tenancy: Tenancy, site: EmulatedSite, connector: Connector) -> Connector:
    """A connector with the credential of a plain member of one project."""
    assert isinstance(connector, Identity)
    issued = connector.secret_issue(tenancy.wanted.members[0].account)
    entry = site.emulated.settings(username=issued.name, password=issued.secret, project_id=tenancy.wanted.native_id)
    entry["auth"].pop("project_domain_name")
    return site.connect(settings=entry)


def test_a_members_survey_is_complete_nowhere_it_matters(reader: Connector) -> None:
    found = reader.survey(Scope())
    assert [name for name, section in found.sections.items() if section.complete and found.limits] == []
    assert not found.complete("tenancies")
    assert not found.complete("members")


def test_every_right_a_member_lacks_is_named(reader: Connector) -> None:
    assert isinstance(reader, Health)
    probe = reader.probe()
    assert not probe.ok
    failing = {right.name: right.needed_for for right in probe.rights if right.ok is False}
    assert len(failing) >= 7, failing
    assert all(failing.values())
    assert writes(reader) == 0


def test_cinders_shortened_list_is_not_taken_for_all_there_is(reader: Connector, site: EmulatedSite) -> None:
    assert isinstance(reader, Usage)
    end = site.now()
    told = list(reader.collect(end - 3600, end, {}))
    results = {one.source: one for one in told if isinstance(one, SourceResult)}
    assert not any(one.complete for one in results.values()), results
    assert [one for one in told if not isinstance(one, SourceResult)] == []


# --- versions and catalogs ---


@pytest.mark.parametrize(
    ("service", "resource", "amount"), [("compute", "compute.vcpu", 1000), ("block-storage", "storage.volume", 1024)]
)
def test_a_service_that_is_too_old_is_unsupported_and_named(
    site: EmulatedSite, service: str, resource: str, amount: int
) -> None:
    class Ancient(WsgiTransport):
        def send(self, request: Any, *args: Any, **kwargs: Any) -> Any:
            answer = super().send(request, *args, **kwargs)
            if request.path_url in ("/compute/", "/volume/"):
                answer._content = answer.content.replace(b'"2.103"', b'"2.40"').replace(b'"3.71"', b'"3.20"')
            return answer

    connector = site.connect(transport=Ancient(site.emulated.app))
    assert isinstance(connector, Health)
    probe = connector.probe()
    assert not next(one for one in probe.versions if one.service == service).ok
    change = replace(Tenancy(site, connector).limit(resource, amount), tenancy_native_id=probe.own_tenancy)
    with pytest.raises(Unsupported, match=service):
        connector.apply(change)


def test_a_site_that_hides_its_list_of_versions_is_asked_below_it(site: EmulatedSite) -> None:
    connector = site.connect(transport=WsgiTransport(hidden_roots(site.emulated.app)))
    assert isinstance(connector, Health)
    found = {one.service: one.used for one in connector.probe().versions}
    assert found["compute"] == "2.96"
    assert connector.survey(Scope()).complete("limits.compute")


def hidden_roots(app: Any) -> Callable[..., Iterable[bytes]]:
    def gateway(environ: dict[str, Any], start_response: Any) -> Iterable[bytes]:
        if environ["PATH_INFO"] in ("/compute/", "/volume/", "/network/", "/image/", "/identity/"):
            start_response("404 Not Found", [("Content-Length", "0")])
            return [b""]
        return app(environ, start_response)  # type: ignore[no-any-return]

    return gateway


def test_a_region_that_the_catalog_does_not_know_is_told(site: EmulatedSite) -> None:
    connector = site.connect(settings=site.emulated.settings() | {"region_name": "Nowhere"})
    found = connector.survey(Scope())
    error = found.sections["tenancies"].error
    assert error
    assert error.kind == Misconfigured.__name__
    assert "region" in error.remedy


def test_a_page_that_is_no_openstack_is_told(site: EmulatedSite) -> None:
    def web(environ: dict[str, Any], start_response: Any) -> Iterable[bytes]:
        start_response("200 OK", [("Content-Type", "text/html"), ("Content-Length", "15")])
        return [b"<html>hi</html>"]

    connector = site.connect(transport=WsgiTransport(web))
    assert isinstance(connector, Health)
    with pytest.raises(Misconfigured, match="no OpenStack"):
        connector.probe()

    def nothing(environ: dict[str, Any], start_response: Any) -> Iterable[bytes]:
        start_response("404 Not Found", [("Content-Length", "0")])
        return [b""]

    connector = site.connect(transport=WsgiTransport(nothing))
    assert isinstance(connector, Health)
    with pytest.raises(Misconfigured, match="no OpenStack identity"):
        connector.probe()


def test_a_role_that_is_not_there_is_not_found(tenancy: Tenancy, connector: Connector) -> None:
    account = tenancy.wanted.members[0].account
    with pytest.raises(NotFound, match="no role “boss”"):
        connector.apply(tenancy.change(ChangeKind.MEMBER_ADD, account=account, role="boss"))
