"""Writes `ranker.json` and `ranker.bin`: what a device's ranker must know of the items, and what counts where."""

from dataclasses import dataclass, replace
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np
import orjson
from numpy.typing import NDArray

from savor.bundle.bundle import Bundle
from savor.export.edge_catalogue import kept_for_histories
from savor.export.packed_arrays import packed_arrays
from savor.features.catalogue import Catalogue
from savor.features.feature_space import FeatureSpace
from savor.features.item_statistics import KEY_FEATURES, LEVEL_FEATURES, ItemStatistics
from savor.models.dcn_ranker import HEADS
from savor.pipeline.options import PipelineOptions
from savor.pipeline.scenario import Scenario, known_scenarios
from savor.pipeline.stages.neural_ranker import DEFAULT_WEIGHTS
from savor_edge.ranker import ARRAYS, DOCUMENT, FORMAT_VERSION

SCORES = "scores"
"""The one head of a network over ids."""


def heads_of(kind: str) -> tuple[str, ...]:
    """What the outputs of a ranker of this kind are called on a device."""
    return HEADS if kind == "dcn" else (SCORES,)


@dataclass(frozen=True)
class RankerTables:
    """Writes both files.

    Attributes:
        bundle: of the server.
        catalogue: of the bundle.
        space: says which items count in histories only.
        rows: (I,) int32, the server's rows of the device's items.
        dtype: of the statistics: `float16` or `float32`.
    """

    bundle: Bundle
    catalogue: Catalogue
    space: FeatureSpace
    rows: NDArray[np.int32]
    dtype: str = "float16"

    @cached_property
    def statistics(self) -> ItemStatistics:
        """Of the server's items, as exact as a device has them."""
        found = ItemStatistics.load(self.bundle.path("state/statistics"), self.catalogue)
        levels = {
            name: replace(
                level,
                table=self._rounded(level.table),
                item_share=self._rounded(level.item_share),
                relative_price=self._rounded(level.relative_price),
            )
            for name, level in found.levels.items()
        }
        return replace(found, item=self._rounded(found.item), log_price=self._rounded(found.log_price), levels=levels)

    @cached_property
    def source_columns(self) -> tuple[str, ...]:
        """What the ranker wants to know of the sources."""
        return tuple(self.bundle.read_json("ranker/features.json")["source_columns"])

    def write(self, kind: str, directory: Path) -> None:
        """Write `ranker.json`, and `ranker.bin` for a ranker that crosses features."""
        config = self.bundle.read_json("config.json") if self.bundle.has("config.json") else {}
        told = {name: Scenario.model_validate(value) for name, value in config.get("scenarios", {}).items()}
        usual = DEFAULT_WEIGHTS if kind == "dcn" else {SCORES: 1.0}
        document: dict[str, Any] = {
            "format_version": FORMAT_VERSION,
            "usual_weights": dict(usual),
            "weights": {name: one.weights for name, one in known_scenarios(told).items() if one.weights},
        }
        (directory / ARRAYS).unlink(missing_ok=True)
        if kind == "dcn":
            options = PipelineOptions.model_validate(config.get("pipeline", {}))
            statistics = self.statistics
            packed, places = packed_arrays(self._arrays())
            (directory / ARRAYS).write_bytes(packed)
            document |= {
                "statistics": {
                    "horizon_days": statistics.horizon_days,
                    "item": KEY_FEATURES,
                    "category": LEVEL_FEATURES,
                    "levels": list(statistics.levels),
                },
                "sources": self._sources(options, list(config.get("kinds", ()))),
                "arrays": places,
            }
        (directory / DOCUMENT).write_bytes(orjson.dumps(document))

    def _sources(self, options: PipelineOptions, kinds: list[str]) -> dict[str, Any]:
        counted = [kinds.index(name) for name in options.repeat_kinds if name in kinds]
        return {
            "columns": self.source_columns,
            "ann": {"most": options.ann},
            "buy_again": {
                "most": options.buy_again,
                "half_life_days": options.half_life_days,
                "kinds": counted if options.repeat_kinds else None,
            },
            "trending": {"most": options.trending},
        }

    def _arrays(self) -> dict[str, NDArray[Any]]:
        statistics, rows = self.statistics, self.rows
        kept = kept_for_histories(self.space, rows)
        columns = [statistics.item[rows], statistics.log_price[rows, None]]
        arrays: dict[str, NDArray[Any]] = {}
        for number, level in enumerate(statistics.levels.values()):
            columns += [level.item_share[rows, None], level.relative_price[rows, None]]
            # The catalogue of a device numbers the categories that its items have.
            known = np.unique(np.append(0, level.codes[rows]))
            others = np.setdiff1d(level.codes[kept], known)
            place = np.zeros(len(level.table) + 1, np.int64)
            place[known], place[others] = np.arange(len(known)), len(known) + np.arange(len(others))
            arrays[f"category/{number}"] = level.table[known].astype(self.dtype).ravel()
            arrays[f"kept/{number}"] = place[level.codes[kept]]
        arrays["items"] = np.concatenate(columns, axis=1).astype(self.dtype).ravel()
        sold = np.load(self.bundle.path("sources/trending.npy"), allow_pickle=False)[rows]
        order = np.argsort(-sold, kind="stable")[: np.count_nonzero(sold > 0)]
        return {**arrays, "trending_item": order, "trending": sold[order].astype(np.float32)}

    def _rounded(self, numbers: NDArray[np.float32]) -> NDArray[np.float32]:
        most = float(np.finfo(self.dtype).max)
        return np.clip(numbers, -most, most).astype(self.dtype).astype(np.float32)
