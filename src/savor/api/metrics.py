"""Figures for Prometheus."""

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, generate_latest

from savor.pipeline.result import Result

_BUCKETS = (0.0001, 0.00025, 0.0005, 0.001, 0.002, 0.004, 0.008, 0.016, 0.032, 0.064, 0.128, 0.256, 0.512, 1.024)


class Metrics:
    """One registry for one application."""

    def __init__(self) -> None:
        self.registry = CollectorRegistry()
        self._requests = Counter(
            "savor_requests", "Answers by route and status.", ["route", "status"], registry=self.registry
        )
        self._latency = Histogram(
            "savor_request_seconds", "Time to answer.", ["route"], buckets=_BUCKETS, registry=self.registry
        )
        self._stages = Histogram(
            "savor_stage_seconds", "Time in each stage.", ["stage"], buckets=_BUCKETS, registry=self.registry
        )
        self._fallbacks = Counter("savor_fallbacks", "Answers with a fallback.", ["code"], registry=self.registry)
        self._failures = Counter(
            "savor_stage_failures", "Optional stages left out.", ["stage", "kind"], registry=self.registry
        )
        self._dropped = Counter("savor_dropped", "Candidates taken out.", ["filter"], registry=self.registry)
        self._bundle = Gauge("savor_bundle_info", "The bundle that is served.", ["bundle"], registry=self.registry)

    def serving(self, bundle: str) -> None:
        """Say which bundle is served."""
        self._bundle.clear()
        self._bundle.labels(bundle).set(1)

    def answered(self, route: str, status: int, seconds: float) -> None:
        """Count one answer."""
        self._requests.labels(route, str(status)).inc()
        self._latency.labels(route).observe(seconds)

    def ran(self, result: Result) -> None:
        """Count what a pipeline did."""
        for stage, nanoseconds in result.trace.timings.items():
            self._stages.labels(stage).observe(nanoseconds * 1e-9)
        for fallback in result.fallbacks:
            self._fallbacks.labels(fallback.code).inc()
        for failure in result.failures:
            self._failures.labels(failure.stage, failure.kind).inc()
        for drop in result.dropped:
            self._dropped.labels(drop.stage).inc(drop.number)

    def text(self) -> bytes:
        """The exposition format."""
        return generate_latest(self.registry)
