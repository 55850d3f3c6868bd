"""Counting what is served, in a fixed amount of memory."""

from collections.abc import Sequence
from threading import Lock

import numpy as np
from numpy.typing import NDArray

from savor.online.drift.options import DriftOptions
from savor.online.drift.reference import DriftReference
from savor.online.drift.stability import Stability, stability


class LiveDrift:
    """Histograms of the values served in the last hours, against the bundle's.

    A ring of histograms, (slots, F, B) int64; each call of `count` is a fixed number of NumPy calls over its (N, F)
    values. Safe from several threads.

    Args:
        reference: the bundle's.
        names: F of its numbers, in the order of the columns of `count`.
        options: how long and how strictly.
        now: UTC seconds.

    Raises:
        KeyError: the reference has no such number.
    """

    def __init__(self, reference: DriftReference, names: Sequence[str], options: DriftOptions, now: int) -> None:
        self._names, self._options = tuple(names), options
        self._references = [reference.numbers[name] for name in names]
        most = max((len(one.edges) for one in self._references), default=0)
        self._edges = np.full((most, len(names)), np.inf)
        for column, one in enumerate(self._references):
            self._edges[: len(one.edges), column] = one.edges
        self._bins = most + 2
        self._offset = np.arange(len(names)) * self._bins
        self._counts = np.zeros((options.slots, len(names) * self._bins), np.int64)
        self._requests = np.zeros(options.slots, np.int64)
        self._width = options.hours * 3600 / options.slots
        self._slot = int(now // self._width)
        self._lock = Lock()

    def count(self, values: NDArray[np.float32], now: int, requests: int = 1) -> None:
        """Add the values of some requests.

        Args:
            values: (N, F) float32, NaN where unknown.
            now: UTC seconds.
            requests: how many requests they are of; values of one request are not independent.
        """
        bins = np.tile(self._offset, (len(values), 1))
        for edges in self._edges:
            bins += values > edges
        np.copyto(bins, self._offset + (self._bins - 1), where=~np.isfinite(values))
        counts = np.bincount(bins.ravel(), minlength=self._counts.shape[1])
        with self._lock:
            slot = self._turn(now)
            self._counts[slot] += counts
            self._requests[slot] += requests

    def read(self, now: int) -> dict[str, Stability]:
        """By name, how the last hours compare."""
        with self._lock:
            self._turn(now)
            live = self._counts.sum(axis=0).reshape(len(self._names), self._bins)
            requests = int(self._requests.sum())
        found = {}
        for name, reference, counts in zip(self._names, self._references, live, strict=True):
            known = len(reference.edges) + 1
            folded = np.append(counts[:known], counts[-1])
            found[name] = stability(
                reference.counts,
                folded,
                reference_n=reference.n,
                live_n=min(float(requests), float(folded.sum())),
                threshold=self._options.threshold,
                tail=self._options.tail,
            )
        return found

    def _turn(self, now: int) -> int:
        """The slot of this moment, emptied with those passed over since; a clock that goes back stays where it was."""
        slot = max(self._slot, int(now // self._width))
        passed = min(slot - self._slot, len(self._counts))
        for step in range(passed):
            stale = (slot - step) % len(self._counts)
            self._counts[stale] = 0
            self._requests[stale] = 0
        self._slot = slot
        return slot % len(self._counts)
