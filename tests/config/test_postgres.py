"""What must hold on both databases is run a second time, by itself, on a real PostgreSQL."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]

# Tests of claims, locks and constraints; a module that leans on the database adds itself here.
BOTH = [
    "tests/events",
    "tests/reporting/test_deliveries.py",
    "tests/reporting/test_collection.py",
    "tests/tenancy/test_loop.py",
    "tests/system/test_fences.py",
    "tests/system/test_members_at_once.py",
]


@pytest.mark.postgres
@pytest.mark.slow
@pytest.mark.xdist_group("run")
def test_what_leans_on_the_database_holds_on_postgresql_too(postgres_server: str) -> None:
    result = subprocess.run(
        [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", *BOTH],
        cwd=ROOT,
        env={**os.environ, "DATABASE_URL": postgres_server, "PYTEST_ADDOPTS": ""},
        capture_output=True,
        text=True,
    )
    assert result.returncode == 0, result.stdout[-5000:]
