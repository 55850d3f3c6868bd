"""The order of a ranker in the examples of an edge bundle: the server's features, the exported network."""

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import orjson
from numpy.typing import NDArray

from savor.data.histories import History
from savor.export.server_ranking import FoundItems, ServerRanking
from savor.features.item_statistics import ItemStatistics
from savor.features.table_encoder import Inputs
from savor.pipeline.query import Query
from savor_edge.ranker import DOCUMENT, FEATURES, ITEMS
from savor_edge.ranker_model import NAME, NEW_NAME, RankerModel

FEATURE_TOLERANCE = 1e-4
"""Of a feature, as a share of it, at least of 1."""

SCORE_TOLERANCE = 0.02
"""Of a score, in the spread of the scores of a list."""


@dataclass(frozen=True)
class GoldenRanking:
    """Ranks what was found for an example.

    Attributes:
        folder: with the files of the ranker.
        server: makes the features.
        statistics: of the server's items, as exact as a device has them; None where the ranker crosses no features.
    """

    folder: Path
    server: ServerRanking
    statistics: ItemStatistics | None

    def order(
        self, query: Query, history: History, inputs: Inputs, found: FoundItems
    ) -> tuple[NDArray[np.intp], NDArray[np.float32], NDArray[np.float32]]:
        """Positions in `found`, best first; (N,) float32 scores in that order; and (N, F) features of what was found.

        Args:
            query: of the example.
            history: of the person.
            inputs: the person's, by name with a batch dimension of 1.
            found: what the model found.
        """
        document: dict[str, Any] = orjson.loads((self.folder / DOCUMENT).read_bytes())
        new = query.exclude_seen and (self.folder / NEW_NAME).is_file()
        model = RankerModel.open(self.folder / (NEW_NAME if new else NAME))
        (_, k), size = model.shapes[ITEMS][1], len(found.items)
        given: Inputs = {**inputs, ITEMS: np.zeros((1, k), np.int32)}
        given[ITEMS][0, :size] = found.items
        features = np.empty((size, 0), np.float32)
        if self.statistics is not None:
            candidates = self.server.candidates(query, history, found)
            features = self.server.matrix(query, history, candidates, self.statistics)
            given[FEATURES] = np.full((1, k, features.shape[1]), np.nan, np.float32)
            given[FEATURES][0, :size] = features
        heads = model(given)
        weights = document["weights"].get(query.scenario) or document["usual_weights"]
        scores = np.zeros(size, np.float32)
        for head, weight in weights.items():
            scores += np.float32(weight) * heads[head][:size]
        order = np.lexsort((found.items, -scores))
        return order, scores[order], features
