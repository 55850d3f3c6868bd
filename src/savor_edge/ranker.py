"""The ranker of an edge bundle: what `recommend` found, in the order that the server's ranker would give it."""

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from savor_edge.arrays import read_arrays
from savor_edge.catalogue import EdgeCatalogue
from savor_edge.cross_features import CrossFeatures
from savor_edge.errors import EdgeError
from savor_edge.features import EdgeFeatures
from savor_edge.item_tables import ItemTables
from savor_edge.ranker_model import NAME, NEW_NAME, RankerModel
from savor_edge.source_columns import Asked, SourceColumns

FORMAT_VERSION = 1
DOCUMENT, ARRAYS = "ranker.json", "ranker.bin"
FEATURES, ITEMS = "features", "items"


class Ranked(NamedTuple):
    """Best first: (N,) int32 rows with (N,) float32 scores of the ranker."""

    items: NDArray[np.int32]
    scores: NDArray[np.float32]


@dataclass(frozen=True)
class Ranker:
    """Scores what was found, k at a time. Safe from several threads.

    Attributes:
        every: network for all items.
        new: network for items that the person did not have; None where `every` does both.
        weights: of the heads by scenario.
        usual: weights where a scenario has none.
        features: makes the rows of a network that crosses features; None for one over ids.
        sources: says what retrieval says of a candidate; None likewise.
    """

    every: RankerModel
    new: RankerModel | None
    weights: Mapping[str, Mapping[str, float]]
    usual: Mapping[str, float]
    features: CrossFeatures | None
    sources: SourceColumns | None

    @classmethod
    def open(
        cls, folder: Path, ranker: Mapping[str, Any] | None, catalogue: EdgeCatalogue, threads: int = 1
    ) -> "Ranker | None":
        """The ranker in `folder`.

        None where there is none, or one that this version cannot run: without `ranker.json`, of a newer format, or with
        features that are not known here. The order is then that of `recommend`.

        Args:
            folder: of the bundle.
            ranker: of `edge.json`.
            catalogue: of the bundle.
            threads: that a network may use.

        Raises:
            EdgeError: a file is damaged, or does not fit the rest.
        """
        if ranker is None or not (folder / DOCUMENT).is_file():
            return None
        try:
            document = json.loads((folder / DOCUMENT).read_bytes())
            if document["format_version"] != FORMAT_VERSION:
                return None
            features = sources = None
            if ranker["features"]:
                arrays = read_arrays(document["arrays"], (folder / ARRAYS).read_bytes())
                tables = ItemTables.of(document, arrays, catalogue)
                sources = SourceColumns.of(document["sources"], tables)
                features = CrossFeatures(tables, sources.names)
                if features.names != tuple(ranker["features"]):
                    return None
            every = RankerModel.open(folder / NAME, threads)
            new = RankerModel.open(folder / NEW_NAME, threads) if (folder / NEW_NAME).is_file() else None
            weights = {name: dict(heads) for name, heads in document["weights"].items()}
            usual = dict(document["usual_weights"])
            if unknown := {head for heads in (usual, *weights.values()) for head in heads} - set(every.heads):
                raise ValueError(f"the ranker does not say {sorted(unknown)}, only {every.heads}")
            return cls(every, new, weights, usual, features, sources)
        except (OSError, ValueError, KeyError, TypeError, AttributeError, IndexError) as error:
            raise EdgeError(
                f"the ranker in {folder} cannot be read ({type(error).__name__}: {error}); export or download it again",
                code="edge_bundle_invalid",
            ) from None

    @property
    def k(self) -> int:
        """How many items are scored in a call."""
        return self.every.shapes[ITEMS][1][1]

    def misfits(self, made: EdgeFeatures) -> Iterator[str]:
        """One sentence for every input of a network that nobody makes; `made` are the person's."""
        own: dict[str, tuple[str, tuple[int, ...]]] = {ITEMS: ("int32", (1, self.k))}
        if self.features is not None:
            own[FEATURES] = "float32", (1, self.k, len(self.features.names))
        own |= {name: (one.dtype, (1, *one.shape)) for name, one in made.signature.items()}
        for model in filter(None, (self.every, self.new)):
            for name, said in model.shapes.items():
                if own.get(name) != said:
                    yield f"{name} is {said[0]} {said[1]} to the ranker, and there is {own.get(name)}"

    def matrix(self, asked: Asked, rows: NDArray[np.int32], scores: NDArray[np.float32]) -> NDArray[np.float32]:
        """(N, F) float32 features of N found rows with their scores; (N, 0) for a network over ids."""
        if self.features is None or self.sources is None:
            return np.empty((len(rows), 0), np.float32)
        return self.features.compute(asked.history, rows, self.sources.compute(asked, rows, scores), asked.now)

    def rank(
        self,
        asked: Asked,
        scenario: str,
        codes: Mapping[str, NDArray[Any]],
        rows: NDArray[np.int32],
        scores: NDArray[np.float32],
    ) -> Ranked:
        """Bring what `recommend` found into order; of equal scores the lower row comes first.

        Args:
            asked: the question.
            scenario: whose weights count.
            codes: the person's inputs by name, of which the network takes what it has.
            rows: (N,) best first.
            scores: (N,) float32 with the bonus of own items.

        Raises:
            EdgeError: the network cannot be run (code `model_failed`).
        """
        model = self.new if self.new is not None and asked.exclude_seen else self.every
        weights = self.weights.get(scenario) or self.usual
        matrix, k = self.matrix(asked, rows, scores), self.k
        found = np.zeros(len(rows), np.float32)
        for first in range(0, len(rows), k):
            part = slice(first, first + k)
            size = len(rows[part])
            inputs = {**codes, ITEMS: np.zeros((1, k), np.int32)}
            inputs[ITEMS][0, :size] = rows[part]
            if FEATURES in model.shapes:
                inputs[FEATURES] = np.full((1, k, matrix.shape[1]), np.nan, np.float32)
                inputs[FEATURES][0, :size] = matrix[part]
            heads = model(inputs)
            for head, weight in weights.items():
                found[part] += np.float32(weight) * heads[head][:size]
        order = np.lexsort((rows, -found))
        return Ranked(rows[order], found[order])
