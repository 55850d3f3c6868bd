from dataclasses import replace
from typing import cast

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from savor.features.item_documents import item_document
from savor.index.exact import ExactIndex
from savor.online.user_states import UserStates
from savor.pipeline.build import build_serving
from savor.pipeline.item_filter import ItemFilter
from savor.pipeline.item_tables import ItemTables
from savor.pipeline.live_items import LiveItems, Said
from savor.pipeline.opened_bundle import OpenedBundle
from savor.pipeline.query import Query
from tests.synthetic_bundle import NOW

AT = 1_700_000_000


@pytest.fixture
def served(shop):
    return build_serving(shop)


@pytest.fixture
def live(served):
    return LiveItems(served.opened, served.tables)


def said(identifier, **document):
    return Said(identifier, document, AT)


def removed(identifier):
    return Said(identifier, None, AT)


def recommended(serving, **conditions):
    condition = ItemFilter.parse(conditions, serving.catalogue) if conditions else None
    result = serving.pipeline.run(Query("household-3", NOW, n=60, filter=condition))
    return [serving.catalogue.ids[row] for row in result.items]


def test_a_new_item_can_be_recommended_like_any_other(served, live):
    document = item_document(served.catalogue, 12)
    tables = live.lay([said("new", **{**document, "name": "Fresh"})])
    serving = served.over(tables)
    assert serving.catalogue.index["new"] == 60
    assert "new" in recommended(serving)
    assert recommended(serving, department={"eq": document["department"]}).count("new") == 1
    similar = serving.similar.find(60, 5, None)
    assert similar.fallbacks == ()
    assert 60 not in similar.items
    ranked = serving.pipeline.rank(Query("household-3", NOW), np.asarray([60, 12], np.int32))
    assert ranked.failures == ()
    assert np.isfinite(ranked.scores).all()
    assert len(served.catalogue) == 60
    assert recommended(served)


def test_a_list_that_only_new_items_fit_is_made_of_them(served, live):
    new = [said(f"n{number}", department="tools", price=number) for number in range(3)]
    serving = served.over(live.lay(new))
    assert set(recommended(serving, department={"eq": "tools"})) == {"n0", "n1", "n2"}
    assert recommended(serving, department={"eq": "tools"}, price={"gte": 2}) == ["n2"]


def test_stock_price_and_removal_count_without_new_tables(served, live):
    first = recommended(served)[0]
    row = served.catalogue.index[first]
    assert live.at_once(said(first, in_stock=False))
    assert first not in recommended(served)
    assert live.at_once(said(first))
    assert first in recommended(served)
    assert not live.at_once(said(first, price=77.5))
    assert served.catalogue.price[row] == 77.5
    assert not live.at_once(removed(first))
    assert first not in recommended(served)
    assert not live.at_once(said("unheard of", name="x"))


def test_what_was_removed_is_not_in_any_answer_and_comes_back(served, live):
    first = recommended(served)[0]
    serving = served.over(live.lay([removed(first), removed("unheard of")]))
    assert first not in recommended(serving)
    assert first not in serving.catalogue.index
    serving = served.over(live.lay([said(first, price=3)]))
    row = serving.catalogue.index[first]
    assert first in recommended(serving)
    assert serving.catalogue.price[row] == 3
    assert serving.catalogue.names[row] == served.catalogue.names[row]


def test_an_item_described_otherwise_is_found_where_it_is_now(served, live):
    serving = served.over(live.lay([said("1004", department="tools", labels=["new label"], grams=1)]))
    assert recommended(serving, department={"eq": "tools"}) == ["1004"]
    assert recommended(serving, labels={"in": ["new label"]}) == ["1004"]
    assert serving.tables.fresh.tolist() == [4]
    serving = served.over(live.lay([said("1004", price=2)]))
    assert recommended(serving, department={"eq": "tools"}) == []
    assert "1004" in recommended(serving, department={"eq": "bakery"})


def test_an_event_on_a_new_item_reaches_every_stage(served, live):
    serving = served.over(live.lay([said("new", department="dairy")]))
    history = served.states.history("household-3", NOW)
    with_new = replace(history, item=np.append(history.item[1:], 60).astype(np.int32))

    class States:
        def __getattr__(self, name):
            return getattr(served.states, name)

        def at(self, user, now):
            return served.states.at(user, now)._replace(history=with_new, interest=with_new)

    states = cast("UserStates", States())
    over = build_serving(served.bundle, over_states=lambda opened, tables: states).over(serving.tables)
    result = over.pipeline.run(Query("household-3", NOW, n=60))
    assert result.failures == ()
    assert 60 in result.items


