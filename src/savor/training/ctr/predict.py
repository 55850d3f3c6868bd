"""Models of the chance of being liked by name, from earlier periods to the last."""

import os
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path
from typing import Any, Literal

import numpy as np
import xgboost as xgb
from numpy.typing import NDArray

from savor.core.errors import TrainingError
from savor.core.hashing import sha256_json
from savor.core.progress import progress
from savor.data.splits import TEST, TRAIN, VALIDATION
from savor.evaluation.ranking_head import auc, log_loss
from savor.features.columns import Columns
from savor.features.input_spec import InputSpec
from savor.features.normaliser import Normaliser
from savor.training.ctr.expectations import expectations
from savor.training.ctr.fold_in import FoldIn
from savor.training.ctr.moment_features import RatedEvents, moment_features
from savor.training.ctr.options import CtrOptions
from savor.training.ctr.running_means import Earlier
from savor.training.rating.side import column_side

FOLDED = {"factors", "samples", "draws", "folds"}
"""The options that decide what earlier ratings say."""

CtrModel = Literal["item_rate", "xgboost", "dcn", "blend"]


@dataclass(frozen=True)
class CtrTask:
    """N ratings in time order, the last period of which is asked about.

    Attributes:
        events: all of them.
        period: (N,) uint8, TRAIN, VALIDATION or TEST, not falling in time.
        label: (N,) bool, whether the rating says that it was liked.
        user_side, item_side: see `expectations`.
    """

    events: RatedEvents
    period: NDArray[np.uint8]
    label: NDArray[np.bool_]
    user_side: NDArray[np.float32]
    item_side: NDArray[np.float32]

    @classmethod
    def of(
        cls,
        user: NDArray[np.int32],
        item: NDArray[np.int32],
        time: NDArray[np.int64],
        value: NDArray[np.float32],
        period: NDArray[np.uint8],
        users: Columns,
        items: Columns,
        liked: float,
        *,
        order_for_time: bool = False,
    ) -> "CtrTask":
        """From columns and tables.

        Args:
            user: (N,) rows of the user table; the events are in time order.
            item: (N,) rows of the item table.
            time: (N,) UTC seconds.
            value: (N,) ratings.
            period: (N,) uint8.
            users: what the user table says.
            items: what the item table says.
            liked: a value of at least this says that it was liked.
            order_for_time: in the training period, take each user's order for the moments of the ratings, as their
                times cannot be trusted.
        """
        moment = time
        if order_for_time:
            moment = np.where(period == TRAIN, np.arange(len(time)) - len(time) + time.min(), time)
        tags = [column_side(Columns({}, {name: tag}, {})) for name, tag in items.tags.items()]
        rows = len(column_side(items)) or int(item.max()) + 1
        numbers = np.stack(list(items.numerics.values()), axis=1) if items.numerics else np.empty((rows, 0))
        events = RatedEvents(
            user,
            item,
            time,
            moment.astype(np.int64),
            value,
            {name: column.codes for name, column in users.categories.items()},
            {name: column.codes for name, column in items.categories.items()}
            | {f"{name}_step": _steps(column) for name, column in items.numerics.items()},
            np.concatenate(tags, axis=1) if tags else np.empty((rows, 0), np.float32),
            numbers.astype(np.float32),
        )
        return cls(events, period, value >= liked, column_side(users), column_side(items))


