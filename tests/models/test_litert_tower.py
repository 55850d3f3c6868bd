from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest

from savor.core.errors import BundleError
from savor.models.litert_tower import LiteRtTower
from savor.training.litert_export import export_tower, random_inputs
from savor.training.towers import build_tower
from tests.training.small_training import OPTIONS, small_space


@pytest.fixture(scope="module")
def exported(tmp_path_factory):
    space, _ = small_space()
    path = tmp_path_factory.mktemp("tower") / "user.tflite"
    network = build_tower("user", space.user_signature, OPTIONS, 0)
    export_tower(network, space.user_signature, path)
    return path, space.user_signature, network


def test_many_threads_with_many_sizes_get_their_own_answers(exported):
    path, signature, network = exported
    tower = LiteRtTower.load(path)
    batches = [random_inputs(signature, 1 + n % 3, n) for n in range(60)]
    expected = [network.predict_on_batch(batch) for batch in batches]
    with ThreadPoolExecutor(8) as pool:
        given = list(pool.map(tower, batches))
    for one, other in zip(expected, given, strict=True):
        assert np.allclose(one, other, atol=1e-5)


def test_an_answer_stays_when_the_next_call_is_made(exported):
    path, signature, _ = exported
    tower = LiteRtTower.load(path)
    first = tower(random_inputs(signature, 1, 0))
    copy = first.copy()
    tower(random_inputs(signature, 1, 1))
    assert np.array_equal(first, copy)


def test_an_absent_input_is_named(exported):
    path, signature, _ = exported
    inputs = random_inputs(signature, 1, 0)
    del inputs["history_age"]
    with pytest.raises(ValueError, match="history_age"):
        LiteRtTower.load(path)(inputs)


def test_a_wrong_shape_is_refused_and_the_next_call_works(exported):
    path, signature, network = exported
    tower = LiteRtTower.load(path)
    inputs = random_inputs(signature, 2, 0)
    with pytest.raises(ValueError, match="moment"):
        tower({**inputs, "moment": inputs["moment"][:1]})
    assert np.allclose(tower(inputs), network.predict_on_batch(inputs), atol=1e-5)


@pytest.mark.parametrize("content", [b"", b"not a model", None])
def test_what_is_not_a_model_is_a_bundle_error(tmp_path, content):
    path = tmp_path / "user.tflite"
    if content is not None:
        path.write_bytes(content)
    with pytest.raises(BundleError, match="cannot be read"):
        LiteRtTower.load(path)


def test_a_truncated_model_is_a_bundle_error(exported, tmp_path):
    path, _, _ = exported
    (tmp_path / "user.tflite").write_bytes(path.read_bytes()[:2000])
    with pytest.raises(BundleError, match="cannot be read"):
        LiteRtTower.load(tmp_path / "user.tflite")
