"""The ranker of a bundle, whatever kind it is of."""

from collections.abc import Mapping
from dataclasses import dataclass

from savor.bundle.bundle import Bundle
from savor.core.errors import BundleError, ConfigError
from savor.features.cross import CrossFeatures
from savor.models.dcn_ranker import HEADS, DcnRanker
from savor.models.pair_ranker import PairRanker
from savor.models.xgboost_ranker import XgboostRanker
from savor.pipeline.item_tables import ItemTables
from savor.pipeline.scenario import Scenario
from savor.pipeline.stage import Ranker
from savor.pipeline.stages.neural_ranker import NeuralRanker
from savor.pipeline.stages.pair_scorer import PairScorer
from savor.pipeline.stages.tree_ranker import TreeRanker

PAIR_KINDS = ("gmf", "mlp", "neumf")
Trees = tuple[XgboostRanker, XgboostRanker | None]
Networks = tuple[DcnRanker, DcnRanker | None]


@dataclass(frozen=True)
class RankerModels:
    """What `ranker/` of a bundle holds, opened once; stages over other tables of items are made of it quickly.

    Attributes:
        bundle_id: for messages.
        models: for all items, and for new ones; or one over pairs of ids.
        source_columns: candidate columns that the features cross.
        names: of the features they were trained with; None where that was not written down.
        weights: of the heads, by scenario.
    """

    bundle_id: str
    models: Trees | Networks | PairRanker
    source_columns: tuple[str, ...]
    names: tuple[str, ...] | None
    weights: Mapping[str, Mapping[str, float]]

    @classmethod
    def load(cls, bundle: Bundle, scenarios: Mapping[str, Scenario]) -> "RankerModels | None":
        """The ranker that `ranker/ranker.json` names; None where the bundle has none.

        Without that file it is boosted trees.

        Args:
            bundle: where it is.
            scenarios: their weights count where the ranker has several heads.

        Raises:
            BundleError: a file is absent or damaged, or the kind is unknown.
            ConfigError: a scenario weighs a head there is none of.
        """
        if not bundle.has("ranker/ranker.json") and not bundle.has("ranker/all.ubj"):
            return None
        kind = (
            str(bundle.read_json("ranker/ranker.json").get("kind")) if bundle.has("ranker/ranker.json") else "xgboost"
        )
        weights = _weights(scenarios, kind)
        if kind in PAIR_KINDS:
            return cls(bundle.id, PairRanker.load(bundle.path("ranker/pair.tflite")), (), None, weights)
        if kind not in ("xgboost", "dcn"):
            raise BundleError(f"the ranker of bundle {bundle.id} is of kind {kind!r}, which this version does not know")
        described = bundle.read_json("ranker/features.json")
        names = described.get("names")
        models: Trees | Networks
        if kind == "xgboost":
            new = XgboostRanker.load(bundle.path("ranker/new.ubj")) if bundle.has("ranker/new.ubj") else None
            models = XgboostRanker.load(bundle.path("ranker/all.ubj")), new
        else:
            directory = bundle.path("ranker")
            other = DcnRanker.load(directory, "new") if bundle.has("ranker/new.tflite") else None
            models = DcnRanker.load(directory, "all"), other
        return cls(bundle.id, models, tuple(described["source_columns"]), tuple(names) if names else None, weights)

    def stage(self, tables: ItemTables, brought: set[str]) -> Ranker:
        """The ranking stage over `tables`.

        Args:
            tables: of the items.
            brought: candidate columns of the pipeline.

        Raises:
            BundleError: a table it needs is absent, or the features are those of another version.
        """
        if isinstance(self.models, PairRanker):
            if tables.space is None:
                raise BundleError(f"bundle {self.bundle_id} has a ranker over ids and no feature space; train again")
            return PairScorer(tables.space, self.models)
        if tables.statistics is None:
            raise BundleError(f"bundle {self.bundle_id} has a ranker and no item statistics; train again")
        features = CrossFeatures(tables.statistics, self.source_columns)
        if self.names is not None and self.names != features.names:
            raise BundleError(
                f"the ranker of bundle {self.bundle_id} was trained with other features than this version makes; "
                "train and publish again"
            )
        absent = frozenset(self.source_columns) - brought
        every, new = self.models
        if isinstance(every, XgboostRanker):
            return TreeRanker(features, every, new if isinstance(new, XgboostRanker) else None, absent)
        other = new if isinstance(new, DcnRanker) else None
        wanted = every.codes or (other.codes if other else ())
        if wanted and tables.space is None:
            raise BundleError(f"bundle {self.bundle_id} has a ranker over ids and no feature space; train again")
        return NeuralRanker(features, every, other, self.weights, tables.space if wanted else None, absent)


def _weights(scenarios: Mapping[str, Scenario], kind: str) -> dict[str, dict[str, float]]:
    heads = HEADS if kind == "dcn" else ()
    problems = [
        f"scenarios.{name}.weights.{head}: "
        + (f"the ranker has no such head, only {', '.join(heads)}" if heads else f"a ranker of kind {kind} takes none")
        for name, scenario in scenarios.items()
        for head in scenario.weights
        if head not in heads
    ]
    if problems:
        raise ConfigError(problems)
    return {name: scenario.weights for name, scenario in scenarios.items()}
