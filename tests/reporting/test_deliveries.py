"""Storing deliveries: the rows of the ledger, their daily totals, and what a kill between two of them leaves."""

from __future__ import annotations

import itertools
import random
import threading
from collections import defaultdict
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, date, datetime, timedelta

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from connectors.types import Accuracy, Delivery, Thing
from reporting import ledger
from reporting.errors import LedgerError
from reporting.models import Coverage, DailyTotal, DeliveryRow, Holder, Span
from reporting.models import Thing as ThingRow
from reporting.selectors.things import known_things
from reporting.services import delivery_store, holders_link
from tenancy.models import Tenancy
from tests.reporting.worlds import DAY, HOUR, NOVEMBER, NOW, ago, at, delivery, span

ROW = ("thing__native_id", "meter__key", "start", "end", "quantity", "state", "accuracy", "reason")


def rows() -> list[tuple[object, ...]]:
    return sorted(Span.objects.values_list(*ROW))


def totals() -> dict[tuple[str, str, date], tuple[int, int, int]]:
    return {
        (row.holder.native_id, row.meter.key, row.day): (row.quantity_seconds, row.sampled, row.estimated)
        for row in DailyTotal.objects.select_related("holder", "meter")
    }


def totals_of_spans() -> dict[tuple[str, str, date], tuple[int, int, int]]:
    """The same, second by second from the rows, in Python."""
    found: dict[tuple[str, str, date], list[int]] = defaultdict(lambda: [0, 0, 0])
    for each in Span.objects.select_related("thing__holder", "meter"):
        for day in ledger.days_between(each.start, each.end):
            low = ledger.day_start(day)
            product = each.quantity * (min(each.end, low + DAY) - max(each.start, low))
            parts = found[each.thing.holder.native_id, each.meter.key, day]
            parts[0] += product
            parts[1] += product if each.accuracy == Accuracy.SAMPLED else 0
            parts[2] += product if each.accuracy == Accuracy.ESTIMATED else 0
    return {key: (parts[0], parts[1], parts[2]) for key, parts in found.items()}


@st.composite
def deliveries(draw) -> list[Delivery]:
    """Up to five observations of three things over three days, each with its own idea of what was."""
    found = []
    for number in draw(st.permutations(range(draw(st.integers(1, 5))))):
        start = NOVEMBER + draw(st.integers(0, 60)) * HOUR
        end = start + draw(st.integers(1, 30)) * HOUR
        things = draw(st.lists(st.sampled_from(["s1", "s2", "s3"]), unique=True, min_size=1))
        spans = []
        for thing in things:
            cuts = sorted({start, end, *draw(st.lists(st.integers(start, end), max_size=3))})
            for low, high in itertools.pairwise(cuts):
                if draw(st.booleans()):
                    spans.append(
                        span(low, high, draw(st.integers(0, 2)), thing=thing, accuracy=draw(st.sampled_from(Accuracy)))
                    )
        listed = tuple(Thing(each, "server", f"p-{each}") for each in things)
        found.append(
            delivery(
                *spans, start=start, end=end, things=listed, meters=("compute.vcpu",),
                observed=NOW + timedelta(minutes=number),
            )
        )  # fmt: skip
    return found


@pytest.mark.django_db
@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(wanted=deliveries(), seed=st.integers(0, 1000))
def test_late_repeated_and_out_of_order_deliveries_give_the_same_rows(world, wanted, seed):
    wipe()
    for each in sorted(wanted, key=lambda one: one.observed_at):
        delivery_store(cloud=world.cloud, delivery=each)
    in_order, totals_in_order = rows(), totals()

    wipe()
    shuffled = wanted * 2
    random.Random(seed).shuffle(shuffled)
    for each in shuffled:
        delivery_store(cloud=world.cloud, delivery=each)

    assert rows() == in_order
    assert totals() == totals_in_order == totals_of_spans()
    for thing in ThingRow.objects.all():
        ends = 0
        for each in thing.spans.order_by("start"):
            assert each.start >= ends, "two spans overlap"
            ends = each.end


def wipe() -> None:
    for model in (DailyTotal, Coverage, Span, ThingRow, DeliveryRow, Holder):
        model.objects.all()._raw_delete("default")


def test_a_month_collected_bit_by_bit_is_one_row_and_its_days_add_up(world):
    step = 6 * HOUR
    for end in range(NOVEMBER + step, NOVEMBER + 30 * DAY + 1, step):
        start = max(NOVEMBER, end - step - 900)
        world.deliver(span(start, end), observed=datetime.fromtimestamp(end, UTC))

    assert rows() == [("s1", "compute.vcpu", NOVEMBER, NOVEMBER + 30 * DAY, 2000, "running", "exact", "")]
    days = totals()
    assert len(days) == 30
    assert set(days.values()) == {(2000 * DAY, 0, 0)}
    assert Coverage.objects.count() <= ledger.SETTLED // step + 2


