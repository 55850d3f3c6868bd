import numpy as np

from savor.index.exact import ExactIndex
from savor.pipeline.candidates import Candidates
from savor.pipeline.query import Query
from savor.pipeline.stages.diversity import DiversityRules
from savor.pipeline.vector_search import VectorSearch


def vectors(rows: int, seed: int = 0) -> np.ndarray:
    found = np.random.default_rng(seed).standard_normal((rows, 8)).astype(np.float32)
    return np.asarray(found / np.linalg.norm(found, axis=1, keepdims=True))


def test_likeness_is_the_cosine_whatever_the_lengths():
    unit = vectors(50)
    stretched = unit * np.linspace(0.1, 9, 50, dtype=np.float32)[:, None]
    eligible = np.ones(50, np.bool_)
    eligible[[3, 7]] = False
    expected = [row for row in np.argsort(-(unit @ unit[3]), kind="stable") if eligible[row]][:10]
    for own in (unit, stretched):
        found = VectorSearch(ExactIndex.build(own), own).like(3, 10, eligible)
        assert found.item.tolist() == expected
        assert np.allclose(found.score, (unit @ unit[3])[expected], atol=1e-5)


def test_diversity_is_by_cosine_whatever_the_lengths():
    unit = vectors(30, seed=1)
    stretched = unit * np.linspace(9, 0.1, 30, dtype=np.float32)[:, None]
    candidates = Candidates(
        np.arange(30, dtype=np.int32), np.linspace(1, 0, 30, dtype=np.float32), np.zeros(30, np.uint16), {}
    )
    rules = [DiversityRules([], own, 0.7) for own in (unit, stretched)]
    chosen = [one.select(Query("u", 0, n=6), {}, candidates).tolist() for one in rules]
    assert chosen[0] == chosen[1]
    assert chosen[0][:6] != list(range(6))
