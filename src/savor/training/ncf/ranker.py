"""Neural collaborative filtering as the ranker of a bundle."""

from pathlib import Path

import numpy as np
import orjson

from savor.core.progress import progress
from savor.data.events import Events
from savor.features.feature_space import FeatureSpace
from savor.features.pair_codes import pair_codes, pair_signature
from savor.training.ncf.networks import Kind
from savor.training.ncf.options import NcfOptions
from savor.training.ncf.retriever import train_over_space
from savor.training.network_files import save_network
from savor.training.retrieval_validation import RetrievalValidation
from savor.training.scorer_export import export_scorer
from savor.training.tracking.tracker import Tracker

CODES = ("item_id", "user_id")


def train_pair_ranker(
    directory: Path,
    kind: Kind,
    known: Events,
    everything: Events,
    space: FeatureSpace,
    options: NcfOptions,
    *,
    validation: RetrievalValidation | None,
    seed: int,
    tracker: Tracker | None = None,
) -> None:
    """Train on chosen pairs and write the `ranker/` folder of a bundle into `directory`.

    The number of passes is chosen on `validation`; the network that is kept learns from `everything` for as many.

    Args:
        directory: where to write.
        kind: which network.
        known: what came before the questions of `validation`.
        everything: the same and what came after, up to the evaluated period.
        space: makes the codes.
        options: widths and pace.
        validation: questions; None trains for all the passes of `options`.
        seed: everything random follows from it.
        tracker: is told of each pass.

    Raises:
        TrainingError: there are too few examples, or the exported network differs from the trained one.
    """
    if validation is not None:
        first = train_over_space(kind, known, space, options, validation=validation, seed=seed, tracker=tracker)
        options = options.model_copy(update={"epochs": first.best_epoch})
    trained = train_over_space(kind, everything, space, options, seed=seed)
    directory.mkdir(parents=True, exist_ok=True)
    rows = np.arange(min(len(everything), 128))
    real = pair_codes(space, CODES, everything.user[rows], everything.item[rows])
    signature = {name: spec for name, spec in pair_signature(space).items() if name in CODES}
    with progress(f"export {kind}"):
        parity = export_scorer(trained.networks.pair, signature, directory / "pair.tflite", real)
        save_network(trained.networks.pair, directory / "networks" / "pair")
    described = {"kind": kind, "passes": trained.history, "parity": parity.to_json()}
    (directory / "ranker.json").write_bytes(orjson.dumps(described, option=orjson.OPT_INDENT_2))
