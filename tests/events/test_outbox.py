"""The outbox: at least once, one worker at a time, and a message that cannot be sent does not stop the others."""

import smtplib
import threading
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from http.server import BaseHTTPRequestHandler, HTTPServer
from itertools import pairwise
from typing import Any

import pytest
from django.core import mail
from django.db import connection, transaction

from config import clock
from events import delivery, selectors, services, tasks
from events.models import Outbox
from tenancy.models import Person

START = datetime(2026, 11, 20, 12, tzinfo=UTC)


class Hands:
    """A clock that the test moves."""

    def __init__(self) -> None:
        self.moment = START
        clock.set_source(lambda: self.moment)

    def forward(self, **step: float) -> None:
        self.moment += timedelta(**step)


@pytest.fixture
def hands() -> Hands:
    return Hands()


def enqueue(name: str = "one", to: str = "ada@example.org") -> Outbox:
    return services.mail_enqueue(key=f"request.approved:{name}", to=to, subject="Approved", body="Good news.\n")


def refuse_with(error: Exception, monkeypatch: pytest.MonkeyPatch) -> None:
    """The mail server answers with `error`; raised where smtplib raises it."""

    def send_messages(self: object, messages: object) -> int:
        raise error

    monkeypatch.setattr("django.core.mail.backends.locmem.EmailBackend.send_messages", send_messages)


@pytest.mark.django_db
def test_a_mail_leaves_once_however_often_it_is_enqueued_and_delivered(hands: Hands) -> None:
    assert enqueue().pk == enqueue().pk
    assert [services.outbox_deliver(), services.outbox_deliver(), tasks.outbox_send()] == [1, 0, 0]
    assert [(message.to, message.subject, message.body) for message in mail.outbox] == [
        (["ada@example.org"], "Approved", "Good news.\n")
    ]
    row = Outbox.objects.get()
    assert (row.state, row.sent_at, row.attempts) == (Outbox.State.SENT, START, 1)


@pytest.mark.django_db
def test_a_mail_of_a_change_that_was_rolled_back_is_never_sent() -> None:
    with transaction.atomic():
        enqueue()
        transaction.set_rollback(True)
    assert services.outbox_deliver() == 0
    assert mail.outbox == []


@pytest.mark.django_db
def test_a_worker_that_dies_between_send_and_row_sends_it_again_under_the_same_message_id(
    hands: Hands, monkeypatch: pytest.MonkeyPatch
) -> None:
    class Killed(BaseException):
        pass

    def die(*args: object, **fields: object) -> None:
        raise Killed

    enqueue()
    with monkeypatch.context() as patch:
        patch.setattr(services, "_settle", die)
        with pytest.raises(Killed):
            services.outbox_deliver()
    hands.forward(seconds=119)
    assert services.outbox_deliver() == 0, "the claim of the dead worker is still in force"
    hands.forward(seconds=1)
    assert services.outbox_deliver() == 1
    assert len({message.extra_headers["Message-ID"] for message in mail.outbox}) == 1
    assert len(mail.outbox) == 2


@pytest.mark.django_db
def test_a_late_worker_does_not_overwrite_what_the_next_one_stored(
    hands: Hands, monkeypatch: pytest.MonkeyPatch
) -> None:
    row = enqueue()
    real = delivery.send

    def slow(message: Outbox) -> None:
        monkeypatch.setattr(delivery, "send", real)
        hands.forward(minutes=3)
        services.outbox_deliver()
        hands.forward(minutes=1)
        raise services.DeliveryError("timeout", retry=False)

    monkeypatch.setattr(delivery, "send", slow)
    services.outbox_deliver()
    row.refresh_from_db()
    assert (row.state, row.error) == (Outbox.State.SENT, "")


@pytest.mark.django_db
def test_a_server_that_is_away_is_tried_again_later_and_later_and_then_parked(
    hands: Hands, monkeypatch: pytest.MonkeyPatch
) -> None:
    row = enqueue()
    pauses = []
    with monkeypatch.context() as patch:
        refuse_with(smtplib.SMTPServerDisconnected("Connection unexpectedly closed"), patch)
        while True:
            services.outbox_deliver()
            row.refresh_from_db()
            if row.parked_at:
                break
            assert row.state == Outbox.State.TRYING
            assert services.outbox_deliver() == 0, "not before it is due"
            pauses.append((row.due_at - hands.moment).total_seconds())
            hands.moment = row.due_at
    assert row.attempts == services.ATTEMPTS
    assert row.error == "SMTPServerDisconnected: Connection unexpectedly closed"
    assert all(later > sooner for sooner, later in pairwise(pauses[:6]))
    assert list(selectors.outbox_parked()) == [row]


