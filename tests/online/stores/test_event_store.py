"""What every EventStore promises, of each of them."""

import asyncio
import threading

import numpy as np
import pytest

from savor.online.event_batch import EventBatch
from savor.online.stores.database_event_store import DatabaseEventStore
from savor.online.stores.errors import StoreAwayError
from savor.online.stores.event_store import Appended, EventStore, event_batches
from savor.online.stores.journal import Journal
from savor.online.stores.spilling_event_store import SpillingEventStore
from savor.online.stores.visitors import Visitors
from tests.online.stores.events import NOW, batch, event


@pytest.fixture(params=["database", "spilling"])
def store(request, database, tombstones, tmp_path):
    store: EventStore = DatabaseEventStore(database, tombstones)
    if request.param == "spilling":
        store = SpillingEventStore(store, Journal(tmp_path / "journal"), patience=30)
    yield store
    store.close()


def test_every_column_comes_back(store):
    full = event(
        1,
        value=2.5,
        price=9.99,
        basket_id="b",
        recommendation_id="r",
        position=3,
        variant="v",
        propensity=0.5,
        search="jäm",
    )
    given = EventBatch.of([full, {"user_id": "bob", "kind": "search", "search": "bread"}], NOW)
    assert store.append(given) == Appended(2)
    read = store.read_after(0).rows
    assert read.rows() == given.rows()
    assert read.received.tolist() == [NOW, NOW]
    assert read.time.dtype == np.int64
    assert np.isnan(read.value[1])
    assert read.position.tolist() == [3, -1]
    assert read.item_id == ["i1", None]


def test_repeated_events_change_nothing(store):
    assert store.append(batch(1, 2)) == Appended(2)
    assert store.append(batch(2, 3, 3)) == Appended(1, 2)
    assert store.append(batch(1, user="eve")) == Appended(0, 1)
    read = store.read_after(0).rows
    assert read.event_id == ["e1", "e2", "e3"]
    assert read.user_id == ["ann"] * 3
    assert store.append(EventBatch.empty()) == Appended(0)


def test_reading_goes_on_after_the_cursor(store):
    for number in range(7):
        store.append(batch(number))
    first = store.read_after(0, 3)
    assert first.rows.event_id == ["e0", "e1", "e2"]
    assert store.read_after(first.cursor).rows.event_id == ["e3", "e4", "e5", "e6"]
    last = store.read_after(first.cursor).cursor
    assert store.read_after(last).cursor == last
    assert [part.event_id for part in event_batches(store, 3)] == [["e0", "e1", "e2"], ["e3", "e4", "e5"], ["e6"]]


def test_events_of_a_user_oldest_first(store):
    store.append(batch(5, 1, 3))
    store.append(batch(2, user="bob"))
    assert store.of_user("ann").event_id == ["e1", "e3", "e5"]
    assert store.of_user("ann", limit=2).event_id == ["e3", "e5"]
    assert store.of_user("ann", since=NOW + 4).event_id == ["e5"]
    assert len(store.of_user("nobody")) == 0


def test_visitors_who_became_users(store, database):
    store.append(batch(1, user="visitor-1"))
    Visitors(database).merge("visitor-1", "ann")
    store.append(batch(3, user="visitor-1"))
    store.append(batch(2))
    mine = store.of_user("ann")
    assert mine.event_id == ["e1", "e2", "e3"]
    assert mine.user_id == ["ann"] * 3
    assert store.read_after(0).rows.user_id == ["ann"] * 3


def test_many_callers_at_once(store):
    answers: list[Appended] = []

    def call(caller):
        answers.extend(store.append(batch(caller * 100 + number, 7777)) for number in range(20))

    callers = [threading.Thread(target=call, args=(caller,)) for caller in range(8)]
    for caller in callers:
        caller.start()
    for caller in callers:
        caller.join()
    assert sum(answer.accepted for answer in answers) == 161
    assert sum(answer.duplicates for answer in answers) == 159
    read = store.read_after(0).rows.event_id
    assert len(read) == len(set(read)) == 161


def test_readers_miss_nothing_while_others_write(store):
    """A place that becomes visible late would be passed over by a reader that goes on after the last one."""
    writers = [
        threading.Thread(target=lambda part=part: [store.append(batch(part * 1000 + n)) for n in range(30)])
        for part in range(4)
    ]
    for writer in writers:
        writer.start()
    seen, cursor = [], 0
    while any(writer.is_alive() for writer in writers) or len(store.read_after(cursor).rows):
        page = store.read_after(cursor, 5)
        seen += page.rows.event_id
        cursor = page.cursor
    assert sorted(seen) == sorted(f"e{part * 1000 + n}" for part in range(4) for n in range(30))


def test_in_an_event_loop(store):
    async def together():
        return await asyncio.gather(*(asyncio.wrap_future(store.submit(batch(number))) for number in range(20)))

    assert asyncio.run(together()) == [Appended(1)] * 20


def test_erased_persons_are_left_out(store, database, tombstones):
    store.append(batch(1))
    with database.writing() as connection:
        tombstones.put(connection, "ann", NOW + 10)
    assert store.append(batch(2, 3)) == Appended(0, 0, 2)
    assert store.append(batch(20, received=NOW + 5)) == Appended(0, 0, 1)
    assert store.append(batch(20, received=NOW + 20)) == Appended(1)
    assert store.append(batch(2, user="bob")) == Appended(1)


def test_status_and_closing(store):
    assert store.status().reachable
    store.append(batch(1))
    store.close()
    with pytest.raises(StoreAwayError):
        store.append(batch(2))
