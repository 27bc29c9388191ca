"""The state file: what differs from the seed, and where the clock stands. Written whole, then renamed."""

import json
import os
import sys
import threading
import time
from pathlib import Path
from typing import Any

from emulator.world import World

FORMAT = 1


class StateMismatch(Exception):
    """The file belongs to another world: another seed, size or release."""


def differences(world: World) -> dict[str, Any]:
    """Everything that a world of the same configuration needs to go on from here."""
    with world.lock:
        return {
            "format": FORMAT,
            "fingerprint": world.config.fingerprint(),
            "origin": world.origin,
            "ahead_of_host": world.clock.now() - time.time(),
            "speed": world.clock.speed,
            "counter": world.counter,
            "tables": {name: found for name, table in world.tables.items() if (found := table.differences())},
        }


def check(found: dict[str, Any], fingerprint: dict[str, Any]) -> None:
    """Raises StateMismatch saying what differs."""
    if found.get("format") != FORMAT:
        raise StateMismatch(f"the state file has format {found.get('format')}, this emulator reads {FORMAT}")
    theirs = found["fingerprint"]
    wrong = [
        f"{key} {theirs.get(key)} (asked for {value})" for key, value in fingerprint.items() if theirs.get(key) != value
    ]
    if wrong:
        raise StateMismatch(f"the state file is of another world: {', '.join(wrong)}")


def restore(world: World, found: dict[str, Any]) -> None:
    check(found, world.config.fingerprint())
    world.counter = found["counter"]
    for name, rows in found["tables"].items():
        world.tables[name].load_differences(rows)


def read(path: Path) -> dict[str, Any] | None:
    """The content of the file; None when there is none yet."""
    if not path.exists():
        return None
    found: dict[str, Any] = json.loads(path.read_text())
    return found


def write(path: Path, found: dict[str, Any]) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    new = path.with_name(path.name + ".new")
    with new.open("w") as file:
        json.dump(found, file)
        file.flush()
        os.fsync(file.fileno())
    new.replace(path)


class Keeper(threading.Thread):
    """Writes the state file every few seconds when something changed, and once at the end."""

    def __init__(self, world: World, path: Path, *, every: float = 3.0) -> None:
        super().__init__(name="state-keeper", daemon=True)
        self._world, self._path, self._every = world, path, every
        self._stop = threading.Event()
        self._saved: tuple[int, float] | None = None

    def run(self) -> None:
        while not self._stop.wait(self._every):
            self.save()

    def save(self) -> None:
        mark = (self._world.log.version, self._world.clock.speed)
        if mark == self._saved:
            return
        try:
            write(self._path, differences(self._world))
        except OSError as error:
            print(f"emulator: the state file could not be written: {error}", file=sys.stderr, flush=True)
            return
        self._saved = mark

    def finish(self) -> None:
        self._stop.set()
        self._saved = None  # the clock has moved since, if nothing else
        self.save()
