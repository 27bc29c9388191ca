"""How long one plan of all takes: `.venv/bin/python -m benchmarks.survey [--tenancies 1000] [--latency 0.1]`.

The emulator runs as a process of its own and answers every call after the given latency. In another process that
does nothing else `tenancy.loop.survey.look` reads all and plans all. The floor is the same number of plain GETs of the
same quotas by 16 threads, in the same run on the same machine.
"""

from __future__ import annotations

import argparse
import json
import os
import resource
import sys
import tempfile
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

TARGET_SECONDS, TARGET_MIB, TARGET_CONNECTIONS = 60, 400, 16
THREADS = 16


def main() -> int:
    options = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    options.add_argument("part", nargs="?", default="all", choices=("all", "prepare", "look", "floor"))
    options.add_argument("--tenancies", type=int, default=1000)
    options.add_argument("--latency", type=float, default=0.1, help="seconds that every call waits")
    given = options.parse_args()
    if given.part == "all":
        return compare(given.tenancies, given.latency)
    answer = {"prepare": lambda: prepare(given.tenancies), "look": look, "floor": floor}[given.part]()
    print(json.dumps(answer))
    return 0


# --- the parts, each in a process of its own ---


def prepare(count: int) -> dict[str, Any]:
    """Rows of ``count`` tenancies, as the emulated cloud has them."""
    django_up()
    from django.core.management import call_command

    from connectors.types import Mode
    from tenancy.models import Account, Limit, Membership
    from tenancy.services import cloud_connect, cloud_mode_set
    from tenancy.services.clouds import Connection
    from tests.system.crowd import crowd

    call_command("migrate", verbosity=0)
    yaml_text = Path(os.environ["BENCH_CLOUDS_YAML"]).read_text()
    cloud = cloud_connect(actor=None, title="North", slug="north", connection=Connection("openstack", yaml_text))
    cloud_mode_set(actor=None, cloud=cloud, mode=Mode.ENFORCE)
    crowd(cloud, count)
    rows = {model.__name__.lower(): model.objects.count() for model in (Membership, Account, Limit)}
    return {"tenancies": count, **rows}


def look() -> dict[str, Any]:
    """One full survey and plan; wall and processor seconds, peak memory of this process."""
    django_up()
    from tenancy.loop import survey
    from tenancy.models import Cloud

    cloud = Cloud.objects.get()
    before = peak_mib()
    start, busy = time.perf_counter(), time.process_time()
    outlook = survey.look(cloud)
    seconds, busy = time.perf_counter() - start, time.process_time() - busy
    assert outlook.complete, outlook.survey.sections
    return {
        "seconds": seconds,
        "busy": busy,
        "mib": peak_mib(),
        "mib_before": before,
        "calls": outlook.run.calls,
        "changes": len(outlook.plan.changes),
    }


def floor() -> dict[str, Any]:
    """As many plain GETs as the survey made calls, through as many connections as it may have."""
    import requests
    from requests.adapters import HTTPAdapter

    address, token, calls = os.environ["BENCH_URL"], os.environ["BENCH_TOKEN"], int(os.environ["BENCH_CALLS"])
    session = requests.Session()
    session.mount("http://", HTTPAdapter(pool_maxsize=THREADS, pool_block=True))
    session.headers.update({"X-Auth-Token": token, "OpenStack-API-Version": "compute 2.90"})
    projects = [row["id"] for row in session.get(f"{address}/identity/v3/projects", timeout=60).json()["projects"]]

    def one(number: int) -> int:
        project = projects[number % len(projects)]
        return session.get(f"{address}/compute/v2.1/os-quota-sets/{project}/detail", timeout=60).status_code

    start = time.perf_counter()
    with ThreadPoolExecutor(THREADS) as pool:
        statuses = set(pool.map(one, range(calls)))
    assert statuses == {200}, statuses
    return {"seconds": time.perf_counter() - start, "mib": peak_mib()}


def django_up() -> None:
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "config.settings")
    import django

    django.setup()


def peak_mib() -> float:
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024


# --- all of them, and the table ---


def compare(tenancies: int, latency: float) -> int:
    from tests.system.processes import Emulator, programs_in

    with tempfile.TemporaryDirectory(prefix="tenantry-bench-") as folder, programs_in(Path(folder), {}) as programs:
        sizes = {"projects": tenancies, "servers": 2 * tenancies, "volumes": tenancies}
        emulator = Emulator(programs, **sizes)
        clouds_yaml = Path(folder) / "clouds.yaml"
        clouds_yaml.write_text(emulator.clouds_yaml())
        programs.environment |= {
            "BENCH_CLOUDS_YAML": str(clouds_yaml),
            "BENCH_URL": emulator.url,
            "BENCH_TOKEN": emulator.token(),
            "TENANTRY_LOG_LEVEL": "ERROR",
        }
        rows = part(programs, "prepare", tenancies)
        if latency:
            emulator.fault(latency=latency)
        emulator.control("DELETE", "/counters")
        looked = part(programs, "look", tenancies)
        counted = emulator.counters()
        programs.environment["BENCH_CALLS"] = str(looked["calls"])
        plain = part(programs, "floor", tenancies)
    return tell(rows, looked, counted, plain, latency)


def part(programs: Any, name: str, tenancies: int) -> dict[str, Any]:
    program = programs.start(name, "-W", "ignore", "-m", "benchmarks.survey", name, "--tenancies", str(tenancies))
    if program.process.wait(900) != 0:
        sys.exit(f"the part “{name}” failed:\n{program.log}")
    return dict(json.loads(program.log.splitlines()[-1]))


def tell(
    rows: dict[str, Any], looked: dict[str, Any], counted: dict[str, Any], plain: dict[str, Any], latency: float
) -> int:
    """The table; exit code 1 if a target is missed at the size it is stated for."""
    lines = (
        ("tenancies, members, limits", f"{rows['tenancies']}, {rows['membership']}, {rows['limit']}", ""),
        ("calls (of them writes)", f"{looked['calls']} ({counted['writes']})", "2 a tenancy + 15 + pages; 0"),
        ("changes planned", f"{looked['changes']}", ""),
        ("wall", f"{looked['seconds']:.1f} s", f"under {TARGET_SECONDS} s"),
        ("processor", f"{looked['busy']:.1f} s", ""),
        ("connections at once", f"{counted['connections_peak']}", f"at most {TARGET_CONNECTIONS}"),
        ("peak memory", f"{looked['mib']:.0f} MiB ({looked['mib_before']:.0f} at the start)", f"under {TARGET_MIB} MB"),
        (f"floor: as many GETs, {THREADS} threads", f"{plain['seconds']:.1f} s", ""),
        ("ratio to the floor", f"{looked['seconds'] / plain['seconds']:.2f}", ""),
    )
    print(f"\nOne plan of all, every call {latency * 1000:.0f} ms late\n")
    for name, value, target in lines:
        print(f"  {name:34} {value:28} {target}")
    good = (
        looked["seconds"] < TARGET_SECONDS
        and looked["mib"] < TARGET_MIB
        and counted["connections_peak"] <= TARGET_CONNECTIONS
        and counted["writes"] == 0
    )
    return 0 if good else 1


if __name__ == "__main__":
    sys.exit(main())
