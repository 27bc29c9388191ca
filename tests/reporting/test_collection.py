"""Collecting: windows, marks of each source, faults in the middle, two workers, clocks that differ."""

from __future__ import annotations

from datetime import timedelta

import pytest
from django.core.management import CommandError, call_command
from django.db import connection

from config import clock
from connectors.errors import ErrorInfo, Unauthorized, Unreachable
from connectors.types import SourceResult
from events.models import AuditEntry
from reporting import services, tasks
from reporting.errors import AlreadyCollecting, LeaseLost
from reporting.management.commands.collect import Command
from reporting.models import CollectionLease, CollectionMark, CollectionRun, DailyTotal, Span
from reporting.services import cloud_collect
from tenancy.models import Cloud
from tests.reporting.worlds import DAY, HOUR, NOW, ago, delivery, life, result, span

END = int(NOW.timestamp())


@pytest.fixture(autouse=True)
def _three_days(settings):
    settings.COLLECT_BACK_DAYS = 3


def marks(cloud: Cloud) -> dict[str, tuple[int, int]]:
    return {mark.source: (mark.since, mark.until) for mark in CollectionMark.objects.filter(cloud=cloud)}


def later(**length: int) -> None:
    moment = clock.now() + timedelta(**length)
    clock.set_source(lambda: moment)


