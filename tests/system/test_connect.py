"""Connecting a cloud when something is wrong: one plain sentence, the cloud's own words, and nothing half-connected.

By the command and by the page, on real sockets. What was given as a secret is in no output, page, log or row.
"""

from __future__ import annotations

import io
import logging
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
import yaml
from django.core.management import CommandError, call_command
from django.test import Client
from django.urls import reverse

from events.models import AuditEntry
from tenancy import clouds
from tenancy.models import Capability, Cloud, CloudRight, CloudRole, CloudVersion, Person, SiteRole
from tenancy.services import person_create
from tests.support.emulated import Emulated
from tests.support.postgres import free_port
from tests.system.servers import listening, self_signed, shop

pytestmark = pytest.mark.django_db

SECRET = "hunter2-and-more"


@dataclass(frozen=True)
class Place:
    """The emulator on a socket, and a way to start others that end with the test."""

    emulated: Emulated
    url: str
    stack: ExitStack
    folder: Path

    def entry(self, **auth: str) -> dict[str, Any]:
        auth = {"auth_url": f"{self.url}/identity/v3", **auth}
        return self.emulated.settings(**auth)


@pytest.fixture
def place(tmp_path: Path, db: None) -> Iterator[Place]:
    emulated = Emulated()
    clouds.use_seams(clouds.Seams(sleep=lambda seconds: None))
    with ExitStack() as stack:
        stack.callback(clouds.use_seams, None)
        yield Place(emulated, stack.enter_context(listening(emulated.app)), stack, tmp_path)


def text_of(entry: Any) -> str:
    return yaml.safe_dump({"clouds": {"north": entry}})


# --- what can be wrong: each gives the text of a clouds.yaml with SECRET in it ---


def wrong_password(place: Place) -> str:
    return text_of(place.entry(password=SECRET))


def missing_right(place: Place) -> str:
    """A user who is only a member of one project."""
    domain = {"domain_id": "default"}
    user = place.emulated.request(
        "POST", "/identity/v3/users", {"user": {"name": "mira", "password": SECRET, **domain}}
    )["user"]
    project = place.emulated.request("POST", "/identity/v3/projects", {"project": {"name": "sea", **domain}})["project"]
    roles = {role["name"]: role["id"] for role in place.emulated.request("GET", "/identity/v3/roles")["roles"]}
    grant = f"/identity/v3/projects/{project['id']}/users/{user['id']}/roles/{roles['member']}"
    place.emulated.request("PUT", grant)
    return text_of(place.entry(username="mira", password=SECRET, project_name="sea"))


def nobody_listens(place: Place) -> str:
    return text_of(place.entry(auth_url=f"http://127.0.0.1:{free_port()}/identity/v3", password=SECRET))


def no_such_host(place: Place) -> str:
    return text_of(place.entry(auth_url="http://cloud.invalid:5000/v3", password=SECRET))


def another_kind(place: Place) -> str:
    return text_of(place.entry(auth_url=place.stack.enter_context(shop()), password=SECRET))


def own_certificate(place: Place) -> str:
    address = place.stack.enter_context(shop(self_signed(place.folder)))
    return text_of(place.entry(auth_url=f"{address}/identity/v3", password=SECRET))


def broken_yaml(place: Place) -> str:
    return f"clouds:\n  north:\n    auth: {{password: {SECRET}\n  - x"


def other_document(place: Place) -> str:
    return f"- password: {SECRET}"


def no_clouds(place: Place) -> str:
    return yaml.safe_dump({"clouds": {}, "secret": SECRET})


def two_clouds(place: Place) -> str:
    entry = place.entry(password=SECRET)
    return yaml.safe_dump({"clouds": {"north": entry, "south": entry}})


def no_auth(place: Place) -> str:
    return text_of({"region_name": "RegionOne", "password": SECRET})


def no_password(place: Place) -> str:
    entry = place.entry()
    del entry["auth"]["password"]
    return text_of(entry) + f"# {SECRET}\n"


def not_an_address(place: Place) -> str:
    return text_of(place.entry(auth_url=f"ftp://admin:{SECRET}@cloud.example/"))


def unknown_key(place: Place) -> str:
    return text_of({**place.entry(password=SECRET), "flux_capacitor": True})


def names_a_file(place: Place) -> str:
    return text_of({**place.entry(password=SECRET), "cacert": "/etc/passwd"})


def number_as_password(place: Place) -> str:
    entry = place.entry()
    entry["auth"] = {**entry["auth"], "password": 20_261_120}
    return text_of(entry) + f"# {SECRET}\n"


def other_region(place: Place) -> str:
    """The right password: it is the region that is not there."""
    return text_of({**place.entry(), "region_name": "RegionNine"}) + f"# {SECRET}\n"


@dataclass(frozen=True)
class Case:
    make: Callable[[Place], str]
    says: str
    verbatim: str = ""
    missing: tuple[str, ...] = field(default=())


