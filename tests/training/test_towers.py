import numpy as np
import pytest

from savor.training.litert_export import random_inputs
from savor.training.towers import build_tower
from tests.training.small_training import OPTIONS, small_space


@pytest.fixture(scope="module")
def space():
    return small_space()[0]


@pytest.mark.parametrize("side", ["user", "item"])
def test_vectors_have_length_one_and_follow_from_the_seed(space, side):
    signature = getattr(space, f"{side}_signature")
    one, same, other = (build_tower(side, signature, OPTIONS, seed) for seed in (1, 1, 2))
    inputs = random_inputs(signature, 6, 0)
    vectors = one.predict_on_batch(inputs)
    assert vectors.shape == (6, OPTIONS.embedding_dimension)
    assert np.linalg.norm(vectors, axis=1) == pytest.approx(1, abs=1e-5)
    assert np.array_equal(vectors, same.predict_on_batch(inputs))
    assert not np.allclose(vectors, other.predict_on_batch(inputs), atol=1e-2)


def test_every_input_matters_and_padding_does_not(space):
    tower = build_tower("user", space.user_signature, OPTIONS, 1)
    inputs = random_inputs(space.user_signature, 4, 0)
    inputs["history_age"][:, :5] = np.maximum(inputs["history_age"][:, :5], 1)
    inputs["history_age"][:, 5:] = 0
    vectors = tower.predict_on_batch(inputs)
    for name, spec in space.user_signature.items():
        changed = {key: value.copy() for key, value in inputs.items()}
        changed[name] = changed[name] + 1 if spec.cardinality is None else (changed[name] + 1) % spec.cardinality
        if name == "history_age":
            changed[name] = np.where(inputs[name] > 0, inputs[name] % (spec.cardinality - 1) + 1, 0).astype(np.int32)
        assert not np.allclose(vectors, tower.predict_on_batch(changed), atol=1e-6), name
    for name in ("history_item", "history_category"):
        changed = {**inputs, name: inputs[name].copy()}
        changed[name][:, 5:] = 1
        assert np.allclose(vectors, tower.predict_on_batch(changed), atol=1e-6), name


def test_a_history_is_a_set_with_ages(space):
    tower = build_tower("user", space.user_signature, OPTIONS, 1)
    inputs = random_inputs(space.user_signature, 4, 0)
    turned = {name: column[:, ::-1] if name.startswith("history") else column for name, column in inputs.items()}
    assert np.allclose(tower.predict_on_batch(inputs), tower.predict_on_batch(turned), atol=1e-5)


def test_an_empty_history_gives_numbers(space):
    inputs = random_inputs(space.user_signature, 2, 0)
    for name in inputs:
        if name.startswith("history"):
            inputs[name][:] = 0
    vectors = build_tower("user", space.user_signature, OPTIONS, 1).predict_on_batch(inputs)
    assert np.isfinite(vectors).all()
