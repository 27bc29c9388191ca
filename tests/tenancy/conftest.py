from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.support.site import Site, emulated_site


@pytest.fixture
def site(db: None) -> Iterator[Site]:
    with emulated_site() as made:
        yield made
