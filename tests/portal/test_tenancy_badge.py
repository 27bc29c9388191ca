"""What nobody has read for hours is not green."""

from __future__ import annotations

from datetime import timedelta

import pytest

from config import clock
from portal.selectors.tenancies import tenancy_badge
from tenancy.loop import survey
from tenancy.models import Tenancy
from tests.support.site import Site, emulated_site

pytestmark = pytest.mark.django_db


def fresh() -> Tenancy:
    return Tenancy.objects.prefetch_related("conditions").get()


def test_a_tenancy_is_ready_while_surveys_come_and_unknown_when_they_stay_away() -> None:
    with emulated_site() as site:
        site.ready()
        assert tenancy_badge(fresh()).text == "ready"
        site.emulated.advance(5 * 3600)
        assert tenancy_badge(fresh()).text == "unknown"
        survey.run(site.cloud.pk, "test")
        assert tenancy_badge(fresh()).text == "ready"
        seen = fresh().conditions.values_list("seen_at", flat=True)
        assert all(clock.now() - at < timedelta(minutes=1) for at in seen)


def test_a_survey_that_could_not_read_all_is_no_news() -> None:
    with emulated_site() as site:
        site.ready()
        _unread(site)
        survey.run(site.cloud.pk, "test")
        assert tenancy_badge(fresh()).text == "unknown"


def _unread(site: Site) -> None:
    site.emulated.advance(5 * 3600)
    site.emulated.fault(service="volume", status=503)
