"""From lists shown and events to results, through the stores."""

import math

import numpy as np
import pytest

from savor.online.event_batch import EventBatch
from savor.online.experiments.experiment import Experiment
from savor.online.experiments.experiment_log import ExperimentLog
from savor.online.experiments.exposure_log import ExposureLog, ShownList
from savor.online.experiments.options import ExperimentOptions
from savor.online.experiments.outcome_recorder import OutcomeRecorder
from savor.online.experiments.plan import Planner
from savor.online.experiments.units import Units
from savor.online.stores.errors import StoreAwayError

NOW = 1_700_000_000
MICRO = 1_000_000
OPTIONS = ExperimentOptions.model_validate(
    {"variants": {"control": {}, "other": {}}, "metric": "ctr", "least_users": 2, "metrics": ["order_value"]}
)
RUNNING = Experiment("ranker", OPTIONS).started(NOW)
PLANNER = Planner({"ranker": RUNNING})


def variant(user):
    return dict(PLANNER.assign(user))["ranker"]


def shown(number, user, items=("a", "b"), time=NOW + 1, **others):
    values = {"propensities": None, "fallback": False, "seconds": 0.002}
    return ShownList(f"r{number}", user, PLANNER.assign(user), items, time=time * MICRO, **{**values, **others})


def event(number, user, kind="click", item="a", at=NOW + 5, **others):
    return {"event_id": f"e{number}", "user_id": user, "kind": kind, "item_id": item, "time": at * MICRO, **others}


def recorder(shop, price=lambda _: math.nan):
    return OutcomeRecorder(shop.events, shop.experiments, price)


def happened(shop, *events):
    shop.events.append(EventBatch.of(events, NOW * MICRO))


def totals(shop, experiment=RUNNING):
    log = ExperimentLog(shop.experiments, experiment.name)
    log.read()
    return log.look(experiment)


def test_from_lists_and_events_to_results(shop):
    users = [f"user-{number}" for number in range(40)]
    log = ExposureLog(shop.experiments)
    for number, user in enumerate(users):
        log.add(shown(number, user))
    assert len(log) == 40
    assert log.flush()
    assert len(log) == 0
    clicked, bought = users[::2], users[::4]
    happened(
        shop,
        *(event(number, user, recommendation_id=f"r{users.index(user)}") for number, user in enumerate(clicked)),
        *(event(100 + number, user, "purchase", "b", price=3.0) for number, user in enumerate(bought)),
        event(900, "user-1", "view"),
        event(901, "user-1", "click", "never shown"),
        event(902, "user-1", "click", at=NOW - 50),
        event(903, "stranger", "click"),
    )
    assert recorder(shop).step(PLANNER, lambda user: user) == 34
    found = totals(shop)
    sizes = {name: sum(variant(user) == name for user in users) for name in ("control", "other")}
    assert found.users == sizes
    for row in found.rows:
        own = [user for user in users if variant(user) == row.variant]
        if row.metric == "ctr":
            assert row.mean.value == pytest.approx(sum(user in clicked for user in own) / (2 * len(own)))
        else:
            assert row.mean.value == pytest.approx(3 * sum(user in bought for user in own) / len(own))


def test_events_are_read_once_whoever_reads(shop):
    happened(shop, event(1, "ann"), event(2, "bob"))
    first, second = recorder(shop), recorder(shop)
    assert first.step(PLANNER, str, limit=1) == 1
    assert second.step(PLANNER, str) == 1
    assert first.step(PLANNER, str) == 0
    rows = shop.experiments.outcomes_after("ranker", 0).rows
    assert rows.outcome_id == ["e1:ranker", "e2:ranker"]
    assert rows.variant == [variant("ann"), variant("bob")]


def test_a_reader_that_was_overtaken_changes_nothing(shop):
    happened(shop, event(1, "ann"))
    empty = shop.experiments.outcomes_after("ranker", 0).rows
    assert shop.experiments.observe_events(empty, 0, 1) is True
    assert shop.experiments.observe_events(empty, 0, 7) is False
    assert shop.experiments.events_read() == 1


def test_events_of_a_time_without_experiments_are_passed_over(shop):
    happened(shop, event(1, "ann"))
    idle = Planner({})
    assert recorder(shop).step(idle, str) == 0
    happened(shop, event(2, "ann"))
    assert recorder(shop).step(PLANNER, str) == 1
    assert shop.experiments.outcomes_after("ranker", 0).rows.outcome_id == ["e2:ranker"]


