"""`make run`: the whole product on this machine, with a living demo world; `make reset`: wipe that world.

In order: check the ports, start the emulator, bring database and static files up to date, seed the demo, then start
web, worker and beat (all as the Procfile says), and stop everything when one of them ends or on Ctrl-C.
"""

import errno
import fcntl
import hashlib
import os
import shutil
import signal
import socket
import subprocess
import sys
import threading
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from types import FrameType
from typing import IO

import honcho.manager
from honcho.environ import parse_procfile
from honcho.manager import Manager

ROOT = Path(__file__).resolve().parent.parent
START_TIMEOUT = 60  # seconds that emulator and web may take until they answer
# Seconds between asking a process to end and ending it; an idle worker takes six, a busy one finishes its task.
STOP_TIMEOUT = 20
honcho.manager.KILL_WAIT = STOP_TIMEOUT

# What a run leaves in the var folder (suffixes are their libraries' own), and all that a reset may delete: the folder
# may be anybody's.
LEFT_BEHIND = (
    "tenantry.sqlite3*", "beat-schedule*", "emulator.json*", "static.digest",
    "broker", "cache", "files", "keys", "mail", "static",
)  # fmt: skip


class RunError(Exception):
    """The demo cannot start; the message says what a person should do."""


def main(arguments: list[str]) -> int:
    """`run` (the default) or `reset`; the exit code."""
    verb = arguments[0] if arguments else "run"
    if verb not in ("run", "reset"):
        print(f"config.run: {verb!r} is neither run nor reset", file=sys.stderr)
        return 2
    signal.signal(signal.SIGTERM, _interrupt)
    signal.signal(signal.SIGHUP, _interrupt)
    environment = demo_environment(dict(os.environ))
    try:
        with only_one(Path(environment["TENANTRY_VAR"])):
            return start(environment) if verb == "run" else reset(Path(environment["TENANTRY_VAR"]))
    except RunError as error:
        print(f"\nTenantry cannot start: {error}", file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        return 130


def start(environment: dict[str, str]) -> int:
    """Everything, until it is stopped; the exit code of the first process that ended."""
    for variable in ("TENANTRY_PORT", "TENANTRY_EMULATOR_PORT"):
        check_port_free(variable, int(environment[variable]))
    commands = parse_procfile((ROOT / "Procfile").read_text(encoding="utf-8")).processes
    with emulator(commands.pop("emulator"), environment) as process:
        # First of all, because everything after it takes the time from the emulator.
        wait_for(environment["TENANTRY_CLOCK_URL"], process)
        manage(environment, "migrate", "--verbosity", "0")
        collect_static(environment)
        seed(environment)
        return supervise(commands, environment, process)


def reset(var: Path) -> int:
    for path in [path for pattern in LEFT_BEHIND for path in var.glob(pattern)]:
        if path.is_dir():
            shutil.rmtree(path)
        else:
            path.unlink()
    print(f"The demo in {var} is wiped. `make run` starts a new one.")
    return 0


def demo_environment(given: dict[str, str]) -> dict[str, str]:
    """`given`, with everything that makes it a demo on this machine; what the caller has set stays."""
    port = given.get("TENANTRY_EMULATOR_PORT") or "8765"
    address = f"http://127.0.0.1:{port}"
    defaults = {
        "TENANTRY_DEMO": "1",
        "TENANTRY_DEMO_SEED": "1",
        "TENANTRY_PORT": "8000",
        "TENANTRY_EMULATOR_PORT": port,
        "TENANTRY_EMULATOR_URL": address,
        "TENANTRY_CLOCK_URL": f"{address}/control/clock",
        "TENANTRY_VAR": str(ROOT / "var"),
    }
    environment = defaults | {name: value for name, value in given.items() if value}
    environment["TENANTRY_VAR"] = str(Path(environment["TENANTRY_VAR"]).resolve())
    environment["PATH"] = f"{Path(sys.executable).parent}:{environment.get('PATH', '')}"
    environment["PYTHONUNBUFFERED"] = "1"
    return environment


@contextmanager
def only_one(var: Path) -> Iterator[None]:
    """Raises RunError while another run uses the same folder. The lock goes with the process, however it ends."""
    var.mkdir(parents=True, exist_ok=True)
    with (var / "run.lock").open("w") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise RunError(f"it is running already in {var}. Stop that one first (Ctrl-C in its window).") from None
        yield


def check_port_free(variable: str, port: int) -> None:
    """Raises RunError with the name of the variable that moves Tenantry to another port."""
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind(("127.0.0.1", port))
        except OSError as error:
            if error.errno not in (errno.EADDRINUSE, errno.EACCES):
                raise
            raise RunError(f"port {port} is taken. Free it, or choose another one: make run {variable}=...") from error


def manage(environment: dict[str, str], *arguments: str) -> None:
    try:
        subprocess.run([sys.executable, "manage.py", *arguments], cwd=ROOT, env=environment, check=True)
    except subprocess.CalledProcessError as error:
        raise RunError(f"`manage.py {arguments[0]}` failed; its own words are above.") from error


def collect_static(environment: dict[str, str]) -> None:
    """Copy, hash and compress the static files, but only when one of them or a library changed."""
    digest = hashlib.sha256((ROOT / "requirements" / "base.txt").read_bytes())
    for path in sorted((ROOT / "static").rglob("*")):
        if path.is_file():
            digest.update(f"{path.relative_to(ROOT)} {path.stat().st_mtime_ns} {path.stat().st_size}".encode())
    stamp = Path(environment["TENANTRY_VAR"]) / "static.digest"
    if not stamp.exists() or stamp.read_text() != digest.hexdigest():
        manage(environment, "collectstatic", "--no-input", "--clear", "--verbosity", "0")
        stamp.write_text(digest.hexdigest())


def seed(environment: dict[str, str]) -> None:
    """The demo's people and projects; a second run finds them and adds nothing."""
    if environment["TENANTRY_DEMO_SEED"] == "0":
        print("TENANTRY_DEMO_SEED=0: nobody is added to the demo.", flush=True)
    else:
        manage(environment, "demo_seed")


@contextmanager
def emulator(command: str, environment: dict[str, str]) -> Iterator[subprocess.Popen[str]]:
    """The emulator, in a session of its own: Ctrl-C reaches us alone, and we stop it last, after who talks to it."""
    process = subprocess.Popen(  # noqa: S602 - the command is our own Procfile's
        command, shell=True, cwd=ROOT, env=environment, start_new_session=True,
        stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True,
    )  # fmt: skip
    if process.stdout:
        threading.Thread(target=_echo, args=(process.stdout,), daemon=True).start()
    try:
        yield process
    finally:
        _end(process)


def wait_for(url: str, process: subprocess.Popen[str] | None = None) -> None:
    """Until `url` answers anything at all. Raises RunError when `process` ends first, or after START_TIMEOUT."""
    deadline = time.monotonic() + START_TIMEOUT
    while time.monotonic() < deadline:
        if process is not None and process.poll() is not None:
            raise RunError(f"the emulator ended with code {process.returncode}; its own words are above.")
        try:
            with urllib.request.urlopen(url, timeout=2):  # noqa: S310 - loopback
                return
        except urllib.error.HTTPError as answer:
            answer.close()
            return
        except OSError:
            time.sleep(0.1)
    raise RunError(f"{url} did not answer within {START_TIMEOUT} seconds.")


def supervise(commands: dict[str, str], environment: dict[str, str], emulated: subprocess.Popen[str]) -> int:
    manager = Manager()
    for name, command in commands.items():
        manager.add_process(name, command, env=environment, cwd=str(ROOT))
    threading.Thread(target=_end_with, args=(emulated, manager), daemon=True).start()
    threading.Thread(target=_announce, args=(environment,), daemon=True).start()
    signal.signal(signal.SIGHUP, lambda *_: os.kill(os.getpid(), signal.SIGTERM))
    manager.loop()
    return int(manager.returncode or 0)


def _announce(environment: dict[str, str]) -> None:
    address = f"http://127.0.0.1:{environment['TENANTRY_PORT']}/"
    try:
        wait_for(address)
    except RunError as error:
        print(f"\n{error}", file=sys.stderr, flush=True)
        return
    print(f"\n    Tenantry is ready: {address}\n    Ctrl-C stops it; make reset wipes the demo.\n", flush=True)


def _end_with(emulated: subprocess.Popen[str], manager: Manager) -> None:
    emulated.wait()
    manager.terminate()


def _end(process: subprocess.Popen[str]) -> None:
    for ending in (signal.SIGTERM, signal.SIGKILL):
        try:
            os.killpg(process.pid, ending)
            process.wait(STOP_TIMEOUT)
        except ProcessLookupError:
            return
        except subprocess.TimeoutExpired:
            continue
        return


def _echo(lines: IO[str]) -> None:
    for line in lines:
        print(f"         emulator | {line}", end="", flush=True)


def _interrupt(_number: int, _frame: FrameType | None) -> None:
    raise KeyboardInterrupt


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
