import numpy as np
import pytest

from savor.online.stores.event_store import Appended
from savor.online.stores.experiment_store import ExperimentStore, ExposureBatch, OutcomeBatch
from tests.online.stores.events import NOW


@pytest.fixture
def store(database, tombstones):
    store = ExperimentStore(database, tombstones, lambda: 1_700_000_000)
    yield store
    store.close()


def exposures(*numbers, user="ann", experiment="home"):
    return ExposureBatch.from_rows(
        [(f"r1:{n}", experiment, "b", user, "r1", f"i{n}", n, 0.25, 0, 0.002, NOW + n, NOW + n) for n in numbers]
    )


def outcomes(*numbers, user="ann"):
    return OutcomeBatch.from_rows(
        [(f"o{n}", "home", "b", user, "click", 1.0, f"i{n}", "r1", NOW + n, NOW + n) for n in numbers]
    )


def test_definitions_can_be_followed(store):
    assert store.definition("home") is None
    first = store.define("home", {"variants": {"a": 0.5, "b": 0.5}})
    other = store.define("basket", {})
    assert store.definition("home") == first
    changed = store.define("home", {"variants": {"a": 1.0}})
    assert changed.version > other.version
    assert [known.name for known in store.definitions()] == ["basket", "home"]
    assert store.definitions(other.version) == [changed]


def test_exposures_and_outcomes_are_kept_once(store):
    assert store.expose(exposures(1, 2)).result() == Appended(2)
    assert store.expose(exposures(2, 3)).result() == Appended(1, 1)
    assert store.expose(exposures(9, experiment="basket")).result() == Appended(1)
    page = store.exposures_after("home", 0, 2)
    assert page.rows.item_id == ["i1", "i2"]
    assert page.rows.propensity.dtype == np.float64
    assert store.exposures_after("home", page.cursor).rows.rows() == exposures(3).rows()
    assert store.observe(outcomes(1, 1, 2)).result() == Appended(2, 1)
    assert store.outcomes_after("home", 0).rows.rows() == outcomes(1, 2).rows()


def test_erased_persons_are_left_out(store, database, tombstones):
    with database.writing() as connection:
        tombstones.put(connection, "ann", NOW + 2)
    assert store.expose(exposures(1, 3)).result() == Appended(1, 0, 1)
    assert store.observe(outcomes(2)).result() == Appended(0, 0, 1)
