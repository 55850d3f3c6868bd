"""What happens while the store behind the journal is away, hangs or refuses."""

import threading
import time
from concurrent.futures import Future
from contextlib import closing

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from savor.online.stores.errors import StoreAwayError, StoreError
from savor.online.stores.event_record import encode
from savor.online.stores.event_store import Appended, Page, StoreStatus
from savor.online.stores.journal import Journal
from savor.online.stores.spilling_event_store import SpillingEventStore
from tests.online.stores.events import batch


class MoodyStore:
    """An event store that can be told to be away, to hang, to lose its answers, or to refuse some events."""

    def __init__(self):
        self.kept, self.mood, self.refused = {}, "well", set()
        self.hanging = []
        self.lock = threading.RLock()

    def submit(self, batch):
        answer: Future[Appended] = Future()
        with self.lock:
            if self.mood == "away":
                raise StoreAwayError("gone fishing")
            self.hanging.append((batch, answer))
            if self.mood != "hang":
                self.wake(self.mood)
        return answer

    def wake(self, mood="well"):
        with self.lock:
            self.mood = mood
            calls, self.hanging = ([], self.hanging) if mood == "hang" else (self.hanging, [])
        for call in calls:
            self._settle(*call)

    def _settle(self, batch, answer):
        if self.mood == "lost":  # it was written, and the answer got lost
            self._keep(batch)
        if self.mood in ("lost", "away"):
            answer.set_exception(StoreAwayError("connection lost"))
        elif self.refused & set(batch.event_id):
            answer.set_exception(StoreError("not this one"))
        else:
            answer.set_result(Appended(self._keep(batch)))

    def _keep(self, batch):
        before = len(self.kept)
        self.kept.update({name: None for name in batch.event_id if name not in self.kept})
        return len(self.kept) - before

    def append(self, batch):
        return self.submit(batch).result()

    def read_after(self, cursor, limit=10_000):
        return Page(batch(), cursor)

    def last(self):
        return len(self.kept)

    def of_user(self, user_id, *, since=0, limit=1000):
        return batch()

    def status(self):
        return StoreStatus(True)

    def close(self):
        self.wake()


@pytest.fixture
def moody():
    return MoodyStore()


@pytest.fixture
def spilling(moody, tmp_path):
    store = SpillingEventStore(moody, Journal(tmp_path), patience=0.1)
    yield store
    store.close()


def wait_until(condition):
    for _ in range(3000):
        if condition():
            return
        time.sleep(0.01)
    pytest.fail("it did not happen")


@pytest.mark.parametrize("mood", ["away", "lost"])
def test_events_wait_in_the_journal_and_arrive_in_their_order(spilling, moody, tmp_path, mood):
    assert spilling.append(batch(1)) == Appended(1)
    moody.mood = mood
    assert [spilling.append(batch(number)) for number in (2, 3, 4)] == [Appended(1, spilled=True)] * 3
    status = spilling.status()
    assert not status.reachable
    assert status.waiting == 3
    assert status.problem in ("gone fishing", "connection lost")
    with pytest.raises(StoreAwayError):
        spilling.of_user("ann")
    moody.mood = "well"
    wait_until(lambda: spilling.status().reachable)
    assert list(moody.kept) == ["e1", "e2", "e3", "e4"]
    assert spilling.status() == StoreStatus(True)
    assert not list(tmp_path.iterdir())
    assert spilling.append(batch(5)) == Appended(1)


def test_a_store_that_hangs_is_not_waited_for(spilling, moody):
    moody.mood = "hang"
    assert spilling.append(batch(1)).spilled
    moody.wake()
    wait_until(lambda: spilling.status() == StoreStatus(True))
    assert list(moody.kept) == ["e1"]


def test_new_events_do_not_overtake_the_journal(spilling, moody):
    moody.mood = "away"
    stop = threading.Event()
    sent = []

    def send():
        number = 0
        while not stop.is_set():
            spilling.append(batch(number))
            sent.append(f"e{number}")
            number += 1

    sender = threading.Thread(target=send)
    sender.start()
    wait_until(lambda: len(sent) > 20)
    moody.mood = "well"
    wait_until(lambda: spilling.status().reachable)
    many = len(sent) + 5
    wait_until(lambda: len(sent) > many)
    stop.set()
    sender.join()
    assert list(moody.kept) == sent


def test_what_the_store_refuses_is_put_aside(spilling, moody, tmp_path):
    moody.refused = {"e2"}
    with pytest.raises(StoreError, match="not this one"):
        spilling.append(batch(2))
    moody.mood = "away"
    for number in (1, 2, 3):
        spilling.append(batch(number))
    moody.mood = "well"
    wait_until(lambda: spilling.status().reachable)
    assert list(moody.kept) == ["e1", "e3"]
    assert spilling.status() == StoreStatus(True, damaged=1)
    (aside,) = tmp_path.glob("*.refused")
    assert b'"e2"' in aside.read_bytes()


def test_what_is_no_event_is_put_aside(moody, tmp_path):
    with closing(Journal(tmp_path)) as journal:
        journal.append([encode(batch(1)), b"no event", encode(batch(2))])
    (path,) = tmp_path.iterdir()
    content = bytearray(path.read_bytes())
    path.write_bytes(b"damage" + content)
    with closing(SpillingEventStore(moody, Journal(tmp_path), patience=0.1)) as store:
        wait_until(lambda: store.status() == StoreStatus(True, damaged=2))
    assert list(moody.kept) == ["e1", "e2"]
    assert sorted(path.suffix for path in tmp_path.iterdir()) == [".damaged", ".refused"]


def test_the_next_process_brings_over_what_was_left(moody, tmp_path):
    moody.mood = "away"
    first = SpillingEventStore(moody, Journal(tmp_path), patience=0.1)
    first.append(batch(1, 2))
    first.close()
    assert not moody.kept
    second = SpillingEventStore(moody, Journal(tmp_path), patience=0.1)
    second.append(batch(3))
    wait_until(lambda: second.status() == StoreStatus(True))
    assert list(moody.kept) == ["e1", "e2", "e3"]
    second.close()


def test_without_store_and_journal_nothing_is_acknowledged(moody, tmp_path):
    moody.mood = "away"
    (tmp_path / "taken").write_text("")
    store = SpillingEventStore(moody, Journal(tmp_path / "taken"), patience=0.1)
    with pytest.raises(StoreError, match="cannot be written"):
        store.append(batch(1))
    assert store.status().waiting == 0
    store.close()


@settings(max_examples=25)
@given(st.lists(st.sampled_from(["well", "away", "lost", "hang", "append", "append", "append"]), max_size=12))
def test_whatever_happens_nothing_acknowledged_is_lost_and_nothing_is_there_twice(tmp_path_factory, steps):
    moody = MoodyStore()
    store = SpillingEventStore(moody, Journal(tmp_path_factory.mktemp("journal")), patience=0.01)
    answers = []
    for number, step in enumerate(steps):
        if step == "append":
            answers.append((number, store.submit(batch(number))))
        else:
            moody.wake(step)
    acknowledged = {f"e{number}" for number, answer in answers if answer.result(30)}
    moody.wake()
    wait_until(lambda: store.status() == StoreStatus(True))
    store.close()
    assert set(moody.kept) == acknowledged
