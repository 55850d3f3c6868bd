"""What is worth changing where the configuration does not say."""

from typing import Any, Literal, get_args

from savor.core.config import Section
from savor.training.tuning.configuration_key import find_field
from savor.training.tuning.dimension import Dimension

Stage = Literal["retrieval", "ranking"]

SECTIONS: dict[Stage, tuple[str, ...]] = {
    "retrieval": ("retrieval", "features", "negatives", "sequence", "ncf", "images"),
    "ranking": ("ranking", "dcn"),
}
"""The tables of the configuration that each stage reads; only their keys can be tuned with it."""

TOWERS = {"retrieval.model": "two_tower"}
SEQUENCES = {"retrieval.model": ["transformer", "gru"]}
FACTORS = {"retrieval.model": "gmf"}
TREES = {"ranking.model": "xgboost"}
CROSSES = {"ranking.model": "dcn"}


def default_space(stage: Stage, kind: type[Section]) -> dict[str, Dimension]:
    """The space of `stage` by dotted key; every value of a choice of the configuration's own is offered."""
    given = {"retrieval": _retrieval, "ranking": _ranking}[stage]()
    dimensions = {key: Dimension.model_validate(values) for key, values in given.items()}
    for key, when in _NAMES[stage].items():
        if names := get_args(find_field(kind, key).annotation):
            dimensions[key] = Dimension(choices=names, when=when)
    return dimensions


_NAMES: dict[Stage, dict[str, dict[str, Any]]] = {
    "retrieval": {"retrieval.model": {}},
    "ranking": {"ranking.objective": TREES, "ranking.new_objective": TREES},
}
"""Keys that take one of some names, all of which are tried."""


def _retrieval() -> dict[str, dict[str, Any]]:
    return {
        "retrieval.embedding_dimension": {"choices": [32, 64, 128], "when": TOWERS},
        "retrieval.hidden": {"choices": [[128], [256], [512, 256]], "when": TOWERS},
        "retrieval.batch_size": {"choices": [512, 1024, 2048, 4096], "when": TOWERS},
        "retrieval.learning_rate": {"low": 0.0003, "high": 0.01, "log": True, "when": TOWERS},
        "retrieval.temperature": {"low": 0.02, "high": 0.4, "log": True, "when": TOWERS},
        "retrieval.feature_dropout": {"low": 0.0, "high": 0.5, "step": 0.1, "when": TOWERS},
        "retrieval.positives": {"choices": ["all", "first"], "when": TOWERS},
        # The softmax over all items is left out: in a large catalogue it takes many times as long.
        "retrieval.loss": {"choices": ["softmax", "gbce", "triplet"], "when": TOWERS},
        "negatives.uniform": {"choices": [0, 256, 1024], "when": TOWERS},
        "negatives.similar_embedding": {"choices": [0, 4], "when": TOWERS},
        "features.history_length": {"choices": [20, 50, 100]},
        "features.user_id": {"choices": [True, False], "when": TOWERS},
        "features.popularity": {"choices": [True, False], "when": TOWERS},
        "sequence.width": {"choices": [32, 64, 128], "when": SEQUENCES},
        "sequence.blocks": {"low": 1, "high": 3, "when": SEQUENCES},
        "sequence.dropout": {"low": 0.0, "high": 0.5, "step": 0.1, "when": SEQUENCES},
        "sequence.learning_rate": {"low": 0.0003, "high": 0.005, "log": True, "when": SEQUENCES},
        "sequence.loss": {"choices": ["full_softmax", "sampled_softmax", "gbce"], "when": SEQUENCES},
        "ncf.factors": {"choices": [16, 32, 64, 128], "when": FACTORS},
        "ncf.loss": {"choices": ["binary_cross_entropy", "gbce", "sampled_softmax"], "when": FACTORS},
        "ncf.negatives": {"low": 4, "high": 256, "log": True, "when": FACTORS},
        "ncf.learning_rate": {"low": 0.0003, "high": 0.01, "log": True, "when": FACTORS},
    }


def _ranking() -> dict[str, dict[str, Any]]:
    return {
        "ranking.model": {"choices": ["xgboost", "dcn"]},
        "ranking.trees": {"low": 50, "high": 600, "log": True, "when": TREES},
        "ranking.depth": {"low": 3, "high": 9, "when": TREES},
        "ranking.learning_rate": {"low": 0.02, "high": 0.3, "log": True, "when": TREES},
        "ranking.row_share": {"low": 0.4, "high": 1.0, "step": 0.1, "when": TREES},
        "ranking.column_share": {"low": 0.2, "high": 1.0, "step": 0.1, "when": TREES},
        "ranking.minimum_child_weight": {"low": 0.5, "high": 50.0, "log": True, "when": TREES},
        "ranking.regularisation": {"low": 0.5, "high": 50.0, "log": True, "when": TREES},
        "dcn.cross_layers": {"low": 1, "high": 4, "when": CROSSES},
        "dcn.rank": {"choices": [0, 16, 32, 64], "when": CROSSES},
        "dcn.hidden": {"choices": [[64], [128, 64], [256, 128]], "when": CROSSES},
        "dcn.dropout": {"low": 0.0, "high": 0.4, "step": 0.1, "when": CROSSES},
        "dcn.ids": {"choices": [False, True], "when": CROSSES},
        "dcn.learning_rate": {"low": 0.0003, "high": 0.005, "log": True, "when": CROSSES},
    }
