"""What the server's own code makes of the items that a device found."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from savor.bundle.bundle import Bundle
from savor.core.errors import ExportError
from savor.data.histories import History
from savor.features.cross import CrossFeatures
from savor.features.item_statistics import ItemStatistics
from savor.features.profiles import UserProfile
from savor.pipeline.candidates import Candidates, Retrieved
from savor.pipeline.item_tables import ItemTables
from savor.pipeline.open_ranker import RankerModels
from savor.pipeline.options import PipelineOptions
from savor.pipeline.query import Query
from savor.pipeline.scenario import Scenario, known_scenarios
from savor.pipeline.stage import Ranker, Source
from savor.pipeline.stages.buy_again import BuyAgain
from savor.pipeline.stages.own_items import OwnItemsHydrator
from savor.pipeline.stages.tree_ranker import feature_matrix
from savor.pipeline.stages.trending import Trending

_SOURCES = ("ann", "buy_again", "trending")


@dataclass(frozen=True)
class FoundItems:
    """What a device found for one question.

    Attributes:
        items: (N,) int32 positions in the rows of the export, best first.
        products: (N,) float32 inner products.
        scores: (N,) float32 with the bonus of own items.
        allowed: (I,) bool, which positions may be shown.
    """

    items: NDArray[np.int32]
    products: NDArray[np.float32]
    scores: NDArray[np.float32]
    allowed: NDArray[np.bool_]


class ServerRanking:
    """Runs the server's sources, features and ranker; what a device cannot know stays unsaid.

    Args:
        bundle: of the server.
        rows: (I,) int32, the server's rows of the device's items.

    Raises:
        ExportError: the bundle has no ranker, or no statistics for it.
    """

    def __init__(self, bundle: Bundle, rows: NDArray[np.int32]) -> None:
        config = bundle.read_json("config.json") if bundle.has("config.json") else {}
        options = PipelineOptions.model_validate(config.get("pipeline", {}))
        told = {name: Scenario.model_validate(value) for name, value in config.get("scenarios", {}).items()}
        tables, self._rows, self._options = ItemTables.load(bundle), rows, options
        models = RankerModels.load(bundle, known_scenarios(told))
        if models is None:
            raise ExportError(f"bundle {bundle.id} has no ranker; train and publish again")
        self._source_columns = models.source_columns
        self._stage: Ranker = models.stage(
            tables, {f"{name}_{kind}" for name in _SOURCES for kind in ("score", "rank")}
        )
        kinds = list(config.get("kinds", ()))
        repeated = tuple(kinds.index(name) for name in options.repeat_kinds if name in kinds)
        self._own_items = OwnItemsHydrator(options.half_life_days, repeated)
        sold = tables.trending if tables.trending is not None else np.zeros(len(tables), np.float32)
        self._sources: Sequence[Source] = (BuyAgain(options.buy_again), Trending(sold, options.trending))
        self._number_of_items = len(tables)

    def scores(
        self, query: Query, history: History, profile: UserProfile, candidates: Candidates
    ) -> NDArray[np.float32]:
        """(N,) float32 of the ranker; a profile without an id is nobody's."""
        return np.asarray(self._stage.rank(query, {"history": history, "profile": profile}, candidates), np.float32)

    def matrix(
        self, query: Query, history: History, candidates: Candidates, statistics: ItemStatistics
    ) -> NDArray[np.float32]:
        """(N, F) float32 features over other `statistics` of the items."""
        features = CrossFeatures(statistics, self._source_columns)
        return feature_matrix(features, query, {"history": history}, candidates)

    def candidates(self, query: Query, history: History, found: FoundItems) -> Candidates:
        """The items in the order they were found, with what sources say of them."""
        eligible = np.zeros(self._number_of_items, np.bool_)
        eligible[self._rows[found.allowed]] = True
        hydrated = {"history": history, "eligible": eligible}
        hydrated |= self._own_items.hydrate(query, hydrated)
        retrieved = {source.name: source.retrieve(query, hydrated) for source in self._sources}
        rows = self._rows[found.items]
        retrieved["ann"] = self._nearest(query, rows, found)
        brought = Candidates.merge(_SOURCES, retrieved)
        brought = brought.select(np.isin(brought.item, rows))
        others = Candidates.unsourced(_SOURCES, np.setdiff1d(rows, brought.item).astype(np.int32))
        merged = Candidates.concatenate(brought, others)
        place = np.argsort(merged.item)[np.searchsorted(np.sort(merged.item), rows)]
        return merged.select(place).enriched({"vector_fit": found.products})

    def _nearest(self, query: Query, rows: NDArray[np.int32], found: FoundItems) -> Retrieved:
        """Those that would have been found without the bonus."""
        complete = len(rows) == int(found.allowed.sum())
        certain = np.ones(len(rows), np.bool_) if complete else found.products >= found.scores.min()
        order = np.lexsort((np.arange(len(rows)), -found.products))
        order = order[certain[order]][: max(self._options.ann, query.depth)]
        return Retrieved(rows[order], found.products[order])
