import itertools
import json
import math
import os
import subprocess
import sys

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from savor.core.errors import SavorError
from savor.evaluation.hits import hits_of_lists, hits_of_ranks, rank_of_relevant
from savor.evaluation.metrics import ACCURACY, accuracy

CUTOFFS = (1, 2, 5, 10)


def draw(seed, users=6, items=30, width=10, floor=0):
    generator = np.random.default_rng(seed)
    lists = np.stack([generator.permutation(items)[:width] for _ in range(users)]).astype(np.int32)
    for row in lists:
        row[generator.integers(floor, width + 1) :] = -1
    relevant = [np.sort(generator.permutation(items)[: generator.integers(1, 15)]) for _ in range(users)]
    indptr = np.cumsum([0, *map(len, relevant)]).astype(np.int64)
    return lists, indptr, np.concatenate(relevant).astype(np.int32)


def measured(lists, indptr, relevant, cutoffs=CUTOFFS):
    return accuracy(hits_of_lists(lists, indptr, relevant), np.diff(indptr), cutoffs)


def test_hand_computed():
    lists = np.array([[5, 1, 9, 2], [3, 4, -1, -1]], np.int32)
    values = measured(lists, np.array([0, 3, 4]), np.array([1, 2, 7, 8], np.int32), (1, 2, 4))
    first = {
        "recall@2": 1 / 3,
        "recall_min@2": 1 / 2,
        "recall@4": 2 / 3,
        "recall_min@4": 2 / 3,
        "precision@2": 1 / 2,
        "precision@4": 1 / 2,
        "hr@1": 0,
        "hr@2": 1,
        "mrr@1": 0,
        "mrr@4": 1 / 2,
        "map@4": (1 / 2 + 2 / 4) / 3,
        "ndcg@2": (1 / math.log2(3)) / (1 + 1 / math.log2(3)),
        "ndcg@4": (1 / math.log2(3) + 1 / math.log2(5)) / (1 + 1 / math.log2(3) + 1 / 2),
    }
    for name, right in first.items():
        assert values[name][0] == pytest.approx(right), name
    assert all(value[1] == 0 for value in values.values())


def test_against_ranx():
    lists, indptr, relevant = draw(3, users=5, floor=2)
    qrels = {f"q{q}": {f"d{i}": 1 for i in relevant[indptr[q] : indptr[q + 1]]} for q in range(len(lists))}
    run = {f"q{q}": {f"d{i}": 100.0 - r for r, i in enumerate(row) if i >= 0} for q, row in enumerate(lists)}
    theirs = {
        "recall": "recall",
        "precision": "precision",
        "hr": "hit_rate",
        "ndcg": "ndcg",
        "map": "map",
        "mrr": "mrr",
    }
    names = [f"{name}@{k}" for name in theirs.values() for k in (5, 10)]
    code = """
import json, sys
from ranx import Qrels, Run, evaluate
qrels, run, names = json.load(sys.stdin)
print(json.dumps({name: float(value) for name, value in evaluate(Qrels(qrels), Run(run), names).items()}))
"""
    done = subprocess.run(
        [sys.executable, "-W", "ignore", "-c", code],
        input=json.dumps([qrels, run, names]),
        env={**os.environ, "NUMBA_DISABLE_JIT": "1"},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    right = json.loads(done.stdout.splitlines()[-1])
    values = measured(lists, indptr, relevant)
    for mine, its in theirs.items():
        for k in (5, 10):
            assert values[f"{mine}@{k}"].mean() == pytest.approx(right[f"{its}@{k}"]), (mine, k)
    assert 0 < values["ndcg@10"].mean() < 1


@given(st.integers(0, 100_000))
def test_bounds_and_growth_with_k(seed):
    values = measured(*draw(seed))
    for name in ACCURACY:
        table = np.stack([values[f"{name}@{k}"] for k in CUTOFFS])
        assert (table >= 0).all()
        assert (table <= 1 + 1e-12).all()
        if name in ("recall", "hr", "map", "mrr"):
            assert (np.diff(table, axis=0) >= -1e-12).all()


@given(st.integers(0, 100_000))
def test_which_wrong_items_are_shown_does_not_matter(seed):
    lists, indptr, relevant = draw(seed)
    before = measured(lists, indptr, relevant)
    generator = np.random.default_rng(seed + 1)
    for row, (start, end) in enumerate(itertools.pairwise(indptr)):
        wrong = (lists[row] >= 0) & ~np.isin(lists[row], relevant[start:end])
        lists[row, wrong] = generator.permutation(lists[row, wrong])
    after = measured(lists, indptr, relevant)
    for name, value in before.items():
        np.testing.assert_array_equal(value, after[name])


def test_the_perfect_list_is_perfect():
    lists, indptr, relevant = draw(1)
    for row, (start, end) in enumerate(itertools.pairwise(indptr)):
        rest = np.setdiff1d(np.arange(30), relevant[start:end])
        lists[row] = np.concatenate([relevant[start:end], rest])[:10]
    values = measured(lists, indptr, relevant)
    for name in ("recall_min", "hr", "ndcg", "mrr"):
        np.testing.assert_allclose(values[f"{name}@10"], 1)


def test_equal_scores_count_against_the_model():
    items = np.array([[4, 5, 6, 7]], np.int32)
    scores = np.array([[2, 1, 1, 1]], np.float32)
    indptr, relevant = np.array([0, 1]), np.array([5], np.int32)
    assert hits_of_lists(items, indptr, relevant).tolist() == [[False, True, False, False]]
    assert hits_of_lists(items, indptr, relevant, scores).tolist() == [[False, False, False, True]]


@given(st.integers(0, 100_000), st.integers(1, 6))
def test_ranks_of_full_scores_agree_with_the_worst_order(seed, levels):
    generator = np.random.default_rng(seed)
    scores = generator.integers(0, levels, (3, 12)).astype(np.float32)
    _, indptr, relevant = draw(seed, users=3, items=12)
    ranks = rank_of_relevant(scores, indptr, relevant)
    hits = hits_of_ranks(ranks, indptr, 12)
    for row in range(3):
        right = np.isin(np.arange(12), relevant[indptr[row] : indptr[row + 1]])
        order = np.lexsort((np.arange(12), right, -scores[row]))
        assert hits[row].tolist() == right[order].tolist()
        assert sorted(ranks[indptr[row] : indptr[row + 1]]) == (np.flatnonzero(hits[row]) + 1).tolist()


def test_a_constant_model_comes_last():
    ranks = rank_of_relevant(np.zeros((1, 100), np.float32), np.array([0, 2]), np.array([0, 1], np.int32))
    assert sorted(ranks.tolist()) == [99, 100]


def test_misuse_is_a_clear_error():
    with pytest.raises(SavorError, match="twice"):
        hits_of_lists(np.array([[1, 1]], np.int32), np.array([0, 1]), np.array([1], np.int32))
    with pytest.raises(SavorError, match="expected 1 ranked lists"):
        hits_of_lists(np.zeros((2, 1), np.int32), np.array([0, 1]), np.array([1], np.int32))
    with pytest.raises(SavorError, match="cutoffs"):
        accuracy(np.zeros((1, 3), bool), np.ones(1, np.int64), (5,))
    with pytest.raises(SavorError, match="relevant"):
        accuracy(np.zeros((1, 3), bool), np.zeros(1, np.int64), (2,))
