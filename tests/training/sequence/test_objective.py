"""Losses as a step has them."""

import numpy as np
import pytest
import tensorflow as tf

from savor.training.losses.full_softmax import full_softmax
from savor.training.sequence import softmax_in_parts
from savor.training.sequence.objective import mean_loss
from savor.training.sequence.options import SequenceOptions

ITEMS, WIDTH, ROWS = 11, 4, 7


@pytest.fixture
def given():
    rng = np.random.default_rng(0)
    states, table = rng.standard_normal((ROWS, WIDTH)), rng.standard_normal((ITEMS, WIDTH))
    bias, target = rng.standard_normal(ITEMS), rng.integers(0, ITEMS, ROWS)
    return [tf.Variable(value, dtype=tf.float32) for value in (states, table, bias)], target.astype(np.int32)


def gradients(loss, variables):
    with tf.GradientTape() as tape:
        value = loss()
    return float(value), [np.asarray(tf.convert_to_tensor(one)) for one in tape.gradient(value, variables)]


@pytest.mark.parametrize("part", [1, 3, 7, 64])
def test_the_softmax_in_parts_is_the_whole_one(given, monkeypatch, part):
    variables, target = given
    monkeypatch.setattr(softmax_in_parts, "PART", part)
    states, table, bias = variables
    value, found = gradients(lambda: 3 * softmax_in_parts.mean_softmax_in_parts(states, table, bias, target), variables)
    whole, expected = gradients(
        lambda: 3 * tf.reduce_mean(full_softmax(states, tf.convert_to_tensor(table), target, bias)), variables
    )
    assert value == pytest.approx(whole, rel=1e-5)
    for one, other in zip(found, expected, strict=True):
        assert np.allclose(one, other, atol=1e-5)


def test_drawn_negatives_by_hand(given):
    (states, table, bias), target = given
    drawn = np.asarray([2, 5, 5, 9], np.int32)
    options = SequenceOptions(width=WIDTH, loss="sampled_softmax", negatives=4)
    score = states.numpy() @ table.numpy().T + bias.numpy()
    expected = 0.0
    for row, right in enumerate(target):
        others = np.exp(score[row, drawn[drawn != right]]).sum()
        expected -= np.log(np.exp(score[row, right]) / (np.exp(score[row, right]) + others))
    found = mean_loss(states, table, bias, target, drawn, options, ITEMS)
    assert float(found) == pytest.approx(expected / ROWS, rel=1e-5)


def test_cosines_are_divided_by_the_temperature(given):
    (states, table, bias), target = given
    options = SequenceOptions(width=WIDTH, normalise=True, temperature=0.2)
    rows = states.numpy() / np.linalg.norm(states, axis=1, keepdims=True)
    items = table.numpy() / np.linalg.norm(table, axis=1, keepdims=True)
    score = rows @ items.T / 0.2 + bias.numpy()
    expected = np.mean(np.log(np.exp(score).sum(1)) - score[np.arange(ROWS), target])
    found = mean_loss(states, table, bias, target, np.empty(0, np.int32), options, ITEMS)
    assert float(found) == pytest.approx(expected, rel=1e-5)


@pytest.mark.parametrize("loss", ["gbce", "bce"])
def test_gbce_with_t_0_is_bce(given, loss):
    (states, table, bias), target = given
    drawn = np.asarray([2, 5, 9], np.int32)
    options = SequenceOptions(width=WIDTH, loss=loss, negatives=3, gbce_t=0.0)
    plain = SequenceOptions(width=WIDTH, loss="bce", negatives=3)
    found, expected = (float(mean_loss(states, table, bias, target, drawn, one, ITEMS)) for one in (options, plain))
    assert found == pytest.approx(expected, rel=1e-5)
    lenient = SequenceOptions(width=WIDTH, loss="gbce", negatives=3, gbce_t=1.0)
    assert float(mean_loss(states, table, bias, target, drawn, lenient, ITEMS)) < expected
