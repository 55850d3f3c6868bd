"""Answers of finished trainings, kept so that nothing is trained twice for a slip after it."""

import json
from dataclasses import asdict
from pathlib import Path

import numpy as np

from savor.bench.config import Benchmark, ModelSpec
from savor.bench.outcome import Outcome
from savor.core.files import directory_atomic, write_json_atomic
from savor.core.hashing import sha256_json


class Kept:
    """A folder with one training's outcome each, found again by everything that the outcome follows from.

    Args:
        folder: where they are.
        benchmark: whose data, split and protocol they are of.
    """

    def __init__(self, folder: Path, benchmark: Benchmark) -> None:
        self._folder, self._benchmark = folder, benchmark

    def save(self, spec: ModelSpec, seed: int, outcome: Outcome) -> None:
        """Keep what came out, in the place of what was kept of the same training before."""
        self._folder.mkdir(parents=True, exist_ok=True)
        report = {key: value for key, value in asdict(outcome).items() if key != "arrays"}
        with directory_atomic(self._path(spec, seed)) as folder:
            np.savez(folder / "answer.npz", **outcome.arrays)  # type: ignore[arg-type]
            write_json_atomic(folder / "report.json", {**report, "model": spec.name})

    def find(self, spec: ModelSpec, seed: int) -> Outcome | None:
        """What was kept of this training, if anything."""
        path = self._path(spec, seed)
        if not (path / "report.json").exists():
            return None
        report = json.loads((path / "report.json").read_text(encoding="utf-8"))
        del report["model"]
        with np.load(path / "answer.npz", allow_pickle=False) as stored:
            return Outcome({name: stored[name] for name in stored.files}, **report)

    def _path(self, spec: ModelSpec, seed: int) -> Path:
        described = {
            "dataset": self._benchmark.dataset.model_dump(mode="json"),
            "split": None if self._benchmark.split is None else self._benchmark.split.model_dump(mode="json"),
            "protocol": self._benchmark.protocol,
            "model": spec.model_dump(mode="json", exclude={"name", "seeds", "note", "expected", "tolerance"}),
            "seed": seed,
        }
        return self._folder / f"{self._benchmark.dataset.name}-{sha256_json(described)[:16]}"
