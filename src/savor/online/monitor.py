"""Counters by scenario and variant, and the last minutes of each."""

from collections import deque
from collections.abc import Iterator, Mapping
from threading import Lock
from typing import NamedTuple, Protocol

from savor.online.metric_names import BY_NAME, MetricName

OTHER = "other"
"""The label of what came after there were too many label sets of a metric."""


class Sample(NamedTuple):
    """One time series at this moment: values of the metric's labels, and of itself."""

    labels: tuple[str, ...]
    value: float


class Monitored(Protocol):
    """Whatever has figures to show; the API asks it whenever Prometheus asks the API."""

    def collect(self) -> Iterator[tuple[MetricName, list[Sample]]]:
        """Counters and gauges with their samples, each metric once."""


class Monitor:
    """Counters and gauges by name and labels; safe from several threads.

    Args:
        window: seconds of the past that `recent` speaks of.
        slot: seconds that are counted together there.
        most: label sets of a metric; further ones are counted under `other`, so that hostile labels cannot fill memory.
    """

    def __init__(self, *, window: int = 300, slot: int = 10, most: int = 500) -> None:
        self._window, self._slot, self._most = window, slot, most
        self._totals: dict[str, dict[tuple[str, ...], float]] = {}
        self._past: deque[tuple[int, dict[str, dict[tuple[str, ...], float]]]] = deque()
        self._lock = Lock()

    def count(self, name: str, labels: tuple[str, ...], amount: float, now: int) -> None:
        """Add to a counter.

        Args:
            name: of `METRIC_NAMES`.
            labels: their values, in the order of the metric.
            amount: 0 or more.
            now: UTC seconds.

        Raises:
            KeyError: there is no such metric.
            ValueError: it is no counter, it has other labels, or the amount is below 0.
        """
        self._check(name, "counter", labels)
        if not amount >= 0:
            raise ValueError(f"{name} only rises; got {amount}")
        with self._lock:
            totals = self._totals.setdefault(name, {})
            labels = self._bounded(totals, labels)
            totals[labels] = totals.get(labels, 0.0) + amount
            self._drop(now)
            start = now - now % self._slot
            if not self._past or self._past[-1][0] < start:
                self._past.append((start, {}))
            recent = self._past[-1][1].setdefault(name, {})
            recent[labels] = recent.get(labels, 0.0) + amount

    def show(self, name: str, samples: Mapping[tuple[str, ...], float]) -> None:
        """Give a gauge these values and no others.

        Raises:
            KeyError: there is no such metric.
            ValueError: it is no gauge, or has other labels.
        """
        for labels in samples:
            self._check(name, "gauge", labels)
        with self._lock:
            self._totals[name] = dict(samples)

    def recent(self, name: str, now: int) -> dict[tuple[str, ...], float]:
        """What a counter rose by in the last `window` seconds, by labels."""
        with self._lock:
            self._drop(now)
            found: dict[tuple[str, ...], float] = {}
            for _, slot in self._past:
                for labels, amount in slot.get(name, {}).items():
                    found[labels] = found.get(labels, 0.0) + amount
            return found

    def collect(self) -> Iterator[tuple[MetricName, list[Sample]]]:
        """See `Monitored`."""
        with self._lock:
            copied = {name: list(values.items()) for name, values in self._totals.items()}
        for name, values in copied.items():
            yield BY_NAME[name], [Sample(labels, value) for labels, value in sorted(values)]

    def _bounded(self, known: Mapping[tuple[str, ...], float], labels: tuple[str, ...]) -> tuple[str, ...]:
        return labels if labels in known or len(known) < self._most else (OTHER,) * len(labels)

    def _drop(self, now: int) -> None:
        while self._past and self._past[0][0] + self._slot <= now - self._window:
            self._past.popleft()

    @staticmethod
    def _check(name: str, kind: str, labels: tuple[str, ...]) -> None:
        metric = BY_NAME[name]
        if metric.kind != kind:
            raise ValueError(f"{name} is a {metric.kind}, not a {kind}")
        if len(labels) != len(metric.labels):
            raise ValueError(f"{name} has the labels {metric.labels}, got {labels}")
