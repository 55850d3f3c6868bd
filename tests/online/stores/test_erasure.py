import threading
from contextlib import closing

import numpy as np
import pytest

from savor.online.stores.assistant_accounts import AssistantAccounts, Ceiling
from savor.online.stores.audit import Audit
from savor.online.stores.database import Database
from savor.online.stores.database_event_store import DatabaseEventStore
from savor.online.stores.entities import EntityStore
from savor.online.stores.erasure import Erasure
from savor.online.stores.errors import StoreAwayError
from savor.online.stores.event_store import Appended
from savor.online.stores.experiment_store import ExperimentStore
from savor.online.stores.kept_lists import KeptList, KeptLists
from savor.online.stores.tables import metadata
from savor.online.stores.tombstone_key import ERASURE_KEY_VARIABLE, tombstone_key
from savor.online.stores.tombstones import NEVER, Tombstones
from savor.online.stores.visitors import Visitors
from tests.online.stores.events import NOW, batch
from tests.online.stores.test_experiment_store import exposures, outcomes


@pytest.fixture
def events(database, tombstones):
    with closing(DatabaseEventStore(database, tombstones)) as store:
        yield store


@pytest.fixture
def erasure(database, tombstones):
    return Erasure(database, tombstones, Audit(database), lambda: NOW + 100)


def everything(database):
    with database.reading() as connection:
        return repr([connection.execute(table.select()).all() for table in metadata.sorted_tables])


def fill(database, tombstones, events, user):
    visitor = f"visitor-of-{user}"
    events.append(batch(*range(3), user=user) if user == "ann" else batch(*range(10, 13), user=user))
    events.append(batch(20 if user == "ann" else 21, user=visitor))
    Visitors(database).merge(visitor, user)
    KeptLists(database).put(user, KeptList(("a",), (1.0,)))
    EntityStore(database).put("user", {user: {"age": "old"}})
    AssistantAccounts(database).hold(user, 10, 0.0, Ceiling(), Ceiling())
    with closing(ExperimentStore(database, tombstones)) as store:
        first = 0 if user == "ann" else 10
        store.expose(exposures(first, first + 1, user=user)).result()
        store.observe(outcomes(first, user=user)).result()


def test_a_person_is_removed_from_everywhere_and_does_not_come_back(database, tombstones, events, erasure):
    fill(database, tombstones, events, "ann")
    fill(database, tombstones, events, "bob")
    receipt = erasure.erase("ann", actor="key-1", also=["pseudonym of ann"])
    assert receipt.removed == {
        "events": 4, "kept_lists": 1, "entities": 1, "exposures": 2, "outcomes": 1, "visitors": 1, "conversations": 0,
        "assistant_usage": 1,
    }  # fmt: skip
    assert receipt.erased == (NOW + 100) // 1_000_000
    left = everything(database)
    assert "ann" not in left
    assert "visitor-of-bob" in left
    assert len(events.of_user("bob")) == 4
    assert erasure.receipts("ann") == [receipt]
    assert erasure.receipts("bob") == []
    assert [(entry.action, entry.subject, entry.actor) for entry in Audit(database).latest()] == [
        ("user.erase", tombstones.digest("ann"), "key-1")
    ]
    assert events.append(batch(1, 2, 50)) == Appended(0, 0, 3)
    assert events.append(batch(20, user="visitor-of-ann")) == Appended(0, 0, 1)
    assert events.append(batch(200, received=NOW + 200)) == Appended(1)
    asked = tombstones.moments(["bob", "ann", "visitor-of-ann", "pseudonym of ann"])
    assert asked.dtype == np.int64
    assert asked.tolist() == [NEVER, NOW + 100, NOW + 100, NOW + 100]


def test_erasing_again_and_somebody_unknown(database, tombstones, erasure):
    first = erasure.erase("ann", actor="cli")
    again = erasure.erase("ann", actor="cli")
    assert not any(again.removed.values())
    assert again.id != first.id
    assert {receipt.id for receipt in erasure.receipts("ann")} == {first.id, again.id}
    followed = tombstones.read_after(0)
    assert [stone.digest for stone in followed] == [tombstones.digest("ann")]
    assert tombstones.read_after(followed[0].version) == []


def test_nothing_slips_through_while_events_come_in(database, tombstones, events):
    """Whatever was received before the erasure is gone after it, whichever transaction ended first."""
    moment = [NOW]
    erasure = Erasure(database, tombstones, Audit(database), lambda: moment[0])
    stop = threading.Event()

    def keep_on(part):
        number = 0
        while not stop.is_set():
            events.append(batch(part * 100_000 + number, user="ann", time=1, received=1))
            number += 1

    writers = [threading.Thread(target=keep_on, args=(part,)) for part in range(3)]
    for writer in writers:
        writer.start()
    while not len(events.of_user("ann", limit=5)):
        pass
    erasure.erase("ann", actor="cli")
    stop.set()
    for writer in writers:
        writer.join()
    assert len(events.of_user("ann")) == 0


def test_deleted_rows_do_not_linger_in_the_file(tmp_path, tombstones, database, events, erasure):
    if database.dialect != "sqlite":
        pytest.skip("PostgreSQL's vacuum sees to it")
    events.append(batch(1, user="somebody with a rare name", search="a rare wish"))
    erasure.erase("somebody with a rare name", actor="cli")
    for path in tmp_path.glob("live.db*"):
        assert b"rare" not in path.read_bytes()


def test_another_key_is_noticed(address, database, erasure):
    erasure.erase("ann", actor="cli")
    with (
        closing(Database.open(address)) as again,
        closing(DatabaseEventStore(again, Tombstones(again, b"x" * 20))) as store,
    ):
        with pytest.raises(StoreAwayError, match="SAVOR_ERASURE_KEY") as caught:
            store.append(batch(1))
        assert caught.value.code == "erasure_key_wrong"


def test_where_the_key_comes_from(tmp_path, monkeypatch):
    monkeypatch.delenv("SAVOR_PSEUDONYM_KEY", raising=False)
    monkeypatch.delenv(ERASURE_KEY_VARIABLE, raising=False)
    file = tmp_path / "folder" / "erasure.key"
    made = tombstone_key(file)
    assert len(made) == 64
    assert tombstone_key(file) == made
    assert [path.name for path in file.parent.iterdir()] == ["erasure.key"]
    assert file.stat().st_mode & 0o077 == 0
    monkeypatch.setenv("SAVOR_PSEUDONYM_KEY", "p" * 16)
    assert tombstone_key(file) == b"p" * 16
    monkeypatch.setenv(ERASURE_KEY_VARIABLE, "short")
    with pytest.raises(StoreAwayError, match="fewer than 16"):
        tombstone_key(file)
