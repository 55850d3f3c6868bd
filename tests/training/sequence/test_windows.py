"""What a pass over the data learns from."""

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from savor.data.histories import Histories
from savor.training.sequence.batch import Batch
from savor.training.sequence.windows import DAY, Windows, reach
from tests.features.synthetic import make_events


def histories(lengths, gap=100):
    """User u's events are items 100 u, 100 u + 1, …, `gap` seconds apart."""
    user = np.repeat(np.arange(len(lengths)), lengths)
    place = np.concatenate([np.arange(length) for length in lengths]) if len(lengths) else np.zeros(0, int)
    return Histories.from_events(make_events(user, 100 * user + place, 1000 + gap * place), len(lengths))


@given(st.lists(st.integers(0, 12), min_size=1, max_size=20), st.integers(1, 8), st.floats(0, 1), st.integers(0, 5))
def test_every_target_is_what_came_next(lengths, length, share, seed):
    known, rng = histories(lengths), np.random.default_rng(seed)
    windows = Windows.draw(known, length, share, rng)
    assert len(windows) == sum(one > 0 for one in lengths)
    for chosen in windows.batches(20, rng) if len(windows) else ():
        batch = Batch.of(known, windows, chosen)
        rows, width = batch.item.shape
        assert width <= length
        assert width * rows <= 20 or rows == 1
        for item, target, seconds, tokens in zip(
            batch.item, batch.target, batch.seconds, windows.tokens[chosen], strict=True
        ):
            assert (target[:tokens] >= 0).all()
            assert (target[tokens:] == -1).all()
            looked_at = item >= 0
            assert (item[looked_at] + 1 == target[: looked_at.sum()]).all()
            if looked_at.sum() < tokens:
                assert looked_at.sum() == tokens - 1
                assert target[tokens - 1] % 100 == 0
            assert (seconds[looked_at] == 100 * (target[0] - item[looked_at])).all()


def test_each_window_is_in_one_batch():
    known, rng = histories(np.arange(1, 60)), np.random.default_rng(0)
    windows = Windows.draw(known, 20, 0.0, rng)
    batches = windows.batches(100, rng)
    assert sorted(np.concatenate(batches)) == list(range(59))
    padded = sum(len(batch) * windows.tokens[batch].max() for batch in batches)
    assert padded < 1.15 * windows.tokens.sum()


def test_long_histories_show_their_end_or_a_random_place():
    known = histories([50] * 200)
    ends = Windows.draw(known, 10, 0.0, np.random.default_rng(0))
    assert (ends.stop == known.indptr[1:]).all()
    assert (ends.tokens == 10).all()
    places = (Windows.draw(known, 10, 1.0, np.random.default_rng(0)).stop - known.indptr[:-1]).astype(int)
    assert places.min() >= 11
    assert places.max() == 50
    assert len(np.unique(places)) > 30


def test_reach_ends_with_the_horizon_and_the_user():
    known = histories([4, 0, 3], gap=DAY)
    assert reach(known, 1.5).tolist() == [2, 3, 4, 4, 6, 7, 7]
    assert reach(histories([0]), 1.0).tolist() == []


def test_all_action_draws_from_what_is_within_reach():
    known = histories([6], gap=DAY)
    windows = Windows.draw(known, 10, 0.0, np.random.default_rng(0))
    within = reach(known, 2.0)
    targets = [
        Batch.of(known, windows, np.asarray([0]), within, np.random.default_rng(seed)).target[0] for seed in range(60)
    ]
    # From after event t, events t + 1 to t + 3 are within two days of the next one.
    found = [set(np.stack(targets)[:, place]) for place in range(6)]
    assert found == [{5}, {4, 5}, {3, 4, 5}, {2, 3, 4}, {1, 2, 3}, {0, 1, 2}]
