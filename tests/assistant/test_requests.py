"""That the scripted requests of the benchmark judge as they should."""

import re

import numpy as np
import pytest
from benchmarks.assistant.scripted import Script
from benchmarks.assistant.spoken import spoken_wrong

from savor.features.catalogue import Catalogue
from savor.features.columns import CategoryColumn

ROWS = [
    ("YOGURT", "YOGURT MULTI-PACKS", "Private"),
    ("YOGURT", "YOGURT NOT MULTI-PACKS", "National"),
    ("COFFEE", "INSTANT COFFEE REGULAR", "National"),
    ("COFFEE", "GROUND COFFEE", "Private"),
    ("COFFEE", "COFFEE FILTERS", "National"),
    ("BEEF", "CHOICE BEEF", "National"),
    ("PAPER TOWELS", "PAPER NAPKINS", "National"),
    ("PAPER TOWELS", "PAPER TOWELS & HOLDERS", "Private"),
]


@pytest.fixture(scope="module")
def script() -> Script:
    size = len(ROWS)
    columns = {
        name: CategoryColumn.from_strings([row[place] for row in ROWS])
        for place, name in enumerate(("product_category", "product_type", "brand"))
    }
    price = np.arange(1, size + 1, dtype=np.float32)
    names = [str(row) for row in range(size)]
    catalogue = Catalogue(names, names, columns, {}, {}, price, np.ones(size, np.bool_), None)
    return Script(catalogue, {"ann": np.asarray([0, 3, 7]), "ben": np.asarray([5])}, np.arange(1, size + 1))


def test_what_is_a_thing_follows_from_its_attributes(script):
    found = {name: np.flatnonzero(items).tolist() for name, items in script.things.items() if items.any()}
    assert found == {"yogurt": [0, 1], "coffee": [2, 3], "paper towels": [7]}
    assert re.search(script.written["diets"]["vegetarian"], "BEEF > CHOICE BEEF")


def test_a_request_says_what_must_not_be_in_the_answer(script):
    (coffee,) = [one for one in script._without() if one.turns == ["coffee, not instant"]]
    assert coffee.allowed is not None
    assert np.flatnonzero(coffee.allowed).tolist() == [3]
    assert (coffee.user, coffee.wanted.tolist(), coffee.fill) == ("ann", [3], True)


def test_judges_of_several_turns(script):
    made = {(one.family, one.turns[0].split()[-1]): one for one in script._turns()}
    again = next(one for (family, _), one in made.items() if family == "then: something else")
    assert again.judge([[0, 1], [1]], ["", ""])
    assert not again.judge([[0], [1]], ["", ""])
    cheaper = next(one for (family, _), one in made.items() if family == "then: cheaper")
    assert cheaper.judge([[0], [1]], ["", ""]) == "not cheaper"
    assert not cheaper.judge([[3, 2], [1]], ["", ""])
    like = next(one for (family, _), one in made.items() if family == "then: like the second one")
    assert like.judge([[5, 2], [3]], ["", ""]) == ""
    assert like.judge([[5, 2], [0, 1]], ["", ""]) == "of other categories"
    assert like.judge([[5, 2], [2]], ["", ""]) == "the item itself came"


def test_what_is_not_there_must_be_said(script):
    absent = next(one for one in script._other() if one.family == "not to be had")
    assert absent.judge([[1]], ["For you: this."])
    assert not absent.judge([[1]], ["Nothing here is called submarine."])
    assert not absent.judge([[]], ["Well."])


@pytest.mark.parametrize(
    ("message", "wrong"),
    [
        ("For coffee, how about ground coffee [7] at 6.00?", ""),
        ("Ground coffee [7] suits you. It is a good match. I go by names, so read the label for nuts.", ""),
        ("Wish: a snack without nuts List: [7] TORTILLA/NACHO CHIPS; price 2.50", "an echo of the prompt"),
        ("[7] TORTILLA/NACHO CHIPS is a chip.", "an echo of the prompt"),
        ("Say which items [7] fit.", "an echo of the prompt"),
        ("Here is a good choice for your wish.", "no listed item is named"),
        ("Here is a good choice for your wish [8].", "no listed item is named"),
        ("Ground coffee [7] suits you. Fine.", "a sentence that says nothing"),
        ("", "a sentence that says nothing"),
    ],
)
def test_words_of_a_model_are_judged(message, wrong):
    assert spoken_wrong(message, ["7"], "Say which items [1] fit. Wish: coffee") == wrong
