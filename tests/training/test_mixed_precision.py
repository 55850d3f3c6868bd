import keras
import numpy as np
import pytest
import tensorflow as tf

from savor.training import mixed_precision
from savor.training.mixed_precision import bfloat16_products, is_worth_it
from savor.training.towers import build_tower
from savor.training.training_options import TrainingOptions
from tests.training.small_training import OPTIONS, small_space
from tests.training.test_two_tower_options import train


@pytest.fixture(scope="module")
def tower():
    space, _ = small_space()
    inputs = space.item_inputs(np.arange(40, dtype=np.int32))
    return build_tower("item", space.item_signature, OPTIONS, 1), inputs


def test_products_are_bfloat16_and_vectors_float32(tower):
    network, inputs = tower
    exact = np.asarray(network(inputs))
    seen = []
    dense = next(layer for layer in network.layers if isinstance(layer, keras.layers.Dense))
    with bfloat16_products(network), tf.GradientTape() as tape:
        seen.append(dense(np.ones((1, dense.kernel.shape[0]), np.float32)).dtype)
        vectors = network(inputs)
        loss = tf.reduce_sum(vectors[:, 0])
    gradients = tape.gradient(loss, network.trainable_variables)
    assert seen == [tf.bfloat16]
    assert vectors.dtype == tf.float32
    assert {gradient.dtype for gradient in gradients} == {tf.float32}
    assert np.linalg.norm(vectors, axis=1) == pytest.approx(1, abs=1e-5)
    assert np.abs(vectors - exact).max() < 0.03
    assert not np.array_equal(vectors, exact)
    assert np.array_equal(network(inputs), exact)


def test_training_comes_to_about_the_same(tmp_path):
    exact, low = (
        train(tmp_path / name, training=TrainingOptions(mixed_precision=name)) for name in ("none", "bfloat16")
    )
    for one, other in zip(exact.history, low.history, strict=True):
        assert one["loss"] == pytest.approx(other["loss"], rel=0.02)
        assert one["loss"] != other["loss"]
    assert low.item.predict_on_batch(low.space.item_inputs(np.arange(3, dtype=np.int32))).dtype == np.float32


def test_auto_follows_the_processor(monkeypatch):
    assert is_worth_it("bfloat16")
    assert not is_worth_it("none")
    for flags, expected in [({"avx2"}, False), ({"avx512_bf16"}, True), ({"amx_bf16", "avx2"}, True)]:
        monkeypatch.setattr(mixed_precision, "_processor_flags", lambda flags=flags: frozenset(flags))
        assert is_worth_it("auto") is expected
