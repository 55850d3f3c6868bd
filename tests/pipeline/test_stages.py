from itertools import pairwise
from statistics import median

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from savor.data.histories import History
from savor.features.columns import CategoryColumn
from savor.index.exact import ExactIndex
from savor.models.neighbours import Neighbours
from savor.pipeline.candidates import Candidates, Retrieved
from savor.pipeline.query import Query
from savor.pipeline.stages.buy_again import BuyAgain
from savor.pipeline.stages.co_purchase import CoPurchase
from savor.pipeline.stages.diversity import DiversityRules
from savor.pipeline.stages.own_items import DAY, OwnItems, OwnItemsHydrator
from savor.pipeline.stages.trending import Trending, first_eligible
from savor.pipeline.vector_search import VectorSearch

NOW = 100 * DAY
ALL = np.ones(10, np.bool_)


def history(*events, kinds=None):
    item, days = zip(*events, strict=True) if events else ((), ())
    size = len(item)
    return History(
        np.array(item, np.int32),
        np.array(days, np.int64) * DAY,
        np.array(kinds or [0] * size, np.uint8),
        np.ones(size, np.float32),
        np.ones(size, np.float32),
        np.arange(size, dtype=np.int64),
    )


def own(*events, half_life=10):
    return OwnItems.of(history(*events), NOW, half_life * DAY)


def test_own_items_by_hand():
    items = own((4, 80), (2, 90), (4, 90), (4, 100))
    assert items.item.tolist() == [2, 4]
    np.testing.assert_allclose(items.weight, [0.5, 0.25 + 0.5 + 1])
    days, gap, last = items.rhythms(np.array([4, 2, 3, 99], np.int32), NOW)
    assert days.tolist() == [3, 1, 0, 0]
    np.testing.assert_array_equal(gap, [10, np.nan, np.nan, np.nan])
    assert last.tolist()[:2] == [0, 10]
    assert items.strongest(1).tolist() == [1]
    assert len(own()) == 0