def predict_choice(
    model: CtrModel, task: CtrTask, options: CtrOptions, seed: int, *, cache: Path | None = None
) -> tuple[NDArray[np.float32], dict[str, Any]]:
    """Learn from the first period, choose on the second, learn again from both, and predict the last.

    Args:
        model: `item_rate` is the item's running share of likes; `blend` the mean log-odds of `xgboost` and `dcn`.
        task: what is known and asked.
        options: how.
        seed: everything random follows from it.
        cache: folder where what earlier ratings say is kept between models.

    Returns:
        (M,) float32 chances for the events of the last period, in their order; and the figures on validation.

    Raises:
        TrainingError: a period is empty.
    """
    if not all((task.period == one).any() for one in (TRAIN, VALIDATION, TEST)):
        raise TrainingError("predicting likes needs events to learn from, to choose on and to be asked about")
    found: FoldIn | tuple[None, None] = (None, None)
    if options.draws and model != "item_rate":
        with progress("what earlier ratings say"):
            found = _expectations(task, options, seed, cache)
    with progress("what was known at each moment"):
        features, names = moment_features(task.events, *found)
    if model == "item_rate":
        chance = _item_rate(task)
        return chance[task.period == TEST], _measured(task, chance[task.period == VALIDATION])
    chances: dict[str, NDArray[np.float64]] = {}
    validation: dict[str, NDArray[np.float64]] = {}
    details: dict[str, Any] = {"features": len(names)}
    if model in ("xgboost", "blend"):
        validation["xgboost"], chances["xgboost"], details["xgboost"] = _trees(task, features, names, options, seed)
    if model in ("dcn", "blend"):
        validation["dcn"], chances["dcn"], details["dcn"] = _dcn(task, features, options, seed)
    details["validation"] = _measured(task, _mean(list(validation.values())))
    return _mean(list(chances.values())), details


def _expectations(task: CtrTask, options: CtrOptions, seed: int, cache: Path | None) -> FoldIn:
    """`expectations`, or those found before for the same data and options."""
    made = (task.events, task.period, task.user_side, task.item_side, options, seed)
    if cache is None:
        return expectations(*made)
    digest = sha256(sha256_json({**options.model_dump(include=FOLDED), "seed": seed}).encode())
    for array in (task.events.user, task.events.item, task.events.moment, task.events.value, *made[1:4]):
        digest.update(np.ascontiguousarray(array).data)
    path = cache / f"{digest.hexdigest()}.npy"
    if not path.exists():
        found = np.stack(expectations(*made))
        cache.mkdir(parents=True, exist_ok=True)
        partial = path.with_suffix(f".{os.getpid()}.partial.npy")
        np.save(partial, found)
        os.replace(partial, path)
    return FoldIn(*np.load(path, allow_pickle=False))


def _measured(task: CtrTask, chance: NDArray[np.float32]) -> dict[str, Any]:
    label = task.label[task.period == VALIDATION]
    return {"auc": auc(label, chance), "log_loss": log_loss(label, chance)}


def _mean(chances: list[NDArray[np.float64]]) -> NDArray[np.float32]:
    """(N,) float32 chances of the mean log-odds."""
    kept = [np.clip(chance, 1e-6, 1 - 1e-6) for chance in chances]
    log_odds = np.mean([np.log(chance / (1 - chance)) for chance in kept], axis=0)
    return np.asarray(1 / (1 + np.exp(-log_odds)), np.float32)


def _item_rate(task: CtrTask) -> NDArray[np.float32]:
    events = task.events
    liked = task.label.astype(np.float64)
    overall = float(liked[task.period == TRAIN].mean())
    return Earlier(events.item, events.time).mean(liked, overall, 10).astype(np.float32)


