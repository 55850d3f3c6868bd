import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from savor.core.errors import BundleError
from savor.data.histories import Histories, History
from savor.features.cross import CrossFeatures
from savor.features.item_statistics import ItemStatistics
from tests.features.cross_reference import CrossReference
from tests.features.test_cross import DAY, LOG, NOW, catalogue, events

HORIZON = 36
ROWS = st.lists(
    st.tuples(
        st.just(0),
        st.integers(0, 3),
        st.floats(0, 40, allow_nan=False),
        st.integers(-1, 6),
        st.sampled_from([2, np.nan]),
    ),
    max_size=40,
)


def history_of(rows: list[tuple[int, int, float, int, float]]) -> History:
    if not rows:
        return History.empty()
    rows = sorted(rows, key=lambda row: row[2])
    log = events([row[:4] for row in rows])
    price = np.asarray([row[4] for row in rows], np.float32)
    found = Histories.from_events(log, 1).of(0)
    return History(found.item, found.time, found.kind, found.value, price, found.basket)


@settings(max_examples=60, deadline=None)
@given(ROWS, st.permutations(range(4)), st.sampled_from([0, 7, 90, 4000]))
def test_the_compiled_features_are_those_of_numpy(rows, order: list[int], later: int) -> None:
    statistics = ItemStatistics.from_events(LOG, catalogue(), NOW, HORIZON)
    features = CrossFeatures(statistics, ("one", "two"))
    sources = np.arange(8, dtype=np.float32).reshape(4, 2)
    sources[1, 1] = np.nan
    arguments = history_of(rows), np.asarray(order, np.int32), sources, NOW + later * DAY
    found, expected = features.compute(*arguments), CrossReference(statistics).compute(*arguments)
    for column, name in enumerate(features.names):
        np.testing.assert_allclose(found[:, column], expected[:, column], rtol=1e-6, atol=1e-7, err_msg=name)


def test_arrays_that_may_not_be_written_to_are_read() -> None:
    statistics = ItemStatistics.from_events(LOG, catalogue(), NOW, HORIZON)
    history = history_of([(0, 1, 3.0, 1, 2.0), (0, 2, 5.0, 2, 2.0)])
    sources = np.zeros((2, 0), np.float32)
    expected = CrossFeatures(statistics).compute(history, np.asarray([1, 3], np.int32), sources, NOW)
    for name in ("item", "time", "value", "price", "basket"):
        getattr(history, name).flags.writeable = False
    items = np.asarray([1, 0, 3, 0], np.int32)[::2]
    np.testing.assert_array_equal(CrossFeatures(statistics).compute(history, items, sources, NOW), expected)


@pytest.mark.parametrize(("own", "asked"), [(4, 0), (0, 4), (0, -1)])
def test_items_outside_the_statistics_are_refused(own: int, asked: int) -> None:
    statistics = ItemStatistics.from_events(LOG, catalogue(), NOW, HORIZON)
    one = history_of([(0, 0, 1.0, 1, 2.0)])
    history = History(np.asarray([own], np.int32), one.time, one.kind, one.value, one.price, one.basket)
    with pytest.raises(ValueError, match="cover: 4"):
        CrossFeatures(statistics).compute(history, np.asarray([asked], np.int32), np.zeros((1, 0), np.float32), NOW)


def test_categories_outside_the_statistics_are_refused() -> None:
    statistics = ItemStatistics.from_events(LOG, catalogue(), NOW, HORIZON)
    statistics.levels["kind"].codes[2] = 99
    with pytest.raises(BundleError, match="category"):
        CrossFeatures(statistics).compute(History.empty(), np.asarray([0], np.int32), np.zeros((1, 0), np.float32), NOW)