@pytest.mark.django_db
@pytest.mark.parametrize(
    ("refusal", "parked"),
    [
        (smtplib.SMTPRecipientsRefused({"a": (550, b"no such user")}), True),
        (smtplib.SMTPRecipientsRefused({"a": (451, b"greylisted")}), False),
        (smtplib.SMTPDataError(554, b"rejected"), True),
        (smtplib.SMTPDataError(452, b"mailbox full"), False),
        (TimeoutError("timed out"), False),
    ],
    ids=["550", "451", "554", "452", "timeout"],
)
def test_only_a_final_refusal_is_parked_at_once(
    hands: Hands, monkeypatch: pytest.MonkeyPatch, refusal: Exception, parked: bool
) -> None:
    row = enqueue()
    refuse_with(refusal, monkeypatch)
    services.outbox_deliver()
    row.refresh_from_db()
    assert bool(row.parked_at) is parked


@pytest.mark.django_db
def test_a_poison_row_does_not_stop_the_next_and_an_operator_can_release_it(hands: Hands) -> None:
    poison = enqueue("poison", to="ada@example.org\nBcc: all@example.org")
    enqueue("good")
    assert services.outbox_deliver() == 1
    poison.refresh_from_db()
    assert poison.state == Outbox.State.PARKED
    Outbox.objects.filter(pk=poison.pk).update(to="ada@example.org")
    services.outbox_release(row=poison, actor=Person.objects.create_user("operator"))
    assert services.outbox_deliver() == 1
    assert len(mail.outbox) == 2


def deliver_in_two_threads(names: list[str]) -> list[list[str]]:
    """What each of two workers sent, when both begin at the same moment."""
    for name in names:
        enqueue(name)
    together = threading.Barrier(2)
    sent: list[list[str]] = [[], []]
    local = threading.local()

    def send(row: Outbox) -> None:
        local.sent.append(row.key)

    def work(worker: int) -> None:
        local.sent = sent[worker]
        together.wait()
        try:
            services.outbox_deliver()
        finally:
            connection.close()

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(delivery, "send", send)
        threads = [threading.Thread(target=work, args=(worker,)) for worker in range(2)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
    return sent


@pytest.mark.django_db(transaction=True)
def test_two_workers_at_once_send_each_row_once(hands: Hands) -> None:
    names = [f"m{number:02}" for number in range(40)]
    first, second = deliver_in_two_threads(names)
    assert sorted(first + second) == [f"request.approved:{name}" for name in names]


@pytest.fixture
def receiver() -> Iterator[Any]:
    """A real HTTP server that answers with `receiver.status` and keeps what it was sent."""

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["Content-Length"]))
            server.seen.append((self.headers["Idempotency-Key"], body))
            self.send_response(server.status)
            self.send_header("Content-Length", "0")
            self.end_headers()

        def log_message(self, *args: object) -> None:
            pass

    server: Any = HTTPServer(("127.0.0.1", 0), Handler)
    server.status, server.seen = 204, []
    thread = threading.Thread(target=server.serve_forever, args=(0.02,))
    thread.start()
    yield server
    server.shutdown()
    thread.join()
    server.server_close()


@pytest.mark.django_db
@pytest.mark.parametrize(
    ("status", "state"),
    [
        (204, Outbox.State.SENT),
        (503, Outbox.State.TRYING),
        (429, Outbox.State.TRYING),
        (410, Outbox.State.PARKED),
        (302, Outbox.State.PARKED),
    ],
)
def test_a_webhook_is_posted_with_its_key_and_obeys_the_answer(
    hands: Hands, receiver: Any, status: int, state: str
) -> None:
    receiver.status = status
    row = services.webhook_enqueue(key="w1", to=f"http://127.0.0.1:{receiver.server_port}/hook", body='{"a": 1}')
    services.outbox_deliver()
    row.refresh_from_db()
    assert row.state == state
    assert receiver.seen == [("w1", b'{"a": 1}')]
