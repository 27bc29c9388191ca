"""A skip for want of a package is listed with its apt line, and CI takes it for a failure."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]

TESTS = """
from tests.support import skips

def test_that_runs():
    pass

def test_that_needs_a_browser():
    skips.without("Chromium", apt="chromium fonts-dejavu-core")

def test_that_needs_ceph():
    skips.without("rados", apt="python3-rados")
"""


def run_tests(folder: Path, *options: str, **environment: str) -> subprocess.CompletedProcess[str]:
    (folder / "test_some.py").write_text(TESTS)
    kept = {name: value for name, value in os.environ.items() if not name.startswith(("PYTEST", "TENANTRY", "DJANGO"))}
    return subprocess.run(
        [sys.executable, "-m", "pytest", "-q", "-p", "tests.support.skips", "-p", "no:django", *options, str(folder)],
        cwd=folder,
        env=kept | {"PYTHONPATH": str(ROOT)} | environment,
        capture_output=True,
        text=True,
    )


@pytest.mark.parametrize("options", [[], ["-n", "2"]], ids=["alone", "two processes"])
def test_skips_are_listed_and_only_ci_fails_on_them(tmp_path: Path, options: list[str]) -> None:
    free = run_tests(tmp_path, *options)
    assert free.returncode == 0, free.stdout
    assert "1 x Chromium is missing: apt-get install chromium fonts-dejavu-core" in free.stdout
    assert "sudo apt-get install chromium fonts-dejavu-core python3-rados" in free.stdout
    assert run_tests(tmp_path, *options, TENANTRY_FAIL_ON_SKIP="1").returncode == 1


def test_a_run_without_skips_passes_in_ci(tmp_path: Path) -> None:
    assert run_tests(tmp_path, "-k", "runs", TENANTRY_FAIL_ON_SKIP="1").returncode == 0
