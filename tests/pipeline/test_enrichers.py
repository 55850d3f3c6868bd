import numpy as np

from savor.data.histories import History
from savor.models.neighbours import Neighbours
from savor.pipeline.candidates import Candidates, Retrieved
from savor.pipeline.query import Query
from savor.pipeline.stages.co_purchase import CoPurchase
from savor.pipeline.stages.co_purchase_fit import CoPurchaseFit
from savor.pipeline.stages.own_items import OwnItems
from savor.pipeline.stages.vector_fit import VectorFit

CANDIDATES = Candidates.merge(["trending"], {"trending": Retrieved(np.array([3, 1], np.int32), np.ones(2, np.float32))})
QUERY = Query("u", now=100)


def test_vector_fit_is_the_inner_product() -> None:
    vectors = np.array([[9, 9], [1, 2], [9, 9], [3, -1]], np.float32)
    fit = VectorFit(vectors).enrich(QUERY, {"user_vector": np.array([2, 5], np.float32)}, CANDIDATES)
    assert dict(zip(CANDIDATES.item.tolist(), fit.tolist(), strict=True)) == {1: 12.0, 3: 1.0}


def test_co_purchase_fit_sums_what_the_own_items_say() -> None:
    neighbours = Neighbours(
        np.array([[1, 3], [0, -1], [3, -1], [-1, -1]], np.int32),
        np.array([[0.5, 0.25], [1, 0], [2, 0], [0, 0]], np.float32),
    )
    when = np.array([100, 100], np.int64)
    nothing = np.zeros(2, np.float32)
    history = History(np.array([0, 2], np.int32), when, np.zeros(2, np.uint8), nothing, nothing, when)
    own = OwnItems.of(history, now=100, half_life=1.0)
    source = CoPurchase(neighbours, k=5, own=5)
    fit = CoPurchaseFit(source).enrich(QUERY, {"own_items": own}, CANDIDATES)
    assert dict(zip(CANDIDATES.item.tolist(), fit.tolist(), strict=True)) == {1: 0.5, 3: 2.25}
    found = source.retrieve(QUERY, {"own_items": own, "eligible": np.ones(4, np.bool_)})
    assert dict(zip(found.item.tolist(), found.score.tolist(), strict=True)) == {1: 0.5, 3: 2.25}


def test_co_purchase_fit_of_nobody_is_zero() -> None:
    neighbours = Neighbours(np.full((4, 1), -1, np.int32), np.zeros((4, 1), np.float32))
    own = OwnItems.of(History.empty(), now=100, half_life=1.0)
    fit = CoPurchaseFit(CoPurchase(neighbours, k=5, own=5)).enrich(QUERY, {"own_items": own}, CANDIDATES)
    assert fit.tolist() == [0.0, 0.0]