@pytest.mark.parametrize(
    ("said", "price", "money"),
    [
        ({"price": 4.5, "value": 3.0}, 2.0, 4.5),
        ({"value": 3.0}, 2.0, 6.0),
        ({}, 2.0, 2.0),
        ({}, math.nan, 0.0),
    ],
)
def test_money_of_a_purchase(shop, said, price, money):
    happened(shop, event(1, "ann", "purchase", **said))
    recorder(shop, lambda _: price).step(PLANNER, str)
    assert shop.experiments.outcomes_after("ranker", 0).rows.value.tolist() == [money]


def test_lists_wait_while_the_store_is_away(shop, monkeypatch):
    log = ExposureLog(shop.experiments, most=3)

    def away(batch):
        raise StoreAwayError("away")

    with monkeypatch.context() as patch:
        patch.setattr(shop.experiments, "expose", away)
        for number in range(5):
            log.add(shown(number, "ann"))
        assert not log.flush()
    assert (len(log), log.lost) == (3, 2)
    assert log.flush()
    rows = shop.experiments.exposures_after("ranker", 0).rows
    assert rows.recommendation_id == ["r2", "r2", "r3", "r3", "r4", "r4"]


def test_places_and_propensities_are_kept(shop):
    log = ExposureLog(shop.experiments)
    log.add(shown(1, "ann", propensities=lambda: np.array([0.9, 0.01]), fallback=True))
    log.add(shown(2, "ann", items=()))
    log.flush()
    rows = shop.experiments.exposures_after("ranker", 0).rows
    assert rows.item_id == ["a", "b", None]
    assert rows.position.tolist() == [0, 1, -1]
    assert rows.propensity[:2].tolist() == [0.9, 0.01]
    assert rows.fallback.tolist() == [1, 1, 0]
    lists, exposures, _ = read_tables(shop)
    assert len(lists) == 2
    assert len(exposures) == 2
    assert lists.fallback.tolist() == [True, False]


def read_tables(shop, experiment=RUNNING):
    log = ExperimentLog(shop.experiments, "ranker")
    log.read()
    return log.tables(experiment)


def test_results_are_of_the_present_period(shop):
    log = ExposureLog(shop.experiments)
    log.add(shown(1, "ann", time=NOW + 1))
    log.add(shown(2, "bob", time=NOW + 100))
    log.flush()
    happened(shop, event(1, "ann", recommendation_id="r1", at=NOW + 105), event(2, "bob", at=NOW + 106))
    recorder(shop).step(PLANNER, str)
    again = RUNNING.stopped(NOW + 40).started(NOW + 50)
    lists, exposures, outcomes = read_tables(shop, again)
    assert lists.time.tolist() == [NOW + 100]
    assert exposures.list.tolist() == [0, 0]
    assert len(outcomes) == 2
    assert sum(totals(shop, again).users.values()) == 1


def test_reading_bit_by_bit_is_reading_at_once(shop):
    log = ExposureLog(shop.experiments)
    little = ExperimentLog(shop.experiments, "ranker")
    for number in range(30):
        log.add(shown(number, f"user-{number % 7}", time=NOW + number))
        log.flush()
        happened(shop, event(number, f"user-{number % 7}", at=NOW + number + 1))
        recorder(shop).step(PLANNER, str)
        little.read()
    assert little.look(RUNNING).as_json() == totals(shop).as_json()
    assert sum(little.look(RUNNING).users.values()) == 7


def test_somebody_seen_as_a_visitor_keeps_the_variant(shop):
    log = ExposureLog(shop.experiments)
    log.add(shown(1, "visitor-a"))
    log.add(shown(2, "visitor-b"))
    log.add(shown(3, "bob"))
    log.flush()
    units = Units(shop.visitors, shop.experiments)
    shop.visitors.merge("visitor-a", "ann")
    shop.visitors.merge("visitor-b", "bob")
    shop.visitors.merge("visitor-c", "cid")
    units.follow()
    assert [units.of(name) for name in ("ann", "visitor-a")] == ["visitor-a", "visitor-a"]
    assert [units.of(name) for name in ("bob", "visitor-b")] == ["bob", "bob"]
    assert [units.of(name) for name in ("cid", "visitor-c", "dan")] == ["cid", "cid", "dan"]
    later = Units(shop.visitors, shop.experiments)
    later.follow()
    assert later.of("ann") == "visitor-a"
