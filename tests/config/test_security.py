"""What protects the site whatever page or call is added later."""

import re
from typing import Any

import pytest
from django.contrib.auth.hashers import make_password
from django.test import Client
from django.urls import NoReverseMatch, get_resolver, reverse
from knox.models import AuthToken
from rest_framework.throttling import SimpleRateThrottle

from tenancy.models import Person

pytestmark = pytest.mark.django_db

PASSWORD = "correct horse battery"
LOGIN = "/accounts/login/"


@pytest.fixture
def ada() -> Person:
    return Person.objects.create(username="ada", email="ada@example.org", password=make_password(PASSWORD))


def sign_in(client: Client, login: str, password: str) -> Any:
    return client.post(LOGIN, {"login": login, "password": password})


def bearer(client: Client) -> dict[str, str]:
    return {"authorization": f"Bearer {client.post('/api/v1/tokens').json()['token']}"}


@pytest.mark.parametrize("path", [LOGIN, "/api/v1/docs", "/nowhere/"])
def test_every_answer_carries_the_strict_policy(client: Client, path: str) -> None:
    policy = client.get(path)["Content-Security-Policy"]
    assert "default-src 'self'" in policy
    assert "unsafe" not in policy
    for directive in ("object-src 'none'", "base-uri 'none'", "frame-ancestors 'none'", "form-action 'self'"):
        assert directive in policy


@pytest.mark.parametrize("path", [LOGIN, "/api/v1/docs"])
def test_a_page_has_no_inline_script_or_style(client: Client, path: str) -> None:
    html = client.get(path).content.decode()
    assert not re.search(r"<script(?![^>]*\bsrc=)(?![^>]*application/json)", html)
    assert not re.search(r"<style|\sstyle=|\son\w+=|javascript:", html)
    assert not re.search(r"(src|href)=\"https?://(?!testserver)", html), "nothing comes from another origin"


def test_a_page_is_for_people_who_signed_in_unless_it_says_otherwise(client: Client, ada: Person) -> None:
    """Asked of the table of addresses, so that a page added later is covered without a new line here."""
    pages = [name for name in get_resolver().reverse_dict if isinstance(name, str)]
    open_to_visitors = {name for name in pages if _answers_a_visitor(client, name)}
    assert open_to_visitors <= {
        "account_login", "account_signup", "account_inactive", "account_email_verification_sent",
        "account_reset_password", "account_reset_password_done", "account_reset_password_from_key_done",
        "socialaccount_login_cancelled", "socialaccount_login_error", "api-schema", "api-docs",
    }  # fmt: skip


def _answers_a_visitor(client: Client, name: str) -> bool:
    try:
        path = reverse(name)
    except NoReverseMatch:  # an address with arguments; those are the access tests' business
        return False
    return client.get(path).status_code == 200


@pytest.mark.parametrize("login", ["ada", "ada@example.org"])
def test_people_sign_in_by_name_or_address(client: Client, ada: Person, login: str) -> None:
    assert sign_in(client, login, PASSWORD).status_code == 302
    assert client.session["_auth_user_id"] == str(ada.pk)


def test_guessing_a_password_is_stopped_and_the_right_one_is_refused_too(client: Client, ada: Person) -> None:
    answers = [sign_in(client, "ada", f"guess {number}") for number in range(6)]
    assert [answer.status_code for answer in answers[:5]] == [200] * 5
    refused = sign_in(client, "ada", PASSWORD)
    assert "_auth_user_id" not in client.session
    for answer in (answers[5], refused):
        assert "Too many failed login attempts" in answer.content.decode()


def test_knocking_from_one_address_is_answered_429(client: Client, settings: Any) -> None:
    settings.ACCOUNT_RATE_LIMITS = {"login": "5/m/ip", "login_failed": "100/m/ip"}
    codes = [sign_in(client, f"nobody{number}", "x").status_code for number in range(6)]
    assert codes == [200] * 5 + [429]


