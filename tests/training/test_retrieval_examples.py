import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from savor.data.histories import Histories
from savor.features.history_window import last_positions
from savor.training.retrieval_examples import RetrievalExamples
from tests.features.synthetic import make_events


def examples_of(events, users=5, items=10, **options):
    histories = Histories.from_events(events, users)
    return histories, RetrievalExamples.from_events(events, histories, items, **options)


rows = st.lists(
    st.tuples(st.integers(0, 4), st.integers(0, 9), st.integers(0, 30), st.integers(-1, 4)), min_size=1, max_size=60
)


@given(rows)
def test_nothing_is_predicted_from_its_basket_its_second_or_later(rows):
    rows = sorted(rows, key=lambda row: row[2])
    events = make_events(*zip(*rows, strict=True))
    histories, examples = examples_of(events)
    window = last_positions(histories, examples.user, examples.end, 60)
    assert len(examples) > 0
    for row in range(len(examples)):
        user, item, now = int(examples.user[row]), int(examples.item[row]), int(examples.now[row])
        own = events.select(events.user == user)
        mine = own.select((own.item == item) & (own.time >= now))
        known = window[row][window[row] >= 0]
        assert (histories.time[known] < now).all()
        assert len(known) == (own.time < now).sum()
        baskets = {int(b) for b, t in zip(mine.basket, mine.time, strict=True) if b >= 0 and _start(own, b) == now}
        assert not baskets & set(histories.basket[known].tolist())
    pairs = {(int(u), int(i)) for u, i in zip(events.user, events.item, strict=True)}
    assert {(int(u), int(i)) for u, i in zip(examples.user, examples.item, strict=True)} == pairs


def _start(own, basket) -> int:
    return int(own.time[own.basket == basket].min())


def test_a_basket_gives_each_item_once_at_its_beginning():
    events = make_events([0, 0, 0, 0], [1, 2, 1, 1], [10, 12, 14, 20], [7, 7, 7, 8])
    _, examples = examples_of(events)
    assert examples.item.tolist() == [1, 2, 1]
    assert examples.now.tolist() == [10, 10, 20]
    assert examples.end.tolist() == [0, 0, 3]
    assert examples.probability[:3].tolist() == np.asarray([0, 2 / 3, 1 / 3], np.float32).tolist()


def test_first_keeps_what_is_new_to_the_user():
    events = make_events([0, 0, 1, 0], [1, 2, 1, 1], [10, 20, 25, 30])
    _, examples = examples_of(events, positives="first")
    assert list(zip(examples.user.tolist(), examples.item.tolist(), examples.now.tolist(), strict=True)) == [
        (0, 1, 10), (0, 2, 20), (1, 1, 25)
    ]  # fmt: skip


def test_the_latest_are_kept():
    events = make_events([0] * 5, [0, 1, 2, 3, 4], [1, 2, 3, 4, 5])
    _, examples = examples_of(events, maximum=2)
    assert examples.item.tolist() == [3, 4]
    assert examples.end.tolist() == [3, 4]
