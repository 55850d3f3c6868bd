"""What somebody takes again and again: a bonus for their own items."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Self

import numpy as np
from numpy.typing import NDArray

from savor_edge.history import History

DAY = 86_400


@dataclass(frozen=True)
class OwnItemsRule:
    """`own_items` of `features.json`, fitted when the bundle was exported.

    Attributes:
        weight: of the bonus, on the scale of the model's scores.
        half_life: seconds after which an event counts half.
        kinds: of events that count.
    """

    weight: float
    half_life: float
    kinds: frozenset[str]

    @classmethod
    def from_json(cls, value: Mapping[str, Any]) -> Self:
        """The rule as it stands in `features.json`."""
        return cls(float(value["weight"]), float(value["half_life_days"]) * DAY, frozenset(value["kinds"]))

    def bonus(self, history: History, now: int, items: int) -> NDArray[np.float32]:
        """(`items`,) float32: `weight * log(1 + sum of 0.5 ** (age / half-life))` over the events of each item.

        Args:
            history: of the person.
            now: UTC seconds.
            items: how many items can be recommended; others get no bonus.
        """
        own = history.own & (history.item < items)
        decayed = 0.5 ** (np.maximum(now - history.time[own], 0) / self.half_life)
        total = np.bincount(history.item[own], decayed, minlength=items)
        return (self.weight * np.log1p(total)).astype(np.float32)