def test_a_day_keeps_its_sampled_and_estimated_parts(world):
    world.deliver(
        span(NOVEMBER, NOVEMBER + HOUR),
        span(NOVEMBER + HOUR, NOVEMBER + 3 * HOUR, accuracy=Accuracy.SAMPLED),
        span(NOVEMBER + 3 * HOUR, NOVEMBER + 4 * HOUR, accuracy=Accuracy.ESTIMATED, reason="resized twice"),
    )

    assert totals() == {
        ("native-genomics", "compute.vcpu", date(2026, 11, 1)): (2000 * 4 * HOUR, 2000 * 2 * HOUR, 2000 * HOUR)
    }


def test_a_day_that_became_empty_has_no_total(world):
    world.deliver(span(NOVEMBER, NOVEMBER + HOUR), observed=ago(hours=1))
    world.deliver(
        start=NOVEMBER, end=NOVEMBER + DAY, meters=("compute.vcpu",), things=(Thing("s1", "server", "native-genomics"),)
    )

    assert rows() == []
    assert totals() == {}


def test_only_the_named_meters_are_replaced(world):
    world.deliver(span(NOVEMBER, NOVEMBER + HOUR), span(NOVEMBER, NOVEMBER + HOUR, 4096, meter="compute.memory"))
    world.deliver(span(NOVEMBER, NOVEMBER + HOUR, 8000))

    assert [(row[1], row[4]) for row in rows()] == [("compute.memory", 4096), ("compute.vcpu", 8000)]


def test_a_thing_given_to_another_project_is_billed_there_from_then_on(world):
    world.deliver(span(NOVEMBER, NOVEMBER + 2 * HOUR, thing="v1"), kind="volume", observed=ago(hours=2))
    world.deliver(
        span(NOVEMBER + HOUR, NOVEMBER + 3 * HOUR, thing="v1"), kind="volume", tenancy="native-imaging", observed=NOW
    )

    found = Span.objects.order_by("start").values_list("thing__holder__native_id", "start", "end")
    assert list(found) == [
        ("native-genomics", NOVEMBER, NOVEMBER + HOUR),
        ("native-imaging", NOVEMBER + HOUR, NOVEMBER + 3 * HOUR),
    ]
    assert totals() == totals_of_spans()


def test_the_newest_name_stays(world):
    listed = (Thing("s1", "server", "native-genomics", name="new", detail="m2.large", born=NOVEMBER),)
    world.deliver(span(NOVEMBER, NOVEMBER + HOUR), things=listed)
    late = (Thing("s1", "server", "native-genomics", name="old"),)
    world.deliver(span(NOVEMBER, NOVEMBER + HOUR), things=late, observed=ago(hours=1))

    assert list(ThingRow.objects.values_list("name", "detail", "born")) == [("new", "m2.large", NOVEMBER)]


def test_a_thing_told_without_its_name_keeps_it(world):
    listed = (Thing("s1", "server", "native-genomics", name="web", detail="m2.large", born=NOVEMBER),)
    world.deliver(span(NOVEMBER, NOVEMBER + HOUR), things=listed, observed=ago(hours=1))
    world.deliver(span(NOVEMBER, NOVEMBER + HOUR), things=(Thing("s1", "server", "native-genomics"),))

    assert list(ThingRow.objects.values_list("name", "detail", "born")) == [("web", "m2.large", NOVEMBER)]


def test_a_refused_delivery_leaves_nothing(world):
    wrong = delivery(span(NOVEMBER, NOVEMBER + HOUR), span(NOVEMBER, NOVEMBER + HOUR, -1, thing="s2"))

    with pytest.raises(LedgerError):
        delivery_store(cloud=world.cloud, delivery=wrong)

    assert not DeliveryRow.objects.exists()
    assert not ThingRow.objects.exists()


def test_sums_beyond_63_bits_are_refused_whole_and_exact_below(world):
    most = 2**63 // DAY
    world.deliver(span(NOVEMBER, NOVEMBER + DAY, most))
    assert totals()["native-genomics", "compute.vcpu", date(2026, 11, 1)][0] == most * DAY

    with pytest.raises(LedgerError, match="63 bits"):
        world.deliver(span(NOVEMBER, NOVEMBER + DAY, most, thing="s2"))
    assert len(rows()) == 1


