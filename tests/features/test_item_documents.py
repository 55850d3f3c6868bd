from typing import Any

import numpy as np
import pytest

from savor.features.catalogue import Catalogue
from savor.features.columns import CategoryColumn, TagColumn
from savor.features.item_documents import document_problems, item_document, laid_over


@pytest.fixture
def catalogue():
    return Catalogue(
        ["1", "2"],
        ["Milk", "Bread"],
        {"aisle": CategoryColumn.from_strings(["dairy", "bakery"])},
        {"labels": TagColumn.from_lists([["organic"], []])},
        {"grams": np.asarray([1000, np.nan], np.float32)},
        np.asarray([1.5, np.nan], np.float32),
        np.asarray([True, False]),
        CategoryColumn.from_strings(["farm", None]),
        np.asarray([100, -1], np.int64),
    )


def test_a_document_of_what_is_known_can_be_taken_again(catalogue):
    for row in range(2):
        assert document_problems(item_document(catalogue, row), catalogue, ()) == []
    assert item_document(catalogue, 0) == {
        "name": "Milk",
        "price": 1.5,
        "in_stock": True,
        "owner": "farm",
        "created": 100,
        "aisle": "dairy",
        "labels": ["organic"],
        "grams": 1000.0,
    }
    unknown = item_document(catalogue, 1)
    assert [name for name, value in unknown.items() if value is None] == ["price", "owner", "created", "grams"]


@pytest.mark.parametrize(
    ("field", "value", "reason"),
    [
        ("colour", "red", "no field of these items"),
        ("price", -1, "not below 0"),
        ("price", "3", "not below 0"),
        ("price", True, "not below 0"),
        ("price", float("nan"), "not below 0"),
        ("in_stock", 1, "true or false"),
        ("aisle", 3, "a text"),
        ("labels", "organic", "a list of texts"),
        ("labels", [1], "a list of texts"),
        ("grams", "1", "a number"),
        ("grams", 1e39, "a number"),
        ("created", 1.5, "whole number"),
        ("created", 10**12, "whole number"),
        ("name", ["x"], "a text"),
    ],
)
def test_what_cannot_be_taken_is_named(catalogue, field, value, reason):
    (problem,) = document_problems({field: value, "aisle" if field != "aisle" else "name": "x"}, catalogue, ())
    assert problem.field == field
    assert reason in problem.reason


def test_null_and_columns_of_text_can_be_taken(catalogue):
    names = ["name", "price", "in_stock", "owner", "created", "text", "aisle", "labels", "grams", "about"]
    assert document_problems(dict.fromkeys(names), catalogue, ("about",)) == []
    assert [one.field for one in document_problems({"about": "x"}, catalogue, ())] == ["about"]


def test_documents_are_laid_over_what_the_bundle_says(catalogue):
    said: dict[int, dict[str, Any]] = {
        0: {"aisle": "drinks", "labels": ["vegan", "organic"]},
        2: {"name": "Jam", "grams": 5, "created": 7},
    }
    laid, changed = laid_over(catalogue, catalogue, ["9"], said)
    assert laid.ids == ["1", "2", "9"]
    assert laid.names == ["Milk", "Bread", "Jam"]
    assert [laid.categories["aisle"].of(row) for row in range(3)] == ["drinks", "bakery", ""]
    assert laid.tags["labels"].of(0) == ["organic", "vegan"]
    assert laid.numerics["grams"][[0, 2]].tolist() == [1000, 5]
    assert laid.created is not None
    assert laid.created.tolist() == [100, -1, 7]
    assert changed == {0, 2}
    again, changed = laid_over(laid, catalogue, [], {0: {"labels": ["vegan", "organic"], "aisle": "drinks"}})
    assert changed == set()
    back, changed = laid_over(again, catalogue, [], {0: {}, 2: {}})
    assert back.categories["aisle"].of(0) == "dairy"
    assert back.names == ["Milk", "Bread", "9"]
    assert changed == {0, 2}
    assert catalogue.categories["aisle"].of(0) == "dairy"


def test_null_is_unknown_and_a_wrong_kind_counts_as_not_said(catalogue):
    laid, _ = laid_over(catalogue, catalogue, [], {0: {"aisle": None, "grams": "heavy", "labels": None, "name": None}})
    assert laid.categories["aisle"].of(0) == ""
    assert laid.tags["labels"].of(0) == []
    assert laid.numerics["grams"][0] == 1000
    assert laid.names[0] == "1"
