import numpy as np
import pytest

from savor.core.errors import SavorError
from savor.export.shard import choose_rows


@pytest.fixture
def choose(edge_shop):
    return lambda **asked: choose_rows(edge_shop.server, edge_shop.catalogue, **asked)


def test_everything_by_default(choose):
    shard = choose()
    assert shard.rows.tolist() == list(range(60))
    assert shard.rows.dtype == np.int32
    assert shard.described is None
    assert choose(items=60).described is None


def test_a_shortlist_is_what_sold_most_of_late(choose, edge_shop):
    shard = choose(items=10)
    recent = np.load(edge_shop.server.path("sources/trending.npy"))
    assert len(shard.rows) == 10
    assert (np.diff(shard.rows) > 0).all()
    assert 7 not in shard.rows  # out of stock
    outside = [row for row in range(60) if row not in shard.rows and row != 7]
    assert recent[shard.rows].min() >= recent[outside].max()
    assert shard.described == {"items": 10, "where": None, "list": False, "of": 60}


@pytest.mark.parametrize(
    ("where", "expected"),
    [
        ({"department": "dairy"}, lambda row, of: of.categories["department"].of(row) == "dairy"),
        ({"category": "fruit 2"}, lambda row, of: of.categories["aisle"].of(row) == "fruit 2"),
        ({"labels": "vegan"}, lambda row, of: "vegan" in of.tags["labels"].of(row)),
        ({"in_stock": "False"}, lambda row, of: row == 7),
        (
            {"department": "dairy", "labels": "vegan"},
            lambda row, of: row % 4 == 1 and "vegan" in of.tags["labels"].of(row),
        ),
    ],
)
def test_a_shard_is_what_has_a_value(choose, edge_shop, where, expected):
    shard = choose(where=where)
    assert shard.rows.tolist() == [row for row in range(60) if expected(row, edge_shop.catalogue)]
    assert shard.described["where"] == where


def test_numbers_and_a_list(choose, edge_shop):
    grams = edge_shop.catalogue.numerics["grams"]
    assert choose(where={"grams": str(int(grams[5]))}).rows.tolist() == np.flatnonzero(grams == grams[5]).tolist()
    shard = choose(listed=["1009", "1001", "1005"], items=2)
    assert set(shard.rows.tolist()) < {1, 5, 9}
    assert shard.described == {"items": 2, "where": None, "list": True, "of": 60}


@pytest.mark.parametrize(
    ("asked", "message"),
    [
        ({"where": {"colour": "red"}}, "'colour' is not a field of the catalogue"),
        ({"where": {"department": "shoes"}}, "no item of the catalogue has department = 'shoes'"),
        ({"where": {"department": "dairy", "aisle": "fruit 1"}}, "no item of the catalogue has"),
        ({"where": {"grams": "much"}}, "takes a number"),
        ({"where": {"in_stock": "perhaps"}}, "takes true or false"),
        ({"items": 0}, "at least one item"),
        ({"listed": ["1001", "x", "y"]}, r"2 of the 3 listed items are not in the catalogue: \['x', 'y'\]"),
        ({"listed": []}, "no item"),
    ],
)
def test_what_cannot_be_chosen_is_refused(choose, asked, message):
    with pytest.raises(SavorError, match=message) as caught:
        choose(**asked)
    assert caught.value.code == "shard_invalid"


def test_a_bundle_without_popularity_has_the_sales_of_its_features(choose, edge_shop, monkeypatch):
    from savor.bundle.bundle import Bundle
    from savor.export.shard import sales

    has = Bundle.has
    monkeypatch.setattr(Bundle, "has", lambda self, name: not name.startswith("sources/") and has(self, name))
    recent, total = sales(edge_shop.server)
    np.testing.assert_array_equal(np.stack([total, recent], 1), edge_shop.space.sales)
