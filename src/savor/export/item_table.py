"""Vectors of the items inside a model: what a user's vector is held against."""

from dataclasses import dataclass
from functools import cached_property
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from savor.export.int8_rows import Int8Rows

SHORTLIST = 4
"""Scores that are known roughly first are looked at again for so many times k items."""

_FIXED_POINT = float(1 << 20)
"""Scores times this are whole numbers, which quantisation leaves alone."""


class ItemTable(Protocol):
    """Finds the best items inside a graph."""

    def best(self, user: Any, mask: Any, k: int) -> tuple[Any, Any]:
        """Items (1, k) int32 and scores (1, k) float32, best first, of a user's vector (1, D) and a mask (1, I)."""


@dataclass(frozen=True)
class PlainTable:
    """All scores in one product.

    Attributes:
        vectors: (I, D) float32.
    """

    vectors: NDArray[np.float32]

    def best(self, user: Any, mask: Any, k: int) -> tuple[Any, Any]:
        """See `ItemTable.best`; ties by lower number."""
        import tensorflow as tf

        scores, items = tf.math.top_k(_scores(user, self.vectors) + mask, k)
        return items, scores


@dataclass(frozen=True)
class FixedPointTable:
    """All scores in one product; mask and order in whole numbers.

    For models whose every float becomes 8 bits: the mask's -1e9 would leave no bit for the scores beside it. What a
    mask adds that is no whole number is lost.

    Attributes:
        vectors: (I, D) float32.
    """

    vectors: NDArray[np.float32]

    def best(self, user: Any, mask: Any, k: int) -> tuple[Any, Any]:
        """See `ItemTable.best`; ties by lower number."""
        import tensorflow as tf

        scores = tf.cast(_scores(user, self.vectors) * _FIXED_POINT, tf.int32)
        scores, items = tf.math.top_k(scores + tf.cast(mask, tf.int32), k)
        return items, tf.cast(scores, tf.float32) / _FIXED_POINT


@dataclass(frozen=True)
class RescoredTable:
    """All scores roughly, by 8 bits of both vectors; then those of the best `SHORTLIST` times k items more exactly.

    The second time the user's vector is not rounded. With `remainder` neither are the items', but for what 8 bits say
    of what the first 8 bits leave out: a sixteenth bit, in effect, for one more byte a number.

    Attributes:
        rows: the items' vectors.
        remainder: what is missing to them; None to do without.
        others: (R, D) int8 rows of no item that stand after the items' in the same table; see `SharedRows`.
    """

    rows: Int8Rows
    remainder: Int8Rows | None
    others: NDArray[np.int8]

    @cached_property
    def numbers(self) -> NDArray[np.int8]:
        """(I + R, D), all rows of the table."""
        return np.concatenate([self.rows.numbers, self.others])

    def best(self, user: Any, mask: Any, k: int) -> tuple[Any, Any]:
        """See `ItemTable.best`; ties in the order of the rough scores."""
        import tensorflow as tf

        number = len(self.rows.numbers)
        items = tf.range(number)
        if number > SHORTLIST * k:
            # Whole numbers that stay what they are in 8 bits, so that the model holds them once. What is between keeps
            # the converter from multiplying the scales into them.
            between = tf.maximum(_scores(user, self.numbers.astype(np.float32))[:, :number], np.float32(-1e9))
            rough = between * self.rows.scales + mask
            items = tf.math.top_k(rough, SHORTLIST * k).indices[0]
        exact = _products(user, self.numbers, self.rows.scales, items)
        if self.remainder is not None:
            exact += _products(user, *self.remainder, items)
        scores, places = tf.math.top_k(exact + tf.gather(mask, items, axis=1), k)
        return tf.gather(items, places), scores


def _scores(user: Any, vectors: NDArray[np.float32]) -> Any:
    """(1, I) float32."""
    import tensorflow as tf

    return tf.matmul(user, tf.constant(vectors), transpose_b=True)


def _products(user: Any, numbers: NDArray[np.int8], scales: NDArray[np.float32], items: Any) -> Any:
    """(1, S) float32, the user's vector times those of S items."""
    import tensorflow as tf

    found = tf.cast(tf.gather(tf.constant(numbers), items), tf.float32)
    # The converter would round the scales too if an ordinary look-up found them.
    return tf.matmul(user, found, transpose_b=True) * tf.gather_nd(tf.constant(scales), items[:, None])