def test_a_killed_store_leaves_the_ledger_as_it_was(world, monkeypatch):
    from reporting.services import deliveries

    world.deliver(span(NOVEMBER, NOVEMBER + HOUR), observed=ago(hours=1))
    before = (rows(), totals())

    class Killed(BaseException):
        pass

    def kill(**_):
        raise Killed

    monkeypatch.setattr(deliveries, "totals_recompute", kill)
    with pytest.raises(Killed):
        world.deliver(span(NOVEMBER, NOVEMBER + 2 * HOUR, 4000))
    assert (rows(), totals()) == before

    monkeypatch.undo()
    world.deliver(span(NOVEMBER, NOVEMBER + 2 * HOUR, 4000))
    assert totals() == totals_of_spans()


def test_the_number_of_queries_does_not_follow_the_number_of_spans(world):
    def queries(count: int, hour: int) -> int:
        spans = [span(NOVEMBER, NOVEMBER + hour * HOUR, thing=f"q{number}") for number in range(count)]
        with CaptureQueriesContext(connection) as found:
            world.deliver(*spans, observed=NOW + timedelta(hours=hour))
        return len(found)

    queries(60, 1)
    assert queries(60, 2) == queries(5, 3) <= 20


def test_known_things_are_those_of_the_window_with_what_they_had_at_its_start(world):
    world.deliver(
        span(NOVEMBER, NOVEMBER + 2 * HOUR, 1000),
        span(NOVEMBER + 2 * HOUR, NOVEMBER + 4 * HOUR, 2000, state="stopped"),
        span(NOVEMBER, NOVEMBER + HOUR, thing="gone"),
        span(NOVEMBER + 3 * HOUR, NOVEMBER + 4 * HOUR, 500, thing="young"),
    )

    known = known_things(world.cloud, NOVEMBER + 2 * HOUR, NOVEMBER + 5 * HOUR)

    assert set(known) == {"s1", "young"}
    assert (known["s1"].quantities, known["s1"].state) == ({"compute.vcpu": 2000}, "stopped")
    assert known["s1"].until == NOVEMBER + 4 * HOUR
    assert known["s1"].tenancy == "native-genomics"
    assert known["young"].quantities == {"compute.vcpu": 500}
    assert known_things(world.second, NOVEMBER, NOVEMBER + DAY) == {}


def test_history_follows_when_a_tenancy_is_mapped_later(world):
    world.deliver(span(at(2026, 11, 3), at(2026, 11, 4)), tenancy="found-by-hand")
    assert Holder.objects.get(native_id="found-by-hand").tenancy is None

    adopted = Tenancy.objects.create(project=None, cloud=world.cloud, name="adopted", native_id="found-by-hand")
    assert holders_link(cloud=world.cloud) == 1
    assert holders_link(cloud=world.cloud) == 0
    assert Holder.objects.get(native_id="found-by-hand").tenancy == adopted


def test_a_mapped_tenancy_is_known_from_the_first_delivery(world):
    world.deliver(span(NOVEMBER, NOVEMBER + HOUR))

    assert Holder.objects.get().tenancy == world.tenancy


def test_one_thing_on_two_clouds_is_two_things(world):
    world.deliver(span(NOVEMBER, NOVEMBER + HOUR))
    world.deliver(span(NOVEMBER, NOVEMBER + HOUR), cloud=world.second)

    assert Span.objects.count() == 2
    assert set(totals().values()) == {(2000 * HOUR, 0, 0)}


@pytest.mark.django_db(transaction=True)
def test_two_workers_storing_at_once_give_the_same_as_one_after_the_other(world):
    """Each reads what it replaces before it writes: without queueing up, one would undo the other."""
    wanted = []
    for hour in range(8):
        low, high = NOVEMBER + hour * HOUR, NOVEMBER + (hour + 2) * HOUR
        spans = [span(low, high, 1000 * (hour + 1), thing=f"s{number}") for number in range(3)]
        wanted.append(delivery(*spans, observed=NOW + timedelta(minutes=hour)))
    start = threading.Barrier(2)

    def work(mine: list[Delivery]) -> None:
        try:
            start.wait()
            for each in mine:
                delivery_store(cloud=world.cloud, delivery=each)
        finally:
            connection.close()

    with ThreadPoolExecutor(2) as pool:
        for done in [pool.submit(work, wanted[part::2]) for part in range(2)]:
            done.result()

    at_once, totals_at_once = rows(), totals()
    wipe()
    for each in wanted:
        delivery_store(cloud=world.cloud, delivery=each)
    assert at_once == rows()
    assert totals_at_once == totals() == totals_of_spans()
