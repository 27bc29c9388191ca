"""Kill a worker at any moment, without waiting for processes to start.

A child is forked from a warm parent: emulator, connector and database are there already (the database file is copied).
In the child the work runs in a thread that stops for ever at the chosen moment, as after SIGKILL: nothing is
unwound, an open transaction is rolled back as the database would. Then the child's main thread is the next worker.
"""

from __future__ import annotations

import os
import re
import shutil
import threading
import traceback
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from enum import Enum
from pathlib import Path
from typing import Any

import requests
from django.db import connection, connections
from requests.adapters import BaseAdapter

_WRITE = re.compile(r"^\s*(INSERT|UPDATE|DELETE)", re.IGNORECASE)


class Moment(Enum):
    BEFORE = "before the call"
    AFTER = "after the call"
    UNCOMMITTED = "between answer and commit"


@dataclass(frozen=True)
class Point:
    """The ``call``-th request (from 1), and when around it."""

    call: int
    moment: Moment

    def __str__(self) -> str:
        return f"{self.moment.value} {self.call}"


class Killer(BaseAdapter):
    """A transport that counts calls and stops its thread for ever at one of them."""

    def __init__(self, inner: BaseAdapter, point: Point | None = None) -> None:
        super().__init__()
        self.inner = inner
        self.point = point
        self.calls = 0
        self.dead = threading.Event()
        self.armed = False
        self._lock = threading.Lock()

    def send(self, request: requests.PreparedRequest, *args: Any, **kwargs: Any) -> requests.Response:
        with self._lock:
            self.calls += 1
            here = self.point is not None and self.point.call == self.calls
        if here and self.point and self.point.moment is Moment.BEFORE:
            self.die()
        answer = self.inner.send(request, *args, **kwargs)
        if here and self.point and self.point.moment is Moment.AFTER:
            self.die()
        if here:
            self.armed = True
        return answer

    def on_statement(self, execute: Any, sql: str, params: Any, many: bool, context: Any) -> Any:
        if self.armed and _WRITE.match(sql):
            self.die()
        return execute(sql, params, many, context)

    def die(self) -> None:
        raw = connection.connection
        if raw is not None:
            raw.rollback()
            raw.close()
        self.dead.set()
        threading.Event().wait()

    def close(self) -> None:
        self.inner.close()


def run_until_killed(killer: Killer, work: Callable[[], None]) -> bool:
    """Run ``work`` in a thread; True if it was killed, False if it came to its end."""
    ended = threading.Event()
    broke: list[BaseException] = []

    def body() -> None:
        try:
            with connection.execute_wrapper(killer.on_statement):
                work()
        except BaseException as error:  # noqa: BLE001 - told to the caller
            broke.append(error)
        finally:
            connections.close_all()
            ended.set()
            killer.dead.set()

    threading.Thread(target=body, daemon=True).start()
    killer.dead.wait()
    if broke:
        raise broke[0]
    return not ended.is_set()


@contextmanager
def _own_database(folder: Path) -> Iterator[None]:
    name = Path(str(connection.settings_dict["NAME"]))
    connections.close_all()
    folder.mkdir(parents=True)
    copy = folder / "child.sqlite3"
    for suffix in ("", "-wal"):
        source = name.with_name(name.name + suffix)
        if source.exists():
            shutil.copy(source, copy.with_name(copy.name + suffix))
    connection.settings_dict["NAME"] = str(copy)
    yield


def in_child(folder: Path, body: Callable[[], None]) -> str:
    """Run ``body`` in a forked child with its own copy of the database; the traceback if it failed, else nothing."""
    connections.close_all()
    reader, writer = os.pipe()
    pid = os.fork()
    if pid == 0:
        os.close(reader)
        said = ""
        try:
            with _own_database(folder):
                body()
        except BaseException:  # noqa: BLE001 - told to the parent
            said = traceback.format_exc()
        os.write(writer, said.encode()[-60_000:])
        os._exit(0)
    os.close(writer)
    with os.fdopen(reader) as stream:
        told = stream.read()
    _, status = os.waitpid(pid, 0)
    shutil.rmtree(folder, ignore_errors=True)
    return told or ("" if status == 0 else f"the child ended with status {status}")
