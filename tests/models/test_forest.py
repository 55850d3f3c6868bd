import sys
from dataclasses import replace

import numpy as np
import pytest
import xgboost as xgb
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays

from savor.core.errors import BundleError
from savor.models.forest import Forest
from savor.models.xgboost_ranker import XgboostRanker, forest_beside

WIDTH = 5


def grown(objective: str = "binary:logistic", trees: int = 12, **parameters) -> xgb.Booster:
    rng = np.random.default_rng(3)
    features = rng.standard_normal((600, WIDTH)).astype(np.float32)
    features[rng.random(features.shape) < 0.2] = np.nan
    label = (np.nan_to_num(features).sum(axis=1) + rng.standard_normal(600) > 0).astype(np.float32)
    data = xgb.DMatrix(features, label)
    if objective.startswith("rank"):
        data.set_group([20] * 30)
    settings = {"objective": objective, "max_depth": 4, "nthread": 1, "seed": 1, **parameters}
    return xgb.train(settings, data, trees)


MODELS = {
    "logistic": grown(),
    "deep": grown(max_depth=7, min_child_weight=0),
    "stumps": grown(max_depth=1),
    "lopsided": grown(max_depth=6, grow_policy="lossguide", max_leaves=9),
    "order": grown("rank:ndcg"),
    "pairs": grown("rank:pairwise", lambdarank_pair_method="topk"),
    "squares": grown("reg:squarederror", base_score=0.3),
}
NUMBERS = st.floats(-3, 3, width=32) | st.just(np.nan)


@pytest.mark.parametrize("name", MODELS)
@settings(max_examples=30, deadline=None)
@given(features=arrays.arrays(np.float32, st.tuples(st.integers(0, 40), st.just(WIDTH)), elements=NUMBERS))
def test_a_forest_adds_up_what_xgboost_does(name: str, features: np.ndarray) -> None:
    forest = Forest.of(MODELS[name])
    assert forest is not None
    expected = MODELS[name].inplace_predict(features) if len(features) else np.empty(0, np.float32)
    found = forest.score(features)
    assert found.dtype == np.float32
    # The sums are the same to the last bit; the logistic function is another library's.
    np.testing.assert_allclose(found, expected, rtol=1e-6 if forest.logistic else 0)


def test_values_on_a_threshold_go_where_xgboost_sends_them() -> None:
    forest = Forest.of(MODELS["order"])
    assert forest is not None
    thresholds = np.unique(forest.threshold)
    features = np.repeat(thresholds[:, None], WIDTH, axis=1).astype(np.float32)
    np.testing.assert_array_equal(forest.score(features), MODELS["order"].inplace_predict(features))


@pytest.mark.parametrize(
    "booster",
    [grown(max_depth=10, min_child_weight=0, gamma=0), grown("multi:softprob", num_class=2), grown(booster="dart")],
    ids=["too deep", "two outputs", "dart"],
)
def test_other_trees_are_left_to_xgboost(booster: xgb.Booster, tmp_path) -> None:
    assert Forest.of(booster) is None
    features = np.random.default_rng(0).standard_normal((7, WIDTH)).astype(np.float32)
    booster.save_model(tmp_path / "all.ubj")
    np.testing.assert_array_equal(
        XgboostRanker.load(tmp_path / "all.ubj").score(features), booster.inplace_predict(features)
    )


def test_a_ranker_with_its_trees_beside_it_needs_no_library_to_score(tmp_path, monkeypatch) -> None:
    booster, path = MODELS["deep"], tmp_path / "all.ubj"
    booster.save_model(path)
    forest = Forest.of(booster)
    assert forest is not None
    forest.save(forest_beside(path))
    features = np.random.default_rng(0).standard_normal((7, WIDTH)).astype(np.float32)
    expected = XgboostRanker.load(path)
    with monkeypatch.context() as without:
        without.setitem(sys.modules, "xgboost", None)
        ranker = XgboostRanker.load(path)
        np.testing.assert_array_equal(ranker.score(features), forest.score(features))
    np.testing.assert_array_equal(ranker.contributions(features), expected.contributions(features))


@pytest.mark.parametrize("damage", ["split", "threshold", "depth", "no file", "no archive"])
def test_damaged_trees_are_refused(tmp_path, damage: str) -> None:
    path = tmp_path / "all.forest.npz"
    forest = Forest.of(MODELS["deep"])
    assert forest is not None
    changed: dict[str, Forest] = {
        "split": replace(forest, split=forest.split + np.uint32(2 * WIDTH)),
        "threshold": replace(forest, threshold=forest.threshold[:, 1:]),
        "depth": replace(forest, depth=forest.depth - 1),
    }
    changed.get(damage, forest).save(path)
    if damage == "no file":
        path.unlink()
    if damage == "no archive":
        path.write_bytes(b"PK\x03\x04 broken")
    with pytest.raises(BundleError, match="publish the bundle again"):
        Forest.load(path)


def test_rows_of_another_width_are_refused() -> None:
    forest = Forest.of(MODELS["logistic"])
    assert forest is not None
    with pytest.raises(ValueError, match="5 features"):
        forest.score(np.zeros((2, WIDTH + 1), np.float32))


def test_the_ranker_scores_with_its_forest(tmp_path) -> None:
    MODELS["order"].save_model(tmp_path / "model.ubj")
    features = np.random.default_rng(0).standard_normal((33, WIDTH)).astype(np.float32)
    ranker = XgboostRanker.load(tmp_path / "model.ubj")
    np.testing.assert_array_equal(ranker.score(features), MODELS["order"].inplace_predict(features))
    contributions = ranker.contributions(features)
    np.testing.assert_allclose(contributions.sum(axis=1), ranker.score(features), rtol=1e-4, atol=1e-5)
