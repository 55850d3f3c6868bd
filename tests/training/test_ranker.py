import json
from dataclasses import replace

import numpy as np
import pytest

from savor.core.errors import TrainingError
from savor.models.xgboost_ranker import XgboostRanker
from savor.training.ranker import save_ranker, train_ranker
from savor.training.ranking_examples import RankingExamples
from savor.training.ranking_options import RankingOptions

SMALL = {"trees": 20, "minimum_child_weight": 0.0, "learning_rate": 0.3, "column_share": 1.0}


def examples(seed: int = 0) -> RankingExamples:
    """The first of three features decides; a tenth of the values is missing."""
    rng = np.random.default_rng(seed)
    features = rng.normal(size=(600, 3)).astype(np.float32)
    label = (features[:, 0] > 0.5).astype(np.float32)
    features[rng.random(features.shape) < 0.1] = np.nan
    question = np.repeat(np.arange(60, dtype=np.int32), 10)
    rating = np.where(label > 0, rng.integers(1, 6, 600), np.nan).astype(np.float32)
    return RankingExamples(features, label, question, question, rng.integers(0, 40, 600).astype(np.int32), rating)


@pytest.mark.parametrize("objective", ["binary:logistic", "rank:ndcg", "rank:pairwise"])
def test_the_model_finds_what_decides_and_survives_a_round_trip(tmp_path, objective) -> None:
    model = train_ranker(examples(), RankingOptions(**SMALL), objective, 1, "fit")
    save_ranker(tmp_path, model, model, ("a", "b", "c"), ("c",))
    document = json.loads((tmp_path / "features.json").read_text())
    assert next(iter(document["gain"]["all"])) == "a"
    assert document["source_columns"] == ["c"]
    other = examples(1)
    scores = XgboostRanker.load(tmp_path / "all.ubj").score(other.features)
    known = np.isfinite(other.features[:, 0])
    assert scores[known & (other.label == 1)].mean() > scores[known & (other.label == 0)].mean() + 0.3


def test_the_same_seed_gives_the_same_model() -> None:
    first, second = (
        train_ranker(examples(), RankingOptions(**SMALL), "rank:ndcg", 3, "fit").save_raw("ubj") for _ in range(2)
    )
    assert first == second


def test_nothing_to_tell_apart_is_said() -> None:
    only = examples()
    none = replace(only, label=np.zeros_like(only.label))
    with pytest.raises(TrainingError, match="0 were chosen"):
        train_ranker(none, RankingOptions(), "binary:logistic", 1, "fit")


def test_questions_of_parts_stay_apart() -> None:
    both = RankingExamples.concatenate([examples(), examples(1)])
    assert len(both) == 1200
    assert len(np.unique(both.question)) == 120
    assert (np.diff(both.question) >= 0).all()
