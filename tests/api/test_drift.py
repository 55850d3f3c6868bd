import shutil

import numpy as np
import pytest
from fastapi.testclient import TestClient

from savor.api.app import create_app
from savor.api.drift_monitor import DriftMonitor
from savor.api.serve import load_engine
from savor.bundle.registry import Registry
from savor.online.drift.options import DriftOptions
from savor.pipeline.query import Query
from savor.pipeline.served_values import SCORE, drift_reference, served_values
from tests.synthetic_bundle import seal

NOW = 1_700_000_000
USERS = [f"household-{number}" for number in range(19)]


@pytest.fixture(scope="module")
def engine(tmp_path_factory, registry_directory):
    """The small shop with `drift.json`."""
    folder = tmp_path_factory.mktemp("drift")
    serving = load_engine(registry_directory).serving
    shutil.copytree(serving.bundle.directory, folder / "parts")
    registry = Registry(folder / "registry")
    queries = [Query(user, serving.clock()) for user in USERS]
    drift_reference(serving, queries * 20).save(folder / "parts" / "drift.json")
    registry.publish(seal(folder / "parts", folder / "made").directory)
    return load_engine(folder / "registry")


def monitor():
    return DriftMonitor(DriftOptions(), lambda: NOW)


def query(engine, user):
    return Query(user, engine.serving.clock())


def test_numbers_are_those_the_ranker_sees(engine):
    seen = served_values(engine.serving, query(engine, "household-3"))
    assert seen.names[-1] == SCORE
    assert len(set(seen.names)) == len(seen.names) == seen.values.shape[1]
    result = engine.serving.pipeline.run(query(engine, "household-3"))
    assert max(seen.values[:, -1]) == pytest.approx(max(result.scores))


def test_the_same_users_are_no_drift(engine):
    watching = monitor()
    for user in USERS * 8:
        watching.look(engine.serving, query(engine, user))
    found = watching.read()
    assert {kind for kind, _ in found} == {"feature", "score", "catalogue"}
    assert {labels for labels, one in found.items() if one.alarm} == set()
    assert found["score", SCORE].n == 8 * len(USERS)


def test_strangers_are_drift(engine):
    watching = monitor()
    for number in range(150):
        watching.look(engine.serving, query(engine, f"stranger-{number}"))
    found = watching.described()
    assert found["drift"][0]["alarm"] is True
    alarmed = {one["name"] for one in found["drift"] if one["alarm"]}
    assert "user.trips" in alarmed
    figures = {metric.name: samples for metric, samples in watching.collect()}
    assert 1.0 in {sample.value for sample in figures["savor_drift_alarm"]}
    assert np.isfinite([sample.value for sample in figures["savor_drift_psi"]]).all()


def test_another_bundle_begins_anew(engine, registry_directory):
    watching = monitor()
    watching.look(engine.serving, query(engine, "household-3"))
    assert watching.described()["requests"] == 1
    other = load_engine(registry_directory)
    watching.look(other.serving, query(other, "household-3"))
    described = watching.described()
    assert (described["drift"], described["requests"]) == ([], 0)
    assert "drift.json" in described["problem"]


def test_a_server_watches_what_it_answers(engine):
    app = create_app(engine)
    with TestClient(app) as client:
        app.state.drift._pause = 0.0
        ask = {"user_id": "household-3"}
        for _ in range(200):
            client.post("/recommendations", json=ask)
            found = client.get("/drift").json()
            if found["requests"]:
                break
        assert found["requests"] >= 1
        assert found["problem"] is None
        app.state.drift.close()
        seen = client.get("/drift").json()["requests"]
        client.post("/recommendations", json={**ask, "exclude_seen": True})
        assert client.get("/drift").json()["requests"] == seen
        assert "savor_drift_psi{" in client.get("/metrics").text
