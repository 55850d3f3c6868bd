"""Every loss and every kind of negatives in a whole training, and what is refused."""

from dataclasses import replace

import numpy as np
import pytest

from savor.core.errors import ConfigError
from savor.training.negatives.options import NegativeOptions
from savor.training.retrieval_loop import train_retrieval
from savor.training.training_options import TrainingOptions
from tests.features.synthetic import shop
from tests.training.small_training import OPTIONS, small_space

KINDS = ("buy", "impression")


def train(directory, *, resume=False, negatives=None, training=None, epochs=4, **retrieval):
    space, validation = small_space()
    events = shop()[0].select(slice(0, 700))
    events = replace(events, kind=(np.arange(700) % 5 == 0).astype(np.uint8))
    options = OPTIONS.model_copy(update={"epochs": epochs, **retrieval})
    return train_retrieval(
        events,
        space,
        options,
        directory,
        validation=validation,
        resume=resume,
        seed=3,
        negatives=negatives,
        training=training,
        kinds=KINDS,
    )


EVERY = NegativeOptions(uniform=5, shown=2, similar_text=2, similar_embedding=2, neighbours=3, refresh_steps=3)


def learns(towers) -> bool:
    losses = [entry["loss"] for entry in towers.history]
    return bool(np.isfinite(losses).all()) and losses[-1] < losses[0]


@pytest.mark.parametrize("loss", ["full_softmax", "gbce", "bce", "triplet"])
def test_every_loss_is_lowered(loss, tmp_path):
    assert learns(train(tmp_path, loss=loss, temperature=0.1))


@pytest.mark.parametrize(
    ("loss", "negatives"),
    [
        ("softmax", EVERY.model_copy(update={"in_batch": False})),
        ("softmax", NegativeOptions(in_batch=False, shown=3)),
        ("triplet", EVERY),
    ],
)
def test_every_kind_of_negatives(loss, negatives, tmp_path):
    assert learns(train(tmp_path, negatives=negatives, loss=loss))


def interrupted_at(steps):
    from savor.training.retrieval_run import RetrievalRun

    take = RetrievalRun.step

    def step(run):
        if run.steps_done == steps:
            raise KeyboardInterrupt
        return take(run)

    return step


@pytest.mark.slow
@pytest.mark.parametrize("stream", [False, True])
def test_with_every_kind_of_negatives_it_goes_on_to_the_same_result(tmp_path, monkeypatch, stream):
    training = TrainingOptions(stream=stream)
    whole = train(tmp_path / "whole", negatives=EVERY, training=training)
    with monkeypatch.context() as patch:
        # Between two refreshes of the nearest items.
        patch.setattr("savor.training.retrieval_run.RetrievalRun.step", interrupted_at(7))
        with pytest.raises(KeyboardInterrupt):
            train(tmp_path / "cut", negatives=EVERY, training=training)
    resumed = train(tmp_path / "cut", negatives=EVERY, training=training, resume=True)
    for one, other in zip(whole.item.get_weights(), resumed.item.get_weights(), strict=True):
        assert np.array_equal(one, other)
    assert [entry["loss"] for entry in whole.history] == [entry["loss"] for entry in resumed.history]
    assert not list((tmp_path / "cut").glob("examples*"))


def test_impressions_are_no_positives_and_weights_count(tmp_path):
    """A kind of weight 0 and impressions leave nothing to learn from."""
    from savor.core.errors import TrainingError

    with pytest.raises(TrainingError, match="there are 0"):
        train(tmp_path, kind_weights={"buy": 0.0})


def test_what_is_not_there_is_refused(tmp_path):
    with pytest.raises(ConfigError, match="no events of kind 'seen'"):
        train(tmp_path, negatives=NegativeOptions(shown=1, shown_kind="seen"))
    with pytest.raises(ConfigError, match="kind_weights"):
        train(tmp_path, kind_weights={"by": 2.0})
    with pytest.raises(ConfigError, match="image"):
        train(tmp_path, negatives=NegativeOptions(similar_image=1))
    with pytest.raises(ConfigError, match="maximum_examples"):
        train(tmp_path, training=TrainingOptions(stream=True), maximum_examples=100)
    with pytest.raises(ValueError, match="no negatives"):
        NegativeOptions(in_batch=False)
