import keras
import numpy as np
import pytest

from savor.training.cross_network.cross_layer import cross_layer

FIRST = np.array([[1.0, 2.0]], np.float32)
NOW = np.array([[3.0, -1.0]], np.float32)


def _layer(rank, width):
    layer = cross_layer(rank)
    layer(np.zeros((1, width), np.float32))
    return layer


def test_full_rank_by_hand():
    layer = _layer(None, 2)
    layer.set_weights([np.array([[1, 2], [3, 4]], np.float32), np.array([0.5, -0.5], np.float32)])
    # x W = [3·1 - 1·3, 3·2 - 1·4] = [0, 2]; with b [0.5, 1.5]; times x0 [0.5, 3]; plus x [3.5, 2].
    np.testing.assert_allclose(layer(FIRST, NOW), [[3.5, 2.0]])


def test_low_rank_by_hand():
    layer = _layer(1, 2)
    shapes = [weight.shape for weight in layer.weights]
    values = {
        (2, 1): np.array([[1], [2]], np.float32),
        (1, 2): np.array([[10, 20]], np.float32),
        (2,): np.array([1, 0], np.float32),
    }
    layer.set_weights([values[tuple(shape)] for shape in shapes])
    # x V = 3 - 2 = 1; U gives [10, 20]; with b [11, 20]; times x0 [11, 40]; plus x [14, 39].
    np.testing.assert_allclose(layer(FIRST, NOW), [[14.0, 39.0]])


def test_low_rank_has_fewer_weights():
    assert _layer(None, 50).count_params() == 50 * 50 + 50
    assert _layer(2, 50).count_params() == 2 * 50 * 2 + 50


# Keras 3.15 calls an older form of `__array__` when it saves.
@pytest.mark.filterwarnings("ignore:__array__ implementation:DeprecationWarning")
@pytest.mark.parametrize("rank", [None, 3])
def test_it_is_saved_with_its_arguments(rank, tmp_path):
    inputs = keras.Input((4,))
    network = keras.Model(inputs, cross_layer(rank)(inputs, inputs))
    network.save(tmp_path / "network.keras")
    again = keras.saving.load_model(tmp_path / "network.keras")
    rows = np.random.default_rng(0).standard_normal((5, 4)).astype(np.float32)
    np.testing.assert_allclose(again(rows), network(rows), rtol=1e-6)
