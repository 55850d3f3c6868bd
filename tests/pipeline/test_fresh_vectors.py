import numpy as np
import pytest

from savor.index.exact import ExactIndex
from savor.pipeline.vector_search import VectorSearch

NUMBER, LATER, WIDTH = 6000, 40, 8


@pytest.fixture
def searches():
    """Search with an index that lacks some rows and has others wrongly, and one over everything."""
    rng = np.random.default_rng(3)
    vectors = rng.standard_normal((NUMBER + LATER, WIDTH)).astype(np.float32)
    wrong = rng.choice(NUMBER, 30, replace=False)
    old = vectors[:NUMBER].copy()
    old[wrong] *= 5
    fresh = np.sort(np.append(wrong, np.arange(NUMBER, NUMBER + LATER))).astype(np.int32)
    return VectorSearch(ExactIndex.build(old), vectors, fresh), VectorSearch(ExactIndex.build(vectors), vectors)


@pytest.mark.parametrize("share", [1.0, 0.9, 0.05])
def test_nothing_is_missed_and_nothing_stale_is_found(searches, share):
    partly, whole = searches
    rng = np.random.default_rng(4)
    for _ in range(20):
        vector = rng.standard_normal(WIDTH).astype(np.float32)
        eligible = rng.random(NUMBER + LATER) < share
        found, wanted = partly.nearest(vector, 50, eligible), whole.nearest(vector, 50, eligible)
        assert found.item.tolist() == wanted.item.tolist()
        assert np.allclose(found.score, wanted.score, atol=1e-5)


def test_lengths_of_vectors_are_kept_and_brought_up_to_date(searches):
    _, whole = searches
    eligible = np.ones(NUMBER + LATER, np.bool_)
    whole.like(3, 5, eligible)
    vectors = np.concatenate([whole.vectors, np.full((1, WIDTH), 3, np.float32)])
    vectors[3] *= 2
    index = ExactIndex.build(vectors)
    changed = np.asarray([3, NUMBER + LATER], np.int32)
    over = whole.over(index, vectors, changed, changed)
    anew = VectorSearch(index, vectors)
    eligible = np.ones(len(vectors), np.bool_)
    for item in (3, 7, NUMBER + LATER):
        assert over.like(item, 20, eligible).item.tolist() == anew.like(item, 20, eligible).item.tolist()
