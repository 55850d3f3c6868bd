import threading

import pytest
from hypothesis import given
from hypothesis import strategies as st

from savor.online.monitor import OTHER, Monitor, Monitored, Sample

HOME, BASKET = ("home", "control"), ("basket", "candidate")


def collected(monitor: Monitored):
    return {metric.name: samples for metric, samples in monitor.collect()}


def test_counters_and_gauges():
    monitor = Monitor()
    monitor.count("savor_lists_total", HOME, 1, 100)
    monitor.count("savor_lists_total", BASKET, 2, 100)
    monitor.count("savor_lists_total", HOME, 3, 200)
    monitor.show("savor_drift_psi", {("feature", "price"): 0.2, ("score", "score"): 0.1})
    monitor.show("savor_drift_psi", {("feature", "price"): 0.3})
    assert collected(monitor) == {
        "savor_lists_total": [Sample(BASKET, 2), Sample(HOME, 4)],
        "savor_drift_psi": [Sample(("feature", "price"), 0.3)],
    }


def test_the_last_minutes():
    monitor = Monitor(window=60, slot=10)
    for moment in (0, 5, 30, 61):
        monitor.count("savor_lists_total", HOME, 1, moment)
    assert monitor.recent("savor_lists_total", 61) == {HOME: 4}
    assert monitor.recent("savor_lists_total", 70) == {HOME: 2}
    assert monitor.recent("savor_lists_total", 1000) == {}
    assert collected(monitor)["savor_lists_total"] == [Sample(HOME, 4)]


def test_a_clock_that_goes_back():
    monitor = Monitor(window=60, slot=10)
    monitor.count("savor_lists_total", HOME, 1, 100)
    monitor.count("savor_lists_total", HOME, 1, 50)
    assert monitor.recent("savor_lists_total", 100) == {HOME: 2}


def test_hostile_labels_do_not_fill_memory():
    monitor = Monitor(most=3)
    for number in range(100):
        monitor.count("savor_lists_total", (f"scenario {number}", "control"), 1, 0)
    samples = dict(collected(monitor)["savor_lists_total"])
    assert len(samples) == 4
    assert samples[OTHER, OTHER] == 97
    assert len(monitor.recent("savor_lists_total", 0)) == 4


@given(st.lists(st.tuples(st.sampled_from([HOME, BASKET]), st.floats(0, 100), st.integers(0, 500)), max_size=40))
def test_totals_are_sums(counts):
    monitor = Monitor()
    for labels, amount, moment in counts:
        monitor.count("savor_lists_seconds_total", labels, amount, moment)
    samples = dict(collected(monitor).get("savor_lists_seconds_total", []))
    for labels in (HOME, BASKET):
        assert samples.get(labels, 0.0) == pytest.approx(sum(amount for key, amount, _ in counts if key == labels))


def test_from_several_threads():
    monitor = Monitor()

    def work():
        for moment in range(500):
            monitor.count("savor_lists_total", HOME, 1, moment)

    threads = [threading.Thread(target=work) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert collected(monitor)["savor_lists_total"] == [Sample(HOME, 2000)]


def test_what_makes_no_sense():
    monitor = Monitor()
    with pytest.raises(KeyError):
        monitor.count("savor_unheard_of_total", (), 1, 0)
    with pytest.raises(ValueError, match="is a gauge"):
        monitor.count("savor_drift_psi", ("a", "b"), 1, 0)
    with pytest.raises(ValueError, match="has the labels"):
        monitor.count("savor_lists_total", ("home",), 1, 0)
    with pytest.raises(ValueError, match="only rises"):
        monitor.count("savor_lists_total", HOME, -1, 0)
    with pytest.raises(ValueError, match="is a counter"):
        monitor.show("savor_lists_total", {HOME: 1})
