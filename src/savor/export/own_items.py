"""How much what somebody had before is worth on a device, beside what the model says.

The server's ranker weighs own items by many features. A device has the history, and no ranker of trees: there, each own
item gets a bonus on its score, `weight * log(1 + sum of 0.5 ** (age / half-life))`.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, fields
from typing import Any, Self

import numpy as np
from numpy.typing import NDArray

from savor.data.histories import History
from savor.evaluation.bootstrap import Interval
from savor.pipeline.stages.own_items import DAY, OwnItems


@dataclass(frozen=True)
class OwnItemsBonus:
    """The bonus of own items.

    Attributes:
        weight: on the scale of the model's scores.
        half_life_days: age at which an event counts half.
        kinds: of events that count.
        gain: NDCG@10 that it adds, on questions that it was not fitted on; None where that is not known.
    """

    weight: float
    half_life_days: float
    kinds: tuple[str, ...]
    gain: Interval | None = None

    def of(self, history: History, kinds: Sequence[str], now: int) -> tuple[NDArray[np.int32], NDArray[np.float32]]:
        """(M,) rows of the own items in a history, rising, and their bonus.

        Args:
            history: of one person; events after `now` count as of then.
            kinds: names of the kinds of events by number.
            now: UTC seconds.
        """
        counted = [number for number, name in enumerate(kinds) if name in self.kinds]
        kept = np.isin(history.kind, counted)
        columns = {field.name: getattr(history, field.name)[kept] for field in fields(History)}
        columns["time"] = np.minimum(columns["time"], now)
        own = OwnItems.of(History(**columns), now, self.half_life_days * DAY)
        return own.item, (self.weight * np.log1p(own.weight.astype(np.float64))).astype(np.float32)

    def to_json(self) -> dict[str, Any]:
        """As it stands in `features.json`."""
        return {"weight": self.weight, "half_life_days": self.half_life_days, "kinds": list(self.kinds)}

    @classmethod
    def from_json(cls, value: Mapping[str, Any] | None) -> Self | None:
        """What `to_json` gave; None for None."""
        if value is None:
            return None
        return cls(float(value["weight"]), float(value["half_life_days"]), tuple(value["kinds"]))
