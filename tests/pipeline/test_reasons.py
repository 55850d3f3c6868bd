import numpy as np
import pytest

from savor.features.catalogue import Catalogue
from savor.models.neighbours import Neighbours
from savor.pipeline.candidates import Candidates, Retrieved
from savor.pipeline.query import Query
from savor.pipeline.stages.own_items import DAY, OwnItems
from savor.pipeline.stages.reasons import Reasons, Wording
from tests.pipeline.test_stages import history

NOW = 100 * DAY + 3600
NAMES = ("ann", "buy_again", "co_purchase", "trending", "popular")
CATALOGUE = Catalogue(
    list("abcdef"),
    ["Milk", "Bread", "Jam", "Tea", "Figs", "Salt"],
    {},
    {},
    {},
    np.ones(6, np.float32),
    np.ones(6, np.bool_),
    None,
)
NEIGHBOURS = Neighbours(
    np.array([[2, 3], [2, 4], [-1, -1], [-1, -1], [-1, -1], [-1, -1]], np.int32),
    np.array([[1.0, 0.5], [3.0, 0.5], [0, 0], [0, 0], [0, 0], [0, 0]], np.float32),
)


def reasons(events, retrieved, window=28, kind="purchase", power=1, known=True):
    past = history(*events)
    brought = {
        name: Retrieved(np.array(items, np.int32), np.ones(len(items), np.float32)) for name, items in retrieved.items()
    }
    stage = Reasons(CATALOGUE, NEIGHBOURS, 10, power, window, Wording.of(kind))
    hydrated = {"history": past, "own_items": OwnItems.of(past, NOW, 30 * DAY), "known_user": known}
    found = stage.explain(Query("u", NOW), hydrated, Candidates.merge(NAMES, brought))
    return [(reason.code, reason.text) for reason in found]


@pytest.mark.parametrize(
    ("days", "reason"),
    [
        ([70, 80, 88, 97], ("repeat_rhythm", "you buy this about every 9 days")),
        ([98, 99, 100], ("repeat_rhythm", "you buy this about every day")),
        ([90, 90, 95], ("bought_before", "you bought this twice, last 5 days ago")),
        ([99], ("bought_before", "you bought this once, last yesterday")),
        ([100], ("bought_before", "you bought this once, last today")),
    ],
)
def test_own_items(days, reason):
    assert reasons([(0, day) for day in days], {"buy_again": [0], "trending": [0]}) == [reason]


def test_the_largest_part_is_named():
    assert reasons([(0, 99), (1, 99)], {"co_purchase": [2]}) == [("bought_together", "often bought with Bread")]
    often = [(0, 97), (0, 98), (0, 98), (0, 99), (1, 20)]
    assert reasons(often, {"co_purchase": [2]}) == [("bought_together", "often bought with Milk")]
    assert reasons(often, {"co_purchase": [2]}, power=0) == [("bought_together", "often bought with Bread")]


def test_the_source_that_ranks_it_highest_speaks():
    retrieved = {"ann": [5, 3, 4], "trending": [4, 5, 3], "popular": [2]}
    assert reasons([(0, 99)], retrieved) == [
        ("popular", "popular with everybody"),
        ("similar_taste", "like what you choose"),
        ("trending", "popular this month"),
        ("similar_taste", "like what you choose"),
    ]


def test_without_a_history_nothing_is_like_what_you_choose():
    assert reasons([], {"ann": [5]}) == [("profile", "chosen by people with a profile like yours")]
    assert reasons([], {"ann": [5]}, known=False) == [("newcomer", "chosen by people we know little of")]


def test_words_follow_the_data():
    assert reasons([(0, 99)], {"buy_again": [0]}, kind="rating") == [
        ("bought_before", "you rated this once, last yesterday")
    ]
    assert reasons([], {"trending": [5]}, window=7) == [("trending", "popular in the last 7 days")]
    assert Wording.of("").past == "chose"
