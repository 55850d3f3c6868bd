import numpy as np
import pytest

from savor.core.errors import TrainingError
from savor.models.litert_tower import LiteRtTower
from savor.training.litert_export import compare, export_tower, random_inputs
from savor.training.towers import build_tower
from tests.training.small_training import OPTIONS, small_space


@pytest.mark.parametrize("side", ["user", "item"])
def test_the_file_gives_the_networks_vectors(side, tmp_path):
    space, _ = small_space()
    signature = getattr(space, f"{side}_signature")
    network = build_tower(side, signature, OPTIONS, 5)
    parity = export_tower(network, signature, tmp_path / "tower.tflite")
    assert parity.rows == 33
    assert parity.largest_difference < 1e-5
    assert [path.name for path in tmp_path.iterdir()] == ["tower.tflite"]
    tower = LiteRtTower.load(tmp_path / "tower.tflite")
    assert set(tower.inputs) == set(signature)
    for rows in (1, 7, 7, 1, 300):
        inputs = random_inputs(signature, rows, rows)
        assert np.allclose(tower(inputs), network.predict_on_batch(inputs), atol=1e-5)


class WithoutWeights:
    """A network whose export loses its weights, as `TFLiteConverter.from_concrete_functions` did."""

    def __init__(self, network):
        self.network = network

    def predict_on_batch(self, inputs):
        return self.network.predict_on_batch(inputs)

    def export(self, path, **options):
        weights = self.network.get_weights()
        self.network.set_weights([np.zeros_like(weight) for weight in weights])
        self.network.export(path, **options)
        self.network.set_weights(weights)


def test_a_file_that_does_not_do_the_same_is_refused(tmp_path):
    space, _ = small_space()
    network = WithoutWeights(build_tower("item", space.item_signature, OPTIONS, 5))
    with pytest.raises(TrainingError, match=r"vectors are (zero|not numbers)"):
        export_tower(network, space.item_signature, tmp_path / "tower.tflite")
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    ("given", "message"),
    [
        ([[0, 0], [0, 1]], "1 of 2 exported vectors are zero"),
        ([[np.nan, 0], [0, 1]], "1 exported vectors are not numbers"),
        ([[0.9, 0.1], [0, 1]], "differs"),
        ([[1, 0]], "shape"),
    ],
)
def test_what_is_refused(given, message):
    expected = np.eye(2, dtype=np.float32)
    with pytest.raises(TrainingError, match=message):
        compare(lambda _: expected, lambda _: np.asarray(given, np.float32), [{}], "tower")
