import numpy as np
import pytest

from savor.data.events import Events
from savor.data.histories import Histories
from savor.training.negatives.pools import PooledNegatives
from savor.training.negatives.shown import shown_negatives
from savor.training.negatives.similar import similar_negatives
from savor.training.negatives.uniform import UniformNegatives
from savor.training.retrieval_examples import RetrievalExamples
from tests.features.synthetic import make_events

VIEW, BUY = 1, 0


def examples_of(events: Events, users=4, items=10) -> RetrievalExamples:
    return RetrievalExamples.from_events(events, Histories.from_events(events, users), items, weights=[1, 0])


def with_kinds(events: Events, kinds) -> Events:
    return Events(**{**vars(events), "kind": np.asarray(kinds, np.uint8)})


SHOWN = with_kinds(
    make_events(
        user=[0, 0, 0, 0, 1, 0, 0, 1],
        item=[1, 2, 3, 2, 1, 4, 4, 5],
        time=[1, 1, 1, 2, 3, 4, 5, 6],
    ),
    # User 0 is shown 1, 2, 3, buys 2, buys 4 and is shown it again; user 1 is shown 1 and buys 5.
    [VIEW, VIEW, VIEW, BUY, VIEW, BUY, VIEW, BUY],
)


def test_shown_is_what_was_shown_and_not_chosen_after():
    pools = shown_negatives(SHOWN, VIEW, 3, 4)
    assert [sorted(pools.items[a:b].tolist()) for a, b in zip(pools.indptr[:-1], pools.indptr[1:], strict=True)] == [
        [1, 3, 4], [1], [], []
    ]  # fmt: skip


def test_shown_negatives_of_an_example_are_its_users():
    examples = examples_of(SHOWN)
    assert list(zip(examples.user.tolist(), examples.item.tolist(), strict=True)) == [(0, 2), (0, 4), (1, 5)]
    drawn = shown_negatives(SHOWN, VIEW, 20, 4).sample(examples, np.random.default_rng(0))
    assert set(drawn.items[0].tolist()) == set(drawn.items[1].tolist()) == {1, 3, 4}
    assert set(drawn.items[2].tolist()) == {1}
    assert drawn.log_q[:, 0].tolist() == pytest.approx([np.log(20 / 3), np.log(20 / 3), np.log(20)])


def test_nobody_was_shown_anything():
    events = with_kinds(make_events([0, 1], [1, 2], [1, 2]), [BUY, BUY])
    drawn = shown_negatives(events, VIEW, 2, 4).sample(examples_of(events), np.random.default_rng(0))
    assert (drawn.items == -1).all()


def test_similar_are_the_nearest_by_cosine():
    rng = np.random.default_rng(3)
    vectors = rng.normal(size=(50, 6)).astype(np.float32) * rng.uniform(0.1, 9, (50, 1)).astype(np.float32)
    vectors[7] = 0
    pools = similar_negatives(vectors, 5, 4)
    unit = vectors / np.maximum(np.linalg.norm(vectors, axis=1, keepdims=True), 1e-9)
    cosine = unit @ unit.T
    np.fill_diagonal(cosine, -2)
    cosine[:, 7] = -2
    for item in range(50):
        pool = pools.items[pools.indptr[item] : pools.indptr[item + 1]]
        assert set(pool.tolist()) == (set() if item == 7 else set(np.argsort(-cosine[item])[:4].tolist()))


def test_similar_to_the_positive_are_drawn():
    vectors = np.asarray([[1, 0], [0.9, 0.1], [0, 1], [0.1, 0.9], [-1, -1]], np.float32)
    events = make_events([0, 0], [0, 2], [1, 2])
    examples = RetrievalExamples.from_events(events, Histories.from_events(events, 1), 5)
    drawn = similar_negatives(vectors, 3, 1).sample(examples, np.random.default_rng(0))
    assert drawn.items.tolist() == [[1, 1, 1], [3, 3, 3]]
    assert np.exp(drawn.log_q) == pytest.approx(3)


def test_one_item_or_none_has_no_neighbours():
    for vectors in (np.ones((1, 3), np.float32), np.zeros((4, 3), np.float32)):
        assert not len(similar_negatives(vectors, 2, 3).items)


def test_uniform_draws_all_alike():
    events = make_events([0], [0], [1])
    examples = RetrievalExamples.from_events(events, Histories.from_events(events, 1), 20)
    drawn = UniformNegatives(40_000, 20).sample(examples, np.random.default_rng(0))
    counts = np.bincount(drawn.items, minlength=20)
    assert np.exp(drawn.log_q[0]) == pytest.approx(2000, rel=1e-5)
    assert counts == pytest.approx(2000, abs=200)


def test_pools_draw_each_of_theirs_alike_and_list_them():
    events = make_events([0, 1, 2], [0, 0, 0], [1, 2, 3])
    examples = RetrievalExamples.from_events(events, Histories.from_events(events, 3), 10)
    pools = PooledNegatives(9000, "user", np.asarray([0, 3, 3, 4]), np.asarray([5, 6, 7, 9], np.int32))
    drawn = pools.sample(examples, np.random.default_rng(1))
    assert np.bincount(drawn.items[0], minlength=10)[5:8] == pytest.approx(3000, abs=250)
    assert (drawn.items[1] == -1).all()
    assert (drawn.items[2] == 9).all()
    row, item, size = pools.pairs(examples)
    assert list(zip(row, item, size, strict=True)) == [(0, 5, 3), (0, 6, 3), (0, 7, 3), (2, 9, 1)]
