"""Whole trainings of people whose next item follows from their last one."""

import json
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from savor.core.errors import ConfigError, TrainingError
from savor.data.histories import Histories
from savor.training.sequence.loop import train_sequence
from savor.training.sequence.run import SequenceRun
from tests.training.sequence.pattern import FEATURES, RETRIEVAL, SEQUENCE, USERS, questions, space_of, train, walks

ROOT = Path(__file__).parents[3]


def weights(towers) -> list[np.ndarray]:
    return [*towers.user.get_weights(), *towers.item.get_weights()]


@pytest.fixture(scope="module", params=["transformer", "gru"])
def trained(request, tmp_path_factory):
    """A training of each model."""
    directory = tmp_path_factory.mktemp(request.param)
    return directory, train(directory, request.param, epochs=30)


def first(towers) -> float:
    """Share of the users whose next item comes first."""
    asked = questions(walks())
    users = towers.user_vectors(towers.space.user_inputs(asked.users, asked.histories, asked.now))
    return asked.recall(users, towers.item_vectors(), 1)


def test_it_learns_the_rule(trained):
    directory, towers = trained
    assert first(towers) > 0.9
    document = json.loads((directory / "retrieval_history.json").read_text())
    assert document["metric"] == "ndcg@10"
    assert document["epochs"] == towers.history
    assert not (directory / "checkpoints").exists()


def test_what_was_validated_is_what_is_given_out(trained):
    _, towers = trained
    asked = questions(walks())
    users = towers.user_vectors(towers.space.user_inputs(asked.users, asked.histories, asked.now))
    best = max(entry["ndcg@10"] for entry in towers.history)
    assert asked.ndcg(users, towers.item_vectors(), 10) == pytest.approx(best, abs=1e-6)


def test_it_says_the_same_in_a_process_without_tensorflow(trained, tmp_path):
    _, towers = trained
    parity = towers.export(tmp_path)
    assert parity["user"].rows == 33
    towers.space.save(tmp_path / "features")
    asked = questions(walks())
    inputs = towers.space.user_inputs(asked.users, asked.histories, asked.now)
    np.savez(tmp_path / "asked.npz", **inputs)
    code = (
        "import sys, numpy as np; from pathlib import Path; from savor.models.litert_tower import LiteRtTower\n"
        "from savor.features.feature_space import FeatureSpace\n"
        "here = Path(sys.argv[1]); space = FeatureSpace.load(here / 'features')\n"
        "user, item = (LiteRtTower.load(here / f'{name}.tflite') for name in ('user', 'item'))\n"
        "items = item(space.item_inputs(np.arange(space.number_of_items, dtype=np.int32)))\n"
        "np.save(here / 'scores.npy', user(dict(np.load(here / 'asked.npz'))) @ items.T)\n"
        "assert 'tensorflow' not in sys.modules\n"
    )
    subprocess.run([sys.executable, "-c", code, str(tmp_path)], check=True, cwd=ROOT, stderr=subprocess.DEVNULL)
    expected = towers.user_vectors(inputs) @ towers.item_vectors().T
    assert np.allclose(np.load(tmp_path / "scores.npy"), expected, atol=1e-3)


class Interrupting:
    """A tracker that stops the training at a step, as a person would."""

    def __init__(self, at: int) -> None:
        self.at = at

    def scalars(self, values, step):
        if step == self.at and "loss" in values:
            raise KeyboardInterrupt


def test_interrupted_and_resumed_is_the_same_as_never_interrupted(tmp_path):
    events = walks()
    options = SEQUENCE.model_copy(update={"loss": "sampled_softmax", "negatives": 20, "blocks": 1})
    retrieval = RETRIEVAL.model_copy(update={"epochs": 2})
    space, asked = space_of(events), questions(events)

    def go(directory, **values):
        return train_sequence(events, space, retrieval, options, directory, validation=asked, seed=5, **values)

    whole = go(tmp_path / "whole")
    steps = SequenceRun("transformer", Histories.from_events(events, USERS), space, options, 2, 5).steps_per_epoch
    with pytest.raises(KeyboardInterrupt):
        go(tmp_path / "parts", tracker=Interrupting(steps))
    with pytest.raises(TrainingError, match="other data, options or seed"):
        train_sequence(events, space, retrieval, SEQUENCE, tmp_path / "parts", resume=True, seed=5)
    parts = go(tmp_path / "parts", resume=True)
    assert all(np.array_equal(one, other) for one, other in zip(weights(whole), weights(parts), strict=True))
    told = [[entry["ndcg@10"] for entry in towers.history] for towers in (whole, parts)]
    assert told[0] == told[1]


def test_everything_at_once(tmp_path):
    events = walks()
    towers = train(
        tmp_path / "work",
        epochs=1,
        blocks=1,
        time=True,
        gated=True,
        activation="swiglu",
        items="all",
        item_bias=True,
        normalise=True,
        precision="bfloat16",
        position="absolute",
    )
    assert set(towers.user.input) == {"history_item", "history_age", "history_seconds"}
    assert {"item_id", "item_category_0"} <= set(towers.item.input)
    items = towers.item_vectors()
    assert items.shape == (30, 17)
    assert np.allclose(np.linalg.norm(items[:, :16], axis=1), 1, atol=1e-5)
    asked = questions(events)
    users = towers.user_vectors(towers.space.user_inputs(asked.users, asked.histories, asked.now))
    assert np.allclose(np.linalg.norm(users[:, :16], axis=1), 1, atol=1e-5)
    assert (users[:, 16] == 1).all()
    assert max(parity.largest_difference for parity in towers.export(tmp_path / "towers").values()) < 1e-3


def test_a_batch_of_all_lengths_equals_one_by_one():
    events = walks()
    space = space_of(events)
    run = SequenceRun("transformer", Histories.from_events(events, USERS), space, SEQUENCE, 1, 0)
    asked = questions(events)
    inputs = space.user_inputs(asked.users, asked.histories, asked.now)
    together = run.user_vectors(inputs)
    alone = [run.user_vectors({key: value[row : row + 1] for key, value in inputs.items()}) for row in range(USERS)]
    assert np.allclose(together, np.concatenate(alone), atol=1e-5)
    user, _ = run.networks()
    assert np.allclose(together, user({key: inputs[key] for key in user.input}), atol=1e-5)


def test_what_cannot_be(tmp_path):
    events = walks()
    without = space_of(events, FEATURES.model_copy(update={"history_seconds": False}))
    with_time = SEQUENCE.model_copy(update={"time": True})
    with pytest.raises(ConfigError, match="history_seconds"):
        train_sequence(events, without, RETRIEVAL, with_time, tmp_path)
    gru = RETRIEVAL.model_copy(update={"model": "gru"})
    with pytest.raises(ConfigError, match="transformer"):
        train_sequence(events, space_of(events), gru, with_time, tmp_path)
    with pytest.raises(TrainingError, match="at least 2 events"):
        train_sequence(events.select(slice(0, 1)), without, RETRIEVAL, SEQUENCE, tmp_path)
    with pytest.raises(ValueError, match="multiple of heads"):
        type(SEQUENCE)(width=10, heads=4)
    with pytest.raises(ValueError, match="next_item"):
        type(SEQUENCE)(time=True, objective="all_action")
