"""How fast the ledger stores and sums: `python -m benchmarks.ledger [servers]`, on a scratch SQLite file.

The floor is what the database alone takes for as many rows: one upsert a span with plain SQL, nothing else. Every
figure is a ratio to the floor of the same run, because machines differ.
"""

from __future__ import annotations

import os
import sqlite3
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, date, datetime
from pathlib import Path

HOUR = 3600
START = int(datetime(2026, 11, 1, tzinfo=UTC).timestamp())
METERS = ("compute.vcpu", "compute.memory", "compute.disk", "compute.instances")
PAGE = 1000
PROJECTS = 200


@contextmanager
def timed(figures: dict[str, float], name: str) -> Iterator[None]:
    begun = time.perf_counter()
    yield
    figures[name] = time.perf_counter() - begun


def floor(folder: Path, servers: int) -> float:
    """Seconds for one upsert a span, in one transaction, on a table of the ledger's shape."""
    database = sqlite3.connect(folder / "floor.sqlite3")
    database.execute("PRAGMA journal_mode=WAL")
    database.execute(
        "CREATE TABLE span (id INTEGER PRIMARY KEY, thing INT, meter INT, start INT, end INT, quantity INT,"
        " state TEXT, accuracy TEXT, reason TEXT, delivery INT, UNIQUE (thing, meter, start))"
    )
    put = (
        "INSERT INTO span (thing, meter, start, end, quantity, state, accuracy, reason, delivery)"
        " VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?) ON CONFLICT (thing, meter, start) DO UPDATE SET end = excluded.end"
    )
    rows = [
        (thing, meter, START, START + HOUR, 1000, "running", "exact", "", 1)
        for thing in range(servers)
        for meter in range(len(METERS))
    ]
    with database:
        database.executemany(put, rows)
    begun = time.perf_counter()
    with database:
        database.executemany(put, [(*row[:3], START + 2 * HOUR, *row[4:]) for row in rows])
    return time.perf_counter() - begun


def measure(servers: int) -> dict[str, float]:
    from connectors.types import Accuracy, Delivery, Thing, UsageSpan
    from reporting.models import DailyTotal
    from reporting.months import Month
    from reporting.selectors.reports import site_report
    from reporting.selectors.things import known_things
    from reporting.selectors.usage import month_usage
    from reporting.services import delivery_store
    from tenancy.models import Cloud

    cloud = Cloud.objects.create(slug="bench", title="Bench", kind="bench", credential="")

    def hour(number: int) -> None:
        start, end = START + max(number * HOUR - 900, 0), START + (number + 1) * HOUR
        for first in range(0, servers, PAGE):
            names = [f"server-{each}" for each in range(first, min(first + PAGE, servers))]
            things = tuple(Thing(each, "server", f"project-{int(each[7:]) % PROJECTS}", each) for each in names)
            spans = tuple(
                UsageSpan(each, meter, 1000, "running", start, end, Accuracy.EXACT)
                for each in names
                for meter in METERS
            )
            seen = datetime.fromtimestamp(end, UTC)
            delivery_store(cloud=cloud, delivery=Delivery("servers", METERS, start, end, seen, things, spans))

    figures: dict[str, float] = {}
    with timed(figures, "first hour: every row is new"):
        hour(0)
    for number in range(1, 9):
        hour(number)
    with timed(figures, "an hour later: every row grows"):
        hour(9)
    with timed(figures, "the same hour again: nothing changes"):
        hour(9)
    with timed(figures, "what is known, told to a connector"):
        known_things(cloud, START + 9 * HOUR, START + 10 * HOUR)
    with timed(figures, "a month of the site, for a page"):
        month_usage(DailyTotal.objects.all(), Month(2026, 11))
    with timed(figures, "the report of the site"):
        site_report(Month(2026, 11))
    assert DailyTotal.objects.filter(day=date(2026, 11, 1)).exists()
    return figures


def main(servers: int) -> None:
    with tempfile.TemporaryDirectory(prefix="tenantry-ledger-") as name:
        folder = Path(name)
        os.environ |= {
            "DJANGO_SETTINGS_MODULE": "config.settings", "TENANTRY_VAR": name,
            "DATABASE_URL": f"sqlite:///{folder}/ledger.sqlite3",
        }  # fmt: skip
        import django
        from django.core.management import call_command

        django.setup()
        call_command("migrate", verbosity=0)
        least = floor(folder, servers)
        figures = measure(servers)
        size = (folder / "ledger.sqlite3").stat().st_size
    spans = servers * len(METERS)
    print(f"{servers:,} servers, {spans:,} spans, {size / 2**20:.1f} MiB")
    print(f"floor {least:.2f} s, {spans / least:,.0f} upserts/s")
    for title, seconds in figures.items():
        print(f"{title:40} {seconds:7.2f} s  {seconds / least:7.1f} x floor  {spans / seconds:10,.0f} spans/s")


if __name__ == "__main__":
    main(int(sys.argv[1]) if len(sys.argv) > 1 else 10_000)
