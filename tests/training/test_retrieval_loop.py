import json
import signal
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pytest

from savor.core.errors import TrainingError
from savor.features.history_window import AGE_BUCKETS
from savor.features.newcomers import hide_behaviour
from tests.training.small_training import OPTIONS, small_space, train

ROOT = Path(__file__).parents[2]


@pytest.fixture(scope="module")
def trained(tmp_path_factory):
    directory = tmp_path_factory.mktemp("whole")
    return directory, train(directory)


def weights(towers) -> list[np.ndarray]:
    return [*towers.user.get_weights(), *towers.item.get_weights()]


def test_it_learns_what_popularity_does_not_know(trained):
    _, towers = trained
    space, validation = small_space()
    users = towers.user_vectors(space.user_inputs(validation.users, validation.histories, validation.now))
    popularity = np.bincount(validation.histories.item, minlength=40)[:, None].astype(np.float32)
    learnt = validation.recall(users, towers.item_vectors(), 10)
    assert learnt > validation.recall(np.ones((len(validation), 1), np.float32), popularity, 10) + 0.15
    assert towers.history[-1]["loss"] < towers.history[0]["loss"]


def test_what_is_left_behind(trained):
    directory, towers = trained
    document = json.loads((directory / "retrieval_history.json").read_text())
    assert document["metric"] == "recall_min@4"
    assert [entry["epoch"] for entry in document["epochs"]] == list(range(1, 9))
    assert document["epochs"] == towers.history
    assert list((directory / "tensorboard").glob("events.out.tfevents.*"))
    assert not (directory / "checkpoints").exists()


def test_export_and_vectors_agree(trained, tmp_path):
    _, towers = trained
    parity = towers.export(tmp_path)
    assert {path.name for path in tmp_path.iterdir()} == {"user.tflite", "item.tflite", "networks"}
    assert parity["item"].rows == 33 + 40
    assert np.allclose(towers.item_vectors(batch=7), towers.item_vectors(), atol=1e-6)


def test_killed_and_resumed_is_the_same_as_never_interrupted(trained, tmp_path):
    command = [sys.executable, "-W", "ignore", "-m", "tests.training.small_training", str(tmp_path)]
    process = subprocess.Popen(command, cwd=ROOT, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    steps_per_epoch = 5
    while process.poll() is None:
        steps = [int(path.name[5:]) for path in (tmp_path / "checkpoints").glob("step-*")]
        if steps and max(steps) > steps_per_epoch and max(steps) % steps_per_epoch:
            process.send_signal(signal.SIGKILL)
            break
        time.sleep(0.002)
    assert process.wait() == -signal.SIGKILL
    _, whole = trained
    resumed = train(tmp_path, resume=True)
    for one, other in zip(weights(whole), weights(resumed), strict=True):
        assert np.array_equal(one, other)
    timeless = [{key: entry[key] for key in ("epoch", "loss", "recall_min@4")} for entry in whole.history]
    assert timeless == [{key: entry[key] for key in ("epoch", "loss", "recall_min@4")} for entry in resumed.history]


def test_a_checkpoint_of_another_training_is_refused(tmp_path, monkeypatch):
    monkeypatch.setattr("savor.training.retrieval_run.RetrievalRun.step", interrupted)
    with pytest.raises(KeyboardInterrupt):
        train(tmp_path)
    monkeypatch.undo()
    with pytest.raises(TrainingError, match="other data, options or seed"):
        train(tmp_path, OPTIONS.model_copy(update={"temperature": 0.2}), resume=True)
    with pytest.raises(TrainingError, match="other data, options or seed"):
        train(tmp_path, resume=True, seed=4)


def interrupted(run):
    raise KeyboardInterrupt


def test_it_stops_when_the_time_is_over_and_when_nothing_gets_better(tmp_path):
    short = train(tmp_path / "short", OPTIONS.model_copy(update={"time_budget_seconds": 1e-9}))
    assert len(short.history) == 1
    still = OPTIONS.model_copy(update={"learning_rate": 1e-12, "table_learning_rate": 1e-12, "patience": 2})
    assert len(train(tmp_path / "still", still).history) == 3


def test_a_loss_that_is_not_a_number_says_what_to_do(tmp_path):
    with pytest.raises(TrainingError, match="learning_rate"):
        train(tmp_path, OPTIONS.model_copy(update={"learning_rate": 1e30}))


def test_hidden_users_look_like_newcomers():
    inputs = {
        "user_id": np.full(1000, 99, np.int32),
        "user_category_0": np.full(1000, 3, np.int32),
        "history_item": np.full((1000, 4), 7, np.int32),
        "history_age": np.full((1000, 4), AGE_BUCKETS - 1, np.int32),
    }
    hide_behaviour(inputs, np.random.default_rng(0), 0.2, buckets=5)
    hidden = inputs["user_id"] != 99
    assert 150 < hidden.sum() < 250
    assert inputs["user_id"][hidden].max() <= 5
    assert (inputs["history_item"][hidden] == 0).all()
    assert (inputs["history_age"][hidden] == 0).all()
    assert (inputs["history_item"][~hidden] == 7).all()
    assert (inputs["user_category_0"] == 3).all()
