"""`python -m emulator`: one process, one port, one living cloud."""

import argparse
import json
import re
import signal
import sys
import threading
import time
from collections.abc import Sequence
from pathlib import Path
from types import FrameType

from emulator import state
from emulator.app import App, create_app
from emulator.clock import DAY, HOUR, MINUTE, parse_time
from emulator.server import EmulatorServer
from emulator.world import WorldConfig

_UNITS = {"s": 1, "m": MINUTE, "h": HOUR, "d": DAY}


def duration(text: str) -> int:
    """Seconds of `60d`, `12h`, `30m`, `90s` or a bare number."""
    found = re.fullmatch(r"(\d+)([smhd]?)", text)
    if not found:
        raise argparse.ArgumentTypeError(f"{text!r} is not a duration such as 60d, 12h, 30m or 90s")
    return int(found[1]) * _UNITS[found[2] or "s"]


def moment(text: str) -> float:
    try:
        return parse_time(text)
    except ValueError as error:
        raise argparse.ArgumentTypeError(f"{text!r} is not an ISO 8601 time") from error


def parser() -> argparse.ArgumentParser:
    d = WorldConfig()
    p = argparse.ArgumentParser(prog="python -m emulator", description="A cloud that lives in one process.")
    add = p.add_argument
    add("--host", default="127.0.0.1")
    add("--port", type=int, default=8765, help="0 takes a free one and prints it")
    add("--projects", type=int, default=d.projects)
    add("--servers", type=int, default=d.servers, help="about so many live at the start")
    add("--volumes", type=int, default=d.volumes, help="about so many exist at the start")
    add("--seed", type=int, default=d.seed)
    add("--now", type=moment, default=None, help="where the world clock starts (default: the host's now)")
    add("--speed", type=float, default=d.speed, help="world seconds per host second; 0 is frozen")
    add("--history", type=duration, default=d.history, help="how far back seeded life reaches, e.g. 60d")
    add("--release", choices=("2026.1", "zed"), default=d.release)
    add(
        "--list-limit",
        type=int,
        default=None,
        help="Keystone's list_limit: caps every list without saying how to go on",
    )
    add("--unified-limits", action="store_true", help="Nova takes its limits from Keystone and ignores quota writes")
    add("--token-cache", action=argparse.BooleanOptionalAction, default=d.token_cache)
    add("--token-seconds", type=int, default=d.token_seconds)
    add("--admin-password", default=d.admin_password)
    add("--region", default=d.region)
    add("--faults", type=Path, help="a JSON file with a list of fault rules")
    add("--state", type=Path, help="keep what was changed in this file")
    return p


def build(options: argparse.Namespace) -> App:
    """Raises state.StateMismatch, OSError or ValueError with what is wrong with the files given."""
    found = state.read(options.state) if options.state else None
    now, speed = options.now, options.speed
    if found is not None and now is None:
        now = time.time() + found["ahead_of_host"]
    config = WorldConfig(
        seed=options.seed, projects=options.projects, servers=options.servers, volumes=options.volumes, now=now,
        speed=speed, history=options.history, release=options.release, list_limit=options.list_limit,
        unified_limits=options.unified_limits, token_cache=options.token_cache, token_seconds=options.token_seconds,
        admin_password=options.admin_password, region=options.region,
    )  # fmt: skip
    app = create_app(config, state=found)
    for rule in json.loads(options.faults.read_text()) if options.faults else []:
        app.add_fault(rule)
    return app


def main(arguments: Sequence[str] | None = None) -> int:
    options = parser().parse_args(arguments)
    try:
        app = build(options)
    except (state.StateMismatch, ValueError) as error:
        print(f"emulator: {error}", file=sys.stderr)
        return 2
    try:
        server = EmulatorServer(app, host=options.host, port=options.port)
    except OSError as error:
        print(f"emulator: cannot listen on {options.host}:{options.port}: {error.strerror}", file=sys.stderr)
        return 1
    keeper = state.Keeper(app.world, options.state) if options.state else None
    if keeper:
        keeper.start()

    def stop(number: int, frame: FrameType | None) -> None:
        threading.Thread(target=server.shutdown, daemon=True).start()

    signal.signal(signal.SIGTERM, stop)
    signal.signal(signal.SIGINT, stop)
    print(f"emulator: {server.url}/identity/v3 (user admin, project admin, domain Default)", flush=True)
    with server:
        server.serve_forever(poll_interval=0.2)
    if keeper:
        keeper.finish()
    return 0


if __name__ == "__main__":
    sys.exit(main())
