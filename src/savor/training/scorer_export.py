"""From a Keras network over pairs to a LiteRT file that is known to do the same."""

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np

from savor.core.errors import TrainingError
from savor.features.input_spec import InputSpec
from savor.features.table_encoder import Inputs
from savor.models.litert_scorer import LiteRtScorer
from savor.training.litert_export import random_inputs, write_litert

LARGEST_DIFFERENCE = 1e-3


@dataclass(frozen=True)
class ScorerParity:
    """How close an exported network is to its original, over `rows` rows.

    Attributes:
        largest_difference: of any number.
        spread: standard deviation of the original's numbers over the rows, the least of all columns.
        rows: how many were compared.
    """

    largest_difference: float
    spread: float
    rows: int

    def to_json(self) -> dict[str, Any]:
        """As a JSON value."""
        return asdict(self)


def export_scorer(
    network: Any, signature: Mapping[str, InputSpec], path: Path, real: Inputs | None = None, seed: int = 0
) -> ScorerParity:
    """Write `network`, from named inputs to (N, H), to `path`, and compare both on random inputs and on `real` ones.

    Raises:
        TrainingError: the file's numbers are not numbers or differ from the network's; the file is removed.
    """

    def check(partial: Path) -> ScorerParity:
        batches = [random_inputs(signature, 200, seed), random_inputs(signature, 1, seed + 1)]
        batches += [real] if real else []
        return _compare(network, LiteRtScorer.load(partial), batches, path.name)

    return write_litert(network, path, check)


def _compare(network: Any, scorer: LiteRtScorer, batches: list[Inputs], name: str) -> ScorerParity:
    expected = np.concatenate([np.asarray(network.predict_on_batch(batch)) for batch in batches]).astype(np.float64)
    given = np.concatenate([scorer(batch) for batch in batches]).astype(np.float64)
    if expected.shape != given.shape:
        raise TrainingError(f"{name}: the exported network gives shape {given.shape}, the original {expected.shape}")
    if not np.isfinite(given).all():
        raise TrainingError(f"{name}: {int((~np.isfinite(given)).any(1).sum())} exported rows are not numbers")
    parity = ScorerParity(float(np.abs(expected - given).max()), float(expected.std(axis=0).min()), len(given))
    if parity.largest_difference > LARGEST_DIFFERENCE:
        raise TrainingError(
            f"{name}: the exported network differs from the original by up to {parity.largest_difference:.2g} "
            f"(allowed {LARGEST_DIFFERENCE:g}), in {len(given)} rows"
        )
    return parity
