from functools import cache

import numpy as np
import pytest

from savor.core.errors import TrainingError
from savor.models.recommender import Recommender
from savor.training.ncf.examples import PairExamples
from savor.training.ncf.networks import Kind
from savor.training.ncf.options import NcfOptions
from savor.training.ncf.recommender import NcfRecommender
from savor.training.ncf.training import train_ncf
from tests.models.recommender_conformance import RecommenderConformance, checkerboard

SMALL = NcfOptions(
    factors=4,
    mlp_factors=8,
    hidden=(16, 8),
    negatives=8,
    batch_size=256,
    epochs=40,
    learning_rate=0.05,
    patience=40,
    regularisation=0.1,
    validation_users=5,
)


@cache
def fitted(kind: Kind) -> NcfRecommender:
    model = NcfRecommender(kind, SMALL, seed=1)
    model.fit(checkerboard(), RecommenderConformance.USERS, RecommenderConformance.ITEMS, RecommenderConformance.NOW)
    return model


class FittedOnce(RecommenderConformance):
    """Fitting takes seconds, so all but one of the tests share a model."""

    KIND: Kind

    def make(self) -> Recommender:
        return NcfRecommender(self.KIND, SMALL, seed=1)

    def fitted(self) -> Recommender:
        return fitted(self.KIND)

    def test_fitting_twice_gives_the_same(self):
        if self.KIND != "neumf":
            pytest.skip("shown by the model that holds the other two")
        again = super().fitted().recommend(self.everybody(), 10, exclude_seen=False)
        first = self.fitted().recommend(self.everybody(), 10, exclude_seen=False)
        np.testing.assert_array_equal(first.items, again.items)
        np.testing.assert_array_equal(first.scores, again.scores)


class TestGmf(FittedOnce):
    KIND = "gmf"


class TestMlp(FittedOnce):
    KIND = "mlp"


class TestNeuMf(FittedOnce):
    KIND = "neumf"


def examples() -> PairExamples:
    pairs = [(user, item) for user in range(12) for item in range(user % 2, 10, 2)]
    user, item = np.array(pairs, np.int32).T
    return PairExamples.of(user, item, 12, 10)


@pytest.mark.parametrize("loss", ["binary_cross_entropy", "gbce", "sampled_softmax"])
def test_every_loss_falls(loss):
    options = SMALL.model_copy(update={"loss": loss, "epochs": 30, "regularisation": 1e-4})
    history = train_ncf("neumf", examples(), options, 1).history
    assert history[-1]["loss"] < 0.7 * history[0]["loss"]


def test_doubles_count_once_and_negatives_are_known():
    doubled = PairExamples.of(np.array([1, 1, 0], np.int32), np.array([4, 4, 2], np.int32), 2, 6)
    assert doubled.user.tolist() == [0, 1]
    assert doubled.item.tolist() == [2, 4]
    drawn = doubled.negatives(50, 3, np.random.default_rng(0))
    assert drawn.shape == (50, 3)
    assert set(np.unique(drawn)) == {2, 4}
    chosen = doubled.chosen(np.array([0, 1], np.int32), np.array([[2, 4], [2, 4]], np.int32))
    assert chosen.tolist() == [[True, False], [False, True]]


def test_negatives_follow_popularity():
    item = np.array([0] * 90 + [1] * 10, np.int32)
    made = PairExamples.of(np.arange(100, dtype=np.int32), item, 100, 2, popularity=1.0)
    assert made.negatives(2000, 5, np.random.default_rng(0)).mean() == pytest.approx(0.1, abs=0.02)


def test_the_best_pass_is_kept():
    seen = []

    def measure(networks) -> float:
        seen.append(np.asarray(networks.pair.get_weights()[0]).copy())
        return [0.1, 0.3, 0.2, 0.1][len(seen) - 1]

    options = SMALL.model_copy(update={"patience": 2})
    trained = train_ncf("gmf", examples(), options, 1, measure=measure)
    assert trained.best_epoch == 2
    assert len(trained.history) == 4
    np.testing.assert_array_equal(trained.networks.pair.get_weights()[0], seen[1])


def test_too_little_is_said():
    one = np.array([0], np.int32)
    with pytest.raises(TrainingError, match="at least 2"):
        train_ncf("gmf", PairExamples.of(one, one, 1, 1), SMALL, 0)
