"""Figures for Prometheus."""

import logging
from bisect import bisect_left
from collections import Counter, OrderedDict
from collections.abc import Callable, Iterator
from threading import Lock

import numpy as np
from numpy.typing import NDArray
from prometheus_client import CollectorRegistry, generate_latest
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, HistogramMetricFamily, Metric

from savor.online.event_batch import EventBatch
from savor.online.experiments.outcome_recorder import CLICK, PURCHASE
from savor.online.metric_names import BY_NAME, MetricName
from savor.online.monitor import OTHER, Monitored, Sample
from savor.online.stores.event_store import Appended
from savor.pipeline.result import Drop, Failure, Fallback, Result, Trace

logger = logging.getLogger("savor.api")
_BUCKETS = (0.0001, 0.00025, 0.0005, 0.001, 0.002, 0.004, 0.008, 0.016, 0.032, 0.064, 0.128, 0.256, 0.512, 1.024)
_BOUNDS = (*map(str, _BUCKETS), "+Inf")
_MOST_LABELS = 500
_COUNTED_AT_ONCE = 256
_MOST_LISTS = 100_000
_USUAL = frozenset({"unknown_user", "no_history"})
UNKNOWN = "unknown"
"""The scenario of an outcome whose list this process does not remember."""


class Metrics:
    """All figures of one application, with the names of `savor.online.metric_names`; safe from several threads.

    Counting is part of every answer, so it is kept cheap: one lock and plain dictionaries.
    """

    def __init__(self) -> None:
        self._lock = Lock()
        self._counts: dict[str, dict[tuple[str, ...], float]] = {}
        self._bundle = ""
        self._watched: list[Monitored] = []
        self._requests = _Histogram("savor_request_seconds")
        self._stages = _Histogram("savor_stage_seconds")
        self._events = _Histogram("savor_event_seconds")
        self._runs: list[tuple[Trace, tuple[Fallback, ...], tuple[Failure, ...], tuple[Drop, ...]]] = []
        self._shown: list[tuple[tuple[str, ...], NDArray[np.uint16]]] = []
        self._lists: OrderedDict[str, tuple[str, str]] = OrderedDict()
        self._registry = CollectorRegistry()
        self._registry.register(self)

    def serving(self, bundle: str) -> None:
        """Say which bundle is served."""
        self._bundle = bundle

    def swapped(self, outcome: str) -> None:
        """Count a bundle that was `switched` to, `rolled_back` to, or `refused`."""
        with self._lock:
            self._count("savor_bundle_swaps_total", (outcome,))

    def watch(self, monitored: Monitored) -> None:
        """Show the figures of `monitored` too, as they are whenever they are asked for."""
        self._watched.append(monitored)

    def answered(self, route: str, status: int, seconds: float) -> None:
        """Count one answer."""
        with self._lock:
            self._count("savor_requests_total", (route, str(status)))
            self._requests.observe((route,), seconds)

    def ran(self, result: Result) -> None:
        """Count what a pipeline did."""
        with self._lock:
            self._runs.append((result.trace, result.fallbacks, result.failures, result.dropped))
            if len(self._runs) >= _COUNTED_AT_ONCE:
                self._count_runs()

    def listed(
        self, recommendation_id: str, scenario: str, variant: str, result: Result, seconds: float, *, drawn: bool
    ) -> None:
        """Count one list that was shown, and remember it, so that what comes of it can be counted.

        Args:
            recommendation_id: of the list.
            scenario: where it is shown.
            variant: of its user.
            result: what the pipeline gave.
            seconds: time to answer.
            drawn: whether chance had a part in its order.
        """
        labels, number = (scenario, variant), len(result.items)
        with self._lock:
            self._shown.append((result.trace.sources, result.candidates.source))
            self._count("savor_lists_total", labels)
            self._count("savor_lists_seconds_total", labels, seconds)
            self._count("savor_impressions_total", labels, number)
            if result.fallbacks and less_than_usual(result):
                self._count("savor_lists_fallback_total", labels)
            if not number:
                self._count("savor_lists_empty_total", labels)
            if drawn:
                self._count("savor_explored_total", labels)
            self._lists[recommendation_id] = labels
            if len(self._lists) > _MOST_LISTS:
                self._lists.popitem(last=False)

    def stored(self, batch: EventBatch, appended: Appended, seconds: float) -> None:
        """Count events that were acknowledged, and what came of lists.

        Args:
            batch: the events.
            appended: what became of them.
            seconds: time until they were durable.
        """
        with self._lock:
            self._events.observe((), seconds)
            new = appended.accepted
            for kind, number in Counter(batch.kind).items():
                kept = min(new, number)
                new -= kept
                for outcome, amount in (("stored", kept), ("repeated", number - kept)):
                    if amount:
                        self._count("savor_events_total", (kind, outcome), amount)
            for place, recommendation in enumerate(batch.recommendation_id if appended.accepted else ()):
                if recommendation is not None and batch.kind[place] in (CLICK, PURCHASE):
                    self._came(batch, place, recommendation)

    def refused(self, number: int = 1) -> None:
        """Count events that were not taken."""
        with self._lock:
            self._count("savor_events_total", (OTHER, "refused"), number)

    def collect(self) -> Iterator[Metric]:
        """For the client library: every family once."""
        found: dict[str, list[Sample]] = {}
        with self._lock:
            self._count_runs()
            histograms = [one.family() for one in (self._requests, self._stages, self._events)]
            for name, values in self._counts.items():
                found[name] = [Sample(labels, value) for labels, value in sorted(values.items())]
        if self._bundle:
            found["savor_bundle_info"] = [Sample((self._bundle,), 1.0)]
        for monitored in tuple(self._watched):
            try:
                for metric, samples in monitored.collect():
                    found.setdefault(metric.name, []).extend(samples)
            except Exception:
                logger.exception("some figures cannot be shown")
        yield from histograms
        for name, samples in found.items():
            yield _family(BY_NAME[name], samples)

    def describe(self) -> Iterator[Metric]:
        """For the client library: nothing, as families come and go."""
        return iter(())

    def text(self) -> bytes:
        """The exposition format; asks everything that is watched, so it may wait for a store."""
        return generate_latest(self._registry)

    def _count_runs(self) -> None:
        """Count what pipelines did since the last time, with the lock held; many together take far less time."""
        durations: dict[str, list[int]] = {}
        for trace, fallbacks, failures, dropped in self._runs:
            for stage, nanoseconds in trace.timings.items():
                durations.setdefault(stage, []).append(nanoseconds)
            for source, number in trace.retrieved.items():
                self._count("savor_source_candidates_total", (source,), number)
            for fallback in fallbacks:
                self._count("savor_fallbacks_total", (fallback.code,))
            for failure in failures:
                self._count("savor_stage_failures_total", (failure.stage, failure.kind))
            for drop in dropped:
                self._count("savor_dropped_total", (drop.stage,), drop.number)
        for stage, values in durations.items():
            self._stages.observe_all((stage,), np.asarray(values) * 1e-9)
        by_sources: dict[tuple[str, ...], list[NDArray[np.uint16]]] = {}
        for sources, shown in self._shown:
            by_sources.setdefault(sources, []).append(shown)
        for sources, parts in by_sources.items():
            every = np.concatenate(parts)
            for bit, source in enumerate(sources):
                if amount := int(np.count_nonzero(every & np.uint16(1 << bit))):
                    self._count("savor_source_shown_total", (source,), amount)
        self._runs.clear()
        self._shown.clear()

    def _came(self, batch: EventBatch, place: int, recommendation: str) -> None:
        """Count a click or a purchase that names its list."""
        bought = batch.kind[place] == PURCHASE
        labels = self._lists.get(recommendation) or (UNKNOWN, batch.variant[place] or UNKNOWN)
        self._count("savor_purchases_total" if bought else "savor_clicks_total", labels)
        price = float(batch.price[place])
        if bought and price > 0:
            self._count("savor_revenue_total", labels, price)

    def _count(self, name: str, labels: tuple[str, ...], amount: float = 1.0) -> None:
        """Add to a counter, with the lock held; too many label sets count as `other`, so that memory is bounded."""
        counts = self._counts.get(name)
        if counts is None:
            counts = self._counts[name] = {}
        if labels not in counts and len(counts) >= _MOST_LABELS:
            labels = (OTHER,) * len(labels)
        counts[labels] = counts.get(labels, 0.0) + amount


