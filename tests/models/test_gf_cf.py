import numpy as np
import pytest

from savor.models.baselines.gf_cf import GfCf, GfCfParams
from tests.models.recommender_conformance import DAY, RecommenderConformance, checkerboard, make_events

TOY = np.array(
    [[1, 1, 0, 0, 0], [1, 1, 1, 0, 0], [0, 1, 1, 0, 0], [0, 0, 0, 1, 1], [0, 0, 1, 1, 1], [1, 0, 0, 0, 1]], np.float64
)
"""Six users, five items."""


def textbook(dimension: int, ideal: float, time: float) -> np.ndarray:
    """The formulas of the two papers with dense matrices."""
    users, items = TOY.sum(axis=1), TOY.sum(axis=0)
    normal = np.diag(users**-0.5) @ TOY @ np.diag(items**-0.5)
    similarity = normal.T @ normal
    _, _, right = np.linalg.svd(normal)
    smooth = right[:dimension].T @ right[:dimension]
    scores = TOY @ similarity + ideal * TOY @ np.diag(items**-0.5) @ smooth @ np.diag(items**0.5)
    slopes = [-scores @ similarity]
    for step in (time / 2, time / 2, time):
        slopes.append(-(scores + step * slopes[-1]) @ similarity)
    return np.asarray(scores + time / 6 * (slopes[0] + 2 * slopes[1] + 2 * slopes[2] + slopes[3]))


class TestGfCf(RecommenderConformance):
    def make(self):
        return GfCf(GfCfParams(dimension=2, ideal=0.3))


class TestSharpened(RecommenderConformance):
    def make(self):
        return GfCf(GfCfParams(dimension=2, ideal=0.3, sharpening=0.5))


@pytest.mark.parametrize(("dimension", "ideal", "time"), [(2, 0.3, 0.0), (3, 0.0, 0.0), (2, 0.2, 2.5)])
def test_equals_the_papers_on_a_toy_graph(dimension, ideal, time):
    model = GfCf(GfCfParams(dimension=dimension, ideal=ideal, sharpening=time))
    model.fit(make_events([(u, i, 0) for u, i in np.argwhere(TOY)]), 6, 5, DAY)
    ranked = model.recommend(np.arange(6, dtype=np.int32), 5, exclude_seen=False)
    right = textbook(dimension, ideal, time)
    np.testing.assert_array_equal(ranked.items, np.argsort(-right, axis=1, kind="stable"))
    np.testing.assert_allclose(ranked.scores, -np.sort(-right, axis=1), atol=1e-5)


def test_more_frequencies_than_there_are():
    model = GfCf(GfCfParams(dimension=500))
    model.fit(checkerboard(), 25, 17, 60 * DAY)
    assert (model.recommend(np.array([0], np.int32), 3, exclude_seen=True).items[0, :2] >= 0).all()


def test_grids_differ():
    for mode in ("quick", "full"):
        grid = GfCf.grid(mode)
        assert len({params.model_dump_json() for params in grid}) == len(grid) > 1
