"""Every section that a two-tower training reads."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from savor.core.errors import ConfigError
from savor.training.losses.weights import kind_weights
from savor.training.negatives.options import NegativeOptions
from savor.training.retrieval_options import RetrievalOptions
from savor.training.training_options import TrainingOptions

PACE = {"time_budget_seconds", "checkpoint_seconds"}
"""Options that do not change what a step does, so a training may go on with other values of them."""


@dataclass(frozen=True)
class TwoTowerOptions:
    """How two towers are built and trained.

    Attributes:
        retrieval: `[retrieval]`.
        negatives: `[negatives]`.
        training: `[training]`.
        kinds: names of the kinds of events, as in `Dataset.kinds`; empty where they do not matter.
    """

    retrieval: RetrievalOptions
    negatives: NegativeOptions = field(default_factory=NegativeOptions)
    training: TrainingOptions = field(default_factory=TrainingOptions)
    kinds: tuple[str, ...] = ()

    @property
    def shown_kind(self) -> int | None:
        """Number of the kind of events that only say that an item was shown; None where there is none.

        Raises:
            ConfigError: shown negatives are asked for, and there are no such events.
        """
        if self.negatives.shown_kind in self.kinds:
            return self.kinds.index(self.negatives.shown_kind)
        if self.negatives.shown:
            raise ConfigError(
                [f"negatives.shown_kind: there are no events of kind {self.negatives.shown_kind!r}, only {self.kinds}"]
            )
        return None

    def weights(self) -> NDArray[np.float32] | None:
        """How much an event of each kind counts as a positive; None where all count 1.

        Raises:
            ConfigError: `kind_weights` names a kind there is none of.
        """
        if not self.retrieval.kind_weights and self.shown_kind is None:
            return None
        try:
            weights = kind_weights(self.retrieval.kind_weights, self.kinds)
        except ValueError as error:
            raise ConfigError([f"retrieval.kind_weights: {error}"]) from None
        if self.shown_kind is not None:
            weights[self.shown_kind] = 0
        return weights

    def described(self) -> Mapping[str, Any]:
        """All that decides what a step does, as JSON values."""
        return {
            "retrieval": self.retrieval.model_dump(mode="json", exclude=PACE),
            "negatives": self.negatives.model_dump(mode="json"),
            "precision": self.training.mixed_precision,
            "kinds": list(self.kinds),
        }
