"""How well a ranker with given settings orders the candidates of a window that it did not learn from."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

import numpy as np
from numpy.typing import NDArray

from savor.core.errors import ConfigError, TrainingError
from savor.core.files import directory_atomic
from savor.core.hashing import sha256_file, sha256_json
from savor.evaluation.metrics import accuracy
from savor.features.feature_space import FeatureSpace
from savor.features.pair_codes import pair_codes
from savor.models.dcn_ranker import DcnRanker
from savor.training.ranker import train_ranker
from savor.training.ranking_examples import RankingExamples
from savor.training.tracking.open_tracker import open_tracker
from savor.training.tuning.options import TuningOptions
from savor.training.two_stage import TwoStage

if TYPE_CHECKING:
    import optuna

Use = Literal["all", "new"]
USES: tuple[Use, ...] = ("all", "new")
PARTS = ("learn", "judge")
EVERY_CANDIDATE = 1_000_000
FIXED = ("windows", "window_days", "step_days", "users_per_window", "negatives_per_user", "levels")
"""Keys of `[ranking]` that decide what there is to learn from; it is collected once, so they cannot be tuned."""


@dataclass
class RankingObjective:
    """Trains the rankers on all windows but the latest and orders the latest one's candidates, all before the test.

    The metric counts the right answers among the candidates; those that retrieval missed no ranker can bring back, and
    questions without any are left out. With a single window every fifth question is held out.

    Attributes:
        stages: from a configuration to its stages; retrieval must be trained.
        present: the configuration as it is.
        options: metric, task and number of users.
        cache: where the collected candidates are kept between calls.
    """

    stages: Callable[[Any], TwoStage]
    present: Any
    options: TuningOptions
    cache: Path
    _loaded: dict[tuple[Use, str], RankingExamples] = field(default_factory=dict, init=False, repr=False)

    @property
    def metric(self) -> str:
        """See `Objective`."""
        return self.options.ranking_metric

    @property
    def terms(self) -> Mapping[str, Any]:
        """See `Objective`."""
        candidates = self._folder(self.stages(self.present)).name
        return {"the task": self.options.ranking_task, "tuning.users": self.options.users, "the candidates": candidates}

    def prepare(self) -> None:
        """See `Objective`; collects the candidates of every window, unless that was done before.

        Raises:
            TrainingError: retrieval is not trained, or nobody chose a candidate.
        """
        stages = self.stages(self.present)
        folder = self._folder(stages)
        if not folder.exists():
            windows = stages.windows()
            every = stages.ranking.model_copy(update={"negatives_per_user": EVERY_CANDIDATE})
            judged, _, _ = replace(stages, ranking=every).ranking_examples(windows[:1])
            if len(windows) > 1:
                learnt, _, _ = stages.ranking_examples(windows[1:])
                parts = {use: (learnt[use], judged[use]) for use in USES}
            else:
                parts = {use: _parted(judged[use]) for use in USES}
            with directory_atomic(folder) as partial:
                for use, pair in parts.items():
                    for name, examples in zip(PARTS, pair, strict=True):
                        with (partial / f"{use}-{name}.npz").open("wb") as file:
                            np.savez(file, **vars(examples))
        self._usable(stages)

    def __call__(self, configuration: Any, trial: "optuna.Trial", directory: Path) -> float:
        """See `Objective`."""
        stages = self.stages(configuration)
        present = self.stages(self.present)
        if changed := [key for key in FIXED if getattr(stages.ranking, key) != getattr(present.ranking, key)]:
            raise ConfigError([f"ranking.{key} decides what is learnt from and cannot be tuned" for key in changed])
        uses = self._usable(present)
        match stages.ranking.model:
            case "xgboost":
                score = self._trees(stages)
            case "dcn":
                score = self._cross_network(stages, uses, trial, directory)
            case model:
                raise ConfigError([f"ranking.model: {model} does not rank candidates by their features"])
        values = []
        for use in uses:
            judge = self._examples(present, use, "judge")
            values.append(measure(score(use, judge), judge, self.metric, self.options.users))
        return float(np.mean(values))

    def _trees(self, stages: TwoStage) -> Callable[[Use, RankingExamples], NDArray[np.float32]]:
        def score(use: Use, judge: RankingExamples) -> NDArray[np.float32]:
            objective = stages.ranking.objective if use == "all" else stages.ranking.new_objective
            learn = self._examples(stages, use, "learn")
            model = train_ranker(learn, stages.ranking, objective, stages.seed, f"ranker, {use} items")
            return np.asarray(model.inplace_predict(judge.features), np.float32)

        return score

    def _cross_network(
        self, stages: TwoStage, uses: list[Use], trial: "optuna.Trial", directory: Path
    ) -> Callable[[Use, RankingExamples], NDArray[np.float32]]:
        from savor.training.cross_network.ranker import train_dcn_ranker

        learn: dict[str, RankingExamples] = {use: self._examples(stages, use, "learn") for use in USES}
        if "new" not in uses:
            learn["new"] = _rows(learn["new"], slice(0))
        space = FeatureSpace.load(stages.directory / "retrieval" / "features")
        tracking = stages.tracking.model_copy(update={"name": f"trial {trial.number}"})
        tracker = open_tracker(tracking, directory, "dcn")
        tracker.parameters({"dcn": stages.dcn.model_dump(mode="json"), "seed": stages.seed})
        folder = directory / "ranker"
        names = tuple(f"f{place}" for place in range(learn["all"].features.shape[1]))
        train_dcn_ranker(folder, learn, names, (), space, stages.dcn, stages.seed, tracker=tracker)
        tracker.finish({})

        def score(use: Use, judge: RankingExamples) -> NDArray[np.float32]:
            model = DcnRanker.load(folder, use if (folder / f"{use}.tflite").exists() else "all")
            return model.score(judge.features, pair_codes(space, model.codes, judge.user, judge.item))

        return score

    def _usable(self, stages: TwoStage) -> list[Use]:
        """The uses that can be judged.

        Raises:
            TrainingError: none.
        """
        wanted = USES if self.options.ranking_task == "both" else (self.options.ranking_task,)
        usable = [
            use
            for use in wanted
            if all(0 < part.label.sum() < len(part) for part in (self._examples(stages, use, name) for name in PARTS))
        ]
        if not usable:
            raise TrainingError("nobody chose a candidate in the windows before the test, so nothing can be judged")
        return usable

    def _examples(self, stages: TwoStage, use: Use, part: str) -> RankingExamples:
        if (use, part) not in self._loaded:
            with np.load(self._folder(stages) / f"{use}-{part}.npz", allow_pickle=False) as arrays:
                self._loaded[use, part] = RankingExamples(**{name: arrays[name] for name in arrays.files})
        return self._loaded[use, part]

    def _folder(self, stages: TwoStage) -> Path:
        """Named by everything the candidates depend on."""
        ranking = {key: getattr(stages.ranking, key) for key in FIXED}
        config = {name: part for name, part in stages.metadata({}).config.items() if name not in ("ranking", "dcn")}
        towers = stages.directory / "retrieval" / "training.json"
        trained = sha256_file(towers) if towers.exists() else None
        of = [
            stages.dataset.fingerprint,
            stages.dataset.split["hash"],
            trained,
            config,
            ranking,
            stages.seed,
            stages.kinds,
        ]
        return self.cache / sha256_json(of)[:16]


def measure(scores: NDArray[np.float32], examples: RankingExamples, metric: str, users: int) -> float:
    """Mean of `metric` over the first `users` questions, their candidates ordered by `scores` ((N,) float32).

    Ties count against the model; questions without a right answer among the candidates are left out.
    """
    k = int(metric.split("@")[1])
    order = np.lexsort((examples.label, -scores, examples.question))
    label = examples.label[order] > 0
    _, starts, lengths = np.unique(examples.question[order], return_index=True, return_counts=True)
    starts, lengths = starts[:users], lengths[:users]
    places = np.arange(k)
    inside = places < lengths[:, None]
    hits = inside & label[np.where(inside, starts[:, None] + places, 0)]
    chosen = np.concatenate([[0], np.cumsum(label)])
    counts = chosen[starts + lengths] - chosen[starts]
    asked = counts > 0
    return float(accuracy(hits[asked], counts[asked], (k,))[metric].mean())


def _parted(examples: RankingExamples) -> tuple[RankingExamples, RankingExamples]:
    """Four fifths of the questions to learn from, the others to judge by."""
    held = np.unique(examples.question, return_inverse=True)[1] % 5 == 4
    return _rows(examples, ~held), _rows(examples, held)


def _rows(examples: RankingExamples, rows: Any) -> RankingExamples:
    return RankingExamples(**{name: column[rows] for name, column in vars(examples).items()})