def test_vectors_come_from_the_item_tower(served, monkeypatch):
    seen = []

    def tower(inputs):
        seen.append({name: len(column) for name, column in inputs.items()})
        made = np.zeros((len(inputs["item_id"]), 8), np.float32)
        made[:, 0] = 1
        return made

    monkeypatch.setattr(OpenedBundle, "item_tower", lambda self: tower)
    live = LiveItems(served.opened, served.tables)
    tables = live.lay([said("a", department="dairy"), said("b"), said("1003", price=5)])
    assert set(seen[0]) == set(served.tables.space.item_signature)
    assert set(seen[0].values()) == {2}
    assert tables.vectors is not None
    assert tables.vectors[60:].tolist() == [[1, 0, 0, 0, 0, 0, 0, 0]] * 2
    assert np.array_equal(tables.vectors[:60], served.tables.vectors)
    assert tables.fresh.tolist() == [60, 61]


def test_without_a_tower_a_new_item_stands_at_the_mean_of_its_category(served, live):
    aisle = served.catalogue.categories["aisle"]
    tables = live.lay([said("a", aisle=aisle.of(8)), said("b")])
    alike = np.flatnonzero(aisle.codes == aisle.codes[8])
    mean = served.tables.vectors[alike].mean(axis=0)
    assert np.allclose(tables.vectors[60], mean / np.linalg.norm(mean), atol=1e-5)
    assert np.allclose(np.linalg.norm(tables.vectors[60:], axis=1), 1, atol=1e-5)


def test_folding_puts_everything_into_the_index(served, live):
    live.lay([said(f"n{number}", department="dairy") for number in range(5)])
    vectors = live.begin_fold()
    index = ExactIndex.build(vectors.copy())
    live.lay([said("late", department="dairy"), said("1001", department="drinks")])
    tables = live.fold(index)
    assert len(tables.index) == 65
    assert tables.fresh.tolist() == [1, 65]
    serving = served.over(tables)
    assert {"late", "n0", "1001"} <= set(recommended(serving))


def test_statistics_of_a_new_item_are_those_of_one_nobody_chose(served, live):
    before = served.tables.statistics
    tables = live.lay([said("new", department="dairy", price=4), said("1002", price=9)])
    after = tables.statistics
    assert len(after.item) == 61
    unchosen = np.flatnonzero(before.item[:, 0] == 0)
    assert len(unchosen)
    assert np.array_equal(after.item[60], before.item[unchosen[0]])
    assert after.log_price[60] == pytest.approx(np.log(4.05), rel=1e-5)
    assert after.log_price[2] == pytest.approx(np.log(9.05), rel=1e-5)
    for name, level in after.levels.items():
        old = before.levels[name]
        moved = after.log_price[2] - before.log_price[2]
        assert level.relative_price[2] == pytest.approx(old.relative_price[2] + moved, abs=1e-4)
        assert np.array_equal(level.relative_price[3:60], old.relative_price[3:])


IDS = st.sampled_from(["1003", "1010", "n1", "n2"])
DOCUMENTS = st.none() | st.fixed_dictionaries(
    {},
    optional={
        "price": st.sampled_from([1, 2.5, None]),
        "in_stock": st.booleans(),
        "department": st.sampled_from(["dairy", "tools", None]),
        "labels": st.lists(st.sampled_from(["organic", "odd"]), max_size=2),
        "grams": st.integers(0, 5),
        "name": st.sampled_from(["One", "Two"]),
    },
)


@settings(max_examples=40)
@given(st.lists(st.lists(st.tuples(IDS, DOCUMENTS), max_size=3), max_size=5))
def test_only_the_last_that_was_said_counts(shop_tables, steps):
    opened, fresh = shop_tables
    live, last = LiveItems(opened, fresh()), {}
    for step in steps:
        for identifier, document in step:
            live.at_once(Said(identifier, document, AT))
        live.lay([Said(identifier, document, AT) for identifier, document in step])
        last.update(step)
    at_once = LiveItems(opened, fresh())
    at_once.lay([Said(identifier, document, AT) for identifier, document in last.items()])
    assert described(live.tables) == described(at_once.tables)
    assert live.tables.vectors is not None
    assert len(live.tables.vectors) == len(live.tables)


def described(tables):
    index = tables.catalogue.index
    return {identifier: item_document(tables.catalogue, index[identifier]) for identifier in index}


@pytest.fixture(scope="module")
def shop_tables(shop):
    opened = OpenedBundle.load(shop, ItemTables.load(shop).catalogue)
    return opened, lambda: ItemTables.load(shop)
