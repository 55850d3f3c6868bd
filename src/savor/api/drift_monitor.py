"""Whether what a server sees still looks like what its bundle went out with."""

import logging
from collections.abc import Iterator
from threading import Event, Lock, Thread
from time import monotonic
from typing import Any

from savor.core.clock import Clock, wall_clock
from savor.core.errors import BundleError, SavorError
from savor.online.drift.catalogue_drift import catalogue_drift
from savor.online.drift.live import LiveDrift
from savor.online.drift.options import DriftOptions
from savor.online.drift.reference import DriftReference
from savor.online.drift.stability import Stability
from savor.online.metric_names import BY_NAME, MetricName
from savor.online.monitor import Sample
from savor.pipeline.build import Serving
from savor.pipeline.query import Query
from savor.pipeline.served_values import SCORE, catalogue_strings, served_values

logger = logging.getLogger("savor.drift")
FILE = "drift.json"
_CATALOGUE_EVERY = 300.0


class DriftMonitor:
    """Watches a sample of the requests: one every `pause` seconds is run again, apart from its answer.

    Only requests like those of the reference should be offered: for a list at home, with nothing else asked for. Safe
    from several threads; when nothing is due it costs a look at the clock.

    Args:
        options: how long and how strictly.
        clock: UTC seconds.
        pause: seconds between requests that are looked at.
    """

    def __init__(self, options: DriftOptions | None = None, clock: Clock = wall_clock, pause: float = 1.0) -> None:
        self._options, self._clock, self._pause = options or DriftOptions(), clock, pause
        self._next = 0.0
        self._offered: tuple[Serving, Query] | None = None
        self._wake, self._ending = Event(), False
        self._lock = Lock()
        self._thread: Thread | None = None
        self._bundle = ""
        self._live: LiveDrift | None = None
        self._reference: DriftReference | None = None
        self._columns: list[int] = []
        self._catalogue: dict[str, Stability] = {}
        self._catalogue_looked = (0, 0.0)
        self.problem = "nothing was asked for yet"

    def open(self) -> None:
        """Begin to look at what is offered."""
        if self._thread is None:
            self._ending = False
            self._thread = Thread(target=self._run, name="savor-drift", daemon=True)
            self._thread.start()

    def close(self) -> None:
        """End."""
        self._ending = True
        self._wake.set()
        if self._thread is not None:
            self._thread.join()
            self._thread = None

    @property
    def due(self) -> bool:
        """Whether a request may be offered now."""
        return monotonic() >= self._next and self._thread is not None

    def offer(self, serving: Serving, user_id: str) -> None:
        """Look at the request of a user who was answered."""
        self._next = monotonic() + self._pause
        self._offered = (serving, Query(user_id, serving.clock()))
        self._wake.set()

    def look(self, serving: Serving, query: Query) -> None:
        """Count one request."""
        with self._lock:
            reference = self._take(serving)
        if reference is None:
            return
        self._look_at_catalogue(serving, reference)
        try:
            seen = served_values(serving, query)
        except SavorError as error:
            logger.debug("a request could not be looked at: %s", error)
            return
        with self._lock:
            if self._reference is not reference:
                return
            if self._live is None:
                names = [name for name in seen.names if name in reference.numbers]
                self._live = LiveDrift(reference, names, self._options, self._clock())
                self._columns = [seen.names.index(name) for name in names]
            live = self._live
        if len(seen.values):
            live.count(seen.values[:, self._columns], self._clock())

    def read(self) -> dict[tuple[str, str], Stability]:
        """By kind (`feature`, `score`, `catalogue`) and name, how the last hours compare with the bundle."""
        with self._lock:
            found = {} if self._live is None else self._live.read(self._clock())
            catalogue = self._catalogue
        return {
            **{("score" if name == SCORE else "feature", name): one for name, one in found.items()},
            **{("catalogue", name): one for name, one in catalogue.items()},
        }

    def described(self) -> dict[str, Any]:
        """JSON values, those that drifted furthest first."""
        found = sorted(self.read().items(), key=lambda pair: (not pair[1].alarm, -pair[1].psi))
        return {
            "bundle": self._bundle,
            "problem": self.problem or None,
            "threshold": self._options.threshold,
            "hours": self._options.hours,
            "requests": max((one.n for (kind, _), one in found if kind != "catalogue"), default=0),
            "drift": [{"kind": kind, "name": name, **one.as_json()} for (kind, name), one in found],
        }

    def collect(self) -> Iterator[tuple[MetricName, list[Sample]]]:
        """See `Monitored`."""
        found = {labels: one for labels, one in self.read().items() if one.n > 0}
        for name, values in (
            ("savor_drift_psi", {labels: one.psi for labels, one in found.items()}),
            ("savor_drift_bound", {labels: one.bound for labels, one in found.items()}),
            ("savor_drift_alarm", {labels: float(one.alarm) for labels, one in found.items()}),
        ):
            yield BY_NAME[name], [Sample(labels, value) for labels, value in values.items()]

    def _take(self, serving: Serving) -> DriftReference | None:
        """The distributions of the bundle that answers; begins anew where it is another one."""
        if serving.bundle.id == self._bundle:
            return self._reference
        self._bundle, self._live, self._reference = serving.bundle.id, None, None
        self._catalogue, self._catalogue_looked = {}, (0, 0.0)
        if not serving.bundle.has(FILE):
            self.problem = f"the bundle has no {FILE}; publish again to watch for drift"
            return None
        try:
            self._reference, self.problem = DriftReference.load(serving.bundle.path(FILE)), ""
        except BundleError as error:
            self.problem = str(error)
        return self._reference

    def _look_at_catalogue(self, serving: Serving, reference: DriftReference) -> None:
        """Compare it anew when it is another one, at most every few minutes."""
        which, when = self._catalogue_looked
        if which == id(serving.catalogue) or (which and monotonic() - when < _CATALOGUE_EVERY):
            return
        self._catalogue_looked = (id(serving.catalogue), monotonic())
        found = catalogue_drift(reference, catalogue_strings(serving), self._options)
        with self._lock:
            if self._reference is reference:
                self._catalogue = found

    def _run(self) -> None:
        while True:
            self._wake.wait()
            self._wake.clear()
            if self._ending:
                return
            offered, self._offered = self._offered, None
            if offered is not None:
                try:
                    self.look(*offered)
                except Exception:
                    logger.exception("drift goes on without this request")