@given(st.lists(st.tuples(st.integers(0, 5), st.integers(0, 100 * DAY)), max_size=60))
def test_rhythms_are_those_of_the_days(events):
    events = sorted(events, key=lambda event: event[1])
    size = len(events)
    which, when = np.array([one for one, _ in events], np.int32), np.array([moment for _, moment in events], np.int64)
    ones = np.ones(size, np.float32)
    past = History(which, when, np.zeros(size, np.uint8), ones, ones, np.arange(size, dtype=np.int64))
    items = OwnItems.of(past, NOW, 10 * DAY)
    days, gap, last = items.rhythms(np.arange(7, dtype=np.int32), NOW)
    for item in range(7):
        own = sorted({time // DAY for other, time in events if other == item})
        assert days[item] == len(own)
        if own:
            assert last[item] == NOW // DAY - own[-1]
            weight = sum(0.5 ** ((NOW - time) / (10 * DAY)) for other, time in events if other == item)
            np.testing.assert_allclose(items.weight[items.item.tolist().index(item)], weight, rtol=1e-5)
        if len(own) > 1:
            assert gap[item] == median(after - before for before, after in pairwise(own))
        else:
            assert np.isnan(gap[item])


def test_own_items_of_some_kinds():
    hydrator = OwnItemsHydrator(10, kinds=(1,))
    hydrated = {"history": history((4, 80), (2, 90), kinds=[0, 1])}
    assert hydrator.hydrate(Query("u", NOW), hydrated)["own_items"].item.tolist() == [2]


def test_buy_again_by_weight_among_the_eligible():
    eligible = ALL.copy()
    eligible[2] = False
    hydrated = {"own_items": own((1, 80), (2, 99), (3, 95), (3, 96)), "eligible": eligible}
    found = BuyAgain(5).retrieve(Query("u", NOW), hydrated)
    assert found.item.tolist() == [3, 1]
    assert len(BuyAgain(1).retrieve(Query("u", NOW, n=1), hydrated).item) == 1
    assert len(BuyAgain(5).retrieve(Query("u", NOW, exclude_seen=True), hydrated).item) == 0


@st.composite
def tables(draw):
    size = draw(st.integers(3, 12))
    rows = [
        draw(st.lists(st.sampled_from([item for item in range(size) if item != row]), unique=True, max_size=4))
        for row in range(size)
    ]
    item, weight = np.full((size, 4), -1, np.int32), np.zeros((size, 4), np.float32)
    for row, neighbours in enumerate(rows):
        item[row, : len(neighbours)] = neighbours
        weight[row, : len(neighbours)] = 1 / (1 + np.arange(len(neighbours)))
    events = draw(st.lists(st.tuples(st.integers(0, size - 1), st.integers(0, 100)), min_size=1, max_size=20))
    eligible = draw(st.lists(st.booleans(), min_size=size, max_size=size))
    return Neighbours(item, weight), sorted(events, key=lambda event: event[1]), np.array(eligible, np.bool_)


@given(tables(), st.integers(1, 12), st.sampled_from([0.0, 0.5, 1.0]))
def test_co_purchase_is_the_sum_by_definition(table, k, power):
    neighbours, events, eligible = table
    items = own(*events)
    expected: dict[int, float] = {}
    for item, weight in zip(items.item.tolist(), items.weight.tolist(), strict=True):
        for other, strength in zip(*neighbours.of(item), strict=True):
            if eligible[other] and int(other) not in items.item:
                expected[int(other)] = expected.get(int(other), 0) + weight**power * float(strength)
    found = CoPurchase(neighbours, k, 100, power).retrieve(
        Query("u", NOW, n=1), {"own_items": items, "eligible": eligible}
    )
    assert len(found.item) == min(k, len(expected))
    np.testing.assert_allclose(found.score, [expected[item] for item in found.item.tolist()], rtol=1e-4)
    np.testing.assert_allclose(found.score, sorted(expected.values(), reverse=True)[:k], rtol=1e-4)


def test_trending_leaves_out_what_does_not_sell():
    popularity = np.array([0, 3, 5, 3, 0, 0, 0, 0, 0, 1], np.float32)
    found = Trending(popularity, 20).retrieve(Query("u", NOW), {"eligible": ALL})
    assert found.item.tolist() == [2, 1, 3, 9]
    assert found.score.tolist() == [5, 3, 3, 1]


@given(st.lists(st.booleans(), min_size=1, max_size=300), st.integers(1, 5))
def test_first_eligible_looks_far_enough(eligible, k):
    mask = np.array(eligible, np.bool_)
    order = np.arange(len(mask), dtype=np.int32)
    assert first_eligible(order, mask, k).tolist() == np.flatnonzero(mask)[:k].tolist()


def scored(*scores):
    items = np.arange(len(scores), dtype=np.int32)
    return Candidates.merge(("s",), {"s": Retrieved(items, items.astype(np.float32))}).scored(
        np.array(scores, np.float32)
    )


def rules(caps=(), vectors=None, mmr=0.0):
    return DiversityRules(
        [(CategoryColumn(np.array(codes, np.int32), ["", "a", "b"]), cap) for codes, cap in caps], vectors, mmr
    )


def test_what_is_beyond_a_cap_comes_when_nothing_else_is_left():
    cap = rules([([1, 1, 2, 1, 0, 0, 0], 2)])
    candidates = scored(7, 6, 5, 4, 3, 2, 1)
    assert cap.select(Query("u", NOW), {}, candidates).tolist() == [0, 1, 2, 4, 5, 6, 3]
    assert cap.select(Query("u", NOW, n=4), {}, candidates).tolist()[:4] == [0, 1, 2, 4]
    assert cap.select(Query("u", NOW, diverse=False), {}, candidates).tolist() == list(range(7))


def test_two_caps_hold_together_and_count_what_was_shown():
    category, business = [1, 1, 2, 1, 2, 0, 0], [1, 2, 1, 2, 2, 1, 0]
    both = rules([(category, 1), (business, 1)])
    candidates = scored(7, 6, 5, 4, 3, 2, 1)
    assert both.select(Query("u", NOW, n=3), {}, candidates).tolist()[:3] == [0, 4, 6]
    later = candidates.select(np.arange(1, 7))
    chosen = both.select(Query("u", NOW, n=2, shown=np.array([0], np.int32)), {}, later)
    assert later.item[chosen][:2].tolist() == [4, 6]


def test_mmr_takes_the_unlike_one():
    vectors = np.array([[1, 0], [1, 0], [0, 1], [0, 1]], np.float32)
    candidates = scored(4, 3.9, 3.5, 1)
    assert rules((), vectors, 0.5).select(Query("u", NOW, n=2), {}, candidates).tolist() == [0, 2, 1, 3]
    assert rules((), vectors, 0).select(Query("u", NOW, n=2), {}, candidates).tolist() == [0, 1, 2, 3]
    plain = Query("u", NOW, n=2, diverse=False)
    assert rules((), vectors, 0.5).select(plain, {}, candidates).tolist() == [0, 1, 2, 3]
    assert rules((), vectors, 0).select(Query("u", NOW, n=2, weights={"mmr": 0.5}), {}, candidates).tolist()[:2] == [
        0,
        2,
    ]


def test_mmr_and_caps_together():
    vectors = np.array([[1, 0], [1, 0], [0, 1], [0, 1]], np.float32)
    candidates = scored(4, 3.9, 3.5, 1)
    capped = rules([([1, 2, 1, 2], 1)], vectors, 0.5)
    assert capped.select(Query("u", NOW, n=2), {}, candidates).tolist()[:2] in ([0, 1], [0, 3])


@pytest.mark.parametrize("share", [1.0, 0.9, 0.5, 0.01, 0.0002, 0.0])
def test_vector_search_is_exact_among_the_eligible(share):
    rng = np.random.default_rng(3)
    vectors = rng.standard_normal((9000, 8)).astype(np.float32)
    query = rng.standard_normal(8).astype(np.float32)
    eligible = rng.random(9000) < share
    found = VectorSearch(ExactIndex.build(vectors), vectors).nearest(query, 50, eligible)
    rows = np.flatnonzero(eligible)
    scores = vectors[rows] @ query
    best = rows[np.argsort(-scores, kind="stable")][:50]
    assert found.item.tolist() == best.tolist()
    np.testing.assert_allclose(found.score, vectors[best] @ query, rtol=1e-4, atol=1e-5)
    assert found.item.dtype == np.int32
