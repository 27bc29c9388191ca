"""What may be pasted as a clouds.yaml, and the one sentence said of each that may not."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import yaml

from connectors import registry
from connectors.errors import Misconfigured
from connectors.openstack import settings
from connectors.openstack.settings import Own, domain_of, own, parse, region
from connectors.types import Scope
from tests.connectors.openstack.conftest import Worlds
from tests.connectors.sites import EmulatedSite

SECRET = "pass-word-never-shown"
AUTH = {
    "auth_url": "https://cloud.example/identity",
    "username": "tenantry",
    "password": SECRET,
    "project_name": "admin",
    "user_domain_name": "Default",
    "project_domain_name": "Default",
}
CREDENTIAL = {
    "auth_url": "https://cloud.example/identity/v3",
    "application_credential_id": "abc",
    "application_credential_secret": SECRET,
}
PEM = "-----BEGIN CERTIFICATE-----\nMII\n-----END CERTIFICATE-----\n"


def text(entry: Any = None, **more: Any) -> str:
    return yaml.safe_dump({"clouds": {"here": entry if entry is not None else {"auth": AUTH} | more}})


def auth(**changed: Any) -> str:
    return text({"auth": {key: value for key, value in (AUTH | changed).items() if value is not None}})


def test_a_plain_entry_is_taken_as_it_is() -> None:
    assert parse(text(region_name="RegionOne"), "here") == {"auth": AUTH, "region_name": "RegionOne"}
    assert parse(text(), "") == {"auth": AUTH}


@pytest.mark.parametrize(
    ("entry", "plugin", "url"),
    [
        ({"auth": AUTH}, "v3password", "https://cloud.example/identity/v3"),
        ({"auth": AUTH | {"auth_url": "http://h:5000/v3/"}}, "v3password", "http://h:5000/v3"),
        (
            {"auth": CREDENTIAL, "auth_type": "v3applicationcredential"},
            "v3applicationcredential",
            CREDENTIAL["auth_url"],
        ),
        (
            {
                "auth": {"auth_url": "http://h", "token": SECRET, "project_id": "p"},
                "auth_type": "token",
            },
            "v3token",
            "http://h/v3",
        ),
    ],
)
def test_each_kind_of_credential_is_loaded_by_the_sdk(entry: dict[str, Any], plugin: str, url: str) -> None:
    loaded = region(parse(text(entry), "here"), "here")
    assert loaded.config["auth_type"] == plugin
    assert loaded.get_auth().auth_url == url  # type: ignore[union-attr]


MALFORMED = {
    "no yaml": (f"clouds:\n  here: [\n  auth: {{password: {SECRET}", "not valid YAML"),
    "a python object": ("clouds: !!python/object/apply:os.system ['true']", "not valid YAML"),
    "a list": ("- clouds", "must start with “clouds:”"),
    "nothing": ("", "must start with “clouds:”"),
    "no clouds": ("clouds: {}", "no cloud under"),
    "another cloud": (yaml.safe_dump({"clouds": {"there": {"auth": AUTH}}}), "it has: there"),
    "an entry that is text": (text("x"), "must be a mapping"),
    "no auth": (text({"region_name": "x"}), "no “auth:”"),
    "a foreign plugin": (text(auth_type="v3oidcpassword"), "“auth_type” is not supported"),
    "no plugin": (text(auth_type="none"), "“auth_type” is not supported"),
    "no address": (auth(auth_url=None), "“auth_url” must be"),
    "a file address": (auth(auth_url="file:///etc/passwd"), "“auth_url” must be"),
    "a password in the address": (auth(auth_url=f"https://u:{SECRET}@cloud.example/v3"), "without a password"),
    "no password": (auth(password=None), "lacks “password”"),
    "a number as password": (auth(password=12345), "must be text"),
    "no user": (auth(username=None), "lacks “username” or “user_id”"),
    "no domain of the user": (auth(user_domain_name=None), "needs “user_domain_name”"),
    "no project": (auth(project_name=None), "lacks “project_name”"),
    "no domain of the project": (auth(project_domain_name=None), "needs “project_domain_name”"),
    "system scope": (auth(system_scope="all"), "system_scope"),
    "a certificate's path": (text(cacert="/etc/ssl/ca.pem"), "“cacert” names a file"),
    "a key's path": (text(key="/root/.ssh/id_rsa"), "“key” names a file"),
    "a profile": (text(profile="https://evil.example"), "“profile” loads settings from elsewhere"),
    "unknown keys": (text(tomfoolery=1), "does not know: tomfoolery"),
    "verify as text": (text(verify="no"), "“verify” must be true or false"),
    "no certificate": (text(cacert_pem="hello"), "“cacert_pem” must be the text"),
    "several regions": (text(regions=["a", "b"]), "several regions"),
    "own part as text": (text(tenantry="x"), "must be a mapping"),
    "own part unknown": (text(tenantry={"colour": "blue"}), "unknown keys: colour"),
    "own part not text": (text(tenantry={"domain": 3}), "must be text: domain"),
    "accounts unknown": (text(tenantry={"accounts": "magic"}), "must be one of"),
    "federated without provider": (text(tenantry={"accounts": "federated"}), "needs “provider”"),
    "half an application credential": (
        text(
            {"auth": {"auth_url": "http://h", "application_credential_id": "x"}, "auth_type": "v3applicationcredential"}
        ),
        "lacks “application_credential_secret”",
    ),
}


@pytest.mark.parametrize("name", MALFORMED)
def test_what_cannot_work_is_one_plain_sentence_without_a_secret(name: str) -> None:
    given, expected = MALFORMED[name]
    with pytest.raises(Misconfigured) as caught:
        parse(given, "here")
    assert expected in caught.value.message
    assert SECRET not in repr(caught.value.info())
    assert caught.value.__cause__ is None
    assert caught.value.remedy


def test_several_clouds_need_a_name() -> None:
    with pytest.raises(Misconfigured, match="a, b"):
        parse(yaml.safe_dump({"clouds": {"a": {"auth": AUTH}, "b": {"auth": AUTH}}}), "")


def test_no_file_and_no_variable_of_the_host_is_looked_at(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "clouds.yaml").write_text(text({"auth": AUTH | {"username": "somebody-else"}}))
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("OS_USERNAME", "yet-another")
    monkeypatch.setenv("OS_CLOUD", "here")
    assert region(parse(text(), "here"), "here").config["auth"]["username"] == "tenantry"


def test_the_domain_is_ours_else_the_one_we_sign_in_to() -> None:
    assert domain_of({"auth": AUTH}) == "Default"
    assert domain_of({"auth": AUTH, "tenantry": {"domain": "research"}}) == "research"
    assert domain_of({"auth": CREDENTIAL}) == "default"
    given = {"accounts": "federated", "provider": "campus", "protocol": "openid"}
    assert own({"tenantry": given}) == Own("", "federated", "campus", "openid")


def test_the_secrets_are_where_the_kind_says() -> None:
    paths = registry.kind("openstack").secrets
    assert ("auth", "password") in paths
    assert ("auth", "application_credential_secret") in paths
    assert ("auth", "token") in paths
    assert paths == settings.SECRETS


def test_another_domain_is_found_by_its_name(world: Worlds) -> None:
    site = world()
    made = site.hands().identity.create_domain(name="research")
    site.hands().identity.create_project(name="theirs", domain_id=made.id)
    inside = site.connect(settings=site.emulated.settings() | {"tenantry": {"domain": "research"}})
    assert [tenancy.name for tenancy in inside.survey(Scope()).tenancies] == ["theirs"]
    lost = site.connect(settings=site.emulated.settings() | {"tenantry": {"domain": "nowhere"}})
    error = lost.survey(Scope()).sections["tenancies"].error
    assert error
    assert "no domain “nowhere”" in error.message


def test_nothing_shows_a_secret(site: EmulatedSite, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level("DEBUG")
    secret = site.entry["auth"]["password"]
    connector = site.connect()
    endpoint = connector.endpoint
    connector.survey(Scope())
    site.emulated.fault(status=500, message=f"cannot sign in with {secret}")
    broken = connector.survey(Scope()).sections["tenancies"].error
    assert broken
    assert "[hidden]" in broken.verbatim
    shown = [repr(connector), repr(endpoint), repr(connector.__dict__), str(broken), caplog.text]
    assert [one for one in shown if secret in one] == []
    assert [one for one in shown if "X-Subject-Token" in one or "gAAAA" in one] == []
