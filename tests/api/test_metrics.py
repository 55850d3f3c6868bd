import re

import numpy as np
import pytest

from savor.api.metrics import Metrics
from savor.online.event_batch import EventBatch
from savor.online.metric_names import BY_NAME
from savor.online.monitor import OTHER, Sample
from savor.online.stores.event_store import Appended

NOW = 1_700_000_000


def batch(*events):
    return EventBatch.of([{"user_id": "ann", "kind": "click", "item_id": "a", **one} for one in events], NOW)


@pytest.fixture
def metrics():
    return Metrics()


def lines(metrics):
    return [line for line in metrics.text().decode().splitlines() if not line.startswith("#")]


def value(metrics, series):
    found = dict(line.rsplit(" ", 1) for line in lines(metrics))
    return float(found[series]) if series in found else None


def test_histograms_add_up(metrics):
    for seconds in (0.0001, 0.003, 0.004, 5.0):
        metrics.answered("/rank", 200, seconds)
    assert value(metrics, 'savor_request_seconds_bucket{le="0.0001",route="/rank"}') == 1
    assert value(metrics, 'savor_request_seconds_bucket{le="0.004",route="/rank"}') == 3
    assert value(metrics, 'savor_request_seconds_bucket{le="1.024",route="/rank"}') == 3
    assert value(metrics, 'savor_request_seconds_bucket{le="+Inf",route="/rank"}') == 4
    assert value(metrics, 'savor_request_seconds_count{route="/rank"}') == 4
    assert value(metrics, 'savor_request_seconds_sum{route="/rank"}') == pytest.approx(5.0071)
    assert value(metrics, 'savor_requests_total{route="/rank",status="200"}') == 4


def test_hostile_labels_cannot_fill_memory(metrics):
    for number in range(2000):
        metrics.answered(f"/{number}", 200, 0.001)
    text = metrics.text().decode()
    assert len(re.findall(r"savor_request_seconds_count", text)) < 600
    assert value(metrics, f'savor_requests_total{{route="{OTHER}",status="{OTHER}"}}') == 1500
    assert value(metrics, f'savor_request_seconds_count{{route="{OTHER}"}}') == 1500


def test_events_by_what_became_of_them(metrics):
    metrics.stored(batch({"item_id": "a"}, {"item_id": "b"}, {"kind": "view"}), Appended(3), 0.002)
    metrics.stored(batch({}), Appended(0, 1), 0.002)
    metrics.refused(4)
    assert value(metrics, 'savor_events_total{kind="click",outcome="stored"}') == 2
    assert value(metrics, 'savor_events_total{kind="view",outcome="stored"}') == 1
    assert value(metrics, 'savor_events_total{kind="click",outcome="repeated"}') == 1
    assert value(metrics, f'savor_events_total{{kind="{OTHER}",outcome="refused"}}') == 4
    assert value(metrics, "savor_event_seconds_count") == 2


def test_outcomes_of_unknown_lists(metrics):
    named = {"recommendation_id": "r", "variant": "ranker=b"}
    metrics.stored(batch(named, {"item_id": "c"}), Appended(2), 0.002)
    metrics.stored(batch({**named, "kind": "purchase", "price": 2.5}), Appended(1), 0.002)
    metrics.stored(batch({**named, "kind": "purchase", "price": 2.5}), Appended(0, 1), 0.002)
    labels = '{scenario="unknown",variant="ranker=b"}'
    assert value(metrics, f"savor_clicks_total{labels}") == 1
    assert value(metrics, f"savor_purchases_total{labels}") == 1
    assert value(metrics, f"savor_revenue_total{labels}") == 2.5


def test_what_is_watched_is_shown_as_it_is_then(metrics):
    class Watched:
        number = 1.0

        def collect(self):
            yield BY_NAME["savor_store_up"], [Sample(("database",), self.number)]

    first, second = Watched(), Watched()
    metrics.watch(first)
    assert value(metrics, 'savor_store_up{store="database"}') == 1
    first.number = 0.0
    assert value(metrics, 'savor_store_up{store="database"}') == 0
    assert second.number == 1


def test_what_fails_to_show_its_figures_hides_nothing_else(metrics):
    class Broken:
        def collect(self):
            raise RuntimeError("no")

    metrics.watch(Broken())
    metrics.serving("abc")
    assert value(metrics, 'savor_bundle_info{bundle="abc"}') == 1


def test_another_bundle_takes_the_place_of_the_first(metrics):
    metrics.serving("abc")
    metrics.serving("def")
    assert value(metrics, 'savor_bundle_info{bundle="abc"}') is None
    assert value(metrics, 'savor_bundle_info{bundle="def"}') == 1


def test_lists_by_scenario_variant_and_source(client):
    metrics = client.app.state.metrics
    labels = '{scenario="home",variant="control"}'
    before = value(metrics, f"savor_impressions_total{labels}") or 0
    answer = client.post("/recommendations", json={"user_id": "household-3", "num_recommendations": 7}).json()
    assert value(metrics, f"savor_impressions_total{labels}") - before == 7
    assert value(metrics, f"savor_lists_seconds_total{labels}") > 0
    shown = sum(value(metrics, f'savor_source_shown_total{{source="{name}"}}') or 0 for name in ("ann", "buy_again"))
    assert shown > 0
    metrics.stored(
        batch({"recommendation_id": answer["recommendation_id"], "kind": "purchase", "price": 3}), Appended(1), 0.01
    )
    assert value(metrics, f"savor_revenue_total{labels}") >= 3
    assert np.isfinite(value(metrics, 'savor_source_candidates_total{source="ann"}'))