def _trees(
    task: CtrTask, features: NDArray[np.float32], names: tuple[str, ...], options: CtrOptions, seed: int
) -> tuple[NDArray[np.float64], NDArray[np.float64], dict[str, Any]]:
    """Chances on validation, on test, and what there is to know."""
    trees = options.trees
    codes = [column[task.events.user] for column in task.events.user_codes.values()]
    table = np.column_stack([features, *codes]).astype(np.float32)
    parameters = {
        "objective": "binary:logistic",
        "tree_method": "hist",
        "max_depth": trees.depth,
        "eta": trees.learning_rate,
        "subsample": trees.row_share,
        "colsample_bytree": trees.column_share,
        "min_child_weight": trees.minimum_child_weight,
        "lambda": trees.regularisation,
        "max_bin": 64,
        "seed": seed,
        "nthread": 1,
    }
    label = task.label.astype(np.float32)
    first, second, last = (task.period == one for one in (TRAIN, VALIDATION, TEST))
    learn = xgb.QuantileDMatrix(table[first], label[first], max_bin=64)
    judge = xgb.QuantileDMatrix(table[second], label[second], ref=learn, max_bin=64)
    with progress("boosted trees"):
        chosen = xgb.train(
            parameters, learn, trees.trees, evals=[(judge, "validation")], early_stopping_rounds=trees.patience,
            verbose_eval=False,
        )  # fmt: skip
        number = int(chosen.best_iteration) + 1
        on_validation = chosen.inplace_predict(table[second], iteration_range=(0, number))
        both = xgb.QuantileDMatrix(table[~last], label[~last], max_bin=64)
        again = xgb.train(parameters, both, number)
    gain = again.get_score(importance_type="total_gain")
    columns = (*names, *task.events.user_codes)
    strongest = sorted(gain, key=lambda name: -float(gain[name]))[:10]
    details = {"trees": number, "strongest": [columns[int(name[1:])] for name in strongest]}
    return np.asarray(on_validation, np.float64), np.asarray(again.inplace_predict(table[last]), np.float64), details


def _dcn(
    task: CtrTask, features: NDArray[np.float32], options: CtrOptions, seed: int
) -> tuple[NDArray[np.float64], NDArray[np.float64], dict[str, Any]]:
    """Chances on validation, on test, and what there is to know."""
    # TensorFlow takes seconds to import, so only this model does.
    from savor.training.cross_network.examples import CrossExamples
    from savor.training.cross_network.training import train_cross_network

    events, first, last = task.events, task.period == TRAIN, task.period == TEST
    normaliser = Normaliser.fit(features[first])
    inputs = {"features": normaliser.transform(features)}
    signature = {"features": InputSpec("float32", (normaliser.width,), "numeric")}
    if options.dcn.ids:
        known_user, known_item = np.unique(events.user[first]), np.unique(events.item[first])
        codes = {
            "user_id": _known(events.user, known_user),
            "item_id": _known(events.item, known_item),
            **{f"user_{name}": column[events.user] for name, column in events.user_codes.items()},
            **{f"item_{name}": column[events.item] for name, column in events.item_codes.items()},
        }
        inputs |= {name: column.astype(np.int32) for name, column in codes.items()}
        signature |= {name: InputSpec("int32", (), "id", int(column.max()) + 1) for name, column in codes.items()}
    everything = CrossExamples(
        inputs, task.label.astype(np.float32), np.full(len(events), np.nan, np.float32), np.zeros(len(events), np.int32)
    )
    second = task.period == VALIDATION
    chosen = train_cross_network(
        everything.select(first), signature, options.dcn, seed, validation=everything.select(second)
    )
    passes = int(np.argmin([one["validation_loss"] for one in chosen.history])) + 1
    on_validation = chosen.predict(everything.select(second).inputs)[:, 0]
    again = train_cross_network(
        everything.select(~last),
        signature,
        options.dcn,
        seed,
        validation=everything.select(second),
        passes=passes,
    )
    chance = again.predict(everything.select(last).inputs)[:, 0]
    return on_validation.astype(np.float64), chance.astype(np.float64), {"passes": passes}


def _known(rows: NDArray[np.int32], known: NDArray[np.int32]) -> NDArray[np.int32]:
    """1 and up for the rows that are known, 0 for others."""
    place = np.minimum(np.searchsorted(known, rows), len(known) - 1)
    return np.where(known[place] == rows, place + 1, 0).astype(np.int32)


def _steps(numbers: NDArray[np.float32], steps: int = 16) -> NDArray[np.int32]:
    """(I,) int32 codes of equally full steps; 0 where unknown."""
    known = np.isfinite(numbers)
    edges = np.unique(np.quantile(numbers[known], np.linspace(0, 1, steps + 1)[1:-1])) if known.any() else np.empty(0)
    return np.where(known, 1 + np.searchsorted(edges, np.nan_to_num(numbers), "right"), 0).astype(np.int32)
