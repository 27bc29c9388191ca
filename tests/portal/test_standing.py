"""What the home page says of a cloud: green only for what was seen lately and is as wanted."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from connectors.types import Mode
from portal.selectors.home import _clouds
from tenancy.loop import survey
from tenancy.services import cloud_mode_set
from tests.support.site import Site, emulated_site

pytestmark = pytest.mark.django_db


@pytest.fixture
def site() -> Iterator[Site]:
    with emulated_site() as made:
        yield made


def standing(site: Site) -> tuple[str, str]:
    (badge,) = (each["badge"] for each in _clouds())
    return badge.kind, badge.text


def test_a_cloud_that_is_silent_for_hours_is_not_green(site: Site) -> None:
    site.ready()
    survey.run(site.cloud.pk, "test")
    assert standing(site) == ("ok", "in step")
    site.emulated.advance(2 * 3600 + 60)
    assert standing(site) == ("none", "not read lately")


def test_a_cloud_that_is_only_observed_is_not_in_step_while_changes_wait(site: Site) -> None:
    cloud_mode_set(actor=None, cloud=site.cloud, mode=Mode.OBSERVE)
    site.tenancy()
    site.work()
    survey.run(site.cloud.pk, "test")
    assert standing(site) == ("wait", "changes wait")
