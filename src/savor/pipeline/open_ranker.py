"""The ranker of a bundle, whatever kind it is of."""

from collections.abc import Mapping
from typing import Any

import orjson

from savor.bundle.bundle import Bundle
from savor.core.errors import BundleError, ConfigError
from savor.features.catalogue import Catalogue
from savor.features.cross import CrossFeatures
from savor.features.feature_space import FeatureSpace
from savor.features.item_statistics import ItemStatistics
from savor.models.dcn_ranker import HEADS, DcnRanker
from savor.models.pair_ranker import PairRanker
from savor.models.xgboost_ranker import XgboostRanker
from savor.pipeline.scenario import Scenario
from savor.pipeline.stage import Ranker
from savor.pipeline.stages.neural_ranker import NeuralRanker
from savor.pipeline.stages.pair_scorer import PairScorer
from savor.pipeline.stages.tree_ranker import TreeRanker

PAIR_KINDS = ("gmf", "mlp", "neumf")


def open_ranker(
    bundle: Bundle, catalogue: Catalogue, scenarios: Mapping[str, Scenario], brought: set[str]
) -> Ranker | None:
    """The ranking stage that `ranker/ranker.json` names; None where the bundle has no ranker.

    Without that file it is boosted trees.

    Args:
        bundle: where it is.
        catalogue: the bundle's.
        scenarios: their weights count where the ranker has several heads.
        brought: candidate columns of the pipeline.

    Raises:
        BundleError: a file is absent or damaged, the kind is unknown, or the features are those of another version.
        ConfigError: a scenario weighs a head there is none of.
    """
    if not bundle.has("ranker/ranker.json") and not bundle.has("ranker/all.ubj"):
        return None
    kind = str(_json(bundle, "ranker/ranker.json").get("kind")) if bundle.has("ranker/ranker.json") else "xgboost"
    weights = _weights(scenarios, kind)
    if kind in PAIR_KINDS:
        space = FeatureSpace.load(bundle.path("features"))
        return PairScorer(space, PairRanker.load(bundle.path("ranker/pair.tflite")))
    if kind not in ("xgboost", "dcn"):
        raise BundleError(f"the ranker of bundle {bundle.id} is of kind {kind!r}, which this version does not know")
    features = _cross_features(bundle, catalogue)
    absent = frozenset(features.source_columns) - brought
    if kind == "xgboost":
        return TreeRanker(
            features,
            XgboostRanker.load(bundle.path("ranker/all.ubj")),
            XgboostRanker.load(bundle.path("ranker/new.ubj")) if bundle.has("ranker/new.ubj") else None,
            absent,
        )
    directory = bundle.path("ranker")
    every = DcnRanker.load(directory, "all")
    new = DcnRanker.load(directory, "new") if bundle.has("ranker/new.tflite") else None
    wanted = every.codes or (new.codes if new else ())
    space_or_none = FeatureSpace.load(bundle.path("features")) if wanted else None
    return NeuralRanker(features, every, new, weights, space_or_none, absent)


def _cross_features(bundle: Bundle, catalogue: Catalogue) -> CrossFeatures:
    statistics = ItemStatistics.load(bundle.path("state/statistics"), catalogue)
    described = _json(bundle, "ranker/features.json")
    features = CrossFeatures(statistics, tuple(described["source_columns"]))
    if (trained := described.get("names")) is not None and tuple(trained) != features.names:
        raise BundleError(
            f"the ranker of bundle {bundle.id} was trained with other features than this version makes; "
            "train and publish again"
        )
    return features


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


def _json(bundle: Bundle, name: str) -> dict[str, Any]:
    try:
        document = orjson.loads(bundle.path(name).read_bytes())
    except orjson.JSONDecodeError as error:
        raise BundleError(f"{name} in bundle {bundle.id} is not JSON ({error}); train again") from None
    if not isinstance(document, dict):
        raise BundleError(f"{name} in bundle {bundle.id} is not a JSON object; train again")
    return document
