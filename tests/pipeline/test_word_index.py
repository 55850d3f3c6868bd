from dataclasses import replace

import numpy as np
import pytest

from savor.core.errors import BundleError, SavorError
from savor.features.catalogue import Catalogue
from savor.features.columns import CategoryColumn
from savor.pipeline.live_words import changed_rows
from savor.pipeline.prepared import Prepared
from savor.pipeline.word_index import WordIndex, words_of

NAMES = ["Whole Milk", "Oat drink", "Crème fraîche", "Milk chocolate bar with whole nuts and oats", "milk"]


def catalogue(names=NAMES, kinds=("dairy", "drinks", "dairy", "sweets", "dairy")):
    size = len(names)
    return Catalogue(
        [str(row) for row in range(size)],
        list(names),
        {"kind": CategoryColumn.from_strings(list(kinds))},
        {},
        {},
        np.ones(size, np.float32),
        np.ones(size, np.bool_),
        None,
    )


def search(index, text, size=5):
    total = np.zeros(size, np.float32)
    index.add(text, total)
    return total


def test_words():
    assert words_of("Crème-fraîche, 30 % FAT!") == ["creme", "fraiche", "30", "fat"]
    assert words_of("…") == []


def test_all_words_are_better_than_some_and_short_names_than_long():
    score = search(WordIndex.build(catalogue()), "whole milk")
    assert np.argsort(-score, kind="stable")[:3].tolist() == [0, 3, 4]
    assert score[0] == pytest.approx(1, abs=0.01)
    assert score[[1, 2]].tolist() == [0, 0]
    assert (score <= 1 + 1e-6).all()


def test_accents_and_beginnings():
    index = WordIndex.build(catalogue())
    assert np.flatnonzero(search(index, "creme")).tolist() == [2]
    assert np.flatnonzero(search(index, "choc")).tolist() == [3]
    assert search(index, "oat")[1] > search(index, "oat")[3] > 0  # oats begins with oat
    assert not search(index, "ch").any()
    assert not search(index, "zzz ??? ").any()


def test_categories_count_less_than_names():
    score = search(WordIndex.build(catalogue(["dairy book", "x", "y", "z", "w"])), "dairy")
    assert score[0] > score[2] > 0
    assert score[1] == 0


def test_some_rows_alone():
    score = search(WordIndex.build(catalogue(), np.array([3, 4], np.int32)), "milk")
    assert np.flatnonzero(score).tolist() == [3, 4]


def test_save_and_load(tmp_path):
    index = WordIndex.build(catalogue())
    index.save(tmp_path)
    for text in ("whole milk", "cho", "unknown"):
        np.testing.assert_array_equal(search(WordIndex.load(tmp_path), text), search(index, text))
    (tmp_path / "row.npy").write_bytes(b"x")
    with pytest.raises(BundleError, match="cannot be read"):
        WordIndex.load(tmp_path)


def test_an_empty_catalogue():
    assert search(WordIndex.build(catalogue([], [])), "milk", 0).tolist() == []


def test_changed_rows():
    before = catalogue()
    after = catalogue([*NAMES[:4], "skimmed", "new"], ["dairy", "drinks", "sweets", "sweets", "dairy", "dairy"])
    assert changed_rows(before, after).tolist() == [2, 4, 5]
    assert changed_rows(before, replace(before)).tolist() == []


def test_what_is_prepared_is_made_once_and_waited_for_by_those_who_can():
    from threading import Event

    go, made = Event(), []

    def make():
        go.wait()
        made.append(1)
        return "value"

    prepared = Prepared(make, "the thing", patience=0)
    for _ in range(2):
        with pytest.raises(SavorError, match="the thing is being made ready"):
            prepared.get(wait=False)
    go.set()
    assert prepared.get(wait=True) == prepared.get(wait=False) == "value"
    assert made == [1]


def test_what_cannot_be_made_says_why_each_time():
    def make():
        raise BundleError("no")

    prepared = Prepared(make, "the thing")
    for wait in (True, False):
        with pytest.raises(BundleError, match="no"):
            prepared.get(wait=wait)
