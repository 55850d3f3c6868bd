import numpy as np
import pytest

from savor.training.litert_export import export_tower, random_inputs
from savor.training.towers import build_tower
from tests.features.contents import full_space
from tests.features.test_behaviour import CROWDED
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


def everything():
    return full_space(CROWDED)


@pytest.mark.parametrize("side", ["user", "item"])
def test_every_input_of_the_full_towers_matters_and_is_exported(side, tmp_path):
    signature = getattr(everything(), f"{side}_signature")
    tower = build_tower(side, signature, OPTIONS, 1)
    inputs = random_inputs(signature, 4, 0)
    for name, spec in signature.items():
        if spec.role in ("history_age", "session_item"):
            inputs[name] = np.maximum(inputs[name], 1)
    vectors = tower.predict_on_batch(inputs)
    for name, spec in signature.items():
        turned = 1 if spec.cardinality is None else spec.cardinality - 1
        changed = inputs[name] + 1 if spec.cardinality is None else inputs[name] % turned + 1
        assert not np.allclose(vectors, tower.predict_on_batch({**inputs, name: changed}), atol=1e-6), name
    assert export_tower(tower, signature, tmp_path / "tower.tflite").least_cosine > 0.9999


def test_widths_depths_and_activations_are_those_of_the_options():
    signature = everything().user_signature
    options = OPTIONS.model_copy(
        update={"profile_width": 3, "tag_width": 5, "text_width": 6, "image_width": 7, "user_hidden": (9, 10, 11)}
    )
    tower = build_tower("user", signature, options, 1)
    shapes = {layer.name: tuple(layer.output.shape) for layer in tower.layers}
    assert shapes["user_category_0_embedding"][-1] == 3
    assert shapes["user_tag_0_embedding"][-1] == 5
    assert shapes["search_text_dense"] == (None, 6)
    assert shapes["visual_preference_dense"] == (None, 7)
    assert [shapes[f"hidden_{number}"][-1] for number in range(3)] == [9, 10, 11]
    relu, swish = (
        build_tower("user", signature, options.model_copy(update={"activation": name}), 1).predict_on_batch(
            random_inputs(signature, 3, 0)
        )
        for name in ("relu", "swish")
    )
    assert not np.allclose(relu, swish, atol=1e-3)


def test_the_session_and_the_history_share_what_an_item_is():
    tower = build_tower("user", everything().user_signature, OPTIONS, 1)
    tables = [layer.name for layer in tower.layers if "item" in layer.name and "embedding" in layer.name]
    assert tables == ["history_item_embedding"]
