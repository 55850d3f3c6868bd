"""That the scripted requests of the benchmark judge as they should."""

import re

import numpy as np
import pytest
from benchmarks.assistant.expected import Expected
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


def _script(things: str) -> Script:
    size = len(ROWS)
    columns = {
        name: CategoryColumn.from_strings([row[place] for row in ROWS])
        for place, name in enumerate(("product_category", "product_type", "brand"))
    }
    price = np.arange(1, size + 1, dtype=np.float32)
    names = [str(row) for row in range(size)]
    catalogue = Catalogue(names, names, columns, {}, {}, price, np.ones(size, np.bool_), None)
    return Script(catalogue, {"ann": np.asarray([0, 3, 7]), "ben": np.asarray([5])}, np.arange(1, size + 1), things)


@pytest.fixture(scope="module")
def script() -> Script:
    return _script("things.toml")


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


def test_what_is_written_out_says_which_items_may_come():
    made = _script("said.toml").requests()
    (cheapest,) = [one for one in made if one.turns == ["what is the cheapest coffee"]]
    assert cheapest.allowed is not None
    assert np.flatnonzero(cheapest.allowed).tolist() == [2, 3]
    assert not cheapest.judge([[2]], ["INSTANT COFFEE at 3.00"])
    assert cheapest.judge([[2]], ["at 0.00"]) == "says what it should not"
    assert len(made) > 100


@pytest.mark.parametrize(
    ("expected", "lists", "fault"),
    [
        (Expected(each=("TEA", "MILK")), [[0, 1]], ""),
        (Expected(each=("TEA", "MILK")), [[0]], "one of several things is missing"),
        (Expected(items="none"), [[0]], "something was shown"),
        (Expected(most=2.0), [[2]], "dearer than asked"),
        (Expected(least=2.0), [[0]], "cheaper than asked"),
        (Expected(priced=True), [[3]], "a price of 0"),
        (Expected(of=(1,)), [[0, 1], [1]], ""),
        (Expected(of=(1,)), [[0, 1], [0]], "not of the list before"),
        (Expected(not_of=(0,)), [[0, 1], [0]], "came again"),
        (Expected(keeps=(1,)), [[0, 1], [2]], "did not come again"),
        (Expected(count=2), [[0]], "another number"),
        (Expected(says="label"), [[0]], "does not say it"),
        (Expected(says_not="well"), [[0]], "says what it should not"),
    ],
)
def test_what_a_shopper_expects(expected, lists, fault):
    price = np.asarray([1.0, np.nan, 3.0, 0.0], np.float32)
    assert expected.fault(["TEA", "MILK", "COFFEE", "ICE"], price, lists, "Well.") == fault
