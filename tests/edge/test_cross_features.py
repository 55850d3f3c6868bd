import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from savor.data.histories import History as ServerHistory
from savor.features.cross import CrossFeatures as ServerFeatures
from savor.features.item_statistics import KEY_FEATURES, LEVEL_FEATURES, ItemStatistics, LevelStatistics
from savor_edge.cross_features import CrossFeatures
from savor_edge.history import Deed, History
from savor_edge.item_tables import ItemTables, Level

NOW, DAY, ITEMS, KEPT = 20_000 * 86_400, 86_400, 30, 8
SOURCES = ("ann_score", "ann_rank", "vector_fit")
RELATIVE, ABSOLUTE = 2e-6, 1e-5
"""float32 has 24 bits; the deviation of gaps is a root of a difference, which loses half of them."""


def both(levels: int, horizon: int, seed: int) -> tuple[ServerFeatures, CrossFeatures]:
    """The same made statistics for the server, where the kept items are rows too, and for a device."""
    rng = np.random.default_rng(seed)
    every = ITEMS + KEPT
    item = rng.gamma(1, 20, (every, len(KEY_FEATURES))).astype(np.float32)
    log_price = rng.normal(1, 1, every).astype(np.float32)
    server, device, parts = {}, [], [item[:ITEMS], log_price[:ITEMS, None]]
    for number in range(levels):
        size = 3 * (number + 1)
        codes = rng.integers(0, size, every).astype(np.int32)
        table = rng.gamma(1, 5, (size, len(LEVEL_FEATURES))).astype(np.float32)
        share, relative = rng.random((2, every)).astype(np.float32)
        server[f"level {number}"] = LevelStatistics(codes, table, share, relative)
        device.append(Level(f"level {number}", codes, table))
        parts += [share[:ITEMS, None], relative[:ITEMS, None]]
    tables = ItemTables(
        horizon,
        KEY_FEATURES,
        LEVEL_FEATURES,
        np.concatenate(parts, axis=1),
        tuple(device),
        np.empty(0, np.int32),
        np.empty(0, np.float32),
    )
    statistics = ItemStatistics(NOW, horizon, item, log_price, server)
    return ServerFeatures(statistics, SOURCES), CrossFeatures(tables, SOURCES)


events = st.lists(
    st.tuples(
        st.integers(0, ITEMS + KEPT - 1),
        st.one_of(st.integers(0, 500 * DAY), st.integers(0, 3 * DAY)),
        st.integers(-1, 3),
        st.sampled_from([1.0, 2.0, 0.0, -1.0, 7.5]),
        st.sampled_from([float("nan"), 0.0, 2.49, -3.0, 100.0]),
    ),
    max_size=40,
)


@settings(deadline=None, max_examples=150)
@given(events, st.integers(0, 3), st.sampled_from([7, 28]), st.integers(0, 5), st.integers(0, ITEMS))
def test_the_rows_are_those_of_the_server(told, levels, horizon, seed, number):
    server, device = both(levels, horizon, seed)
    history = History.of(Deed(item, NOW - ago, basket, True, True, 0, *rest) for item, ago, basket, *rest in told)
    rng = np.random.default_rng(seed)
    rows = rng.permutation(ITEMS)[:number].astype(np.int32)
    sources = rng.random((number, len(SOURCES))).astype(np.float32)
    sources[rng.random(sources.shape) < 0.3] = np.nan
    kinds = np.zeros(len(history.item), np.uint8)
    known = ServerHistory(history.item, history.time, kinds, history.value, history.price, history.basket)
    expected = server.compute(known, rows, sources, NOW)
    made = device.compute(history, rows, sources, NOW)
    assert device.names == server.names
    assert made.dtype == np.float32
    np.testing.assert_allclose(made, expected, rtol=RELATIVE, atol=ABSOLUTE, equal_nan=True)


def test_nothing_known_is_as_on_the_server():
    server, device = both(2, 28, 0)
    rows = np.arange(5, dtype=np.int32)
    sources = np.full((5, len(SOURCES)), np.nan, np.float32)
    empty = ServerHistory(*(np.empty(0, dtype) for dtype in ("i4", "i8", "u1", "f4", "f4", "i8")))
    expected = server.compute(empty, rows, sources, NOW)
    made = device.compute(History.of(()), rows, sources, NOW)
    np.testing.assert_array_equal(made, expected)
    assert np.isnan(made[:, device.names.index("user.gap")]).all()
