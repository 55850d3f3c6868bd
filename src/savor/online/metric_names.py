"""Every figure Savor shows to Prometheus: the one list that code, alert rules, dashboard and documentation go by."""

from typing import Literal, NamedTuple


class MetricName(NamedTuple):
    """One family of figures.

    Attributes:
        name: as Prometheus shows it, with `_total` for counters, without `_bucket`, `_sum` or `_count` for histograms.
        kind: what it is.
        labels: in their order.
        help: in a few words.
    """

    name: str
    kind: Literal["counter", "gauge", "histogram"]
    labels: tuple[str, ...]
    help: str

    @property
    def series(self) -> tuple[str, ...]:
        """The names of its time series."""
        if self.kind == "histogram":
            return tuple(f"{self.name}_{ending}" for ending in ("bucket", "sum", "count"))
        return (self.name,)


METRIC_NAMES: tuple[MetricName, ...] = (
    MetricName("savor_requests_total", "counter", ("route", "status"), "Answers by route and status."),
    MetricName("savor_request_seconds", "histogram", ("route",), "Time to answer."),
    MetricName("savor_stage_seconds", "histogram", ("stage",), "Time in each stage."),
    MetricName("savor_stage_failures_total", "counter", ("stage", "kind"), "Optional stages left out."),
    MetricName("savor_fallbacks_total", "counter", ("code",), "Answers with a fallback."),
    MetricName("savor_dropped_total", "counter", ("filter",), "Candidates taken out."),
    MetricName("savor_bundle_info", "gauge", ("bundle",), "The bundle that is served."),
    MetricName("savor_bundle_swaps_total", "counter", ("outcome",), "Bundles that were switched to, or refused."),
    MetricName("savor_shadow_requests_total", "counter", ("bundle", "outcome"), "Requests a shadow bundle got too."),
    MetricName("savor_shadow_overlap", "gauge", ("bundle",), "Mean share of the first ten that both bundles have."),
    MetricName("savor_shadow_correlation", "gauge", ("bundle",), "Mean Kendall tau of the items that both have."),
    MetricName("savor_shadow_slower", "gauge", ("bundle",), "Time of the shadow bundle over that of the live one."),
    MetricName("savor_source_candidates_total", "counter", ("source",), "Candidates brought by each source."),
    MetricName("savor_source_shown_total", "counter", ("source",), "Items shown that a source brought."),
    MetricName("savor_lists_total", "counter", ("scenario", "variant"), "Lists shown."),
    MetricName("savor_lists_fallback_total", "counter", ("scenario", "variant"), "Lists less than usual."),
    MetricName("savor_lists_empty_total", "counter", ("scenario", "variant"), "Lists without an item."),
    MetricName("savor_lists_seconds_total", "counter", ("scenario", "variant"), "Time spent on lists."),
    MetricName("savor_impressions_total", "counter", ("scenario", "variant"), "Items shown."),
    MetricName("savor_clicks_total", "counter", ("scenario", "variant"), "Clicks that name their list."),
    MetricName("savor_purchases_total", "counter", ("scenario", "variant"), "Purchases that name their list."),
    MetricName("savor_revenue_total", "counter", ("scenario", "variant"), "Money of purchases that name their list."),
    MetricName("savor_explored_total", "counter", ("scenario", "variant"), "Lists whose order was partly drawn."),
    MetricName("savor_events_total", "counter", ("kind", "outcome"), "Events stored, repeated or refused."),
    MetricName("savor_event_seconds", "histogram", (), "Time until an event is durable."),
    MetricName("savor_store_up", "gauge", ("store",), "Whether a store answers."),
    MetricName("savor_store_backlog", "gauge", ("store",), "Records that wait for a store."),
    MetricName("savor_drift_psi", "gauge", ("kind", "name"), "Population stability index against the bundle."),
    MetricName("savor_drift_bound", "gauge", ("kind", "name"), "What chance alone explains of it."),
    MetricName("savor_drift_alarm", "gauge", ("kind", "name"), "Whether it is above threshold and bound."),
    MetricName("savor_experiment_exposures_total", "counter", ("experiment", "variant"), "Lists in an experiment."),
    MetricName("savor_experiment_ratio_p", "gauge", ("experiment",), "Always-valid p of the sample ratio."),
    MetricName(
        "savor_experiment_guardrail_crossed", "gauge", ("experiment", "metric"), "Whether a guardrail is crossed."
    ),
    MetricName("savor_rollout_share", "gauge", ("experiment",), "Share of users who get what is rolled out."),
    MetricName("savor_exposure_share", "gauge", ("group",), "Share of exposure of a declared group."),
    MetricName("savor_exposure_target", "gauge", ("group",), "Least share of exposure declared for it."),
)
"""In the order of the documentation."""

BY_NAME: dict[str, MetricName] = {metric.name: metric for metric in METRIC_NAMES}
"""By the name of the family."""
