"""A bundle that answers some requests beside the one that is served, unseen, so that both can be compared."""

import logging
import queue
import threading
from collections import deque
from collections.abc import Iterator, Sequence
from time import perf_counter, time
from typing import Any

import numpy as np

from savor.api.engine import Answer, Engine
from savor.api.engines import Engines
from savor.api.requests import RecommendationRequest
from savor.online.metric_names import BY_NAME, MetricName
from savor.online.monitor import Sample
from savor.pipeline.agreement import Agreement, agreement

logger = logging.getLogger("savor.api")
_WAITING = 64
_REMEMBERED = 5000
_AT = 10
_PERCENTILES = (50, 95, 99)


class Shadow:
    """Asks the bundle of a channel what the served one was asked, in a thread, for a share of the requests.

    Where it cannot keep up requests are left out, and counted. What it answers is compared and forgotten.

    Args:
        engines: of the server; they load the bundle.
        channel: the pointer to it.
        share: of the requests, 0 to 1.
    """

    def __init__(self, engines: Engines, channel: str, share: float) -> None:
        self.engines, self.channel, self.share = engines, channel, share
        self._asked: queue.Queue[tuple[RecommendationRequest, Sequence[str], float] | None] = queue.Queue(_WAITING)
        self._due = 0.0
        self._lock = threading.Lock()
        self._thread: threading.Thread | None = None
        self._comparison = _Comparison("")
        engines.beside(self._wanted)

    @property
    def bundle_id(self) -> str | None:
        """The bundle that the channel points to; None where that is none, or the one that is served."""
        registry = self.engines.registry
        bundle = registry.current(self.channel) if registry is not None and self.share else None
        return None if bundle == self.engines.engine.bundle_id else bundle

    def start(self) -> None:
        """Begin to answer; `close` ends it."""
        self._thread = threading.Thread(target=self._work, name="savor-shadow", daemon=True)
        self._thread.start()

    def close(self) -> None:
        """Stop answering."""
        if self._thread is not None:
            while True:
                try:
                    self._asked.put_nowait(None)
                    break
                except queue.Full:
                    self._asked.get_nowait()
            self._thread.join(5)

    def observe(self, body: RecommendationRequest, answer: Answer, seconds: float) -> None:
        """A request was answered in so many `seconds`: every so often, ask the other bundle too.

        Takes a microsecond, or a few where it is asked.
        """
        bundle = self._comparison.bundle
        if self._thread is None or not bundle:
            return
        self._due += self.share
        if self._due < 1:
            return
        self._due -= 1
        try:
            self._asked.put_nowait((body, _items(answer), seconds))
        except queue.Full:
            self._comparison.left_out += 1

    def report(self) -> dict[str, Any]:
        """How both compare, since the bundle began to answer."""
        bundle = self.bundle_id
        comparison = self._comparison
        same = bundle is not None and comparison.bundle == bundle
        return {
            "channel": self.channel,
            "share": self.share,
            "live": self.engines.engine.bundle_id,
            "bundle": bundle,
            "problem": self.engines.why_not(bundle) if bundle and not self.engines.named(bundle) else None,
            "comparison": comparison.report() if same else None,
        }

    def collect(self) -> Iterator[tuple[MetricName, list[Sample]]]:
        """See `Monitored`."""
        comparison = self._comparison
        if not comparison.bundle:
            return
        labels = (comparison.bundle,)
        counts = {"compared": comparison.compared, "failed": comparison.failed, "left_out": comparison.left_out}
        yield (
            BY_NAME["savor_shadow_requests_total"],
            [Sample((*labels, outcome), float(number)) for outcome, number in counts.items()],
        )
        if comparison.compared:
            yield BY_NAME["savor_shadow_overlap"], [Sample(labels, comparison.overlap)]
            yield BY_NAME["savor_shadow_correlation"], [Sample(labels, comparison.correlation)]
            slower = comparison.seconds[1] / max(comparison.seconds[0], 1e-9)
            yield BY_NAME["savor_shadow_slower"], [Sample(labels, slower)]

    def _wanted(self) -> set[str]:
        """Asked by the thread that follows the registry: the bundle to have in memory."""
        bundle = self.bundle_id
        ready = bundle if bundle is not None and self.engines.named(bundle) is not None else ""
        if self._comparison.bundle != ready:
            self._comparison = _Comparison(ready)
        return {bundle} if bundle is not None else set()

    def _work(self) -> None:
        while (asked := self._asked.get()) is not None:
            comparison = self._comparison
            engine = self.engines.named(comparison.bundle) if comparison.bundle else None
            if engine is not None:
                comparison.compare(engine, *asked)


class _Comparison:
    """Sums over what was compared with one bundle."""

    def __init__(self, bundle: str) -> None:
        self.bundle, self.since = bundle, int(time())
        self.compared = self.failed = self.left_out = self.fallbacks = 0
        self.seconds = [0.0, 0.0]
        self._sums = np.zeros(len(Agreement._fields))
        self._ordered = 0
        self._times: tuple[deque[float], deque[float]] = deque(maxlen=_REMEMBERED), deque(maxlen=_REMEMBERED)

    @property
    def overlap(self) -> float:
        """Mean share of the first ten that both have."""
        return float(self._sums[0]) / max(self.compared, 1)

    @property
    def correlation(self) -> float:
        """Mean Kendall tau over lists that have two items in common or more; 0 without any."""
        return float(self._sums[1]) / max(self._ordered, 1)

    def compare(self, engine: Engine, body: RecommendationRequest, items: Sequence[str], seconds: float) -> None:
        """Ask `engine`, and add what comes of it."""
        started = perf_counter()
        try:
            answer, _ = engine.recommend(body, unseen=True)
        except Exception as error:  # noqa: BLE001 - whatever it does, it is unseen
            self.failed += 1
            logger.warning("the shadow bundle %s failed: %r", self.bundle, error)
            return
        took = perf_counter() - started
        found = agreement(items, _items(answer), _AT)
        self._sums += np.nan_to_num(found)
        self._ordered += not np.isnan(found.kendall)
        self.compared += 1
        self.fallbacks += answer["fallback"] is not None
        for place, value in enumerate((seconds, took)):
            self.seconds[place] += value
            self._times[place].append(value)

    def report(self) -> dict[str, Any]:
        """As JSON values."""
        _, kendall, spearman, same_first = self._sums.tolist()
        compared, ordered = max(self.compared, 1), max(self._ordered, 1)
        return {
            "since": self.since,
            "compared": self.compared,
            "failed": self.failed,
            "left_out": self.left_out,
            "fallbacks": self.fallbacks,
            "overlap_at_10": round(self.overlap, 4) if self.compared else None,
            "kendall": round(kendall / ordered, 4) if self._ordered else None,
            "spearman": round(spearman / ordered, 4) if self._ordered else None,
            "same_first": round(same_first / compared, 4) if self.compared else None,
            "milliseconds": {
                name: _percentiles(times) for name, times in zip(("live", "shadow"), self._times, strict=True)
            },
        }


def _items(answer: Answer) -> list[str]:
    return [str(one["item_id"]) for one in answer["recommendations"]]


def _percentiles(times: deque[float]) -> dict[str, float | None]:
    copied = np.asarray(list(times))
    values = np.percentile(copied, _PERCENTILES) * 1e3 if len(copied) else [None] * len(_PERCENTILES)
    return {
        f"p{percent}": None if value is None else round(float(value), 3)
        for percent, value in zip(_PERCENTILES, values, strict=True)
    }
