"""Appends events and says which were acknowledged, until somebody kills it; takes URL, folder and first number."""

import sys
from pathlib import Path

from savor.online.stores.database import Database
from savor.online.stores.database_event_store import DatabaseEventStore
from savor.online.stores.journal import Journal
from savor.online.stores.spilling_event_store import SpillingEventStore
from savor.online.stores.tombstones import Tombstones
from tests.online.stores.events import batch

url, folder, first = sys.argv[1], Path(sys.argv[2]), int(sys.argv[3])
database = Database.open(url)
store = SpillingEventStore(
    DatabaseEventStore(database, Tombstones(database, b"key" * 8)), Journal(folder), patience=0.5
)
print("ready", flush=True)
for number in range(first, first + 1_000_000):
    answer = store.append(batch(number))
    print(f"e{number}", "spilled" if answer.spilled else "kept", flush=True)