def less_than_usual(result: Result) -> bool:
    """Whether a list is less than the pipeline gives to somebody it knows as much of."""
    return any(fallback.code not in _USUAL for fallback in result.fallbacks)


def _family(metric: MetricName, samples: list[Sample]) -> Metric:
    make: Callable[..., CounterMetricFamily | GaugeMetricFamily]
    make = CounterMetricFamily if metric.kind == "counter" else GaugeMetricFamily
    family = make(metric.name, metric.help, labels=metric.labels)
    for labels, value in samples:
        family.add_metric(labels, value)
    return family


class _Histogram:
    """Durations by labels; whoever calls holds the lock."""

    def __init__(self, name: str) -> None:
        self._metric = BY_NAME[name]
        self._counts: dict[tuple[str, ...], list[int]] = {}
        self._sums: dict[tuple[str, ...], float] = {}

    def observe(self, labels: tuple[str, ...], seconds: float) -> None:
        labels = self._there(labels)
        self._counts[labels][bisect_left(_BUCKETS, seconds)] += 1
        self._sums[labels] += seconds

    def observe_all(self, labels: tuple[str, ...], seconds: NDArray[np.float64]) -> None:
        labels = self._there(labels)
        counts, places = self._counts[labels], np.searchsorted(_BUCKETS, seconds, side="left")
        for place, number in enumerate(np.bincount(places, minlength=len(_BOUNDS)).tolist()):
            counts[place] += number
        self._sums[labels] += float(seconds.sum())

    def _there(self, labels: tuple[str, ...]) -> tuple[str, ...]:
        """The labels that these durations are counted under; they have a row afterwards."""
        if labels in self._counts:
            return labels
        if len(self._counts) >= _MOST_LABELS:
            labels = (OTHER,) * len(labels)
        self._counts.setdefault(labels, [0] * len(_BOUNDS))
        self._sums.setdefault(labels, 0.0)
        return labels

    def family(self) -> HistogramMetricFamily:
        family = HistogramMetricFamily(self._metric.name, self._metric.help, labels=self._metric.labels)
        for labels, counts in self._counts.items():
            running, buckets = 0, []
            for bound, number in zip(_BOUNDS, counts, strict=True):
                running += number
                buckets.append((bound, float(running)))
            family.add_metric(labels, buckets, self._sums[labels])
        return family
