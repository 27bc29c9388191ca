"""A throw-away PostgreSQL: its own folder, its own free port, gone when the tests end."""

import os
import pwd
import shutil
import socket
import subprocess
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.support import skips


def find_programs() -> Path | None:
    """The folder of initdb and postgres; Debian keeps it off PATH."""
    for folder in sorted(Path("/usr/lib/postgresql").glob("*/bin"), reverse=True):
        if (folder / "initdb").exists() and (folder / "postgres").exists():
            return folder
    found = shutil.which("initdb")
    return Path(found).resolve().parent if found and shutil.which("postgres") else None


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def _unprivileged() -> dict[str, int]:
    """PostgreSQL refuses to run as root; a test run in a container often is root."""
    if os.getuid() != 0:
        return {}
    for name in ("postgres", "nobody"):
        try:
            entry = pwd.getpwnam(name)
        except KeyError:
            continue
        return {"user": entry.pw_uid, "group": entry.pw_gid}
    raise RuntimeError("root needs an account named postgres or nobody to run PostgreSQL under")


def _answers(port: int) -> bool:
    with socket.socket() as probe:
        probe.settimeout(1)
        return probe.connect_ex(("127.0.0.1", port)) == 0


@pytest.fixture(scope="session")
def postgres_server() -> Iterator[str]:
    """The address of an empty cluster, `postgres://tenantry@127.0.0.1:PORT/postgres`; make databases in it freely."""
    programs = find_programs()
    if programs is None:
        skips.without("the PostgreSQL server", apt="postgresql")
    # Not pytest's own folder: that one is closed to the unprivileged account.
    folder = Path(tempfile.mkdtemp(prefix="tenantry-postgres-"))
    account = _unprivileged()
    if account:
        os.chown(folder, account["user"], account["group"])
    data, port = folder / "data", free_port()
    environment = {"PATH": f"{programs}:/usr/bin:/bin", "LC_ALL": "C.UTF-8"}
    subprocess.run(
        [programs / "initdb", "-D", data, "-U", "tenantry", "-A", "trust", "-E", "UTF8", "--no-sync"],
        check=True, capture_output=True, cwd=folder, env=environment, **account,
    )  # fmt: skip
    options = ["-p", str(port), "-k", str(folder), "-c", "listen_addresses=127.0.0.1", "-c", "fsync=off"]
    with (folder / "log").open("wb") as log:
        server = subprocess.Popen(
            [programs / "postgres", "-D", data, *options],
            stdout=log, stderr=log, cwd=folder, env=environment, **account,
        )  # fmt: skip
    try:
        deadline = time.monotonic() + 30
        while not _answers(port):
            if server.poll() is not None or time.monotonic() > deadline:
                raise RuntimeError(f"PostgreSQL did not start: {(folder / 'log').read_text()}")
            time.sleep(0.05)
        yield f"postgres://tenantry@127.0.0.1:{port}/postgres"
    finally:
        server.terminate()
        server.wait(timeout=30)
        shutil.rmtree(folder)