def test_the_first_collection_goes_back_in_windows_of_at_most_a_day(world, scripted):
    scripted.says = life()

    collected = cloud_collect(cloud=world.cloud)

    assert collected.complete
    assert collected.finished
    assert scripted.windows == [
        (END - 3 * DAY, END - 2 * DAY - DAY // 2),
        (END - 2 * DAY - DAY // 2, END - DAY - DAY // 2),
        (END - DAY - DAY // 2, END - DAY // 2),
        (END - DAY // 2, END),
    ]
    assert marks(world.cloud) == {"servers": (END - 3 * DAY, END), "volumes": (END - 3 * DAY, END)}
    assert Span.objects.count() == 3
    assert set(Span.objects.values_list("start", "end")) == {(END - 3 * DAY, END)}


def test_the_next_collection_begins_a_little_before_the_mark(world, scripted):
    scripted.says = life()
    cloud_collect(cloud=world.cloud)
    scripted.windows.clear()
    later(hours=1)

    cloud_collect(cloud=world.cloud)

    assert scripted.windows == [(END - 900, END + HOUR)]
    assert set(Span.objects.values_list("start", "end")) == {(END - 3 * DAY, END + HOUR)}


def test_collecting_twice_changes_nothing(world, scripted):
    scripted.says = life()
    cloud_collect(cloud=world.cloud)
    before = list(Span.objects.order_by("id").values_list("id", "start", "end", "quantity"))

    cloud_collect(cloud=world.cloud)
    cloud_collect(cloud=world.cloud, since=ago(days=2), until=ago(days=1))

    assert list(Span.objects.order_by("id").values_list("id", "start", "end", "quantity")) == before
    assert marks(world.cloud)["servers"] == (END - 3 * DAY, END)


def test_collecting_further_back_extends_what_is_complete(world, scripted):
    scripted.says = life()
    cloud_collect(cloud=world.cloud)

    cloud_collect(cloud=world.cloud, since=ago(days=20), until=ago(days=15))
    assert marks(world.cloud)["servers"] == (END - 3 * DAY, END), "a gap between the two stays a gap"
    cloud_collect(cloud=world.cloud, since=ago(days=6))
    assert marks(world.cloud)["servers"] == (END - 6 * DAY, END)


def test_no_window_reaches_into_the_future(world, scripted):
    scripted.says = life()

    cloud_collect(cloud=world.cloud, until=NOW + timedelta(days=1))

    assert scripted.windows[-1][1] == END


def test_a_failed_source_keeps_its_mark_and_hinders_no_other(world, scripted):
    scripted.says = life()
    cloud_collect(cloud=world.cloud)
    later(hours=1)
    scripted.says = life(fail=("volumes",))

    collected = cloud_collect(cloud=world.cloud)

    assert not collected.complete
    assert marks(world.cloud) == {"servers": (END - 3 * DAY, END + HOUR), "volumes": (END - 3 * DAY, END)}
    failed = collected.runs[-1].sources.get(source="volumes")
    assert (failed.complete, failed.error, failed.verbatim) == (False, "The volume service failed.", "boom")
    assert failed.request_id == "req-1"
    assert Cloud.objects.get(pk=world.cloud.pk).collect_due_at == clock.now() + timedelta(minutes=10)


def test_a_source_that_was_away_for_days_is_caught_up_day_by_day(world, scripted):
    scripted.says = life()
    cloud_collect(cloud=world.cloud)
    scripted.says = life(fail=("volumes",))
    later(days=2)
    scripted.windows.clear()
    cloud_collect(cloud=world.cloud)
    assert marks(world.cloud)["volumes"][1] == END
    assert marks(world.cloud)["servers"][1] == END + 2 * DAY

    later(hours=1)
    scripted.windows.clear()
    cloud_collect(cloud=world.cloud)
    assert scripted.windows == [(END - 900, END + DAY // 2), (END + DAY + DAY // 2, END + 2 * DAY + HOUR)], (
        "one look at the failing source's backlog, then what the healthy one needs"
    )

    scripted.says = life()
    later(hours=1)
    cloud_collect(cloud=world.cloud)
    assert marks(world.cloud)["volumes"] == (END - 3 * DAY, END + 2 * DAY + 2 * HOUR)
    assert Span.objects.get(thing__native_id="v1").end == END + 2 * DAY + 2 * HOUR


def test_a_source_that_fails_on_its_third_page_keeps_two_and_is_read_again(world, scripted):
    def third_page_fails(start, end, known):
        for number in range(2):
            yield delivery(span(start, end, thing=f"s{number}"))
        yield result("servers", ("servers",))
        yield result("volumes")

    scripted.says = third_page_fails
    collected = cloud_collect(cloud=world.cloud)
    assert not collected.complete
    assert set(Span.objects.values_list("thing__native_id", flat=True)) == {"s0", "s1"}
    assert "servers" not in marks(world.cloud)

    scripted.says = life(servers=5)
    cloud_collect(cloud=world.cloud)
    assert set(Span.objects.values_list("thing__native_id", "start", "end")) == {
        (thing, END - 3 * DAY, END) for thing in ("s0", "s1", "s2", "s3", "s4", "v1")
    }


def test_a_cut_connection_makes_the_run_fail_with_the_clouds_words(world, scripted):
    def cut(start, end, known):
        yield delivery(span(start, end))
        raise Unreachable("The compute service does not answer.", verbatim="connection reset", request_id="req-9")

    scripted.says = cut
    run = cloud_collect(cloud=world.cloud, since=ago(hours=1)).runs[0]

    assert run.state == CollectionRun.State.FAILED
    assert (run.error, run.verbatim, run.request_id) == (
        "The compute service does not answer.", "connection reset", "req-9",
    )  # fmt: skip
    assert {source.source: source.complete for source in run.sources.all()} == {"servers": False, "volumes": False}


def test_a_refused_credential_opens_the_breaker(world, scripted):
    def refuse(start, end, known):
        raise Unauthorized("The credential is not accepted.", verbatim="401")
        yield

    scripted.says = refuse
    cloud_collect(cloud=world.cloud)
    later(minutes=30)

    assert Cloud.objects.get(pk=world.cloud.pk).breaker_until is not None
    assert world.cloud not in services.clouds_collect_due()
    assert world.second in services.clouds_collect_due()


def test_an_impossible_delivery_is_refused_and_its_source_incomplete(world, scripted):
    def impossible(start, end, known):
        yield delivery(span(start, end, -5))
        yield delivery(span(start, end, thing="good"))
        yield result("servers")
        yield result("volumes")

    scripted.says = impossible
    run = cloud_collect(cloud=world.cloud, since=ago(hours=1)).runs[0]

    source = run.sources.get(source="servers")
    assert not source.complete
    assert "negative" in source.error
    assert list(Span.objects.values_list("thing__native_id", flat=True)) == ["good"]
    assert "servers" not in marks(world.cloud)


def test_a_source_that_ends_without_a_word_is_incomplete(world, scripted):
    scripted.says = lambda start, end, known: [SourceResult("servers", complete=True, things=0)]

    run = cloud_collect(cloud=world.cloud, since=ago(hours=1)).runs[0]

    assert run.state == CollectionRun.State.INCOMPLETE
    assert run.sources.get(source="volumes").error == "The connector did not say how this source ended."


def test_an_error_of_a_source_survives_a_complete_result(world, scripted):
    error = ErrorInfo("BadAnswer", "One page could not be read.", "", retry=True)
    scripted.says = lambda start, end, known: [
        SourceResult("servers", complete=False, things=0, error=error),
        SourceResult("volumes", complete=True, things=0),
    ]

    run = cloud_collect(cloud=world.cloud, since=ago(hours=1)).runs[0]

    assert run.sources.get(source="servers").error == "One page could not be read."


def test_a_cloud_whose_clock_is_behind_gets_a_mark_by_its_own_clock(world, scripted):
    behind = END - 600
    scripted.says = life(until=behind)

    cloud_collect(cloud=world.cloud)
    assert marks(world.cloud)["servers"] == (END - 3 * DAY, behind)

    scripted.says = life()
    later(hours=1)
    cloud_collect(cloud=world.cloud)
    assert set(Span.objects.values_list("start", "end")) == {(END - 3 * DAY, END + HOUR)}


def test_a_second_worker_is_told_who_collects(world, scripted):
    seen = []

    def second_worker(start, end, known):
        with pytest.raises(AlreadyCollecting) as refused:
            cloud_collect(cloud=world.cloud)
        seen.append(str(refused.value))
        assert world.cloud not in services.clouds_collect_due()
        assert tasks.cloud_collect(str(world.cloud.pk)) == 0
        yield from life()(start, end, known)

    scripted.says = second_worker
    collected = cloud_collect(cloud=world.cloud, since=ago(hours=1))

    assert collected.complete
    assert CollectionLease.objects.get(cloud=world.cloud).holder == ""
    assert "is being collected by" in seen[0]


def test_a_worker_that_lost_its_claim_stops(world, scripted):
    def taken_over(start, end, known):
        yield delivery(span(start, end, thing="before"))
        CollectionLease.objects.filter(cloud=world.cloud).update(holder="another")
        yield delivery(span(start, end, thing="after"))

    scripted.says = taken_over
    with pytest.raises(LeaseLost, match="another"):
        cloud_collect(cloud=world.cloud)

    assert list(Span.objects.values_list("thing__native_id", flat=True)) == ["before"]
    assert CollectionLease.objects.get(cloud=world.cloud).holder == "another"


class Killed(BaseException):
    """What SIGKILL leaves is what is in the database: nothing after this runs but the test."""


def test_killed_between_page_and_row_the_next_run_makes_it_whole(world, scripted, monkeypatch):
    from reporting.services import collection

    scripted.says = life(servers=3)
    stored = collection.delivery_store
    count = 0

    def store_until_killed(**arguments):
        nonlocal count
        count += 1
        if count == 3:
            raise Killed
        return stored(**arguments)

    monkeypatch.setattr(collection, "delivery_store", store_until_killed)
    monkeypatch.setattr(collection, "_release", lambda *_, **__: None)
    with pytest.raises(Killed):
        cloud_collect(cloud=world.cloud)
    monkeypatch.setattr(collection, "delivery_store", stored)
    with pytest.raises(AlreadyCollecting):
        cloud_collect(cloud=world.cloud)
    later(minutes=11)

    assert cloud_collect(cloud=world.cloud).complete
    dead = CollectionRun.objects.earliest("started_at")
    assert (dead.state, dead.error) == (CollectionRun.State.FAILED, "The worker ended without a word.")
    now = int(clock.now().timestamp())
    found = set(Span.objects.values_list("thing__native_id", "start", "end"))
    # The window the dead worker had begun is older than the new horizon by these eleven minutes: it stays true.
    assert {(thing, end) for thing, _, end in found} == {("s0", now), ("s1", now), ("s2", now), ("v1", now)}
    assert all(start <= now - 3 * DAY for _, start, _ in found)
    assert len(found) == 4


@pytest.mark.django_db(transaction=True)
def test_no_transaction_is_open_while_the_cloud_is_called(world, scripted):
    def watch(start, end, known):
        assert not connection.in_atomic_block
        yield from life()(start, end, known)
        assert not connection.in_atomic_block

    scripted.says = watch

    assert cloud_collect(cloud=world.cloud).complete


def test_a_message_reads_a_few_windows_and_asks_for_the_next(world, scripted, settings, monkeypatch):
    settings.COLLECT_BACK_DAYS = 9
    scripted.says = life()
    woken = []
    monkeypatch.setattr(tasks, "wake", lambda task, **arguments: woken.append((task, arguments)))

    assert tasks.cloud_collect(str(world.cloud.pk)) == tasks.SLICES
    assert woken == [("reporting.tasks.cloud_collect", {"cloud_id": str(world.cloud.pk)})]
    assert world.cloud in services.clouds_collect_due(), "the sweeper finds it even if the message is lost"
    tasks.cloud_collect(str(world.cloud.pk))
    tasks.cloud_collect(str(world.cloud.pk))
    assert marks(world.cloud)["servers"] == (END - 9 * DAY, END)
    assert world.cloud not in services.clouds_collect_due()
    assert len(woken) == 2


def test_the_sweeper_wakes_a_worker_a_cloud_that_is_due(world, scripted, monkeypatch):
    scripted.says = life()
    woken = []
    monkeypatch.setattr(tasks, "wake", lambda task, **arguments: woken.append(arguments["cloud_id"]))
    cloud_collect(cloud=world.second)

    assert tasks.collect_due() == 1
    assert woken == [str(world.cloud.pk)]
    later(hours=1)
    assert tasks.collect_due() == 2


def test_each_run_is_in_the_audit_log(world, scripted):
    scripted.says = life(fail=("volumes",))
    cloud_collect(cloud=world.cloud, since=ago(hours=1))

    entry = AuditEntry.objects.get(verb="collection.finished")
    assert entry.summary == (
        "Collected usage of OpenStack north from 2026-11-20 11:00 to 2026-11-20 12:00: 2 spans; not complete: volumes."
    )
    assert entry.cloud_id == str(world.cloud.pk)


def test_days_of_one_collection_add_up(world, scripted):
    scripted.says = life(servers=1)
    cloud_collect(cloud=world.cloud)

    total = sum(row.quantity_seconds for row in DailyTotal.objects.filter(meter__key="compute.vcpu"))
    assert total == 2000 * 3 * DAY


# --- manage.py collect


def collect(*arguments: str, capsys) -> tuple[int, str]:
    try:
        call_command("collect", *arguments)
        code = 0
    except CommandError as error:
        code = error.returncode
        print(error)
    said = capsys.readouterr()
    return code, said.out + said.err


def test_the_command_says_how_each_source_ended(world, scripted, capsys):
    Cloud.objects.filter(pk=world.second.pk).delete()
    scripted.says = life()
    code, said = collect("--since", "2026-11-20T11:00:00Z", capsys=capsys)
    assert code == 0
    assert "north: 2026-11-20 11:00:00 to 2026-11-20 12:00:00 UTC, 1 calls: complete" in said
    assert "servers: 2 things, 2 spans, complete" in said

    scripted.says = life(fail=("volumes",))
    code, said = collect("--since", "2026-11-20T11:00:00Z", capsys=capsys)
    assert code == 1
    assert "volumes: 0 things, 0 spans, INCOMPLETE: The volume service failed. boom" in said


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (("--cloud", "nowhere"), "There is no cloud “nowhere”; connected are: north, south."),
        (("--since", "2026-11-20T11:00:00Z", "--until", "2026-11-20T10:00:00Z"), "must be before"),
    ],
)
def test_wrong_usage_of_the_command_ends_with_2(world, scripted, capsys, arguments, says):
    code, said = collect(*arguments, capsys=capsys)

    assert says in said
    assert code == 2
    assert scripted.windows == []


@pytest.mark.parametrize(
    ("written", "says"), [("yesterday", "is no ISO time"), ("2026-11-20T11:00:00", "has no zone: write")]
)
def test_a_time_that_could_mean_anything_is_refused(capsys, written, says):
    command = Command()
    command._called_from_command_line = True
    with pytest.raises(SystemExit) as stopped:
        command.create_parser("manage.py", "collect").parse_args(["--since", written])

    assert stopped.value.code == 2
    assert says in capsys.readouterr().err


def test_the_command_goes_on_with_the_next_cloud(world, scripted, capsys):
    scripted.says = life()
    CollectionLease.objects.create(cloud=world.cloud, holder="somebody", until=NOW + timedelta(minutes=5))

    code, said = collect("--since", "2026-11-20T11:00:00Z", capsys=capsys)

    assert code == 1
    assert "north: The usage of OpenStack north is being collected by somebody." in said
    assert "south: 2026-11-20 11:00:00" in said
