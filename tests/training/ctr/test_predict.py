import numpy as np
import pytest

from savor.core.errors import TrainingError
from savor.data.splits import TEST, TRAIN, VALIDATION
from savor.evaluation.ranking_head import auc
from savor.features.columns import CategoryColumn, Columns, TagColumn
from savor.training.cross_network.options import DcnOptions
from savor.training.ctr.expectations import expectations
from savor.training.ctr.moment_features import moment_features
from savor.training.ctr.options import CtrOptions, TreeOptions
from savor.training.ctr.predict import CtrTask, predict_choice

USERS, ITEMS, NUMBER = 80, 40, 4000
OPTIONS = CtrOptions(
    factors=2,
    samples=10,
    draws=2,
    folds=2,
    trees=TreeOptions(trees=60, learning_rate=0.2, minimum_child_weight=5, column_share=0.8, patience=10),
    dcn=DcnOptions(hidden=(16,), rank=4, ids=False, batch_size=256, epochs=4, class_weights="none", alpha=0.0,
                   learning_rate=0.01),
)  # fmt: skip


def task(seed: int = 0) -> CtrTask:
    """Likes follow generosity, quality and one taste; a rating is seldom worth more than its reader knows."""
    rng = np.random.default_rng(seed)
    user, item = rng.integers(0, USERS, NUMBER).astype(np.int32), rng.integers(0, ITEMS, NUMBER).astype(np.int32)
    time = np.sort(rng.integers(0, 10**6, NUMBER)).astype(np.int64)
    taste, kind = rng.standard_normal(USERS), rng.choice([-1.0, 1.0], ITEMS)
    meant = 3.4 + 0.6 * rng.standard_normal(USERS)[user] + 0.5 * rng.standard_normal(ITEMS)[item]
    meant += 1.2 * taste[user] * kind[item] + 0.5 * rng.standard_normal(NUMBER)
    value = np.clip(np.round(meant), 1, 5).astype(np.float32)
    period = np.repeat([TRAIN, VALIDATION, TEST], [3000, 500, 500]).astype(np.uint8)
    users = Columns({"age": CategoryColumn.from_strings([str(row % 3) for row in range(USERS)])}, {}, {})
    tags = TagColumn.from_lists([["a"] if row % 2 else ["a", "b"] for row in range(ITEMS)])
    items = Columns(
        {"kind": CategoryColumn.from_strings([str(row % 4) for row in range(ITEMS)])},
        {"tags": tags},
        {"year": rng.integers(1950, 2000, ITEMS).astype(np.float32)},
    )
    return CtrTask.of(user, item, time, value, period, users, items, 4.0)


@pytest.fixture(scope="module")
def answers(tmp_path_factory):
    asked, cache = task(), tmp_path_factory.mktemp("cache")
    label = asked.label[asked.period == TEST]
    found = {}
    for model in ("item_rate", "xgboost", "blend"):
        chance, details = predict_choice(model, asked, OPTIONS, 1, cache=cache)
        assert chance.shape == label.shape
        assert ((chance > 0) & (chance < 1)).all()
        assert len(list(cache.iterdir())) == (model != "item_rate")
        found[model] = (auc(label, chance), details)
    return found


def test_models_know_more_than_the_item(answers):
    assert answers["xgboost"][0] > answers["item_rate"][0] + 0.1
    assert answers["blend"][0] > answers["item_rate"][0] + 0.1


def test_what_was_chosen_is_said(answers):
    _, details = answers["blend"]
    assert 1 <= details["xgboost"]["trees"] <= 60
    assert 1 <= details["dcn"]["passes"] <= 4
    assert details["validation"]["auc"] > 0.6


def test_no_feature_knows_of_its_own_rating_or_of_later_ones():
    asked = task()
    events = asked.events
    late = np.arange(NUMBER) >= 3200
    changed = np.where(late, 6 - events.value, events.value).astype(np.float32)
    other = type(events)(**{**vars(events), "value": changed})
    before, _ = moment_features(events)
    after, names = moment_features(other)
    known = events.time <= events.time[3200]
    np.testing.assert_array_equal(before[known], after[known])
    assert not np.array_equal(before[~known], after[~known])
    assert len(names) == before.shape[1] == len(set(names))


def test_expectations_do_not_know_of_their_own_rating():
    """Flipping the ratings of one user changes what is expected of later ones, not of the first."""
    asked = task()
    events = asked.events
    sides = asked.user_side, asked.item_side
    before = expectations(events, asked.period, *sides, OPTIONS, 3)
    own = (events.user == 5) & (asked.period == TRAIN)
    first = np.flatnonzero(own)[0]
    other = type(events)(**{**vars(events), "value": np.where(own, 6 - events.value, events.value).astype(np.float32)})
    after = expectations(other, asked.period, *sides, OPTIONS, 3)
    assert before.mean[first] == after.mean[first]
    assert np.abs(before.mean - after.mean)[own].max() > 0.1


def test_an_empty_period_is_said():
    asked = task()
    empty = type(asked)(**{**vars(asked), "period": np.zeros(NUMBER, np.uint8)})
    with pytest.raises(TrainingError, match="to choose on"):
        predict_choice("xgboost", empty, OPTIONS, 1)