def test_the_admin_has_no_door_of_its_own_without_that_limit(client: Client, ada: Person) -> None:
    ada.is_superuser = True
    ada.save()
    answer = client.post("/admin/login/?next=/admin/", {"username": "ada", "password": PASSWORD})
    assert (answer.status_code, answer["Location"]) == (302, "/accounts/login/?next=%2Fadmin%2F")
    assert "_auth_user_id" not in client.session
    client.force_login(ada)
    assert client.get("/admin/").status_code == 200


def test_a_wrong_name_and_a_wrong_password_look_the_same(client: Client, ada: Person) -> None:
    pages = []
    for login in ("ada", "xyz"):
        html = sign_in(client, login, "wrong").content.decode()
        html = re.sub(r'name="csrfmiddlewaretoken" value="\w+"', "", html)
        pages.append(html.replace(f'value="{login}"', ""))
    assert _without_times(pages[0]) == _without_times(pages[1])


def test_asking_for_a_new_password_tells_nobody_who_has_an_account(client: Client, ada: Person) -> None:
    answers = [
        client.post("/accounts/password/reset/", {"email": email}) for email in ("ada@example.org", "xyz@example.org")
    ]
    assert [(answer.status_code, answer["Location"]) for answer in answers] == [
        (302, "/accounts/password/reset/done/")
    ] * 2


def test_nobody_makes_an_account_unless_the_site_allows_it(client: Client, settings: Any) -> None:
    form = {"username": "eve", "email": "eve@example.org", "password1": PASSWORD, "password2": PASSWORD}
    client.post("/accounts/signup/", form)
    assert not Person.objects.filter(username="eve").exists()
    settings.SIGNUP_OPEN = True
    client.post("/accounts/signup/", form)
    assert Person.objects.filter(username="eve").exists()


def test_a_visitor_of_the_api_is_challenged(client: Client) -> None:
    answer = client.delete("/api/v1/tokens/current")
    assert answer.status_code == 401
    assert answer["WWW-Authenticate"] == "Bearer"


def test_a_token_works_until_it_is_revoked_and_is_stored_as_a_hash(client: Client, ada: Person) -> None:
    client.force_login(ada)
    answer = client.post("/api/v1/tokens")
    assert answer.status_code == 201
    token = answer.json()["token"]
    stored = AuthToken.objects.get()
    assert token.startswith("tnt_")
    assert token not in (stored.digest, stored.token_key)
    assert stored.expiry is not None
    headers = {"authorization": f"Bearer {token}"}
    stranger = Client()
    assert stranger.delete("/api/v1/tokens/current", headers=headers).status_code == 204
    assert stranger.delete("/api/v1/tokens/current", headers=headers).status_code == 401


def test_a_token_makes_no_token_and_the_number_is_limited(client: Client, ada: Person) -> None:
    client.force_login(ada)
    headers = bearer(client)
    assert Client().post("/api/v1/tokens", headers=headers).status_code in (401, 403)
    codes = [client.post("/api/v1/tokens").status_code for _ in range(20)]
    assert codes == [201] * 19 + [409]


def test_a_page_of_another_site_cannot_make_a_token(ada: Person) -> None:
    browser = Client(enforce_csrf_checks=True)
    browser.force_login(ada)
    assert browser.post("/api/v1/tokens").status_code == 403
    assert not AuthToken.objects.exists()


@pytest.mark.parametrize("signed_in", [False, True], ids=["visitor", "person"])
def test_too_many_calls_are_answered_429_with_the_time_to_wait(
    client: Client, ada: Person, monkeypatch: pytest.MonkeyPatch, signed_in: bool
) -> None:
    monkeypatch.setattr(SimpleRateThrottle, "THROTTLE_RATES", {"anon": "3/min", "user": "3/min"})
    if signed_in:
        client.force_login(ada)
    answers = [client.get("/api/v1/schema") for _ in range(4)]
    assert [answer.status_code for answer in answers] == [200, 200, 200, 429]
    assert int(answers[-1]["Retry-After"]) > 0


def test_the_schema_describes_the_api(client: Client) -> None:
    schema = client.get("/api/v1/schema?format=json").json()
    assert schema["info"]["version"]
    assert set(schema["paths"]["/api/v1/tokens"]["post"]["responses"]) == {"201", "409"}


def _without_times(html: str) -> str:
    return re.sub(r"\d{2}:\d{2}(:\d{2})?", "", html)
