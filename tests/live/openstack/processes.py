#!/usr/bin/env python3
"""The lab's processes: are they running, which are they, stop them.

Each process of the lab carries its state folder in the environment variable LAB_STATE_OF, which its children inherit.
That finds those too that left their process group, and never one of another lab or of somebody else.

    processes.py running   exit code 0 when every started server is alive
    processes.py status    the same, told to a person
    processes.py stop      ends all of them; exit code 1 when one survived
"""

import os
import signal
import sys
import time
from pathlib import Path

STATE = Path(os.environ["LAB_STATE"])
MARK = b"LAB_STATE_OF=" + os.fsencode(STATE)
GRACE_SECONDS = 20


def ours() -> set[int]:
    """Process ids that carry this lab's mark."""
    found = set()
    for entry in Path("/proc").iterdir():
        if not entry.name.isdigit() or int(entry.name) == os.getpid():
            continue
        try:
            if MARK in (entry / "environ").read_bytes().split(b"\0"):
                found.add(int(entry.name))
        except OSError:
            continue  # ended meanwhile, or not ours to read
    return found


def servers() -> dict[str, int]:
    """Name and process id of each server that start.sh recorded."""
    return {path.stem: int(path.read_text()) for path in sorted((STATE / "pid").glob("*.pid"))}


def is_running() -> bool:
    started = servers()
    return (STATE / "started").exists() and bool(started) and set(started.values()) <= ours()


def resident_mib(pid: int) -> int:
    """Proportional memory of a process, so that shared pages count once."""
    try:
        rollup = Path(f"/proc/{pid}/smaps_rollup").read_text()
    except OSError:
        return 0
    return next((int(line.split()[1]) for line in rollup.splitlines() if line.startswith("Pss:")), 0) // 1024


def children_of(pid: int, pids: set[int]) -> set[int]:
    return {p for p in pids if session_of(p) == pid}


def session_of(pid: int) -> int:
    try:
        return os.getsid(pid)
    except OSError:
        return 0


def status() -> int:
    alive = ours()
    for name, pid in servers().items():
        state = f"{sum(map(resident_mib, children_of(pid, alive))):5d} MiB" if pid in alive else "NOT RUNNING"
        print(f"{name:18} {pid:8} {state}")
    if not is_running():
        print("the lab is not running" if not alive else "the lab is only partly running: make lab-stop, then make lab")
        return 1
    started = (STATE / "started").read_text().strip()
    print(f"the lab has been running since {started}: {sum(map(resident_mib, alive))} MiB in {len(alive)} processes")
    print(f"OS_CLIENT_CONFIG_FILE={os.environ['LAB_CLOUDS']} OS_CLOUD=tenantry-lab-admin")
    return 0


def send(number: int, pids: set[int]) -> None:
    for pid in pids:
        try:
            os.kill(pid, number)
        except ProcessLookupError:
            pass


def stop() -> int:
    (STATE / "started").unlink(missing_ok=True)
    leaders = ours() & set(servers().values())
    if not ours():
        print("the lab is not running")
    else:
        began = time.monotonic()
        send(signal.SIGTERM, leaders or ours())
        while ours() and time.monotonic() - began < GRACE_SECONDS:
            time.sleep(0.1)
        send(signal.SIGKILL, ours())
        while ours() and time.monotonic() - began < 2 * GRACE_SECONDS:
            time.sleep(0.1)
        print(f"the lab stopped in {time.monotonic() - began:.0f} s")
    survivors = ours()
    for path in (STATE / "pid").glob("*.pid"):
        path.unlink()
    if survivors:
        print("still running:", *sorted(survivors))
    return 1 if survivors else 0


if __name__ == "__main__":
    verbs = {"running": lambda: 0 if is_running() else 1, "status": status, "stop": stop}
    sys.exit(verbs[sys.argv[1]]())
