"""Real processes: the emulator, workers, beat and the web server, each in a group of its own that dies with the test.

Nothing here waits for a fixed time: `until` polls a condition and fails after a bound.
"""

from __future__ import annotations

import os
import re
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, TypeVar

import requests
import yaml
from celery import Celery

from config.celery import app as site_app

ROOT = Path(__file__).resolve().parents[2]
PATIENCE = 120.0
"""Seconds that anything may take here; the machine may be busy with other tests."""

T = TypeVar("T")


def until(condition: Callable[[], T], what: str, *, patience: float = PATIENCE, pause: float = 0.01) -> T:
    """The first true answer of ``condition``; fails saying ``what`` did not happen."""
    deadline = time.monotonic() + patience
    while not (found := condition()):
        assert time.monotonic() < deadline, f"it did not happen: {what}"
        time.sleep(pause)
    return found


@dataclass
class Program:
    """One started program with its children. ``log`` is everything they printed."""

    name: str
    process: subprocess.Popen[bytes]
    path: Path

    @property
    def log(self) -> str:
        return self.path.read_text(errors="replace")

    @property
    def alive(self) -> bool:
        return self.process.poll() is None

    def send(self, number: signal.Signals) -> None:
        """To the whole group: master and children, as the kernel's out-of-memory killer or a power cut would."""
        os.killpg(self.process.pid, number)

    def kill(self) -> None:
        if self.alive:
            self.send(signal.SIGKILL)
        self.process.wait(PATIENCE)
        # The leader is gone; children that were about to be born when the signal came are not left either.
        try:
            os.killpg(self.process.pid, signal.SIGKILL)
        except ProcessLookupError:
            return


@dataclass
class Programs:
    """Starts programs in ``folder`` with ``environment`` and keeps their logs beside each other."""

    folder: Path
    environment: dict[str, str]
    started: list[Program] = field(default_factory=list)

    def start(self, name: str, *arguments: str) -> Program:
        path = self.folder / f"{len(self.started):02d}-{name}.log"
        with path.open("wb") as log:
            process = subprocess.Popen(
                [sys.executable, *arguments], cwd=ROOT, env=self.environment,
                stdin=subprocess.DEVNULL, stdout=log, stderr=subprocess.STDOUT, start_new_session=True,
            )  # fmt: skip
        program = Program(name, process, path)
        self.started.append(program)
        return program

    def worker(self, *, slots: int = 2) -> Program:
        options = ("--loglevel", "INFO", "--without-gossip", "--without-mingle", "--without-heartbeat")
        return self.start(
            "worker", "-m", "celery", "--quiet", "-A", "config.celery", "worker", *options, "--concurrency", str(slots)
        )

    def beat(self) -> Program:
        return self.start("beat", "-m", "celery", "--quiet", "-A", "config.celery", "beat", "--pidfile=")

    def web(self, *, threads: int = 8) -> tuple[Program, str]:
        """gunicorn on a port of its own choice, and its address."""
        options = ("--bind", "127.0.0.1:0", "--workers", "1", "--threads", str(threads), "--no-control-socket")
        program = self.start("web", "-m", "gunicorn", "config.wsgi", *options)
        found = until(lambda: re.search(r"Listening at: (http://[\d.:]+)", program.log), "gunicorn listens")
        return program, found[1]

    def run(self, *arguments: str) -> subprocess.CompletedProcess[str]:
        """`manage.py` to its end."""
        return subprocess.run(
            [sys.executable, "manage.py", *arguments], cwd=ROOT, env=self.environment,
            capture_output=True, text=True, timeout=PATIENCE,
        )  # fmt: skip

    def stop(self) -> None:
        self.stop_but()

    def stop_but(self, *kept: Program) -> None:
        for program in self.started:
            if program not in kept:
                program.kill()

    def logs(self, name: str = "") -> str:
        return "\n".join(f"--- {p.path.name}\n{p.log}" for p in self.started if name in p.name)


