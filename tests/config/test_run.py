"""`make run`, as a person uses it: real processes, real ports, a real Ctrl-C."""

import os
import re
import signal
import socket
import subprocess
import sys
import threading
import time
import urllib.request
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from config import run
from tests.support.postgres import free_port

ROOT = Path(__file__).resolve().parents[2]
START = 120  # seconds: the machine may be busy with other tests


class Demo:
    """One `python -m config.run`, with what it printed so far."""

    def __init__(self, environment: dict[str, str]) -> None:
        self.process = subprocess.Popen(
            [sys.executable, "-m", "config.run", "run"],
            cwd=ROOT, env=environment, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True,
        )  # fmt: skip
        self.lines: list[str] = []
        self.ready = threading.Event()
        self.reader = threading.Thread(target=self._read)
        self.reader.start()

    def _read(self) -> None:
        assert self.process.stdout
        for line in self.process.stdout:
            self.lines.append(line)
            if "Tenantry is ready" in line:
                self.ready.set()
        self.ready.set()

    @property
    def output(self) -> str:
        return "".join(self.lines)

    def stop(self, by: signal.Signals) -> int:
        self.process.send_signal(by)
        code = self.process.wait(START)
        self.reader.join(START)
        return code


@pytest.fixture
def environment(tmp_path: Path) -> dict[str, str]:
    kept = {name: value for name, value in os.environ.items() if not name.startswith("TENANTRY_")}
    return kept | {
        "TENANTRY_VAR": str(tmp_path / "var"),
        "TENANTRY_PORT": str(free_port()),
        "TENANTRY_EMULATOR_PORT": str(free_port()),
        # Filling the demo takes longer than all that is tested here.
        "TENANTRY_DEMO_SEED": "0",
    }


@contextmanager
def running(environment: dict[str, str]) -> Iterator[Demo]:
    demo = Demo(environment)
    try:
        assert demo.ready.wait(START), demo.output
        assert "Tenantry is ready" in demo.output, demo.output
        yield demo
    finally:
        if demo.process.poll() is None:
            demo.stop(signal.SIGTERM)


def processes_of(var: str) -> list[str]:
    """Command lines of all processes that were started for this var folder, by their environment."""
    found = []
    for folder in Path("/proc").iterdir():
        try:
            if folder.name.isdigit() and f"TENANTRY_VAR={var}".encode() in (folder / "environ").read_bytes():
                found.append((folder / "cmdline").read_bytes().replace(b"\0", b" ").decode())
        except OSError:
            continue
    return found


@pytest.mark.slow
@pytest.mark.xdist_group("run")
def test_it_runs_four_processes_that_work_together_and_ctrl_c_leaves_none(environment: dict[str, str]) -> None:
    """A mail goes through outbox, broker and worker, and taking the broker's folder away only delays it."""
    var = Path(environment["TENANTRY_VAR"])
    with running(environment) as demo:
        commands = " ".join(processes_of(environment["TENANTRY_VAR"]))
        for part in ("-m emulator", "gunicorn", "config.celery worker", "config.celery beat"):
            assert part in commands
        with urllib.request.urlopen(f"http://127.0.0.1:{environment['TENANTRY_PORT']}/accounts/login/") as page:
            assert page.status == 200
            stylesheet = re.search(r"/static/[\w/]*tenantry\.\w+\.css", page.read().decode())
        assert stylesheet, "static files carry their hash"
        lose_broker(var, "first")
        enqueue_mail(environment, "first")
        wait_until(lambda: "first" in mails(var))
        enqueue_mail(environment, "second")
        lose_broker(var, "second")
        wait_until(lambda: "second" in mails(var))
        demo.stop(signal.SIGINT)
    assert processes_of(environment["TENANTRY_VAR"]) == []
    for variable in ("TENANTRY_PORT", "TENANTRY_EMULATOR_PORT"):
        run.check_port_free(variable, int(environment[variable]))


def lose_broker(var: Path, when: str) -> None:
    """The whole folder at once, between two looks of the worker."""
    wait_until((var / "broker").exists)
    (var / "broker").rename(var / f"lost-{when}")


