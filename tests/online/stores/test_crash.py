"""Real processes, killed without warning."""

import subprocess
import sys
import threading
from contextlib import closing
from pathlib import Path
from typing import Any, cast

import pytest

from savor.online.stores.database import Database
from savor.online.stores.database_event_store import DatabaseEventStore
from savor.online.stores.event_store import event_batches
from savor.online.stores.journal import Journal
from savor.online.stores.spilling_event_store import SpillingEventStore
from savor.online.stores.tombstones import Tombstones
from tests.online.stores.events import batch
from tests.online.stores.servers import PostgresServer
from tests.online.stores.test_spilling import wait_until

ROOT = Path(__file__).parents[3]


class Writer:
    """`crashing_writer.py` under way."""

    def __init__(self, url, folder, first=0):
        command = [sys.executable, "-m", "tests.online.stores.crashing_writer", url, str(folder), str(first)]
        self.process = subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, text=True)
        self.out = cast("Any", self.process.stdout)
        assert self.out.readline() == "ready\n"
        self.acknowledged = []

    def read(self, count, how=None):
        """Wait for so many more answers, or so many of one sort."""
        while count:
            name, manner = self.out.readline().split()
            self.acknowledged.append(name)
            count -= how in (None, manner)

    def kill(self):
        self.process.kill()
        self.acknowledged += [line.split()[0] for line in self.out if line.endswith("\n")]
        self.out.close()
        self.process.wait()


def kept_in_the_end(url, folder):
    """The ids of all events, when a process has come that brings over what the dead left."""
    with closing(Database.open(url)) as database:
        inner = DatabaseEventStore(database, Tombstones(database, b"key" * 8))
        with closing(SpillingEventStore(inner, Journal(folder), patience=30)) as store:
            wait_until(lambda: store.status().reachable and not store.status().waiting)
            return [name for part in event_batches(store) for name in part.event_id]


@pytest.fixture(scope="module")
def mortal():
    with closing(PostgresServer()) as server:
        server.start()
        yield server


def test_a_killed_process_loses_no_acknowledged_event(address, tmp_path):
    writer = Writer(address, tmp_path / "journal")
    writer.read(30)
    writer.kill()
    names = kept_in_the_end(address, tmp_path / "journal")
    assert set(writer.acknowledged) <= set(names)
    assert len(names) == len(set(names)) <= len(writer.acknowledged) + 1


@pytest.mark.xdist_group("servers")
def test_a_database_killed_under_the_writers(mortal, tmp_path):
    """PostgreSQL dies, a process dies while it is away, and another one brings everything over."""
    url = mortal.url()
    with closing(Database.open(url)) as database:
        database.ping()
    writer = Writer(url, tmp_path / "journal")
    writer.read(30)
    killer = threading.Timer(0.05, mortal.kill)
    killer.start()
    writer.read(20, "spilled")
    killer.join()
    writer.kill()
    second = Writer(url, tmp_path / "journal", 1_000_000)
    second.read(20, "spilled")
    mortal.start()
    second.read(20, "kept")
    second.kill()
    acknowledged = writer.acknowledged + second.acknowledged
    names = kept_in_the_end(url, tmp_path / "journal")
    assert set(acknowledged) <= set(names)
    assert len(names) == len(set(names)) <= len(acknowledged) + 2
    first = [name for name in names if int(name[1:]) < 1_000_000]
    assert first == sorted(first, key=lambda name: int(name[1:]))


@pytest.mark.xdist_group("servers")
def test_a_database_that_does_not_answer(mortal, tmp_path):
    with closing(Database.open(mortal.url())) as database:
        database.ping()
        inner = DatabaseEventStore(database, Tombstones(database, b"key" * 8))
        store = SpillingEventStore(inner, Journal(tmp_path), patience=1.0)
        assert not store.append(batch(2_000_001, user="frozen")).spilled
        mortal.freeze()
        try:
            assert store.append(batch(2_000_002, user="frozen")).spilled
        finally:
            mortal.thaw()
        wait_until(lambda: store.status().reachable)
        assert store.of_user("frozen").event_id == ["e2000001", "e2000002"]
        store.close()
