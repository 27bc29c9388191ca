from datetime import UTC, datetime

import pytest
from django.db import transaction
from django.test import Client

from config import clock
from events import selectors, services
from events.context import RequestContext, within
from events.errors import AppendOnlyError
from events.models import AuditEntry
from events.verbs import Verb
from tenancy.models import Person

pytestmark = pytest.mark.django_db

NOON = datetime(2026, 11, 20, 12, tzinfo=UTC)


@pytest.fixture
def ada() -> Person:
    return Person.objects.create_user("ada", name="Ada Field")


def entry_about(person: Person, **fields: object) -> AuditEntry:
    return services.record(
        **{"actor": person, "verb": Verb.PERSON_CHANGED, "target": person, "summary": "Changed a name."} | fields
    )


def test_an_entry_says_who_did_what_to_which_object_when_and_from_where(ada: Person) -> None:
    clock.set_source(lambda: NOON)
    with within(RequestContext(request_id="r1", address="192.0.2.7")):
        entry_about(ada)
    entry = AuditEntry.objects.get()
    assert (entry.at, entry.actor, entry.actor_label, entry.verb) == (NOON, ada, "Ada Field", "person.changed")
    assert (entry.target_type, entry.target_id) == ("tenancy.person", str(ada.pk))
    assert (entry.request_id, entry.address) == ("r1", "192.0.2.7")
    assert entry.verb_label == "changed a person"


def test_what_tenantry_does_by_itself_has_no_actor_and_its_own_name(ada: Person) -> None:
    entry = entry_about(ada, actor=None)
    assert entry.actor is None
    assert entry.actor_label == "Tenantry"


@pytest.mark.parametrize(
    "attack",
    [
        lambda entry: entry.save(),
        lambda entry: entry.delete(),
        lambda entry: AuditEntry.objects.update(summary="nothing happened"),
        lambda entry: AuditEntry.objects.filter(pk=entry.pk).delete(),
        lambda entry: AuditEntry.objects.bulk_update([entry], ["summary"]),
    ],
    ids=["save", "delete", "update", "delete many", "bulk update"],
)
def test_an_entry_is_never_changed_or_deleted(ada: Person, attack: object) -> None:
    entry = entry_about(ada)
    entry.summary = "nothing happened"
    with pytest.raises(AppendOnlyError):
        attack(entry)  # type: ignore[operator]
    assert AuditEntry.objects.get().summary == "Changed a name."


def test_an_entry_goes_with_the_change_it_tells_of(ada: Person) -> None:
    class Refused(Exception):
        pass

    @transaction.atomic
    def change_refused() -> None:
        entry_about(ada)
        raise Refused

    with pytest.raises(Refused):
        change_refused()
    assert not AuditEntry.objects.exists()


def test_activity_is_newest_first_and_by_project_cloud_or_target(ada: Person) -> None:
    bea = Person.objects.create_user("bea")
    for minute, fields in enumerate([{"project": bea}, {"cloud": bea}, {"target": bea}]):
        clock.set_source(lambda minute=minute: NOON.replace(minute=minute))
        entry_about(ada, summary=f"entry {minute}", **fields)
    assert [entry.summary for entry in selectors.activity_all()] == ["entry 2", "entry 1", "entry 0"]
    assert [entry.summary for entry in selectors.activity_of_project(bea.pk)] == ["entry 0"]
    assert [entry.summary for entry in selectors.activity_of_cloud(bea.pk)] == ["entry 1"]
    assert [entry.summary for entry in selectors.activity_of_target("tenancy.person", bea.pk)] == ["entry 2"]


def test_a_list_of_activity_takes_one_query(ada: Person, django_assert_num_queries: object) -> None:
    for _ in range(5):
        entry_about(ada)
    with django_assert_num_queries(1):  # type: ignore[operator]
        assert [str(entry.actor) for entry in selectors.activity_all()] == ["Ada Field"] * 5


def test_each_request_has_an_id_of_its_own_that_the_client_is_told(client: Client) -> None:
    first, second = client.get("/accounts/login/"), client.get("/accounts/login/")
    assert len(first["X-Request-ID"]) == 32
    assert first["X-Request-ID"] != second["X-Request-ID"]


@pytest.mark.parametrize(
    ("proxies", "forwarded", "seen"),
    [
        (0, "203.0.113.9", "127.0.0.1"),
        (1, "203.0.113.9, 198.51.100.1", "198.51.100.1"),
        (2, "6.6.6.6, 203.0.113.9, 198.51.100.1", "203.0.113.9"),
        (1, "", "127.0.0.1"),
    ],
    ids=["no proxy: header is a claim", "one proxy", "two proxies, forged first hop", "header missing"],
)
def test_the_address_is_what_our_outermost_proxy_saw(
    rf: object, settings: object, proxies: int, forwarded: str, seen: str
) -> None:
    from events.middleware import client_address

    settings.PROXIES = proxies  # type: ignore[attr-defined]
    headers = {"HTTP_X_FORWARDED_FOR": forwarded} if forwarded else {}
    assert client_address(rf.get("/", **headers)) == seen  # type: ignore[attr-defined]
