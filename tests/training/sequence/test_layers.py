"""What the networks may and may not see."""

import keras
import numpy as np
import pytest

from savor.training.sequence.elapsed import ELAPSED_BUCKETS, elapsed_bucket
from savor.training.sequence.networks import build_layer
from savor.training.sequence.options import SequenceOptions

WIDTH, LENGTH = 8, 6
KINDS = [
    ("transformer", {}),
    ("transformer", {"position": "absolute", "activation": "swiglu", "gated": True}),
    ("transformer", {"time": True, "activation": "relu"}),
    ("gru", {}),
]


def options(**values):
    return SequenceOptions(width=WIDTH, dropout=0.3, **values)


def shaken(model, values):
    """A layer whose every weight is random, so that none hides what another lets through."""
    layer = build_layer(model, options(**values), LENGTH, "float32", 1)
    layer(np.zeros((1, 2, WIDTH), np.float32), np.ones((1, 2), bool), np.zeros((1, 2), np.int32))
    rng = np.random.default_rng(0)
    for weight in layer.trainable_variables:
        weight.assign(rng.normal(0, 0.5, weight.shape))
    return layer


def asked(rng, rows=3, length=LENGTH):
    seconds = np.sort(rng.integers(0, 10**6, (rows, length)), axis=1).astype(np.int32)
    return rng.standard_normal((rows, length, WIDTH)).astype(np.float32), np.ones((rows, length), bool), seconds


@pytest.mark.parametrize(("model", "values"), KINDS)
def test_newer_events_never_change_what_was_said_before(model, values):
    layer, rng = shaken(model, values), np.random.default_rng(1)
    events, present, seconds = asked(rng)
    before = np.asarray(layer(events, present, seconds))
    other = events.copy()
    other[:, 2] = rng.standard_normal((3, WIDTH))
    after = np.asarray(layer(other, present, seconds))
    assert np.array_equal(after[:, 3:], before[:, 3:])
    assert (np.abs(after[:, :3] - before[:, :3]).max(axis=2) > 1e-3).all()


@pytest.mark.parametrize(("model", "values"), KINDS)
def test_padding_changes_nothing(model, values):
    layer, rng = shaken(model, values), np.random.default_rng(2)
    events, present, seconds = asked(rng, length=4)
    short = np.asarray(layer(events, present, seconds))
    wide = [(0, 0), (0, LENGTH - 4)]
    padded = np.pad(events, [*wide, (0, 0)], constant_values=7.0)
    long = np.asarray(layer(padded, np.pad(present, wide), np.pad(seconds, wide, constant_values=99)))
    assert np.allclose(long[:, :4], short, atol=1e-5)


@pytest.mark.parametrize(("model", "values"), KINDS)
def test_the_newest_alone_is_the_same(model, values):
    layer, rng = shaken(model, values), np.random.default_rng(3)
    events, present, seconds = asked(rng)
    whole = np.asarray(layer(events, present, seconds))
    newest = np.asarray(layer(events, present, seconds, newest_only=True))
    assert newest.shape == (3, 1, WIDTH)
    assert np.allclose(newest, whole[:, :1], atol=1e-5)


@pytest.mark.parametrize(("model", "values"), KINDS)
def test_somebody_without_a_history_has_one_vector(model, values):
    layer, rng = shaken(model, values), np.random.default_rng(4)
    events, _, _ = asked(rng)
    nobody = np.asarray(layer(events, np.zeros((3, LENGTH), bool), np.zeros((3, LENGTH), np.int32)))
    assert np.isfinite(nobody).all()
    assert np.allclose(nobody[:, 0], nobody[0, 0], atol=1e-5)


def test_order_and_time_matter():
    rng = np.random.default_rng(5)
    events, present, seconds = asked(rng)
    for values in ({}, {"position": "absolute"}):
        layer = shaken("transformer", values)
        swapped = events[:, [0, 2, 1, 3, 4, 5]]
        assert not np.allclose(layer(events, present)[:, 0], layer(swapped, present)[:, 0], atol=1e-3)
    layer = shaken("transformer", {"time": True})
    later = seconds + np.int32(10**6)
    assert not np.allclose(layer(events, present, seconds)[:, 0], layer(events, present, later)[:, 0], atol=1e-3)


def test_steps_written_out_equal_steps_in_a_loop():
    import tensorflow as tf

    layer, rng = shaken("gru", {}), np.random.default_rng(6)
    events, present, _ = asked(rng)
    present[1, 3:] = False
    loop = tf.function(
        lambda events, present: layer(events, present),
        input_signature=[tf.TensorSpec((None, None, WIDTH)), tf.TensorSpec((None, None), tf.bool)],
        autograph=False,
    )
    assert np.allclose(loop(events, present), layer(events, present), atol=1e-5)


def test_the_gru_is_keras_own():
    layer, rng = shaken("gru", {"blocks": 1}), np.random.default_rng(7)
    kernel, inner, bias, start = layer.layers[0]
    reference = keras.layers.GRU(WIDTH, return_sequences=True, reset_after=True)
    events, present, _ = asked(rng)
    reference.build(events.shape)
    reference.set_weights([np.asarray(kernel), np.asarray(inner), np.asarray(bias)])
    first = np.broadcast_to(np.asarray(start), (3, WIDTH))
    expected = np.asarray(reference(events[:, ::-1], initial_state=first))[:, ::-1]
    normed = (expected - expected.mean(2, keepdims=True)) / expected.std(2, keepdims=True)
    normed = normed * np.asarray(layer.gain) + np.asarray(layer.bias)
    assert np.allclose(layer(events, present), normed, atol=1e-4)


def test_dropout_is_only_for_training():
    layer, rng = shaken("transformer", {}), np.random.default_rng(8)
    events, present, _ = asked(rng)
    assert np.array_equal(layer(events, present), layer(events, present))
    assert not np.allclose(layer(events, present, training=True), layer(events, present, training=True))


def test_elapsed_buckets():
    seconds = np.asarray([-5, 0, 3, 4, 12, 60, 3600, 86_400, 365 * 86_400, 2**31 - 1], np.int32)
    expected = np.floor(1.2 * np.log2(1 + np.maximum(seconds, 0) / 4)).clip(max=ELAPSED_BUCKETS - 1)
    buckets = np.asarray(elapsed_bucket(seconds))
    assert np.abs(buckets - expected).max() == 0
    assert buckets[-1] == ELAPSED_BUCKETS - 1