def enqueue_mail(environment: dict[str, str], subject: str) -> None:
    """From a process of its own, as a page would: the row is committed, then the worker is woken."""
    code = (
        "from events.services import mail_enqueue; "
        f"mail_enqueue(key={subject!r}, to='ada@example.org', subject={subject!r}, body='')"
    )
    run.manage(run.demo_environment(environment), "shell", "--no-imports", "-c", code)


def mails(var: Path) -> list[str]:
    found = [path.read_text(encoding="utf-8") for path in (var / "mail").glob("*")]
    return [line.removeprefix("Subject: ") for text in found for line in text.splitlines() if "Subject: " in line]


def wait_until(condition: Callable[[], bool]) -> None:
    deadline = time.monotonic() + START
    while not condition():
        assert time.monotonic() < deadline, "it did not happen"
        time.sleep(0.1)


@pytest.mark.slow
@pytest.mark.xdist_group("run")
def test_a_second_run_keeps_the_data_and_a_reset_wipes_only_ours(environment: dict[str, str]) -> None:
    var = Path(environment["TENANTRY_VAR"])
    with running(environment) as demo:
        database = (var / "tenantry.sqlite3").stat().st_ino
        key = (var / "keys" / "secret-key").read_text()
        again = subprocess.run(
            [sys.executable, "-m", "config.run", "run"], cwd=ROOT, env=environment, capture_output=True, text=True
        )
        assert again.returncode == 1
        assert "running already" in again.stderr
        # What a closed terminal sends.
        demo.stop(signal.SIGHUP)
        assert processes_of(environment["TENANTRY_VAR"]) == []
    with running(environment):
        assert (var / "tenantry.sqlite3").stat().st_ino == database
        assert (var / "keys" / "secret-key").read_text() == key
    (var / "somebody's").write_text("not ours")
    assert run.reset(var) == 0
    assert sorted(path.name for path in var.iterdir()) == ["run.lock", "somebody's"]


def test_static_files_are_collected_again_only_when_one_changed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    collected: list[str] = []
    monkeypatch.setattr(run, "ROOT", tmp_path)
    monkeypatch.setattr(run, "manage", lambda environment, *arguments: collected.append(arguments[0]))
    for folder in ("static", "requirements", "var"):
        (tmp_path / folder).mkdir()
    (tmp_path / "requirements" / "base.txt").write_text("django==5.2.19")
    (tmp_path / "static" / "a.css").write_text("a")
    environment = {"TENANTRY_VAR": str(tmp_path / "var")}
    for change, times in [("", 1), ("", 1), ("static/a.css", 2), ("static/b.css", 3), ("requirements/base.txt", 4)]:
        if change:
            (tmp_path / change).write_text("another content")
        run.collect_static(environment)
        assert collected == ["collectstatic"] * times


@pytest.mark.parametrize("variable", ["TENANTRY_PORT", "TENANTRY_EMULATOR_PORT"])
def test_a_taken_port_is_a_clear_error_that_names_its_variable(environment: dict[str, str], variable: str) -> None:
    with socket.socket() as other:
        other.bind(("127.0.0.1", 0))
        other.listen()
        environment[variable] = str(other.getsockname()[1])
        result = subprocess.run(
            [sys.executable, "-m", "config.run", "run"], cwd=ROOT, env=environment, capture_output=True, text=True
        )
    assert result.returncode == 1
    assert f"port {environment[variable]} is taken" in result.stderr
    assert f"make run {variable}=" in result.stderr
    assert "Traceback" not in result.stderr


@pytest.mark.slow
@pytest.mark.xdist_group("run")
def test_when_one_process_ends_all_end(environment: dict[str, str]) -> None:
    with running(environment) as demo:
        [emulator] = [
            int(folder.name)
            for folder in Path("/proc").iterdir()
            if folder.name.isdigit() and _is_emulator(folder, environment["TENANTRY_VAR"])
        ]
        os.kill(emulator, signal.SIGKILL)
        demo.process.wait(START)
    assert processes_of(environment["TENANTRY_VAR"]) == []


def _is_emulator(folder: Path, var: str) -> bool:
    try:
        command = (folder / "cmdline").read_bytes().split(b"\0")
        return b"emulator" in command[1:3] and f"TENANTRY_VAR={var}".encode() in (folder / "environ").read_bytes()
    except OSError:
        return False
