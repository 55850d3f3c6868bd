import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from savor.data.events import Events
from savor.data.histories import Histories, History
from savor.features.catalogue import Catalogue, CategoryColumn
from savor.features.cross import CrossFeatures
from savor.features.item_statistics import KEY_FEATURES, ItemStatistics

DAY = 86_400


def catalogue(number: int = 4) -> Catalogue:
    ids = [f"item-{row}" for row in range(number)]
    return Catalogue(
        ids,
        ids,
        {"kind": CategoryColumn(np.arange(number, dtype=np.int32) % 2 + 1, ["", "a", "b"])},
        {},
        {},
        np.full(number, 2.0, np.float32),
        np.ones(number, np.bool_),
        None,
    )


def events(rows: list[tuple[int, int, float, int]]) -> Events:
    """(user, item, day, basket) in time order."""
    user, item, day, basket = (np.array(column) for column in zip(*rows, strict=True))
    number = len(rows)
    return Events(
        user.astype(np.int32),
        item.astype(np.int32),
        (day * DAY).astype(np.int64),
        np.zeros(number, np.uint8),
        np.ones(number, np.float32),
        np.full(number, 3.0, np.float32),
        basket.astype(np.int64),
        np.zeros(number, np.uint8),
    )


LOG = events([(0, 0, 1, 1), (0, 1, 1, 1), (1, 0, 5, 2), (0, 0, 11, 3), (0, 0, 31, 4), (1, 2, 40, 5)])
NOW = 41 * DAY


def compute(history: History, items: list[int], log: Events = LOG) -> dict[str, np.ndarray]:
    statistics = ItemStatistics.from_events(log, catalogue(), NOW, horizon_days=36)
    features = CrossFeatures(statistics, ("ann_score",))
    sources = np.arange(len(items), dtype=np.float32)[:, None]
    matrix = features.compute(history, np.array(items, np.int32), sources, NOW)
    assert matrix.dtype == np.float32
    assert matrix.shape == (len(items), len(features.names))
    return dict(zip(features.names, matrix.T, strict=True))


def test_own_purchases_by_hand() -> None:
    columns = compute(Histories.from_events(LOG, 2).of(0), [0, 1, 3])
    assert columns["own.count"].tolist() == [3, 1, 0]
    assert columns["own.count_horizon"].tolist() == [2, 0, 0]
    np.testing.assert_allclose(columns["own.days_since"], [10, 40, np.nan])
    np.testing.assert_allclose(columns["own.days_since_first"], [40, 40, np.nan])
    np.testing.assert_allclose(columns["own.last_gap"], [20, 0, np.nan])
    np.testing.assert_allclose(columns["own.gap_deviation"], [5, 0, np.nan])
    np.testing.assert_allclose(
        columns["own.decayed_30d"][0], 2 ** (-40 / 30) + 2 ** (-30 / 30) + 2 ** (-10 / 30), rtol=1e-6
    )
    np.testing.assert_allclose(columns["own.trips_since"], [0, 2, np.nan])
    np.testing.assert_allclose(columns["own.trip_rate"], [1, 1 / 3, 0])
    assert columns["ann_score"].tolist() == [0, 1, 2]


def test_categories_and_user_by_hand() -> None:
    columns = compute(Histories.from_events(LOG, 2).of(0), [2, 3])
    assert columns["kind.own.trips"].tolist() == [3, 1]
    assert columns["kind.own.distinct_items"].tolist() == [1, 1]
    assert columns["kind.own.item_share"].tolist() == [0, 0]
    assert columns["user.trips"].tolist() == [3, 3]
    np.testing.assert_allclose(columns["user.items_per_trip"], 4 / 3)
    np.testing.assert_allclose(columns["user.gap"], 15)


def test_statistics_by_hand() -> None:
    statistics = ItemStatistics.from_events(LOG, catalogue(), NOW, horizon_days=36)
    column = {name: statistics.item[:, position] for position, name in enumerate(KEY_FEATURES)}
    np.testing.assert_allclose(np.expm1(column["buyers"]), [2, 1, 1, 0], atol=1e-6)
    np.testing.assert_allclose(column["days_since"], [10, 40, 1, 999])
    mean_gap = (10 + 20) / 2
    np.testing.assert_allclose(column["gap"][0], (30 + 5 * mean_gap) / 7)
    # Item 0: two buyers 36 to 126 days ago (users 0 and 1); only user 0 came back within the last 36.
    assert column["rebuy_rate"][0] > column["rebuy_rate"][1]


def test_an_empty_history_gives_no_own_features_and_keeps_the_item_ones() -> None:
    columns = compute(History.empty(), [0, 2])
    assert columns["own.count"].tolist() == [0, 0]
    assert np.isnan(columns["own.days_since"]).all()
    assert np.isfinite(columns["item.buyers"]).all()
    assert columns["user.trips"].tolist() == [0, 0]


def test_lines_of_one_basket_count_as_one_purchase() -> None:
    doubled = events([(0, 0, 1, 1), (0, 0, 1, 1), (0, 1, 1, 1), (0, 0, 11, 3)])
    columns = compute(Histories.from_events(doubled, 1).of(0), [0], doubled)
    assert columns["own.count"].tolist() == [2]
    np.testing.assert_allclose(columns["own.mean_value"], 4.5)


def test_without_baskets_a_day_is_a_trip() -> None:
    log = events([(0, 0, 1.0, -1), (0, 1, 1.3, -1), (0, 0, 2.0, -1)])
    columns = compute(Histories.from_events(log, 1).of(0), [0], log)
    assert columns["user.trips"].tolist() == [2]


@settings(max_examples=40, deadline=None)
@given(st.lists(st.tuples(st.integers(0, 1), st.integers(0, 3), st.integers(0, 80), st.integers(-1, 5)), min_size=1))
def test_nothing_later_enters_the_statistics(rows: list[tuple[int, int, int, int]]) -> None:
    log = events(sorted(rows, key=lambda row: row[2]))
    known = log.select(log.time < NOW)
    with_later = ItemStatistics.from_events(log, catalogue(), NOW, 36)
    without = ItemStatistics.from_events(known, catalogue(), NOW, 36)
    np.testing.assert_array_equal(with_later.item, without.item)
    for name, level in with_later.levels.items():
        np.testing.assert_array_equal(level.table, without.levels[name].table)


@settings(max_examples=40, deadline=None)
@given(
    st.lists(st.tuples(st.just(0), st.integers(0, 3), st.integers(0, 40), st.integers(-1, 5)), max_size=20),
    st.permutations(range(4)),
)
def test_each_candidate_is_computed_alone(rows: list[tuple[int, int, int, int]], order: list[int]) -> None:
    history = Histories.from_events(events(sorted(rows, key=lambda row: row[2])), 1).of(0) if rows else History.empty()
    together, apart = compute(history, order), [compute(history, [item]) for item in order]
    for name, column in together.items():
        if name != "ann_score":
            np.testing.assert_array_equal(column, np.concatenate([one[name] for one in apart]))


def test_statistics_survive_a_round_trip(tmp_path) -> None:
    statistics = ItemStatistics.from_events(LOG, catalogue(), NOW, 36)
    statistics.save(tmp_path)
    loaded = ItemStatistics.load(tmp_path, catalogue())
    np.testing.assert_array_equal(loaded.item, statistics.item)
    np.testing.assert_array_equal(loaded.levels["kind"].relative_price, statistics.levels["kind"].relative_price)
    assert loaded.now == NOW
    with pytest.raises(Exception, match="item statistics"):
        ItemStatistics.load(tmp_path / "absent", catalogue())
