"""What every test stands on: a scratch database and var folder, a broker that goes nowhere, a loud list of skips."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from cryptography.fernet import Fernet
from django.conf import settings as django_settings
from django.core.cache import cache
from django.test import override_settings

from config import clock
from config.celery import app as celery_app

pytest_plugins = ["tests.support.skips", "tests.support.postgres"]


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption("--live", action="store_true", help="also run against the real servers of the lab")


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Tests against real servers run when asked for: by --live, or by naming tests/live."""
    if config.getoption("--live") or any("live" in Path(argument).parts for argument in config.args):
        return
    asleep = [item for item in items if item.get_closest_marker("live")]
    config.hook.pytest_deselected(items=asleep)
    items[:] = [item for item in items if item not in asleep]


@pytest.fixture(scope="session")
def django_db_modify_db_settings(tmp_path_factory: pytest.TempPathFactory) -> None:
    """A SQLite file of its own for each run and worker: real files behave as in production, and runs never meet.

    Nobody pulls the plug during a test, so nothing waits for the disk; a killed process loses nothing by that.
    """
    database = django_settings.DATABASES["default"]
    if database["ENGINE"].endswith("sqlite3"):
        database.setdefault("TEST", {})["NAME"] = str(tmp_path_factory.mktemp("database") / "test.sqlite3")
        database["OPTIONS"]["init_command"] += "PRAGMA synchronous=OFF;"


@pytest.fixture(scope="session", autouse=True)
def _broker_in_memory() -> None:
    """Messages go nowhere: a test that wants work done calls the task or the service itself."""
    celery_app.conf.update(broker_url="memory://", broker_transport_options={})


@pytest.fixture(scope="session", autouse=True)
def _world_of_wide_fixtures(tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    """What fixtures of a module or the session stand on, as a single test's own settings are not there yet."""
    var = tmp_path_factory.mktemp("var")
    with override_settings(
        VAR=var,
        ENCRYPTION_KEYS=[Fernet.generate_key().decode()],
        CACHES={"default": {"BACKEND": "django.core.cache.backends.locmem.LocMemCache"}},
        STORAGES=_storages(var / "files"),
        PASSWORD_HASHERS=["django.contrib.auth.hashers.MD5PasswordHasher"],
    ):
        yield


def _storages(files: Path) -> dict[str, Any]:
    return {
        "default": {"BACKEND": "django.core.files.storage.FileSystemStorage", "OPTIONS": {"location": files}},
        "staticfiles": {"BACKEND": "django.contrib.staticfiles.storage.StaticFilesStorage"},
    }


@pytest.fixture(autouse=True)
def _own_world(settings: Any, tmp_path: Path) -> Iterator[None]:
    """No test reads or writes the var folder of the checkout, nor sees the counts of another one's rate limits."""
    settings.VAR = tmp_path
    settings.EMAIL_FILE_PATH = tmp_path / "mail"
    settings.ENCRYPTION_KEYS = [Fernet.generate_key().decode()]
    settings.CACHES = {"default": {"BACKEND": "django.core.cache.backends.locmem.LocMemCache"}}
    settings.STORAGES = _storages(tmp_path / "files")
    settings.PASSWORD_HASHERS = ["django.contrib.auth.hashers.MD5PasswordHasher"]
    settings.WHITENOISE_AUTOREFRESH = True
    cache.clear()
    yield
    clock.set_source(None)
