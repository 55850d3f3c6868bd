from contextlib import closing

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from savor.online.stores.database import Database
from savor.online.stores.entities import Entity, EntityStore


@pytest.fixture
def store(database):
    return EntityStore(database, lambda: 1_700_000_000)


def test_changes_can_be_followed(store):
    assert store.get("item", "a") is None
    first = store.put("item", {"a": {"price": 2, "tags": ["x"]}, "b": {}})
    assert store.get("item", "a") == Entity("item", "a", {"price": 2, "tags": ["x"]}, 1, 1_700_000_000)
    second = store.put("user", {"a": {"age": "old"}})
    assert second > first
    third = store.put("item", {"a": {"price": 3}, "b": None})
    assert [(e.kind, e.id, e.document) for e in store.read_after(first)] == [
        ("user", "a", {"age": "old"}),
        ("item", "a", {"price": 3}),
        ("item", "b", None),
    ]
    assert [e.id for e in store.read_after(0, kind="item")] == ["a", "b"]
    assert store.read_after(third) == []
    assert len(store.read_after(0, 1)) == 1
    assert store.get("item", "b").document is None


def test_what_says_nothing_new_is_no_change(store):
    version = store.put("item", {"a": {"price": 2, "stock": True}})
    assert store.put("item", {"a": {"stock": True, "price": 2}}) == version
    assert store.read_after(version) == []
    assert store.put("item", {}) == version


def test_a_removal_of_something_unknown_is_remembered(store):
    """It may be in the bundle."""
    store.put("item", {"only in the bundle": None})
    assert store.get("item", "only in the bundle").document is None


def test_many_at_once(store):
    version = store.put("item", {f"i{number}": {"price": number} for number in range(1200)})
    assert version == 1200
    assert [entity.version for entity in store.read_after(0)] == list(range(1, 1201))


def test_some_fields_are_changed_and_the_others_stay(store):
    store.put("item", {"a": {"price": 2, "name": "x"}, "gone": None})
    merged = store.merge("item", "a", {"price": 3, "stock": None})
    assert merged.document == {"price": 3, "name": "x", "stock": None}
    assert store.get("item", "a") == merged
    assert store.read_after(merged.version - 1) == [merged]
    assert store.merge("item", "a", {"price": 3}) == merged
    assert store.merge("item", "new", {"price": 1}).document == {"price": 1}
    assert store.merge("item", "gone", {}).document == {}
    assert store.get("item", "gone").document == {}


DOCUMENTS = st.dictionaries(st.sampled_from("abc"), st.none() | st.fixed_dictionaries({"price": st.integers(0, 2)}))


@settings(max_examples=20)
@given(st.lists(DOCUMENTS, max_size=6), st.integers(1, 3))
def test_a_follower_ends_up_with_what_is_there(entity_store, changes, often):
    """Whoever reads after each few changes knows the same as the store."""
    followed, cursor = {}, entity_store.put("item", dict.fromkeys("abc"))
    for number, documents in enumerate(changes):
        entity_store.put("item", documents)
        if number % often == 0 or number == len(changes) - 1:
            for entity in entity_store.read_after(cursor):
                followed[entity.id] = entity.document
                cursor = entity.version
    for identifier in "abc":
        assert entity_store.get("item", identifier).document == followed.get(identifier)


@pytest.fixture(scope="module")
def entity_store(tmp_path_factory):
    with closing(Database.open("sqlite:///entities.db", tmp_path_factory.mktemp("entities"))) as database:
        yield EntityStore(database)