class Emulator:
    """`python -m emulator` as another process, and the ways to look at it, to move its clock and to hurt it."""

    def __init__(self, programs: Programs, **sizes: int) -> None:
        options = [word for name, number in sizes.items() for word in (f"--{name}", str(number))]
        self.program = programs.start("emulator", "-m", "emulator", "--port", "0", *options)
        found = until(
            lambda: re.search(r"emulator: (http://[\d.:]+)/identity", self.program.log), "the emulator starts"
        )
        self.url = str(found[1])
        self._session = requests.Session()
        self._token = ""
        self.entry: dict[str, Any] = yaml.safe_load(self.clouds_yaml())["clouds"]["emulator"]

    def control(self, method: str, path: str, body: Any = None, **query: str) -> Any:
        answer = self._session.request(method, f"{self.url}/control{path}", json=body, params=query, timeout=30)
        answer.raise_for_status()
        return answer.json()

    def counters(self) -> dict[str, Any]:
        return dict(self.control("GET", "/counters"))

    def calls(self) -> int:
        return int(self.counters()["total"])

    def writes(self) -> list[dict[str, Any]]:
        return list(self.control("GET", "/writes", last="10000")["writes"])

    def advance(self, seconds: float) -> None:
        self.control("POST", "/clock", {"advance": seconds})

    def fault(self, **rule: Any) -> None:
        self.control("POST", "/faults", rule)

    def clouds_yaml(self) -> str:
        return requests.get(f"{self.url}/control/clouds.yaml", timeout=30).text

    def now(self) -> datetime:
        return datetime.fromtimestamp(float(self.control("GET", "/clock")["epoch"]), UTC)

    def settings(self, **auth: str) -> dict[str, Any]:
        """A `clouds.yaml` entry of the cloud's admin, with other words under `auth` if given."""
        return {**self.entry, "auth": self.entry["auth"] | auth}

    # --- as the cloud's admin ---

    def request(self, method: str, path: str, body: Any = None, **query: str) -> Any:
        headers = {"X-Auth-Token": self.token(), "OpenStack-API-Version": "compute 2.90"}
        answer = self._session.request(
            method, f"{self.url}{path}", json=body, params=query, headers=headers, timeout=30
        )
        answer.raise_for_status()
        return answer.json() if answer.content else None

    def _send(self, method: str, path: str, body: Any, query: Mapping[str, str]) -> requests.Response:
        self._token = self._token or self.token()
        headers = {"X-Auth-Token": self._token, "OpenStack-API-Version": "compute 2.90"}
        return self._session.request(method, f"{self.url}{path}", json=body, params=query, headers=headers, timeout=30)

    def token(self) -> str:
        domain = {"name": "Default"}
        user = {"name": "admin", "domain": domain, "password": self.entry["auth"]["password"]}
        scope = {"project": {"name": "admin", "domain": domain}}
        body = {"auth": {"identity": {"methods": ["password"], "password": {"user": user}}, "scope": scope}}
        answer = self._session.post(f"{self.url}/identity/v3/auth/tokens", json=body, timeout=30)
        answer.raise_for_status()
        return str(answer.headers["X-Subject-Token"])


@contextmanager
def programs_in(folder: Path, environment: Mapping[str, str]) -> Iterator[Programs]:
    """Programs that share a var folder; none of them outlives the block."""
    folder.mkdir(parents=True, exist_ok=True)
    kept = {
        name: value
        for name, value in os.environ.items()
        if not name.startswith("TENANTRY_") and name not in ("DATABASE_URL", "CELERY_BROKER_URL")
    }
    programs = Programs(folder, kept | {"PYTHONUNBUFFERED": "1", "TENANTRY_VAR": str(folder / "var"), **environment})
    try:
        yield programs
    finally:
        programs.stop()


class Messages:
    """Sends what a page would send to the workers, and loses the whole broker."""

    def __init__(self, var: Path) -> None:
        self.folder = var / "broker"
        self.var = var
        self.lost = 0
        self._app = Celery("pages", broker="tenantry-files://localhost", set_as_current=False)
        self._app.conf.broker_transport_options = {
            **dict(site_app.conf.broker_transport_options or {}),
            "data_folder_in": str(self.folder / "messages"),
            "data_folder_out": str(self.folder / "messages"),
            "processed_folder": str(self.folder / "taken"),
        }

    def wake(self, task: str = "tenancy.tasks.work", times: int = 1) -> None:
        for _ in range(times):
            self._app.send_task(task, ignore_result=True)

    def lose(self) -> None:
        """The folder as a whole, between two looks of the workers."""
        until(self.folder.exists, "the workers made the broker folder")
        self.lost += 1
        gone = self.var / f"lost-{self.lost}"
        self.folder.rename(gone)
        shutil.rmtree(gone)


def same_lines(text: str, words: Sequence[str]) -> list[str]:
    """Lines of a log that hold one of these words."""
    return [line for line in text.splitlines() if any(word.lower() in line.lower() for word in words)]
