from dataclasses import replace

import numpy as np
import pytest

from savor.core.errors import TrainingError
from savor.evaluation.ranking_head import auc
from savor.training.cross_network.network import build_cross_network
from savor.training.cross_network.options import DcnOptions
from savor.training.cross_network.training import train_cross_network
from tests.training.cross_network.cross_examples import SIGNATURE, pairs

SMALL = {"hidden": (16,), "rank": 2, "ids": True, "id_width": 4, "batch_size": 128, "epochs": 8, "dropout": 0.0}
SMALL |= {"learning_rate": 0.02, "patience": 8}


@pytest.mark.parametrize(
    "changes",
    [{}, {"rank": 0, "structure": "stacked"}, {"joint": True, "alpha": 1.0}],
    ids=["low rank", "full rank, stacked", "joint"],
)
def test_it_finds_the_product_and_the_rating(changes):
    trained = train_cross_network(pairs(), SIGNATURE, DcnOptions(**{**SMALL, "alpha": 1.0, **changes}), 1)
    other = pairs(1000, 9)
    chance, rating = trained.predict(other.inputs).T
    # The best that can be had is about 0.89.
    assert auc(other.label > 0, chance) > 0.85
    known = other.label > 0
    predicted = trained.rating_mean + trained.rating_scale * rating[known]
    assert np.abs(predicted - other.rating[known]).mean() < 0.35


def test_class_weights_do_not_spoil_the_chances():
    rare = pairs(rate=-3.0)
    share = float(rare.label.mean())
    assert share < 0.2
    trained = train_cross_network(rare, SIGNATURE, DcnOptions(**SMALL, class_weights="balanced"), 1)
    other = pairs(2000, 5, rate=-3.0)
    assert float(trained.predict(other.inputs)[:, 0].mean()) == pytest.approx(share, abs=0.05)


def test_the_same_seed_gives_the_same_network():
    first, second = (
        train_cross_network(pairs(600), SIGNATURE, DcnOptions(**{**SMALL, "epochs": 2}), 4).predict(pairs(50, 2).inputs)
        for _ in range(2)
    )
    np.testing.assert_array_equal(first, second)


def test_questions_are_set_aside_whole():
    rest, aside = pairs(1000).set_aside(0.2, 3)
    assert len(aside) == 200
    assert len(rest) == 800
    assert not np.isin(aside.question, rest.question).any()


def test_nothing_to_tell_apart_is_said():
    none = pairs(100)
    with pytest.raises(TrainingError, match="0 were chosen"):
        train_cross_network(replace(none, label=np.zeros(100, np.float32)), SIGNATURE, DcnOptions(), 1)


def test_joint_needs_embeddings():
    with pytest.raises(ValueError, match=r"dcn\.ids"):
        build_cross_network({"features": SIGNATURE["features"]}, DcnOptions(joint=True), 0)


def test_the_retrieval_loss_moves_the_shared_embeddings():
    """With both heads switched off, only the loss of retrieval is left, and it still falls."""
    options = DcnOptions(**{**SMALL, "joint": True, "alpha": 0.0, "beta": 0.0, "epochs": 4})
    linked = pairs()
    linked.inputs["item_id"] = (linked.inputs["user_id"] % 9 + 1).astype(np.int32)
    history = train_cross_network(linked, SIGNATURE, options, 1).history
    assert history[-1]["loss"] < history[0]["loss"] - 0.5
