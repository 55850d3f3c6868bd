from dataclasses import replace

import numpy as np
import pytest

from savor.bench.config import read_benchmark
from savor.bench.prepare import prepare
from savor.bench.questions import Questions, RankingOptions
from savor.core.errors import DataError
from savor.data.splits import TEST, TRAIN


@pytest.fixture
def dataset(suite, data):
    return prepare(read_benchmark(suite.find("made-up")), suite, data).dataset


def test_cold_items_can_count_as_missed(dataset):
    apart = Questions.of(dataset, RankingOptions(tasks=("new",)))
    counted = Questions.of(dataset, RankingOptions(tasks=("new",), cold_items="count"))
    asked = dataset.events.select(dataset.events.split == TEST)
    assert len(counted.test["new"]) == len(asked) == 40
    warm = np.isin(asked.item, apart.known.item)
    assert len(apart.test["new"]) == warm.sum()
    order = np.argsort(asked.user)
    np.testing.assert_array_equal(counted.test["new"].items, asked.item[order])


def test_the_moment_of_the_event_asked_for_is_told_where_the_protocol_says_so(dataset, monkeypatch):
    asked = dataset.events.split == TEST
    spread = np.where(asked, dataset.events.time + 7_000_000, dataset.events.time)
    monkeypatch.setitem(dataset.__dict__, "events", replace(dataset.events, time=spread))
    kept = Questions.of(dataset, RankingOptions(tasks=("new",), cold_items="count")).test["new"]
    told = Questions.of(dataset, RankingOptions(tasks=("new",), cold_items="count", query_time=True)).test["new"]
    order = np.argsort(dataset.events.user[asked])
    np.testing.assert_array_equal(told.now, spread[asked][order])
    assert (kept.now < told.now).all()
    np.testing.assert_array_equal(told.items, kept.items)


def test_newcomers_of_a_split_by_time_are_asked_at_the_cut_only(dataset, monkeypatch):
    moved = dict(dataset.split, validation_start=int(np.quantile(dataset.events.time, 0.6)))
    moved["test_start"] = int(np.quantile(dataset.events.time, 0.8))
    split = np.searchsorted([moved["validation_start"], moved["test_start"]], dataset.events.time, "right")
    monkeypatch.setitem(dataset.__dict__, "events", replace(dataset.events, split=split.astype(np.uint8)))
    monkeypatch.setitem(dataset.split, "test_start", moved["test_start"])
    monkeypatch.setitem(dataset.split, "validation_start", moved["validation_start"])
    questions = Questions.of(dataset, RankingOptions(tasks=("cold_users",), newcomers=0.3))
    holdout = questions.test["cold_users"]
    assert questions.dropped_users > 0
    assert not np.isin(holdout.users, questions.known.user).any()
    assert (holdout.now == moved["test_start"]).all()
    late = dataset.events.select(dataset.events.split == TEST)
    assert set(holdout.users) <= set(late.user)
    assert not np.isin(questions.validation["cold_users"].users, questions.train.user).any()


def test_newcomers_of_another_split_are_asked_for_everything(dataset):
    questions = Questions.of(dataset, RankingOptions(tasks=("cold_users",), newcomers=0.3))
    holdout = questions.test["cold_users"]
    assert (holdout.relevant_counts == 6).all()
    assert not np.isin(holdout.users, questions.known.user).any()
    others = set(range(40)) - set(holdout.users.tolist())
    assert set(questions.known.user) == others
    assert (questions.train.split == TRAIN).all()


def test_a_task_without_questions_is_an_error(dataset):
    with pytest.raises(DataError, match="cold_users"):
        Questions.of(dataset, RankingOptions(tasks=("cold_users",)))
