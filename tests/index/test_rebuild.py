import numpy as np
import pytest

from savor.core.errors import SavorError
from savor.index.exact import ExactIndex
from savor.index.faiss_index import FaissIndex
from savor.index.rebuild import rebuild_index


@pytest.fixture
def vectors():
    return np.random.default_rng(1).standard_normal((1500, 8)).astype(np.float32)


def test_a_small_index_is_exact_and_keeps_its_own_vectors(vectors):
    index = rebuild_index(vectors, "exact")
    assert isinstance(index, ExactIndex)
    query = vectors[3].copy()
    vectors[:] = 0
    items, _ = index.search(query[None], 1)
    assert items[0, 0] == 3


def test_another_process_builds_one_of_the_same_kind(vectors):
    index = rebuild_index(vectors, "faiss")
    assert isinstance(index, FaissIndex)
    assert len(index) == 1500
    vectors /= np.linalg.norm(vectors, axis=1, keepdims=True)
    items, _ = rebuild_index(vectors, "faiss").search(vectors[:5], 1)
    assert items[:, 0].tolist() == [0, 1, 2, 3, 4]


def test_what_cannot_be_built_says_why(vectors):
    vectors[0] = np.nan
    with pytest.raises(SavorError, match="must be finite") as failed:
        rebuild_index(vectors, "faiss")
    assert failed.value.code == "index_failed"
