import numpy as np
import pytest

from savor.core.errors import TrainingError
from savor.training.checkpoints import Checkpoint, Checkpoints


def test_the_newest_whole_one_counts(tmp_path):
    checkpoints = Checkpoints(tmp_path / "checkpoints")
    assert checkpoints.latest() is None
    for step in (9, 10):
        checkpoints.save(step, Checkpoint({"weight/0": np.full(3, step)}, {"step": step}))
    (tmp_path / "checkpoints" / ".step-0000000011.abc.partial").mkdir()
    latest = checkpoints.latest()
    assert latest is not None
    assert latest.state == {"step": 10}
    assert latest.arrays["weight/0"].tolist() == [10, 10, 10]
    checkpoints.save(12, latest)
    assert [path.name for path in (tmp_path / "checkpoints").iterdir()] == ["step-0000000012"]
    checkpoints.clear()
    assert checkpoints.latest() is None


def test_a_damaged_one_says_what_to_do(tmp_path):
    checkpoints = Checkpoints(tmp_path)
    checkpoints.save(1, Checkpoint({"a": np.zeros(100)}, {}))
    file = tmp_path / "step-0000000001" / "arrays.npz"
    file.write_bytes(file.read_bytes()[:200])
    with pytest.raises(TrainingError, match="without --resume"):
        checkpoints.latest()


def test_a_failed_save_leaves_the_old_one(tmp_path):
    checkpoints = Checkpoints(tmp_path)
    checkpoints.save(1, Checkpoint({"a": np.zeros(1)}, {"n": 1}))
    with pytest.raises(TypeError):
        checkpoints.save(2, Checkpoint({"a": np.zeros(1)}, {"n": object()}))
    latest = checkpoints.latest()
    assert latest is not None
    assert latest.state == {"n": 1}