CASES = (
    Case(wrong_password, "The user, its password or its project is wrong", "The request you have made requires"),
    Case(
        missing_right,
        "The cloud answers, but something is missing",
        "You are not authorized",
        ("identity: list people", "compute: everybody's servers", "network: everybody's quota"),
    ),
    Case(nobody_listens, "No answer from the identity service.", "Connection refused"),
    Case(no_such_host, "No answer from the identity service.", "cloud.invalid"),
    Case(another_kind, "What answers at “auth_url” is no OpenStack.", "Garden gnomes"),
    Case(own_certificate, "The cloud's certificate is not trusted.", "CERTIFICATE_VERIFY_FAILED"),
    Case(broken_yaml, "This is not valid YAML near line"),
    Case(other_document, "This is not a clouds.yaml"),
    Case(no_clouds, "This clouds.yaml has no cloud"),
    Case(two_clouds, "It has several clouds; say which one you mean: north, south."),
    Case(no_auth, "keys Tenantry does not know: password"),
    Case(no_password, "“auth” lacks “password”"),
    Case(not_an_address, "“auth_url” must be the http(s) address of the identity service"),
    Case(unknown_key, "The entry has keys Tenantry does not know: flux_capacitor."),
    Case(names_a_file, "“cacert” names a file on the computer this was written for."),
    Case(number_as_password, "these must be text (put them in quotes): password."),
    Case(other_region, "The cloud's catalog has no"),
)


def nothing_is_kept() -> None:
    for model in (Cloud, CloudRole, CloudRight, CloudVersion, Capability):
        assert not model.objects.exists(), model
    assert not AuditEntry.objects.filter(verb__startswith="cloud").exists()


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.make.__name__)
def test_the_command_says_what_is_wrong_and_keeps_nothing(
    place: Place, case: Case, caplog: pytest.LogCaptureFixture, tmp_path: Path
) -> None:
    caplog.set_level(logging.DEBUG)
    file = tmp_path / "clouds.yaml"
    file.write_text(case.make(place))
    place.emulated.forget()
    out, err = io.StringIO(), io.StringIO()
    with pytest.raises((SystemExit, CommandError)) as left:
        call_command("connect", "north", clouds_yaml=str(file), stdout=out, stderr=err)
    told = out.getvalue() + err.getvalue() + (str(left.value) if isinstance(left.value, CommandError) else "")
    assert isinstance(left.value, CommandError) or left.value.code == 1
    assert case.says in told
    assert case.verbatim in told
    for right in case.missing:
        assert f"missing: {right}" in told
    assert "Traceback" not in told
    assert SECRET not in told + caplog.text
    nothing_is_kept()
    assert place.emulated.writes() == []


@pytest.fixture
def operator(db: None) -> Client:
    person: Person = person_create(actor=None, username="boss", name="Boss", email="boss@site.example")
    SiteRole.objects.create(person=person, role=SiteRole.Role.OPERATOR)
    client = Client()
    client.force_login(person)
    return client


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.make.__name__)
def test_the_page_says_the_same_and_keeps_nothing(
    place: Place, operator: Client, case: Case, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    form = {"title": "North", "kind": "openstack", "text": case.make(place), "accounts_come": Cloud.Accounts.LOCAL}
    answer = operator.post(reverse("tenancy:cloud_connect"), form)
    page = answer.content.decode()
    assert 400 <= answer.status_code < 500
    for words in (case.says, case.verbatim, *case.missing):
        assert _escaped(words) in page
    assert SECRET not in page + caplog.text
    assert "Traceback" not in page
    nothing_is_kept()


def _escaped(text: str) -> str:
    return text.replace("&", "&amp;").replace("'", "&#x27;").replace('"', "&quot;")


def test_the_right_one_is_kept_sealed_and_only_observed(place: Place, tmp_path: Path) -> None:
    """Without this the tests above could pass with nothing but refusals."""
    file = tmp_path / "clouds.yaml"
    file.write_text(text_of(place.entry()))
    out = io.StringIO()
    call_command("connect", "north", clouds_yaml=str(file), stdout=out)
    cloud = Cloud.objects.get()
    assert cloud.mode == Cloud.Mode.OBSERVE
    assert "mode observe" in out.getvalue()
    password = place.entry()["auth"]["password"]
    assert password not in cloud.credential + out.getvalue()
    assert not cloud.rights.filter(ok=False).exists()
    assert place.emulated.writes() == []


def test_a_new_credential_that_fails_leaves_the_old_one(place: Place, tmp_path: Path) -> None:
    file = tmp_path / "clouds.yaml"
    file.write_text(text_of(place.entry()))
    call_command("connect", "north", clouds_yaml=str(file), stdout=io.StringIO())
    before = Cloud.objects.get()
    file.write_text(wrong_password(place))
    with pytest.raises(SystemExit):
        call_command("connect", "north", clouds_yaml=str(file), update=True, stderr=io.StringIO())
    after = Cloud.objects.get()
    assert after.credential == before.credential
    assert after.breaker_until is None
