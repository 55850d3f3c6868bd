from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from savor.data.events import Events
from savor.training.exchanged_order import exchange_order
from savor.training.retriever import RetrieverOptions, train_retriever
from tests.features.synthetic import shop
from tests.training.small_training import OPTIONS, small_space
from tests.training.tuning.silent_tracker import SilentTracker


def events_of(user: list[int]) -> Events:
    number = len(user)
    return Events(
        user=np.asarray(user, np.int32),
        item=np.arange(number, dtype=np.int32),
        time=np.arange(number, dtype=np.int64) * 10,
        kind=np.zeros(number, np.uint8),
        value=np.arange(number).astype(np.float32),
        price=np.full(number, np.nan, np.float32),
        basket=np.full(number, -1, np.int64),
        split=np.zeros(number, np.uint8),
    )


@given(st.lists(st.integers(0, 4), max_size=60), st.integers(0, 9))
def test_each_user_keeps_their_items_and_their_moments(user: list[int], seed: int) -> None:
    before = events_of(user)
    after = exchange_order(before, seed)
    assert np.array_equal(after.user, before.user)
    assert np.array_equal(after.time, before.time)
    assert np.array_equal(np.sort(after.item), before.item)
    assert np.array_equal(before.user[after.item], after.user)  # item n was bought by the user of row n
    assert np.array_equal(after.value, after.item)  # what belongs to an event goes with it


def test_the_deal_follows_from_the_seed_and_is_another_order() -> None:
    before = events_of([0] * 50)
    first, again, other = (exchange_order(before, seed).item for seed in (1, 1, 2))
    assert np.array_equal(first, again)
    assert not np.array_equal(first, other)
    assert not np.array_equal(first, before.item)


def test_a_retriever_is_given_the_new_order_only_where_it_is_asked_for(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    given: list[Events] = []

    def stop(events: Events, *_: object, **__: object) -> None:
        given.append(events)
        raise InterruptedError

    monkeypatch.setattr("savor.training.retriever._train", stop)
    space, _ = small_space()
    events = shop()[0]
    for order in ("time", "none"):
        options = RetrieverOptions(OPTIONS.model_copy(update={"order": order}))
        tracker = SilentTracker()
        with pytest.raises(InterruptedError):
            train_retriever(events, space, options, tmp_path, seed=1, tracker=tracker)
        assert tracker.completed is False
    assert np.array_equal(given[0].item, events.item)
    assert np.array_equal(given[1].item, exchange_order(events, 1).item)
