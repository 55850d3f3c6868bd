import json
from dataclasses import replace
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest

from savor.api.engine import describe_item
from savor.bundle.bundle import Bundle
from savor.export.edge_catalogue import write_catalogue
from savor.features.columns import CategoryColumn
from savor_edge import EdgeError
from savor_edge.catalogue import EdgeCatalogue


def rows_of(catalogue, row):
    tags = catalogue.tags["labels"]
    return [tags.values[code] for code in tags.codes[tags.start[row] : tags.start[row + 1]]]


@pytest.mark.parametrize("which", ["edge_shop", "shortlist"])
def test_every_item_is_as_on_the_server(which, edge_shop, shortlist):
    made = {"edge_shop": edge_shop, "shortlist": shortlist}[which]
    catalogue, server = EdgeCatalogue.open(made.folder), made.catalogue
    assert len(catalogue) == len(made.rows)
    for own, row in enumerate(made.rows.tolist()):
        assert catalogue.ids[own] == server.ids[row]
        assert catalogue.row(server.ids[row]) == own
        assert catalogue.name(own) == server.names[row]
        assert rows_of(catalogue, own) == server.tags["labels"].of(row)
        for name, column in server.categories.items():
            assert catalogue.categories[name].values[catalogue.categories[name].codes[own]] == column.of(row)
    np.testing.assert_array_equal(catalogue.price, server.price[made.rows])
    np.testing.assert_array_equal(catalogue.in_stock, server.in_stock[made.rows])
    np.testing.assert_array_equal(catalogue.numerics["grams"], server.numerics["grams"][made.rows])


def test_items_are_described_in_the_words_of_the_server(edge_shop):
    serving: Any = SimpleNamespace(catalogue=edge_shop.catalogue)
    catalogue = EdgeCatalogue.open(edge_shop.folder)
    assert catalogue.price[0] != catalogue.price[0]
    for row in range(len(catalogue)):
        assert catalogue.describe(row) == describe_item(serving, row)


def test_a_shortlist_knows_the_other_items_from_histories(shortlist):
    catalogue = EdgeCatalogue.open(shortlist.folder)
    assert set(catalogue.ids) | set(catalogue.kept_for_histories) <= set(shortlist.catalogue.ids)
    assert len(catalogue.kept_for_histories) > 20
    name = catalogue.kept_for_histories[0]
    assert catalogue.row(name) is None
    row = shortlist.catalogue.index[name]
    assert catalogue.history_item is not None
    assert catalogue.history_item[catalogue.index[name]] == shortlist.space.item_table["item_id"][row]


def test_popular_items_are_those_sold_most_of_late(edge_shop):
    catalogue = EdgeCatalogue.open(edge_shop.folder)
    recent = np.load(edge_shop.server.path("sources/trending.npy"))
    best = int(np.argmax(np.where(edge_shop.catalogue.in_stock, recent, -1)))
    assert catalogue.popular[0] == best
    assert 7 not in catalogue.popular.tolist()


def test_arrays_are_narrow_and_aligned(edge_shop):
    places = json.loads((edge_shop.folder / "catalogue.json").read_bytes())["arrays"]
    assert places["category/0"]["dtype"] == "uint8"
    assert places["price"]["dtype"] == "float32"
    assert all(place["offset"] % 4 == 0 for place in places.values())


def test_owners_caps_and_names_that_are_ids(edge_shop, tmp_path):
    owners = CategoryColumn.from_strings([["one", "two", None][row % 3] for row in range(60)])
    catalogue = replace(edge_shop.catalogue, names=list(edge_shop.catalogue.ids), owner=owners)
    config = {"pipeline": {"diversity": {"category": "department", "cap": 2, "owner_cap": 3}}}
    server: Any = _Configured(edge_shop.server, config)
    rows = np.arange(5, 50, dtype=np.int32)
    write_catalogue(server, catalogue, edge_shop.space, rows, tmp_path)
    made = EdgeCatalogue.open(tmp_path)
    assert made.name(3) == made.ids[3]
    assert made.owner is not None
    assert [made.owner.values[code] for code in made.owner.codes] == [owners.of(row) for row in rows.tolist()]
    assert [cap.most for cap in made.caps] == [2, 3]
    np.testing.assert_array_equal(made.caps[0].codes, made.categories["department"].codes)


class _Configured:
    """A bundle with another `config.json`."""

    def __init__(self, bundle: Bundle, config: dict) -> None:
        self._bundle, self._config = bundle, config

    def read_json(self, name: str) -> dict:
        return self._config

    def __getattr__(self, name: str) -> object:
        return getattr(self._bundle, name)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda document: document.update(format_version=7), "format 7.*update savor-edge"),
        (lambda document: document["ids"].pop(), "entries, not"),
        (lambda document: document["ids"].__setitem__(1, document["ids"][0]), "stands in it twice"),
        (lambda document: document["arrays"]["price"].update(dtype="object"), "'object', which is none of"),
        (lambda document: document["arrays"]["price"].update(length=10**6), "cannot be read"),
        (lambda document: document["arrays"].pop("price"), "KeyError: 'price'"),
        (lambda document: document.update(caps=[{"array": "no", "most": 1}]), "cannot be read"),
    ],
)
def test_a_catalogue_that_cannot_be_used_is_refused(edge_copy, change, message):
    path = edge_copy / "catalogue.json"
    document = json.loads(path.read_bytes())
    change(document)
    path.write_text(json.dumps(document))
    with pytest.raises(EdgeError, match=message) as caught:
        EdgeCatalogue.open(edge_copy)
    assert caught.value.code == "edge_bundle_invalid"


def test_one_that_is_not_there_too(tmp_path):
    with pytest.raises(EdgeError, match="export or download it again"):
        EdgeCatalogue.open(tmp_path)
