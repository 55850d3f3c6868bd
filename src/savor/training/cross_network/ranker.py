"""The cross network as the ranker of a bundle."""

from pathlib import Path

import numpy as np
import orjson

from savor.core.errors import TrainingError
from savor.core.progress import console, progress
from savor.features.feature_space import FeatureSpace
from savor.features.input_spec import InputSpec
from savor.features.normaliser import Normaliser
from savor.features.pair_codes import pair_codes, pair_signature
from savor.models.dcn_ranker import FEATURES, HEADS
from savor.training.cross_network.examples import CrossExamples
from savor.training.cross_network.options import DcnOptions
from savor.training.cross_network.training import TrainedCrossNetwork, train_cross_network
from savor.training.network_files import save_network
from savor.training.ranking_examples import RankingExamples
from savor.training.scorer_export import export_scorer
from savor.training.tracking.tracker import Tracker

USES = {"all": "all items", "new": "new items"}


def train_dcn_ranker(
    directory: Path,
    examples: dict[str, RankingExamples],
    names: tuple[str, ...],
    source_columns: tuple[str, ...],
    space: FeatureSpace,
    options: DcnOptions,
    seed: int,
    *,
    tracker: Tracker | None = None,
) -> None:
    """Train a network for each use and write the `ranker/` folder of a bundle into `directory`.

    Args:
        directory: where to write.
        examples: by use, `all` and `new`; the network of `all` serves both where there is nothing to learn for `new`.
        names: F names of the features.
        source_columns: those that sources bring.
        space: makes codes, where `options.ids`.
        options: structure and pace.
        seed: everything random follows from it.
        tracker: is told of each pass over all items.

    Raises:
        TrainingError: there is nothing to tell apart, or an exported network differs from the trained one.
    """
    directory.mkdir(parents=True, exist_ok=True)
    parity, ratings = {}, {}
    for use, title in USES.items():
        found = examples[use]
        normaliser = Normaliser.fit(found.features) if len(found) else None
        signature = {} if normaliser is None else _signature(normaliser, space, options)
        try:
            if normaliser is None:
                raise TrainingError(f"there are no candidates to learn from for {title}")
            made = CrossExamples(
                {
                    FEATURES: normaliser.transform(found.features),
                    **pair_codes(space, [name for name in signature if name != FEATURES], found.user, found.item),
                },
                found.label,
                found.rating,
                found.question,
            )
            trained = train_cross_network(
                made,
                signature,
                options,
                seed,
                tracker=tracker if use == "all" else None,
                title=f"cross network, {title}",
            )
        except TrainingError:
            if use == "all":
                raise
            console.print("  nobody chose a new item that was a candidate: one ranker serves both uses", style="dim")
            continue
        rows = made.select(np.arange(min(len(made), 128)))
        with progress(f"export the cross network, {title}"):
            parity[use] = export_scorer(
                trained.networks.served, signature, directory / f"{use}.tflite", rows.inputs
            ).to_json()
            save_network(trained.networks.served, directory / "networks" / use)
        normaliser.save(directory / f"{use}.normaliser.json")
        ratings[use] = _rating(trained)
    document = {"names": names, "source_columns": source_columns}
    (directory / "features.json").write_bytes(orjson.dumps(document, option=orjson.OPT_INDENT_2))
    described = {"kind": "dcn", "heads": HEADS, "rating": ratings, "parity": parity}
    (directory / "ranker.json").write_bytes(orjson.dumps(described, option=orjson.OPT_INDENT_2))


def _signature(normaliser: Normaliser, space: FeatureSpace, options: DcnOptions) -> dict[str, InputSpec]:
    codes = pair_signature(space) if options.ids else {}
    return {FEATURES: InputSpec("float32", (normaliser.width,), "numeric"), **codes}


def _rating(trained: TrainedCrossNetwork) -> dict[str, object]:
    return {"mean": trained.rating_mean, "scale": trained.rating_scale, "passes": trained.history}
