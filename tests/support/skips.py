"""Skipping for want of a system package: said loudly, with the line that installs it, and forbidden in CI.

A pytest plugin; `tests/conftest.py` loads it.
"""

import os
from collections import Counter
from collections.abc import Generator
from typing import Any, NoReturn

import pytest

_MARK = "apt-get install"


def without(what: str, *, apt: str) -> NoReturn:
    """Skip the running test because `what` is missing, which Debian's package `apt` brings."""
    pytest.skip(f"{what} is missing: {_MARK} {apt}")


def pytest_terminal_summary(terminalreporter: Any) -> None:
    reasons = Counter(_reason(report) for report in terminalreporter.stats.get("skipped", []))
    if not reasons:
        return
    terminalreporter.section("skipped")
    for reason, count in reasons.most_common():
        terminalreporter.line(f"{count:4} x {reason}")
    packages = sorted({word for reason in reasons if _MARK in reason for word in reason.split(_MARK)[1].split()})
    if packages:
        terminalreporter.line(f"To run them too: sudo apt-get install {' '.join(packages)}", yellow=True)


@pytest.hookimpl(wrapper=True)
def pytest_sessionfinish(session: pytest.Session) -> Generator[None, None, None]:
    """TENANTRY_FAIL_ON_SKIP=1 (as in CI) makes a run with skipped tests a failed one."""
    yield
    reporter = session.config.pluginmanager.get_plugin("terminalreporter")
    if os.environ.get("TENANTRY_FAIL_ON_SKIP") == "1" and reporter is not None and reporter.stats.get("skipped"):
        session.exitstatus = pytest.ExitCode.TESTS_FAILED


def _reason(report: Any) -> str:
    text = report.longrepr[2] if isinstance(report.longrepr, tuple) else str(report.longrepr)
    return str(text).removeprefix("Skipped: ")
