"""From a Keras network to a LiteRT file that is known to do the same."""

import contextlib
import io
import os
from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, TypeVar

import numpy as np
from numpy.typing import NDArray

from savor.core.errors import TrainingError
from savor.core.files import fsync_directory
from savor.features.input_spec import InputSpec
from savor.features.table_encoder import Inputs
from savor.models.litert_tower import LiteRtTower

Checked = TypeVar("Checked")
LARGEST_DIFFERENCE = 1e-3
LEAST_COSINE = 0.9999


@dataclass(frozen=True)
class Parity:
    """How close an exported tower is to its network, over `rows` rows.

    Attributes:
        largest_difference: of any number of a vector.
        least_cosine: of any pair of vectors.
        rows: how many were compared.
    """

    largest_difference: float
    least_cosine: float
    rows: int

    def to_json(self) -> dict[str, Any]:
        """As a JSON value."""
        return asdict(self)


def export_tower(
    network: Any, signature: Mapping[str, InputSpec], path: Path, real: Inputs | None = None, seed: int = 0
) -> Parity:
    """Write `network` to `path` and compare both, on random inputs and on `real` ones.

    Raises:
        TrainingError: the file's vectors are zero, not numbers, or differ from the network's; the file is removed.
    """

    def check(partial: Path) -> Parity:
        batches = [random_inputs(signature, 32, seed), random_inputs(signature, 1, seed + 1)]
        batches += [real] if real else []
        return compare(network.predict_on_batch, LiteRtTower.load(partial), batches, path.name)

    return write_litert(network, path, check)


def write_litert(network: Any, path: Path, check: Callable[[Path], Checked]) -> Checked:
    """Write `network` beside `path`, `check` that file, and only then put it there; gives what `check` gave.

    Raises:
        TrainingError: `check` did; the file is removed.
    """
    partial = path.with_name(f".{path.name}.partial.tflite")
    try:
        with contextlib.redirect_stdout(io.StringIO()):
            network.export(str(partial), format="litert", verbose=False)
        checked = check(partial)
        os.replace(partial, path)
        fsync_directory(path.parent)
    finally:
        partial.unlink(missing_ok=True)
    return checked


def random_inputs(signature: Mapping[str, InputSpec], rows: int, seed: int) -> Inputs:
    """Inputs of `rows` rows within the bounds of `signature`."""
    rng = np.random.default_rng(seed)
    inputs: Inputs = {}
    for name, spec in signature.items():
        shape = (rows, *spec.shape)
        if spec.cardinality is None:
            inputs[name] = rng.standard_normal(shape).astype(np.float32)
        else:
            inputs[name] = rng.integers(0, spec.cardinality, shape, dtype=np.int32)
    return inputs


def compare(network: Any, tower: Any, batches: list[Inputs], name: str) -> Parity:
    """Parity of two callables over `batches`.

    Raises:
        TrainingError: vectors of `tower` are zero, not numbers, or differ from those of `network`.
    """
    expected = np.concatenate([np.asarray(network(batch)) for batch in batches]).astype(np.float64)
    given = np.concatenate([np.asarray(tower(batch)) for batch in batches]).astype(np.float64)
    if expected.shape != given.shape:
        raise TrainingError(f"{name}: the exported tower gives shape {given.shape}, the network {expected.shape}")
    if not np.isfinite(given).all():
        raise TrainingError(f"{name}: {int((~np.isfinite(given)).any(1).sum())} exported vectors are not numbers")
    lengths = np.linalg.norm(given, axis=1)
    if lengths.min() < 1e-6:
        raise TrainingError(f"{name}: {int((lengths < 1e-6).sum())} of {len(given)} exported vectors are zero")
    parity = Parity(float(np.abs(expected - given).max()), float(_cosine(expected, given).min()), len(given))
    if parity.largest_difference > LARGEST_DIFFERENCE or parity.least_cosine < LEAST_COSINE:
        raise TrainingError(
            f"{name}: the exported tower differs from the network by up to {parity.largest_difference:.2g} (allowed "
            f"{LARGEST_DIFFERENCE:g}), cosine {parity.least_cosine:.6f} (at least {LEAST_COSINE}), in {len(given)} rows"
        )
    return parity


def _cosine(one: NDArray[np.float64], other: NDArray[np.float64]) -> NDArray[np.float64]:
    lengths = np.linalg.norm(one, axis=1) * np.linalg.norm(other, axis=1)
    return np.asarray((one * other).sum(axis=1) / np.maximum(lengths, 1e-12))
