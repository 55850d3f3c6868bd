from itertools import combinations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from savor.pipeline.fairness.capped_mmr import Cap, capped_mmr
from savor.pipeline.fairness.dpp import greedy_dpp
from savor.pipeline.fairness.scores import boosted, dampened, in_spans


def made(seed, size=12, width=4):
    generator = np.random.default_rng(seed)
    vectors = generator.normal(size=(size, width)).astype(np.float32)
    return generator.normal(size=size), vectors / np.linalg.norm(vectors, axis=1, keepdims=True)


def test_mmr_by_hand():
    vectors = np.array([[1, 0], [1, 0], [0, 1]], np.float32)
    scores = np.array([1.0, 0.9, 0.5])
    assert capped_mmr(scores, vectors, 2, 0.5).tolist() == [0, 2]
    assert capped_mmr(scores, vectors, 2, 0.1).tolist() == [0, 1]
    assert capped_mmr(scores, None, 5).tolist() == [0, 1, 2]


def test_caps_by_hand():
    scores = np.arange(6, 0, -1.0)
    category = Cap(np.array([1, 1, 1, 2, 2, 0], np.int32), 1)
    business = Cap(np.array([7, 8, 9, 7, 8, 9], np.int32), 1)
    assert capped_mmr(scores, None, 3, caps=[category]).tolist() == [0, 3, 5]
    assert capped_mmr(scores, None, 3, caps=[category, business]).tolist() == [0, 4, 5]
    assert capped_mmr(scores, None, 6, caps=[category]).tolist() == [0, 3, 5, 1, 2, 4]


@settings(deadline=None, max_examples=80)
@given(st.integers(0, 10_000), st.integers(0, 15), st.floats(0, 1), st.integers(1, 4), st.integers(1, 4))
def test_caps_hold_while_anything_else_is_left(seed, n, diversity, most, kinds):
    scores, vectors = made(seed)
    codes = np.random.default_rng(seed).integers(0, kinds + 1, len(scores)).astype(np.int32)
    chosen = capped_mmr(scores, vectors, n, diversity, [Cap(codes, most)])
    assert len(set(chosen.tolist())) == len(chosen) == min(n, len(scores))
    possible = (codes == 0).sum() + sum(min(most, (codes == code).sum()) for code in range(1, kinds + 1))
    head = codes[chosen[: min(n, possible)]]
    assert all((head == code).sum() <= most for code in range(1, kinds + 1))


def test_dpp_by_hand():
    vectors = np.array([[1, 0], [0.99, np.sqrt(1 - 0.99**2)], [0, 1]], np.float32)
    scores = np.array([0.0, -0.1, -0.5])
    assert greedy_dpp(scores, vectors, 2, 0.5).tolist() == [0, 2]
    assert greedy_dpp(scores, vectors, 2, 0.01).tolist() == [0, 1]
    assert greedy_dpp(scores, vectors, 3, 0.5).tolist() == [0, 2, 1]


@pytest.mark.parametrize("seed", range(10))
def test_dpp_takes_the_largest_determinant_at_each_step(seed):
    scores, vectors = made(seed, size=8, width=6)
    scores *= 0.3
    diversity = 0.6
    quality = np.exp(scores * (1 - diversity) / diversity)
    kernel = quality[:, None] * (vectors @ vectors.T).astype(np.float64) * quality
    chosen: list[int] = []
    for _ in range(4):
        worth = [np.linalg.det(kernel[np.ix_([*chosen, i], [*chosen, i])]) if i not in chosen else -1 for i in range(8)]
        chosen.append(int(np.argmax(worth)))
    assert greedy_dpp(scores, vectors, 4, diversity).tolist() == chosen


@settings(deadline=None, max_examples=100)
@given(st.integers(0, 10_000), st.integers(0, 15), st.floats(0.01, 1))
def test_dpp_loses_and_doubles_nothing(seed, n, diversity):
    scores, vectors = made(seed, width=3)
    vectors[5] = vectors[4]
    chosen = greedy_dpp(scores, vectors, n, diversity)
    assert len(set(chosen.tolist())) == len(chosen) == min(n, len(scores))


def test_both_make_lists_more_unlike():
    unlike: dict[str, list[float]] = {"top": [], "mmr": [], "dpp": []}
    for seed in range(20):
        generator = np.random.default_rng(seed)
        centres = generator.normal(size=(5, 8))
        cluster = generator.integers(0, 5, 60)
        vectors = (centres[cluster] + 0.3 * generator.normal(size=(60, 8))).astype(np.float32)
        vectors /= np.linalg.norm(vectors, axis=1, keepdims=True)
        scores = in_spans((generator.normal(size=60) - cluster).astype(np.float32), 60)
        lists = {
            "top": np.argsort(-scores)[:8],
            "mmr": capped_mmr(scores, vectors, 8, 0.5),
            "dpp": greedy_dpp(scores, vectors, 8, 0.5),
        }
        for name, rows in lists.items():
            unlike[name].append(np.mean([1 - vectors[i] @ vectors[j] for i, j in combinations(rows, 2)]))
    assert np.mean(unlike["mmr"]) > np.mean(unlike["top"]) + 0.03
    assert np.mean(unlike["dpp"]) > np.mean(unlike["top"]) + 0.03


def test_scores_by_hand():
    spans = in_spans(np.array([4, 10, 8, 0], np.float32), 3)
    np.testing.assert_allclose(spans, [-1, 0, -2 / 6, -10 / 6])
    assert in_spans(np.empty(0, np.float32), 3).tolist() == []
    assert in_spans(np.array([5, 5], np.float32), 2).tolist() == [0, 0]
    popular = np.array([0, 7, 0, 63], np.float32)
    np.testing.assert_allclose(dampened(np.zeros(4), popular, 0.5), [0, -0.25, 0, -0.5])
    assert dampened(np.ones(2), np.zeros(2, np.float32), 0.5).tolist() == [1, 1]
    members = np.array([[True, True, False], [False, True, False]])
    assert boosted(np.zeros(3), members, np.array([1.0, 0.5])).tolist() == [1, 1.5, 0]
