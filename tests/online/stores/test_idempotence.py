"""Any order and any repetition of batches leaves the same store."""

import shutil
from contextlib import closing
from itertools import count

from hypothesis import given, settings
from hypothesis import strategies as st

from savor.online.stores.database import Database
from savor.online.stores.database_event_store import DatabaseEventStore
from savor.online.stores.tombstones import Tombstones
from tests.online.stores.events import batch

NUMBERS = st.lists(st.integers(0, 15), max_size=5)
BATCHES = st.lists(NUMBERS, min_size=1, max_size=5)
copies = count()


@settings(max_examples=15)
@given(st.data())
def test_order_and_repetition_do_not_matter(sqlite_made, data):
    batches = data.draw(BATCHES)
    again = data.draw(st.lists(st.sampled_from(batches), max_size=5))
    shuffled = data.draw(st.permutations(batches + again))
    plain, total = kept(sqlite_made, [sorted({number for numbers in batches for number in numbers})])
    mixed, accepted = kept(sqlite_made, shuffled)
    assert mixed == plain
    assert accepted == total == len(plain)


def kept(made, batches):
    """The rows of a new store after `batches`, and how many were accepted."""
    path = made.with_name(f"copy-{next(copies)}.db")
    shutil.copy(made, path)
    with (
        closing(Database.open(f"sqlite:///{path}")) as database,
        closing(DatabaseEventStore(database, Tombstones(database, b"key" * 8))) as store,
    ):
        answers = [store.submit(batch(*numbers, user="ann")) for numbers in batches]
        accepted = sum(answer.result().accepted for answer in answers)
        return sorted(store.read_after(0).rows.rows(), key=repr), accepted
