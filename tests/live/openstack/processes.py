#!/usr/bin/env python3
"""The lab's processes: are they running, which are they, stop them.

start.sh gives each server a session of its own and records the session leader with its start time. Each server also
carries LAB_STATE_OF=<state folder> in its environment, which its children inherit. Either sign is enough: a child may
leave the session, and a server that sets its title overwrites its environment. Both name this lab and no other.

    processes.py running   exit code 0 when every started server is alive
    processes.py status    the same, told to a person
    processes.py stop      ends all of them; exit code 1 when one survived
"""

import contextlib
import os
import signal
import sys
import time
from pathlib import Path
from typing import NamedTuple

STATE = Path(os.environ["LAB_STATE"])
MARK = b"LAB_STATE_OF=" + os.fsencode(STATE)
BOOT = Path("/proc/sys/kernel/random/boot_id").read_text().strip()
GRACE_SECONDS = 20
# The others talk to these while they end, so these end last.
LAST = {"mariadb", "rabbitmq", "epmd"}


class Server(NamedTuple):
    name: str
    pid: int
    start_ticks: str


def servers() -> list[Server]:
    """What start.sh recorded since the machine booted."""
    found = []
    for path in sorted((STATE / "pid").glob("*.pid")):
        pid, start_ticks, boot = path.read_text().split()
        if boot == BOOT:
            found.append(Server(path.stem, int(pid), start_ticks))
    return found


def start_ticks_of(pid: int) -> str | None:
    """Start time of a process in ticks since boot (proc(5), field 22), None when there is none."""
    try:
        stat = Path(f"/proc/{pid}/stat").read_text()
    except OSError:
        return None
    state, *fields = stat.rpartition(")")[2].split()
    return None if state == "Z" else fields[18]


def is_alive(server: Server) -> bool:
    return start_ticks_of(server.pid) == server.start_ticks


def sessions() -> set[int]:
    """Sessions of ours. The kernel gives a number to nobody else while a process of its session lives."""
    return {server.pid for server in servers() if start_ticks_of(server.pid) in (server.start_ticks, None)}


def ours() -> set[int]:
    """Process ids of this lab."""
    own_sessions, found = sessions(), set()
    for entry in Path("/proc").iterdir():
        if not entry.name.isdigit() or int(entry.name) == os.getpid():
            continue
        pid = int(entry.name)
        try:
            if start_ticks_of(pid) and (
                os.getsid(pid) in own_sessions or MARK in (entry / "environ").read_bytes().split(b"\0")
            ):
                found.add(pid)
        except OSError:
            continue  # ended meanwhile, or not ours to read
    return found


def is_running() -> bool:
    recorded = servers()
    return (STATE / "started").exists() and bool(recorded) and all(map(is_alive, recorded))


def resident_mib(pid: int) -> int:
    """Proportional memory of a process, so that shared pages count once."""
    try:
        rollup = Path(f"/proc/{pid}/smaps_rollup").read_text()
    except OSError:
        return 0
    return next((int(line.split()[1]) for line in rollup.splitlines() if line.startswith("Pss:")), 0) // 1024


def session_of(pid: int) -> int | None:
    try:
        return os.getsid(pid)
    except OSError:
        return None


def status() -> int:
    alive = ours()
    for server in servers():
        memory = sum(resident_mib(pid) for pid in alive if session_of(pid) == server.pid)
        print(f"{server.name:18} {server.pid:8} {f'{memory:5d} MiB' if is_alive(server) else 'NOT RUNNING'}")
    if not is_running():
        print("the lab is not running" if not alive else "the lab runs only in part: make lab-stop, then make lab")
        return 1
    started = (STATE / "started").read_text().strip()
    print(f"the lab has been running since {started}: {sum(map(resident_mib, alive))} MiB in {len(alive)} processes")
    print(f"OS_CLIENT_CONFIG_FILE={os.environ['LAB_CLOUDS']} OS_CLOUD=tenantry-lab-admin")
    return 0


def send(number: int, pids: set[int]) -> None:
    for pid in pids:
        with contextlib.suppress(ProcessLookupError):
            os.kill(pid, number)


def end(wave: list[Server]) -> None:
    """Ask these servers to end, and kill what of them has not ended after a while."""
    sessions_of_wave = {server.pid for server in wave}

    def left() -> set[int]:
        return {pid for pid in ours() if session_of(pid) in sessions_of_wave}

    send(signal.SIGTERM, {server.pid for server in wave if is_alive(server)})
    deadline = time.monotonic() + GRACE_SECONDS
    while left() and time.monotonic() < deadline:
        time.sleep(0.1)
    for pid in sorted(left()):
        print("killed, as it did not end:", Path(f"/proc/{pid}/cmdline").read_text().replace("\0", " ")[:100])
    send(signal.SIGKILL, left())


def stop() -> int:
    (STATE / "started").unlink(missing_ok=True)
    began = time.monotonic()
    if not ours():
        print("the lab is not running")
    else:
        end([server for server in servers() if server.name not in LAST])
        end([server for server in servers() if server.name in LAST])
        send(signal.SIGKILL, ours())  # what left its session, and the setup steps of a killed start
        while ours() and time.monotonic() - began < 3 * GRACE_SECONDS:
            time.sleep(0.1)
        print(f"the lab stopped in {time.monotonic() - began:.0f} s")
    survivors = ours()
    if survivors:
        print("still running:", *sorted(survivors))
        return 1
    for path in (STATE / "pid").glob("*.pid"):
        path.unlink()
    return 0


if __name__ == "__main__":
    verbs = {"running": lambda: 0 if is_running() else 1, "status": status, "stop": stop}
    sys.exit(verbs[sys.argv[1]]())
