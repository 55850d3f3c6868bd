"""The function that an edge model is made of: user inputs and a mask to the best items."""

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import NDArray

from savor.core.errors import ExportError
from savor.export.frozen_network import FrozenNetwork
from savor.export.int8_rows import Int8Rows, Look, own_rows, tables, with_int8_tables
from savor.export.item_table import FixedPointTable, ItemTable, PlainTable, RescoredTable
from savor.export.mild_masks import with_mild_masks
from savor.export.shared_rows import SharedRows, share
from savor.export.variant import Variant

MASK = "mask"
USER_ID = "user_id"


@dataclass(frozen=True)
class EdgeGraph:
    """What is computed, whatever the numbers are stored as.

    Attributes:
        user: the user tower for one user.
        vectors: (I, D) float32 of the items, by row.
        k: how many items an answer has, at most I.
        user_ids: whether the id of the user is an input; without it everybody is an unknown user, and the table of the
            known ones is not in the model.
        codes: (I,) int32, what histories show of the items; None where they show none.
    """

    user: FrozenNetwork
    vectors: NDArray[np.float32]
    k: int
    user_ids: bool = False
    codes: NDArray[np.int32] | None = None

    def __post_init__(self) -> None:
        items, width = self.vectors.shape
        if width != self.user.width:
            raise ExportError(
                f"the user network gives vectors of {self.user.width} numbers and the items have {width}: "
                "the bundle's parts are of different trainings; train and publish again"
            )
        if not 1 <= self.k <= items:
            raise ExportError(f"an answer can hold from 1 to {items} items, as many as there are; asked for {self.k}")

    @property
    def inputs(self) -> dict[str, Any]:
        """`tf.TensorSpec` of every input by name, sorted, the mask last."""
        import tensorflow as tf

        names = sorted(name for name in self.user.inputs if self.user_ids or name != USER_ID)
        specs = {name: self.user.inputs[name] for name in names}
        return {**specs, MASK: tf.TensorSpec((1, len(self.vectors)), tf.float32, name=MASK)}

    def function(self, variant: Variant) -> Any:
        """A `tf.function` from the inputs by name to `items` (1, k) int32 and `scores` (1, k) float32."""
        import tensorflow as tf

        user = with_int8_tables(self.user, self._look) if variant.tables == "int8_rows" else self.user
        user = with_mild_masks(user) if variant.weights == "full_int8" else user
        table = self._table(variant)

        def recommend(**given: Any) -> Mapping[str, Any]:
            mask = given.pop(MASK)
            if USER_ID in user.inputs and not self.user_ids:
                given[USER_ID] = tf.zeros((1,), tf.int32)
            items, scores = table.best(user(**given), mask, self.k)
            return {"items": items, "scores": scores}

        return tf.function(recommend, autograph=False)

    def whole_numbers(self, variant: Variant) -> list[NDArray[np.int8]]:
        """Tables that the function holds as floats and that 8 bits can hold exactly."""
        return [] if variant.items == "plain" else [self._rescored(variant).numbers]

    @cached_property
    def _rows(self) -> Int8Rows:
        return Int8Rows.of(self.vectors)

    @cached_property
    def _shared(self) -> SharedRows | None:
        """Of the first table that the items' rows can stand in for."""
        if self.codes is None:
            return None
        found = (share(table, self.vectors, self._rows, self.codes) for _, _, table in tables(self.user))
        return next((one for one in found if one is not None), None)

    def _look(self, table: NDArray[np.float32]) -> Look:
        shared = None if self.codes is None else share(table, self.vectors, self._rows, self.codes)
        if shared is None or self._shared is None or not np.array_equal(shared.others, self._shared.others):
            return own_rows(table)
        return Look(np.concatenate([self._rows.numbers, shared.others]), shared.place, shared.scales)

    def _table(self, variant: Variant) -> ItemTable:
        if variant.items != "plain":
            return self._rescored(variant)
        return FixedPointTable(self.vectors) if variant.weights == "full_int8" else PlainTable(self.vectors)

    def _rescored(self, variant: Variant) -> RescoredTable:
        rows = self._rows
        remainder = Int8Rows.of(self.vectors - rows.floats()) if variant.items == "rescored_16" else None
        others = np.empty((0, self.vectors.shape[1]), np.int8) if self._shared is None else self._shared.others
        return RescoredTable(rows, remainder, others)
