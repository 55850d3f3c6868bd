"""How long an event takes to be acknowledged, durably: from the call until the database has it on disk.

python benchmarks/event_store.py                                     # SQLite in a temporary folder
python benchmarks/event_store.py --folder /data                      # on another disk
python benchmarks/event_store.py --url postgresql://me@host/savor    # writes events of its own and leaves them there
python benchmarks/event_store.py --log                               # also appends the table to benchmarks/LOG.md

The first rows are what the disk itself takes: no store that waits for it can be faster. "CPU" is processor time of this
process for each call, which other work on the machine does not change.
"""

import argparse
import os
import platform
import sqlite3
import sys
import tempfile
import threading
import time
from collections.abc import Callable
from contextlib import closing
from datetime import UTC, datetime
from pathlib import Path
from typing import NamedTuple
from uuid import uuid4

import numpy as np

from savor.online.event_batch import EventBatch
from savor.online.stores.database import Database
from savor.online.stores.database_event_store import DatabaseEventStore
from savor.online.stores.errors import StoreAwayError
from savor.online.stores.event_store import EventStore
from savor.online.stores.journal import Journal
from savor.online.stores.spilling_event_store import SpillingEventStore
from savor.online.stores.tombstones import Tombstones

LOG = Path(__file__).parent / "LOG.md"


class Measured(NamedTuple):
    """N calls of `size` events: seconds that each took, and seconds of time and of processor time of all together."""

    took: np.ndarray
    elapsed: float
    processor: float
    size: int = 1


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--folder", type=Path, help="where files are written, instead of the system's temporary folder")
    parser.add_argument("--url", help="a database, instead of SQLite in that folder")
    parser.add_argument("--events", type=int, default=1000, help="how many events each row takes")
    parser.add_argument("--log", action="store_true", help="append the table to benchmarks/LOG.md")
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory(dir=arguments.folder) as folder:
        rows = measure(Path(folder), arguments.url, arguments.events)
    head = ["| what | p50 ms | p95 ms | p99 ms | CPU ms | events/s |", "|---|---|---|---|---|---|"]
    lines = [*head, *(line(what, measured) for what, measured in rows)]
    print("\n".join(lines))
    if arguments.log:
        moment = datetime.now(UTC).strftime("%Y-%m-%d %H:%M")
        machine = f"{os.cpu_count()} processors, load {os.getloadavg()[0]:.1f}, Python {platform.python_version()}"
        with LOG.open("a", encoding="utf-8") as log:
            command = " ".join(["python", *sys.argv])
            log.write(f"\n## {moment} event store\n\n`{command}` · {machine}\n\n" + "\n".join(lines) + "\n")


def measure(folder: Path, url: str | None, count: int) -> list[tuple[str, Measured]]:
    rows = [("the disk: write 4 KiB and fdatasync", disk(folder, count))]
    if url is None:
        rows.append(("bare SQLite: one row in one table, one transaction", bare_sqlite(folder, count)))
    with closing(Database.open(url or f"sqlite:///{folder}/live.db")) as database:
        name = database.dialect
        with closing(DatabaseEventStore(database, Tombstones(database, b"key of the benchmark"))) as store:
            store.append(events("first", 1))
            rows += [(f"{name}, {callers} at once", appends(store, callers, count)) for callers in (1, 4, 16, 64)]
            rows.append((f"{name}, batches of 100", appends(store, 1, count // 10, size=100)))
            rows.append((f"{name}, last 50 events of a user", reads(store, count)))
        with closing(SpillingEventStore(Away(), Journal(folder / "journal"))) as store:
            rows += [
                (f"journal, database away, {callers} at once", appends(store, callers, count)) for callers in (1, 16)
            ]
    return rows


class Away:
    """A database that is not there."""

    def submit(self, _):
        raise StoreAwayError("away")

    def close(self):
        pass


def disk(folder: Path, count: int) -> Measured:
    with (folder / "probe").open("wb", buffering=0) as file:

        def write(_: int) -> None:
            file.write(b"x" * 4096)
            os.fdatasync(file.fileno())

        return timed(write, count)


def bare_sqlite(folder: Path, count: int) -> Measured:
    with closing(sqlite3.connect(folder / "bare.db", isolation_level=None)) as connection:
        connection.execute("PRAGMA journal_mode=WAL")
        connection.execute("PRAGMA synchronous=FULL")
        connection.execute("CREATE TABLE events (id TEXT PRIMARY KEY, event TEXT)")
        statement = "INSERT INTO events VALUES (?, ?)"
        return timed(lambda number: connection.execute(statement, (f"e{number}", "x" * 100)), count)


def appends(store: EventStore, callers: int, count: int, size: int = 1) -> Measured:
    run, took = uuid4().hex, []
    batches = [[events(f"{run}-{caller}-{n}", size) for n in range(count // callers)] for caller in range(callers)]

    def call(mine: list[EventBatch]) -> None:
        took.append(timed(lambda number: store.append(mine[number]), len(mine)).took)

    threads = [threading.Thread(target=call, args=(mine,)) for mine in batches]
    started, processor = time.perf_counter(), time.process_time()
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return Measured(np.concatenate(took), time.perf_counter() - started, time.process_time() - processor, size)


def reads(store: EventStore, count: int) -> Measured:
    return timed(lambda number: store.of_user(f"user {number % 100}", limit=50), count)


def timed(work: Callable[[int], object], count: int) -> Measured:
    took = np.empty(count)
    began, processor = time.perf_counter(), time.process_time()
    for number in range(count):
        started = time.perf_counter()
        work(number)
        took[number] = time.perf_counter() - started
    return Measured(took, time.perf_counter() - began, time.process_time() - processor)


def events(name: str, size: int) -> EventBatch:
    rows = [
        {
            "event_id": f"{name}-{number}",
            "user_id": f"user {(hash(name) + number) % 100}",
            "item_id": f"item {number}",
            "kind": "purchase",
            "value": 1.0,
            "price": 2.5,
            "recommendation_id": name,
            "position": number,
        }
        for number in range(size)
    ]
    return EventBatch.of(rows, time.time_ns() // 1000)


def line(what: str, measured: Measured) -> str:
    figures = [1000 * value for value in np.quantile(measured.took, [0.5, 0.95, 0.99])]
    figures.append(1000 * measured.processor / len(measured.took))
    rate = measured.size * len(measured.took) / measured.elapsed
    return f"| {what} | {' | '.join(f'{figure:.2f}' for figure in figures)} | {rate:,.0f} |"


if __name__ == "__main__":
    main()
