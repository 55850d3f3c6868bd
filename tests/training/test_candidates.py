"""The loss over candidates, by hand and against plain definitions."""

from dataclasses import replace

import numpy as np
import pytest

from savor.data.histories import Histories
from savor.training.candidates import CandidateMaker
from savor.training.losses.hidden import HIDDEN
from savor.training.losses.in_batch_softmax import in_batch_softmax
from savor.training.negatives.pools import PooledNegatives
from savor.training.negatives.uniform import UniformNegatives
from savor.training.retrieval_examples import RetrievalExamples
from savor.training.retrieval_loss import RetrievalLoss
from tests.features.synthetic import make_events

ITEMS, WIDTH = 12, 5
RNG = np.random.default_rng(0)
TABLE = RNG.normal(size=(ITEMS, WIDTH)).astype(np.float32)
TABLE /= np.linalg.norm(TABLE, axis=1, keepdims=True)


def batch(rows=40, baskets=False):
    user, item = RNG.integers(0, 5, rows), np.minimum(RNG.geometric(0.25, rows) - 1, ITEMS - 1)
    time = np.arange(rows) * 10
    events = make_events(user, item, time, user * 1000 + time // 100 if baskets else None)
    histories = Histories.from_events(events, 5)
    examples = RetrievalExamples.from_events(events, histories, ITEMS)
    vectors = RNG.normal(size=(len(examples), WIDTH)).astype(np.float32)
    return histories, examples, vectors / np.linalg.norm(vectors, axis=1, keepdims=True)


def loss_of(maker, examples, users, name="softmax", rng=None, **options):
    made = maker.make(examples, rng or np.random.default_rng(1))
    arrays = {name: np.asarray(value) for name, value in vars(made).items()}
    arrays["shared"] = arrays["shared"].astype(np.int32)
    settings = {"temperature": 0.5, "margin": 0.3, "t": 0.75, "number_of_items": ITEMS, **options}
    loss = RetrievalLoss(name, **settings)
    return made, np.asarray(loss(users, TABLE[made.items], arrays, inside=made.inside))


def chosen_together(examples, histories):
    """(B, I) bool, what each example chose in its basket."""
    row, item = examples.basket_mates(histories)
    together = np.zeros((len(examples), ITEMS), np.bool_)
    together[row, item] = True
    return together


def test_in_batch_is_the_plain_in_batch_softmax():
    histories, examples, users = batch()
    made, losses = loss_of(CandidateMaker(histories, ITEMS), examples, users)
    q = examples.probability[examples.item]
    plain = in_batch_softmax(users, TABLE[examples.item], examples.item, q, 0.5)
    assert losses == pytest.approx(np.asarray(plain), rel=1e-4)
    assert sorted(made.items.tolist()) == sorted(set(examples.item.tolist()))


def test_without_correction_repetitions_count():
    histories, examples, users = batch()
    _, losses = loss_of(CandidateMaker(histories, ITEMS, corrected=False), examples, users)
    plain = in_batch_softmax(users, TABLE[examples.item], examples.item, np.ones(len(examples), np.float32), 0.5)
    assert losses == pytest.approx(np.asarray(plain), rel=1e-4)


def test_what_was_chosen_in_the_same_basket_is_no_negative():
    histories, examples, users = batch(baskets=True)
    together = chosen_together(examples, histories)
    assert together.sum() > len(examples)
    pools = PooledNegatives(30, "user", np.arange(6) * ITEMS, np.tile(np.arange(ITEMS, dtype=np.int32), 5))
    for uniform in (None, UniformNegatives(50, ITEMS)):
        maker = CandidateMaker(histories, ITEMS, uniform=uniform, pools=[pools], corrected=False)
        made, losses = loss_of(maker, examples, users)
        own = made.items[made.own]
        hit = np.take_along_axis(together, own, axis=1)
        assert ((made.own_bias == HIDDEN) == hit).all()
        shared = made.items[: made.shared]
        draws = np.exp(made.bias)
        for row in range(len(examples)):
            scores = users[row] @ TABLE.T / 0.5
            free = ~together[row][shared]
            total = (draws[free] * np.exp(scores[shared[free]])).sum() + np.exp(scores[own[row][~hit[row]]]).sum()
            positive = scores[examples.item[row]]
            assert losses[row] == pytest.approx(np.log(np.exp(positive) + total) - positive, rel=1e-4)


def test_uniform_alone_holds_the_positive_against_what_was_drawn():
    histories, examples, users = batch()
    maker = CandidateMaker(histories, ITEMS, in_batch=False, uniform=UniformNegatives(8, ITEMS))
    made, losses = loss_of(maker, examples, users)
    drawn = UniformNegatives(8, ITEMS).sample(examples, np.random.default_rng(1)).items
    for row in range(len(examples)):
        scores = users[row] @ TABLE.T / 0.5
        others = drawn[drawn != examples.item[row]]
        positive = scores[examples.item[row]]
        expected = np.log(np.exp(positive) + np.exp(scores[others]).sum()) - positive
        assert losses[row] == pytest.approx(expected, rel=1e-4)
    assert not made.inside


def test_the_mixture_is_corrected():
    """On average the negatives add up to what all items but the positive add up to, whatever kinds are mixed."""
    histories, examples, users = batch(rows=30)
    pools = [
        PooledNegatives(2, "user", np.arange(6) * 4, (np.arange(20) % ITEMS).astype(np.int32)),
        PooledNegatives(3, "item", np.arange(ITEMS + 1) * 2, (np.arange(2 * ITEMS) * 5 % ITEMS).astype(np.int32)),
    ]
    maker = CandidateMaker(histories, ITEMS, in_batch=False, uniform=UniformNegatives(6, ITEMS), pools=pools)
    rng = np.random.default_rng(5)
    sums = np.zeros((3000, len(examples)))
    scores = users @ TABLE.T
    for turn in range(len(sums)):
        made = maker.make(examples, rng)
        shared = np.exp(scores[:, made.items[: made.shared]] + made.bias)
        shared[made.pairs[:, 0], made.pairs[:, 1]] = 0
        own = np.exp(np.take_along_axis(scores, made.items[made.own], axis=1) + made.own_bias)
        sums[turn] = shared.sum(axis=1) + own.sum(axis=1)
    everything = np.exp(scores).sum(axis=1) - np.exp(scores[np.arange(len(examples)), examples.item])
    assert sums.mean(axis=0) == pytest.approx(everything, rel=0.06)


def test_full_softmax_is_over_all_items():
    histories, examples, users = batch()
    made, losses = loss_of(CandidateMaker(histories, ITEMS, everything=True), examples, users, "full_softmax")
    assert made.items.tolist() == list(range(ITEMS))
    scores = users @ TABLE.T / 0.5
    positive = scores[np.arange(len(examples)), examples.item]
    assert losses == pytest.approx(np.log(np.exp(scores).sum(axis=1)) - positive, rel=1e-4)


@pytest.mark.parametrize("in_batch", [True, False])
@pytest.mark.parametrize("name", ["bce", "gbce", "triplet"])
def test_other_losses_take_each_distinct_item_once(name, in_batch):
    histories, examples, users = batch()
    uniform = UniformNegatives(7, ITEMS)
    maker = CandidateMaker(histories, ITEMS, in_batch=in_batch, uniform=uniform, repeated=False, corrected=False)
    made, losses = loss_of(maker, examples, users, name)
    for row in range(len(examples)):
        negatives = [item for item in made.items[: made.shared] if item != examples.item[row]]
        scores = users[row] @ TABLE.T / (1 if name == "triplet" else 0.5)
        positive, negative = scores[examples.item[row]], scores[negatives]
        if name == "triplet":
            expected = np.maximum(0, 0.3 - positive + negative).mean()
        else:
            share = len(negatives) / (ITEMS - 1)
            beta = 1 if name == "bce" else share * (0.75 * (1 - 1 / share) + 1 / share)
            expected = (beta * np.log1p(np.exp(-positive)) + np.log1p(np.exp(negative)).sum()) / (len(negatives) + 1)
        assert losses[row] == pytest.approx(expected, rel=1e-4)


def test_weights_and_kinds_of_examples():
    events = make_events([0, 0, 0, 1], [1, 1, 2, 3], [5, 5, 6, 7], [1, 1, 1, -1])
    events = replace(events, kind=np.asarray([0, 1, 0, 2], np.uint8))
    histories = Histories.from_events(events, 2)
    examples = RetrievalExamples.from_events(events, histories, 5, weights=[0.5, 3.0, 0.0])
    assert examples.item.tolist() == [1, 2]
    assert examples.weight.tolist() == [3.0, 0.5]
    assert examples.probability[3] == 0
