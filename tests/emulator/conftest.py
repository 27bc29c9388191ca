"""Clouds for the emulator's tests."""

import pytest

from tests.emulator.cloud import Cloud


@pytest.fixture
def cloud() -> Cloud:
    """Empty but for the admin: what a test needs it makes itself."""
    return Cloud()


@pytest.fixture(scope="module")
def town() -> Cloud:
    """A living cloud of 12 projects; for tests that only look."""
    return Cloud(projects=12, servers=60, volumes=40, seed=7)
