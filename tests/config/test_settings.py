"""The settings as an operator meets them: each case is a fresh process with its own environment."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest
from cryptography.fernet import Fernet

ROOT = Path(__file__).resolve().parents[2]

PRODUCTION = {
    "TENANTRY_PRODUCTION": "1",
    "TENANTRY_URL": "https://cloud.example.org",
    "TENANTRY_SECRET_KEY": "k8-Zr1" * 12,
    "TENANTRY_SECRET_KEYS": Fernet.generate_key().decode(),
    "TENANTRY_EMAIL_HOST": "mail.example.org",
}


def manage(tmp_path: Path, *arguments: str, **environment: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "manage.py", *arguments],
        cwd=ROOT,
        env={"PATH": os.environ["PATH"], "TENANTRY_VAR": str(tmp_path / "var"), **environment},
        capture_output=True,
        text=True,
    )


def settings_of(tmp_path: Path, *names: str, **environment: str) -> list[object]:
    code = f"import json; from django.conf import settings as s; print(json.dumps([getattr(s, n) for n in {names!r}]))"
    result = manage(tmp_path, "shell", "--no-imports", "-c", code, **environment)
    assert result.returncode == 0, result.stderr
    return list(json.loads(result.stdout))


def test_production_settings_pass_the_deployment_check_without_a_warning(tmp_path: Path) -> None:
    result = manage(tmp_path, "check", "--deploy", "--fail-level", "WARNING", **PRODUCTION)
    assert (result.returncode, result.stderr) == (0, "")
    assert "no issues (0 silenced)" in result.stdout


@pytest.mark.parametrize("missing", [name for name in PRODUCTION if name != "TENANTRY_PRODUCTION"])
def test_production_does_not_start_without(tmp_path: Path, missing: str) -> None:
    result = manage(tmp_path, "check", **{name: value for name, value in PRODUCTION.items() if name != missing})
    assert result.returncode != 0
    assert f"{missing} must be set in production" in result.stderr


@pytest.mark.parametrize(
    ("wrong", "words"),
    [
        ({"DATABASE_URL": "mysql://localhost/tenantry"}, "DATABASE_URL must begin with"),
        ({"DATABASE_URL": "postgres://user:pass@host:port/x"}, "DATABASE_URL cannot be read"),
        ({"DATABASE_URL": "nonsense"}, "DATABASE_URL cannot be read"),
        ({"TENANTRY_DEMO": "perhaps"}, "TENANTRY_DEMO"),
        ({"TENANTRY_DEMO": "1", "TENANTRY_PRODUCTION": "1"}, "neither TENANTRY_DEMO nor TENANTRY_DEBUG"),
        (PRODUCTION | {"TENANTRY_URL": "http://cloud.example.org"}, "must begin with https://"),
        ({"TENANTRY_OIDC_PROVIDERS": "campus"}, "TENANTRY_OIDC_CAMPUS_SERVER_URL must be set"),
        ({"TENANTRY_SECRET_KEY_FILE": "/nowhere"}, "TENANTRY_SECRET_KEY_FILE"),
    ],
)
def test_a_wrong_setting_stops_the_start_and_is_named(tmp_path: Path, wrong: dict[str, str], words: str) -> None:
    result = manage(tmp_path, "check", **wrong)
    assert result.returncode != 0
    assert words in result.stderr


def test_a_checkout_without_settings_answers_to_this_machine_only(tmp_path: Path) -> None:
    hosts, debug, demo = settings_of(tmp_path, "ALLOWED_HOSTS", "DEBUG", "DEMO", TENANTRY_HOSTS="cloud.example.org")
    assert hosts == ["localhost", "127.0.0.1", "[::1]"]
    assert (debug, demo) == (False, False)


def test_local_keys_are_made_once_and_only_their_owner_reads_them(tmp_path: Path) -> None:
    first, second = (settings_of(tmp_path, "SECRET_KEY", "ENCRYPTION_KEYS") for _ in range(2))
    assert first == second
    files = list((tmp_path / "var" / "keys").iterdir())
    assert sorted(file.name for file in files) == ["fernet-key", "secret-key"]
    assert {file.stat().st_mode & 0o077 for file in files} == {0}


def test_sqlite_runs_as_measured_safe_and_postgresql_by_its_address(tmp_path: Path) -> None:
    [databases] = settings_of(tmp_path, "DATABASES")
    assert databases["default"]["OPTIONS"] == {  # type: ignore[index, call-overload]
        "transaction_mode": "IMMEDIATE",
        "timeout": 20,
        "init_command": "PRAGMA journal_mode=WAL;",
    }
    [databases] = settings_of(tmp_path, "DATABASES", DATABASE_URL="postgres://t:p@db.example.org:5433/tenantry")
    found = databases["default"]  # type: ignore[index, call-overload]
    assert (found["HOST"], found["PORT"], found["NAME"]) == ("db.example.org", 5433, "tenantry")
    assert found["ATOMIC_REQUESTS"] is False


def test_an_openid_provider_comes_from_its_variables_and_forms_may_reach_it(tmp_path: Path) -> None:
    (tmp_path / "secret").write_text("hush\n")
    providers, policy = settings_of(
        tmp_path,
        "SOCIALACCOUNT_PROVIDERS",
        "CONTENT_SECURITY_POLICY",
        TENANTRY_OIDC_PROVIDERS="campus",
        TENANTRY_OIDC_CAMPUS_NAME="Campus login",
        TENANTRY_OIDC_CAMPUS_SERVER_URL="https://login.example.org/realms/campus",
        TENANTRY_OIDC_CAMPUS_CLIENT_ID="tenantry",
        TENANTRY_OIDC_CAMPUS_CLIENT_SECRET_FILE=str(tmp_path / "secret"),
    )
    [app] = providers["openid_connect"]["APPS"]  # type: ignore[index, call-overload]
    assert (app["name"], app["client_id"], app["secret"]) == ("Campus login", "tenantry", "hush")
    assert policy["DIRECTIVES"]["form-action"] == ["'self'", "https://login.example.org"]  # type: ignore[index, call-overload]
