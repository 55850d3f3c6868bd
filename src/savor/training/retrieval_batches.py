"""The arrays of each step of a two-tower training."""

from concurrent.futures import Future, ThreadPoolExecutor
from typing import Any

import numpy as np
from numpy.typing import NDArray

from savor.features.feature_space import FeatureSpace
from savor.features.newcomers import hide_behaviour
from savor.training.candidates import CandidateMaker
from savor.training.example_source import ExampleSource
from savor.training.retrieval_options import RetrievalOptions

Batch = dict[str, Any]
"""`user` and `item`: inputs of the towers; `weight` (B,) float32; and the arrays of `Candidates`, by name."""

NOT_ARRAYS = ("items", "inside")


class RetrievalBatches:
    """Makes batches, the next one while the last is used; each follows from the seed, its pass and its number alone.

    Args:
        source: the examples.
        space: makes the inputs.
        candidates: puts the negatives together; may be replaced between steps.
        options: of the retrieval.
        seed: of dropout and negatives.
        size: B, examples in a batch.
        replicas: what the numbers of examples and items are rounded up to a multiple of, by examples without weight and
            items that nothing refers to.
    """

    def __init__(
        self,
        source: ExampleSource,
        space: FeatureSpace,
        candidates: CandidateMaker,
        options: RetrievalOptions,
        seed: int,
        size: int,
        replicas: int = 1,
    ) -> None:
        self.candidates = candidates
        self._source, self._space, self._options, self._seed = source, space, options, seed
        self._size, self._replicas = size, replicas
        self._thread = ThreadPoolExecutor(1, "batches")
        self._next: tuple[tuple[int, int], Future[Batch]] | None = None

    def get(self, epoch: int, step: int) -> Batch:
        """The batch of a step."""
        wanted, self._next = self._next, None
        if wanted is not None and wanted[0] == (epoch, step):
            return wanted[1].result()
        return self.make(epoch, step)

    def prepare(self, epoch: int, step: int) -> None:
        """Begin to make a batch that will be asked for next."""
        self._next = ((epoch, step), self._thread.submit(self.make, epoch, step))

    def make(self, epoch: int, step: int) -> Batch:
        """The batch of a step."""
        examples = self._source.batch(epoch, step, self._size)
        rng = np.random.default_rng([self._seed, epoch, step])
        users = self._space.user_inputs(examples.user, self._source.histories, examples.now, examples.end)
        hide_behaviour(users, rng, self._options.feature_dropout, self._space.users.ids.buckets)
        candidates = self.candidates.make(examples, rng)
        items = self._space.item_inputs(candidates.items)
        if "item_id" in items:
            hidden = rng.random(len(candidates.items)) < self._options.item_dropout
            items["item_id"][hidden] = rng.integers(0, self._space.items.ids.buckets + 1, int(hidden.sum()))
        arrays = {name: np.asarray(value) for name, value in vars(candidates).items() if name not in NOT_ARRAYS}
        arrays["shared"] = arrays["shared"].astype(np.int32)
        rows = {"user": users, "weight": examples.weight}
        rows |= {name: arrays.pop(name) for name in ("positive", "positive_bias", "own", "own_bias")}
        padded = {name: _padded(value, self._replicas) for name, value in rows.items()}
        # Examples that only fill up do not count.
        padded["weight"][len(examples) :] = 0
        return {**padded, **arrays, "item": _padded(items, self._replicas)}


def _padded(value: Any, multiple: int) -> Any:
    """Arrays with their first row repeated at the end until their length is a multiple of `multiple`."""
    if isinstance(value, dict):
        return {name: _padded(array, multiple) for name, array in value.items()}
    array: NDArray[Any] = value
    missing = -len(array) % multiple
    return np.concatenate([array, np.repeat(array[:1], missing, axis=0)]) if missing else array
