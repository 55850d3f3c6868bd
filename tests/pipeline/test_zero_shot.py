from dataclasses import replace

import numpy as np
import pytest

from savor.features.text.vectors import TextVectors
from savor.models.text_affinity import text_affinity
from savor.pipeline.build import assemble
from savor.pipeline.query import Query
from savor.pipeline.scenario import Scenario

USER = "household-3"
ARRIVALS = Scenario(sources=("zero_shot",), relevance=1.0, fill=False)


@pytest.fixture(scope="module")
def arrivals(serving):
    """The shop with words, and with items that nobody had; a word is a direction."""
    size, width = len(serving.catalogue), 12
    vectors = np.zeros((1 + width, width), np.float32)
    vectors[1:] = np.eye(width, dtype=np.float32)
    row = (1 + np.arange(size) % width).astype(np.int32)
    popularity = serving.tables.popularity.copy()
    unseen = np.arange(size - 24, size)
    popularity[unseen] = 0
    row[unseen[0]] = 0
    space = replace(serving.tables.space, text=TextVectors(row, vectors))
    tables = replace(serving.tables, space=space, popularity=popularity)
    opened = replace(serving.opened, scenarios={**serving.opened.scenarios, "arrivals": ARRIVALS})
    return assemble(opened, tables), unseen, row


def test_affinity_is_the_sum_of_what_is_near():
    had = np.asarray([[1, 0], [0, 1]], np.float32)
    words = np.asarray([[1, 0], [0.6, 0.8], [0, 0]], np.float32)
    weights = np.asarray([[0.75, 0.25], [0, 1]], np.float32)
    found = text_affinity(weights, had, words, sharpness=2.0)
    first = 0.75 + 0.25 * np.exp(-2.0)
    second = 0.75 * np.exp(-0.8) + 0.25 * np.exp(-0.4)
    assert found == pytest.approx(np.asarray([[first, second, 0], [np.exp(-2.0), np.exp(-0.4), 0]]), rel=1e-5)
    many = np.tile(words, (500, 1))
    assert np.array_equal(text_affinity(weights, had, many, 2.0)[:, 1497:], found)


def test_only_unseen_items_come_the_nearest_first(arrivals):
    serving, unseen, row = arrivals
    result = serving.pipelines["arrivals"].run(Query(USER, serving.clock(), n=10, scenario="arrivals", diverse=False))
    items = result.items
    assert len(items) == 10
    assert set(items.tolist()) <= set(unseen[1:].tolist())
    assert {reason.code for reason in result.reasons} <= {"zero_shot", "repeat_rhythm", "bought_before"}
    score = result.candidates.columns["zero_shot_score"]
    assert np.all(np.diff(score) <= 1e-6)
    shown = {int(item): float(value) for item, value in zip(items, score, strict=True)}
    left = [item for item in unseen[1:].tolist() if item not in shown]
    alike = [int(item) for item in items if row[item] in {row[one] for one in left}]
    assert all(shown[item] >= min(shown.values()) for item in alike)


def test_what_may_not_be_shown_and_people_without_a_history_get_none(arrivals):
    serving, unseen, _ = arrivals
    pipeline = serving.pipelines["arrivals"]
    nobody = pipeline.run(Query("nobody known", serving.clock(), n=5, scenario="arrivals"))
    assert not [reason for reason in nobody.reasons if reason.code == "zero_shot"]
    left_out = unseen[:20].astype(np.int32)
    some = pipeline.run(Query(USER, serving.clock(), n=10, scenario="arrivals", exclude=left_out))
    assert set(some.items.tolist()) <= set(unseen[20:].tolist())


def test_without_words_it_says_so(serving):
    opened = replace(serving.opened, scenarios={**serving.opened.scenarios, "arrivals": ARRIVALS})
    pipeline = assemble(opened, serving.tables).pipelines["arrivals"]
    result = pipeline.run(Query(USER, serving.clock(), n=5, scenario="arrivals"))
    assert not [reason for reason in result.reasons if reason.code == "zero_shot"]
    assert "zero_shot_absent" in str(result.fallback)
