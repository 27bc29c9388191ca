"""Who sees which page, file and endpoint, and whose numbers."""

from __future__ import annotations

import json

import pytest

from reporting.services import cloud_collect
from tenancy.models import Cloud, Project
from tests.reporting.worlds import DAY, NOVEMBER, life, span

PROJECT = {"viewer", "member", "manager", "owner", "operator", "finance", "reviewer", "institution-admin"}
SITE = {"operator", "finance"}
EVERYBODY = PROJECT | {"stranger"}

# address: who gets it; what all others who are signed in are told
PAGES = {
    "/usage/": (EVERYBODY, None),
    "/usage/?format=csv": (EVERYBODY, None),
    "/usage/spans/": (EVERYBODY, None),
    "/usage/spans/?format=csv": (EVERYBODY, None),
    "/usage/collections/": ({"operator"}, 403),
    "/usage/collections/?format=csv": ({"operator"}, 403),
    "/projects/genomics/usage/": (PROJECT, 404),
    "/projects/genomics/usage/?format=csv": (PROJECT, 404),
    "/reports/": (EVERYBODY, None),
    "/reports/?format=csv": (EVERYBODY, None),
    "/reports/2026-11/": (SITE, 403),
    "/reports/2026-11/?format=csv": (SITE, 403),
    "/reports/2026-11/?format=json": (SITE, 403),
    "/reports/2026-11/genomics/": (PROJECT, 404),
    "/reports/2026-11/genomics/?format=csv": (PROJECT, 404),
    "/reports/2026-11/genomics/?format=json": (PROJECT, 404),
}
ENDPOINTS = {
    "/api/v1/usage/": (EVERYBODY, None),
    "/api/v1/usage/?by=day": (EVERYBODY, None),
    "/api/v1/spans/": (EVERYBODY, None),
    "/api/v1/collections/": ({"operator"}, 403),
    "/api/v1/reports/2026-11/": (SITE, 403),
    "/api/v1/reports/2026-11/genomics/": (PROJECT, 404),
}
PEOPLE = sorted(EVERYBODY | {"visitor"})


@pytest.fixture(autouse=True)
def _usage(world, scripted, settings):
    """Both projects used something, and so did a tenancy that nobody has mapped."""
    settings.COLLECT_BACK_DAYS = 2
    scripted.says = life()
    cloud_collect(cloud=world.cloud)
    for tenancy in ("native-genomics", "native-imaging", "native-unmapped"):
        world.deliver(span(NOVEMBER, NOVEMBER + DAY, thing=f"server-of-{tenancy}"), tenancy=tenancy)


def body(response) -> str:
    return (b"".join(response.streaming_content) if response.streaming else response.content).decode()


def get(client, world, who: str, address: str):
    if world.people[who] is not None:
        client.force_login(world.people[who])
    return client.get(address)


@pytest.mark.parametrize("who", PEOPLE)
def test_each_page_is_for_those_it_is_for(client, world, who):
    for address, (allowed, others) in PAGES.items():
        response = get(client, world, who, address)
        if who == "visitor":
            assert response.status_code == 302, address
            assert response["Location"].startswith("/accounts/login/")
        else:
            assert response.status_code == (200 if who in allowed else others), address


@pytest.mark.parametrize("who", PEOPLE)
def test_each_endpoint_is_for_those_it_is_for(client, world, who):
    for address, (allowed, others) in ENDPOINTS.items():
        response = get(client, world, who, address)
        assert response.status_code == (401 if who == "visitor" else 200 if who in allowed else others), address
        if response.status_code == 403:
            assert set(response.json()) == {"message", "remedy", "field"}


SEEN = {
    "stranger": {"imaging"},
    **{who: {"genomics"} for who in ("viewer", "member", "manager", "owner", "institution-admin")},
    "reviewer": {"genomics", "imaging"},
    "finance": {"genomics", "imaging", None},
    "operator": {"genomics", "imaging", None},
}


@pytest.mark.parametrize("who", SEEN)
def test_everybody_sees_their_own_numbers_and_no_others(client, world, who):
    rows = get(client, world, who, "/api/v1/usage/").json()["results"]
    spans = get(client, world, who, "/api/v1/spans/").json()["results"]
    page = body(get(client, world, who, "/usage/"))
    file = body(get(client, world, who, "/usage/spans/?format=csv"))

    assert {row["project"] for row in rows} == SEEN[who]
    assert {row["project"] for row in spans} == SEEN[who]
    assert ("Coastal genomics" in page) == ("genomics" in SEEN[who])
    assert ("Imaging" in page) == ("imaging" in SEEN[who])
    assert ("Not mapped to a project" in page) == (None in SEEN[who])
    assert ("server-of-native-imaging" in file) == ("imaging" in SEEN[who])
    assert ("server-of-native-unmapped" in file) == (None in SEEN[who])


def test_filters_do_not_open_what_is_closed(client, world):
    for address in ("/api/v1/usage/?project=genomics", "/api/v1/spans/?project=genomics", "/api/v1/usage/?project=-"):
        assert get(client, world, "stranger", address).json()["results"] == []
    assert "Coastal genomics" not in body(get(client, world, "stranger", "/usage/spans/?project=genomics"))
    assert "server-of" not in body(get(client, world, "member", "/usage/spans/?project=-&format=csv"))


def test_a_former_member_sees_nothing_any_more(client, world):
    world.people["member"].memberships.update(ended_at=world.project.created_at)

    assert get(client, world, "member", "/projects/genomics/usage/").status_code == 404
    assert get(client, world, "member", "/api/v1/usage/").json()["results"] == []


def test_canaries_are_left_out_of_sums_and_lists(client, world):
    Project.objects.filter(pk=world.other.pk).update(purpose=Project.Purpose.CANARY)

    assert "Imaging" not in body(get(client, world, "operator", "/usage/"))
    assert "Imaging" not in body(get(client, world, "operator", "/reports/"))
    report = get(client, world, "operator", "/api/v1/reports/2026-11/").json()
    assert {each["project"]["slug"] for each in report["projects"]} == {"genomics", ""}
    assert get(client, world, "operator", "/projects/imaging/usage/").status_code == 200


def test_clouds_verbatim_words_are_for_operators_only(client, world, scripted):
    scripted.says = life(fail=("volumes",))
    cloud_collect(cloud=world.second)

    assert "boom" in body(get(client, world, "operator", "/usage/collections/"))
    for address in ("/usage/", "/projects/genomics/usage/", "/reports/2026-11/genomics/"):
        assert "boom" not in body(get(client, world, "owner", address))


def test_no_answer_holds_a_credential(client, world):
    Cloud.objects.update(credential="ciphertext-of-the-credential")
    for address in [*PAGES, *ENDPOINTS]:
        assert "ciphertext-of" not in body(get(client, world, "operator", address))


def test_writing_to_a_page_or_endpoint_is_not_possible(client, world):
    client.force_login(world.people["operator"])
    for address in [*PAGES, *ENDPOINTS]:
        for verb in (client.post, client.put, client.delete):
            assert verb(address).status_code == 405, address


def test_json_of_a_report_is_valid_and_a_file(client, world):
    response = get(client, world, "owner", "/reports/2026-11/genomics/?format=json")

    assert response["Content-Disposition"] == 'attachment; filename="report-genomics-2026-11.json"'
    assert json.loads(body(response))["project"]["owner"] == "Owner Person"
