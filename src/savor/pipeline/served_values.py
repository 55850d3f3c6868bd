"""What the ranker sees of a request, and what it makes of it: the numbers whose drift is watched."""

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from savor.online.drift.reference import DriftReference
from savor.pipeline.build import Serving
from savor.pipeline.query import Query
from savor.pipeline.stages.neural_ranker import NeuralRanker
from savor.pipeline.stages.tree_ranker import TreeRanker, feature_matrix

SCORE = "score"


class ServedValues(NamedTuple):
    """Numbers of one request.

    Attributes:
        names: F names: features of the ranker, or what the sources say where it has none, and `score` where there is a
            ranker.
        values: (N, F) float32, a row a candidate; NaN where unknown.
    """

    names: tuple[str, ...]
    values: NDArray[np.float32]


def served_values(serving: Serving, query: Query) -> ServedValues:
    """Gather candidates as for an answer, and score them.

    Raises:
        PipelineError: a stage failed.
    """
    pipeline = serving.pipeline
    hydrated, candidates = pipeline.gather(query)
    ranker = pipeline.ranker
    if isinstance(ranker, TreeRanker | NeuralRanker):
        names = tuple(ranker.features.names)
        values = feature_matrix(ranker.features, query, hydrated, candidates)
    else:
        names = pipeline.source_columns
        values = np.full((len(candidates), len(names)), np.nan, np.float32)
        for place, name in enumerate(names):
            if name in candidates.columns:
                values[:, place] = candidates.columns[name]
    if ranker is None:
        return ServedValues(names, values)
    scores = np.asarray(ranker.rank(query, hydrated, candidates), np.float32)
    return ServedValues((*names, SCORE), np.concatenate([values, scores[:, None]], axis=1, dtype=np.float32))


def catalogue_strings(serving: Serving) -> dict[str, list[str]]:
    """By category column of the catalogue, the value of each item; `""` where unknown."""
    columns = serving.catalogue.categories
    return {name: [column.values[code] for code in column.codes.tolist()] for name, column in columns.items()}


def drift_reference(serving: Serving, queries: list[Query]) -> DriftReference:
    """The distributions of what the bundle serves to those who ask `queries`.

    Raises:
        PipelineError: a stage failed.
    """
    seen = [served_values(serving, query) for query in queries]
    names = seen[0].names if seen else ()
    values = np.concatenate([one.values for one in seen]) if seen else np.empty((0, 0), np.float32)
    return DriftReference.fit(names, values, len(seen), catalogue_strings(serving))
