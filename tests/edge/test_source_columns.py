import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from savor.data.histories import History as ServerHistory
from savor.pipeline.candidates import Candidates, Retrieved
from savor.pipeline.query import Query
from savor.pipeline.stages.buy_again import BuyAgain
from savor.pipeline.stages.own_items import OwnItemsHydrator
from savor.pipeline.stages.trending import Trending
from savor_edge.history import Deed, History
from savor_edge.item_tables import ItemTables
from savor_edge.source_columns import DAY, Asked, SourceColumns

NOW, ITEMS, KEPT = 20_000 * DAY, 40, 5
NAMES = (
    "ann_score",
    "ann_rank",
    "buy_again_score",
    "buy_again_rank",
    "co_purchase_score",
    "trending_score",
    "trending_rank",
    "vector_fit",
    "co_purchase_fit",
)
SOLD = np.asarray([(7 * row) % 11 for row in range(ITEMS)], np.float32)


def columns(kinds=None, most=6):
    order = np.argsort(-SOLD, kind="stable")[: np.count_nonzero(SOLD)]
    tables = ItemTables(28, (), (), np.empty((ITEMS, 1), np.float32), (), order, SOLD[order])
    return SourceColumns(NAMES, most, most, most, 60.0 * DAY, kinds, tables)


events = st.lists(
    st.tuples(st.integers(0, ITEMS + KEPT - 1), st.integers(0, 300 * DAY), st.integers(-1, 2)), max_size=30
)


@settings(deadline=None, max_examples=80)
@given(events, st.sampled_from([None, (0,), (1, 2)]), st.booleans(), st.integers(1, 12), st.integers(0, 9))
def test_sources_say_what_the_server_says(told, kinds, exclude_seen, number, seed):
    rng = np.random.default_rng(seed)
    history = History.of(Deed(item, NOW - ago, -1, True, True, kind, 1.0, float("nan")) for item, ago, kind in told)
    allowed = rng.random(ITEMS) < 0.8
    allowed[0] = True
    products = rng.normal(size=ITEMS).astype(np.float32)
    best = np.argsort(-np.where(allowed, products, -np.inf), kind="stable")[: min(15, int(allowed.sum()))]
    found = best.astype(np.int32)
    asked = Asked(history, NOW, allowed, np.zeros(ITEMS, np.float32), number, exclude_seen)
    made = columns(kinds).compute(asked, found, products[found])

    kind = np.where(history.kind < 0, 255, history.kind).astype(np.uint8)
    known = ServerHistory(history.item, history.time, kind, history.value, history.price, history.basket)
    query = Query("somebody", NOW, number, exclude_seen=exclude_seen)
    eligible = np.concatenate([allowed, np.zeros(KEPT, np.bool_)])
    hydrated = {"history": known, "eligible": eligible}
    hydrated |= OwnItemsHydrator(60, kinds or ()).hydrate(query, hydrated)
    sold = np.concatenate([SOLD, np.zeros(KEPT, np.float32)])
    nearest = found[: max(6, number)]
    brought = Candidates.merge(
        ("ann", "buy_again", "trending"),
        {
            "ann": Retrieved(nearest, products[nearest]),
            "buy_again": BuyAgain(6).retrieve(query, hydrated),
            "trending": Trending(sold, 6).retrieve(query, hydrated),
        },
    )
    place = {item: row for row, item in enumerate(brought.item.tolist())}
    for name, column in zip(NAMES, made.T, strict=True):
        if name in brought.columns:
            expected = [brought.columns[name][place[row]] if row in place else np.nan for row in found.tolist()]
            np.testing.assert_allclose(column, np.asarray(expected, np.float32), rtol=1e-6, equal_nan=True)
    assert np.isnan(made[:, [NAMES.index("co_purchase_score"), NAMES.index("co_purchase_fit")]]).all()
    np.testing.assert_array_equal(made[:, NAMES.index("vector_fit")], products[found])


def test_what_only_the_bonus_brought_has_no_place_among_the_nearest():
    bonus = np.zeros(ITEMS, np.float32)
    bonus[[3, 4]] = 1.0
    found = np.asarray([3, 10, 11, 4], np.int32)
    scores = np.asarray([1.9, 0.8, 0.7, 0.6], np.float32)
    asked = Asked(History.of(()), NOW, np.ones(ITEMS, np.bool_), bonus, 3, False)
    made = columns().compute(asked, found, scores)
    rank = made[:, NAMES.index("ann_rank")]
    np.testing.assert_array_equal(rank, np.asarray([1, 2, 3, np.nan]))
    assert made[3, NAMES.index("vector_fit")] == pytest.approx(-0.4)
    everything = asked._replace(allowed=np.isin(np.arange(ITEMS), found))
    complete = columns().compute(everything, found, scores)
    np.testing.assert_array_equal(complete[:, NAMES.index("ann_rank")], [1, 2, 3, 4])
    unsearched = columns().compute(asked._replace(searched=False), found, scores)
    assert np.isnan(unsearched[:, NAMES.index("ann_rank")]).all()
    assert np.isfinite(unsearched[:, NAMES.index("vector_fit")]).all()
