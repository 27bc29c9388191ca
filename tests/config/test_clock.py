import logging
import threading
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta, timezone
from email.utils import format_datetime
from http.server import BaseHTTPRequestHandler, HTTPServer
from typing import Any

import pytest

from config import clock

THEN = datetime(2031, 5, 6, 7, 8, 9, tzinfo=UTC)


@pytest.fixture
def remote(monkeypatch: pytest.MonkeyPatch) -> Iterator[Any]:
    """A real HTTP server whose Date header says `remote.date`; the host's own steady clock is `remote.host`."""

    class Handler(BaseHTTPRequestHandler):
        def do_HEAD(self) -> None:
            server.asked += 1
            self.send_response_only(server.status)
            if server.date is not None:
                self.send_header("Date", server.date)
            self.end_headers()

        def log_message(self, *args: object) -> None:
            pass

    server: Any = HTTPServer(("127.0.0.1", 0), Handler)
    server.status, server.date, server.asked, server.host = 200, format_datetime(THEN, usegmt=True), 0, 100.0
    thread = threading.Thread(target=server.serve_forever, args=(0.02,))
    thread.start()
    monkeypatch.setenv("TENANTRY_CLOCK_URL", f"http://127.0.0.1:{server.server_port}/")
    monkeypatch.setattr("config.clock.time.monotonic", lambda: server.host)
    yield server
    server.shutdown()
    thread.join()
    server.server_close()


def test_a_source_given_by_a_test_wins_and_is_turned_into_utc() -> None:
    clock.set_source(lambda: datetime(2026, 1, 1, 2, tzinfo=timezone(timedelta(hours=2))))
    assert clock.now() == datetime(2026, 1, 1, tzinfo=UTC)
    assert clock.now().tzinfo is UTC


def test_a_source_without_a_zone_is_refused() -> None:
    clock.set_source(lambda: datetime(2026, 1, 1))
    with pytest.raises(ValueError, match="aware"):
        clock.now()


def test_without_a_source_it_is_the_host(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("TENANTRY_CLOCK_URL", raising=False)
    before = datetime.now(UTC)
    assert before <= clock.now() <= datetime.now(UTC)


def test_it_follows_the_date_header_and_asks_once_a_second(remote: Any) -> None:
    assert clock.now() == THEN
    remote.host += 0.75
    assert clock.now() == THEN + timedelta(seconds=0.75)
    assert remote.asked == 1
    remote.date = format_datetime(THEN + timedelta(days=30), usegmt=True)
    remote.host += 0.25
    assert clock.now() == THEN + timedelta(days=30)
    assert remote.asked == 2


def test_a_refusal_has_a_date_too(remote: Any) -> None:
    remote.status = 404
    assert clock.now() == THEN


@pytest.mark.parametrize("date", [None, "yesterday"], ids=["no Date", "no date in Date"])
def test_an_unusable_answer_falls_back_to_the_host_loudly(
    remote: Any, caplog: pytest.LogCaptureFixture, date: str | None
) -> None:
    remote.date = date
    with caplog.at_level(logging.ERROR):
        assert abs(clock.now() - datetime.now(UTC)) < timedelta(minutes=1)
    assert "no usable Date" in caplog.text


def test_a_clock_that_is_away_falls_back_to_the_host_loudly(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setenv("TENANTRY_CLOCK_URL", "http://127.0.0.1:9/")
    with caplog.at_level(logging.ERROR):
        assert abs(clock.now() - datetime.now(UTC)) < timedelta(minutes=1)
    assert "does not answer" in caplog.text
