"""The usage card of the home page: a day nobody looked at is no day of 0."""

from __future__ import annotations

import pytest

from config import clock
from portal.selectors.usage import usage_card
from reporting.models import CloudMeter, CollectionMark, Meter
from reporting.selectors.usage import totals_of
from tests.reporting.worlds import DAY, NOVEMBER, NOW, span, world_make

pytestmark = pytest.mark.django_db


def test_the_trend_has_only_days_that_were_looked_at_whole() -> None:
    clock.set_source(lambda: NOW)
    world = world_make()
    start, end = NOVEMBER + 9 * DAY, NOVEMBER + 14 * DAY + 3600
    world.deliver(span(start, end))
    for key in ("compute.vcpu", "compute.memory"):
        meter, _ = Meter.objects.get_or_create(key=key)
        CloudMeter.objects.create(
            cloud=world.cloud, meter=meter, source="servers", thing_kind="server", accuracy="exact"
        )
    CollectionMark.objects.create(cloud=world.cloud, source="servers", since=start, until=end)
    card = usage_card(totals_of(world.project))
    assert [int(hours) for hours in card.trend] == [48] * 5
    assert (card.first[-6:], card.last) == ("10 Nov", "14 Nov")


def test_never_collected_is_not_nothing_used() -> None:
    world = world_make()
    card = usage_card(totals_of(world.project))
    assert (card.empty.headline, card.empty.kind) == ("Not known yet", "none")
