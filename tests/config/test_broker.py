"""The file broker, through kombu as Celery uses it."""

import multiprocessing
import shutil
import threading
from pathlib import Path
from typing import Any

import pytest
from celery import Celery
from django.db import transaction
from kombu import Connection

from config import celery

QUEUE = "work"


def connect(folder: Path) -> Connection:
    return Connection(
        "tenantry-files://",
        transport_options={
            "data_folder_in": str(folder / "messages"),
            "data_folder_out": str(folder / "messages"),
            "processed_folder": str(folder / "taken"),
        },
    )


def put(folder: Path, numbers: range) -> None:
    with connect(folder) as connection, connection.SimpleQueue(QUEUE) as queue:
        for number in numbers:
            queue.put(number)


def take_all(folder: Path, expected: int, counter: Any, taken: Any) -> None:
    """Take messages until all readers together have `expected`; an error in any reader fails the test."""
    with connect(folder) as connection, connection.SimpleQueue(QUEUE) as queue:
        while counter.value < expected:
            try:
                message = queue.get(block=False)
            except queue.Empty:
                continue
            message.ack()
            taken.put(message.payload)
            with counter.get_lock():
                counter.value += 1


def test_busy_readers_lose_and_double_nothing(tmp_path: Path) -> None:
    spawn = multiprocessing.get_context("fork")
    counter, taken, expected = spawn.Value("i", 0), spawn.Queue(), 600
    readers = [spawn.Process(target=take_all, args=(tmp_path, expected, counter, taken)) for _ in range(3)]
    for reader in readers:
        reader.start()
    put(tmp_path, range(expected))
    found = sorted(taken.get(timeout=60) for _ in range(expected))
    for reader in readers:
        reader.join(60)
    assert found == list(range(expected))
    assert [reader.exitcode for reader in readers] == [0, 0, 0]


def test_a_reader_never_sees_a_message_before_all_of_it_is_there(tmp_path: Path, monkeypatch: Any) -> None:
    """The writer is stopped in the middle of its write; the reader finds nothing rather than half a message."""
    half_written, go_on = threading.Event(), threading.Event()
    write = Path.write_bytes

    def slow_write(path: Path, content: bytes) -> int:
        write(path, content[: len(content) // 2])
        half_written.set()
        go_on.wait(30)
        return write(path, content)

    monkeypatch.setattr(Path, "write_bytes", slow_write)
    writer = threading.Thread(target=put, args=(tmp_path, range(1)))
    writer.start()
    assert half_written.wait(30)
    with connect(tmp_path) as connection, connection.SimpleQueue(QUEUE) as queue:
        with pytest.raises(queue.Empty):
            queue.get(block=False)
        go_on.set()
        writer.join(30)
        assert queue.get(block=True, timeout=10).payload == 0


def test_messages_keep_their_order(tmp_path: Path) -> None:
    put(tmp_path, range(5))
    with connect(tmp_path) as connection, connection.SimpleQueue(QUEUE) as queue:
        assert [queue.get(block=False).payload for _ in range(5)] == list(range(5))


def test_a_folder_deleted_in_mid_run_is_an_empty_one(tmp_path: Path) -> None:
    with connect(tmp_path) as connection, connection.SimpleQueue(QUEUE) as queue:
        queue.put("lost")
        shutil.rmtree(tmp_path / "messages")
        with pytest.raises(queue.Empty):
            queue.get(block=False)
        queue.put("found")
        assert queue.get(block=False).payload == "found"


@pytest.mark.django_db(transaction=True)
def test_a_worker_is_woken_after_the_commit_and_only_then(monkeypatch: Any) -> None:
    sent: list[object] = []
    monkeypatch.setattr(celery.app, "send_task", lambda name, **rest: sent.append((name, rest["kwargs"])))
    with transaction.atomic():
        celery.wake("tenancy.tasks.reconcile", tenancy_id="t1")
        assert sent == []
    assert sent == [("tenancy.tasks.reconcile", {"tenancy_id": "t1"})]
    with transaction.atomic():
        celery.wake("tenancy.tasks.reconcile", tenancy_id="t2")
        transaction.set_rollback(True)
    assert len(sent) == 1


@pytest.mark.django_db(transaction=True)
def test_a_broker_that_is_away_is_logged_and_hinders_nobody(monkeypatch: Any, caplog: Any, settings: Any) -> None:
    away = Celery("away", broker="amqp://127.0.0.1:9//", set_as_current=False)
    away.conf.broker_transport_options = settings.CELERY_BROKER_TRANSPORT_OPTIONS
    monkeypatch.setattr(celery, "app", away)
    with transaction.atomic():
        celery.wake("events.tasks.outbox_send")
    assert "events.tasks.outbox_send was not sent" in caplog.text
