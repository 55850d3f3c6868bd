"""Training of the boosted trees that rank candidates."""

from pathlib import Path

import numpy as np
import orjson
import xgboost as xgb

from savor.core.errors import TrainingError
from savor.core.progress import Task, progress
from savor.models.forest import Forest
from savor.models.xgboost_ranker import forest_beside
from savor.training.ranking_examples import RankingExamples
from savor.training.ranking_options import Objective, RankingOptions


def train_ranker(
    examples: RankingExamples, options: RankingOptions, objective: Objective, seed: int, title: str
) -> xgb.Booster:
    """Fit one model to `objective`.

    Raises:
        TrainingError: there is nothing to tell apart.
    """
    if not 0 < examples.label.sum() < len(examples):
        raise TrainingError(
            f"the ranker needs candidates that were chosen and others that were not; of {len(examples)} candidates "
            f"{int(examples.label.sum())} were chosen: give it more data or longer windows (ranking.window_days)"
        )
    grouped = objective.startswith("rank:")
    matrix = xgb.QuantileDMatrix(
        examples.features, examples.label, qid=examples.question if grouped else None, max_bin=64
    )
    parameters = {
        "objective": objective,
        "tree_method": "hist",
        "max_depth": options.depth,
        "eta": options.learning_rate,
        "subsample": options.row_share,
        "colsample_bytree": options.column_share,
        "min_child_weight": options.minimum_child_weight,
        "lambda": options.regularisation,
        "max_bin": 64,
        "seed": seed,
    }
    with progress(title, options.trees) as task:
        return xgb.train(parameters, matrix, options.trees, callbacks=[_Advance(task)])


class _Advance(xgb.callback.TrainingCallback):  # type: ignore[misc]
    """Moves the progress bar by a tree."""

    def __init__(self, task: Task) -> None:
        self._task = task

    def after_iteration(self, model: xgb.Booster, epoch: int, evals_log: object) -> bool:  # noqa: ARG002
        self._task.advance()
        return False


def save_ranker(
    directory: Path, every: xgb.Booster, new: xgb.Booster, names: tuple[str, ...], source_columns: tuple[str, ...]
) -> None:
    """Write the ranker's folder.

    `all.ubj` and `new.ubj`, their trees as arrays beside them, `ranker.json`, and `features.json` (names, source
    columns, each feature's gain).
    """
    directory.mkdir(parents=True, exist_ok=True)
    for name, model in (("all.ubj", every), ("new.ubj", new)):
        model.save_model(directory / name)
        if (forest := Forest.of(model)) is not None:
            forest.save(forest_beside(directory / name))
    document = {
        "names": names,
        "source_columns": source_columns,
        "gain": {"all": _gain(every, names), "new": _gain(new, names)},
    }
    (directory / "features.json").write_bytes(orjson.dumps(document, option=orjson.OPT_INDENT_2))
    (directory / "ranker.json").write_bytes(orjson.dumps({"kind": "xgboost"}))


def _gain(model: xgb.Booster, names: tuple[str, ...]) -> dict[str, float]:
    """Total gain by feature, as a share of all, largest first."""
    total = model.get_score(importance_type="total_gain")
    gains = np.array([float(np.sum(total.get(f"f{position}", 0.0))) for position in range(len(names))])
    shares = gains / max(float(gains.sum()), 1e-12)
    return {names[position]: round(float(shares[position]), 5) for position in np.argsort(-gains) if gains[position]}
