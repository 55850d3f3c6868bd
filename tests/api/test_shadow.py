import shutil
import time

import numpy as np
import pytest
from fastapi.testclient import TestClient

from savor.api.app import create_app
from savor.api.engines import Engines
from savor.api.options import ServingOptions
from savor.api.serve import load_engine
from savor.api.shadow import Shadow
from savor.bundle.registry import Registry
from tests.api.served_bundles import another_bundle, loader

OPTIONS = ServingOptions(follow_seconds=0.02)


@pytest.fixture(scope="module")
def candidate(tmp_path_factory):
    def unpopular(parts):
        np.save(parts / "sources" / "popularity.npy", np.arange(60, dtype=np.float32)[::-1].copy())
        shutil.rmtree(parts / "ranker")

    return another_bundle(tmp_path_factory.getbasetemp(), tmp_path_factory.mktemp("candidate"), 21, unpopular)


@pytest.fixture
def registry(registry_directory, candidate, tmp_path):
    shutil.copytree(registry_directory, tmp_path / "registry")
    registry = Registry(tmp_path / "registry")
    registry.publish(candidate.directory, channel="staging")
    return registry


@pytest.fixture
def client(registry):
    engines = Engines(load_engine(registry.directory), loader(registry), OPTIONS)
    app = create_app(engines=engines, shadow=Shadow(engines, "candidate", 0.5))
    with TestClient(app, raise_server_exceptions=False) as made:
        yield made


def until(condition, seconds=60):
    end = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < end
        time.sleep(0.01)


def begin(client, candidate):
    answer = client.put("/bundles/shadow", json={"bundle": candidate.id})
    assert answer.status_code == 200
    until(lambda: client.get("/bundles/shadow").json()["comparison"] is not None)


def ask(client, times):
    users = [f"household-{number % 19}" for number in range(times)]
    return [client.post("/recommendations", json={"user_id": user}).json() for user in users]


def test_a_share_of_the_requests_is_answered_unseen(client, candidate, registry):
    live = registry.current()
    begin(client, candidate)
    answers = ask(client, 40)
    assert {answer["bundle"] for answer in answers} == {live}

    def counted():
        comparison = client.get("/bundles/shadow").json()["comparison"]
        return comparison["compared"] + comparison["left_out"]

    until(lambda: counted() == 20)
    report = client.get("/bundles/shadow").json()
    assert (report["bundle"], report["live"], report["problem"]) == (candidate.id, live, None)
    comparison = report["comparison"]
    assert comparison["failed"] == 0
    assert comparison["fallbacks"] == comparison["compared"]
    assert 0 < comparison["overlap_at_10"] < 1
    assert -1 <= comparison["kendall"] < 1
    assert comparison["milliseconds"]["live"]["p50"] > 0
    assert comparison["milliseconds"]["shadow"]["p99"] > 0
    text = client.get("/metrics").text
    compared = float(comparison["compared"])
    assert f'savor_shadow_requests_total{{bundle="{candidate.id}",outcome="compared"}} {compared}' in text
    assert f'savor_shadow_overlap{{bundle="{candidate.id}"}}' in text


def test_it_can_be_ended_and_forgets(client, candidate):
    begin(client, candidate)
    ask(client, 4)
    report = client.delete("/bundles/shadow").json()
    assert (report["bundle"], report["comparison"]) == (None, None)
    until(lambda: "savor_shadow" not in client.get("/metrics").text.replace("# ", ""))
    assert client.delete("/bundles/shadow").status_code == 200


def test_the_served_bundle_is_not_compared_with_itself(client, candidate, registry):
    begin(client, candidate)
    client.post(f"/bundles/{candidate.id}/activate")
    assert client.get("/bundles/shadow").json()["bundle"] is None
    assert ask(client, 2)[0]["bundle"] == candidate.id


@pytest.mark.parametrize(
    ("body", "status"),
    [({"bundle": "0123456789abcdef"}, 404), ({"bundle": "x"}, 422), ({}, 422), ({"bundle": "0" * 16, "share": 1}, 422)],
)
def test_what_cannot_be_compared(client, body, status):
    assert client.put("/bundles/shadow", json=body).status_code == status
    assert client.get("/bundles/shadow").json()["bundle"] is None


def test_a_damaged_bundle_is_said_and_harms_nothing(client, candidate, registry):
    (registry.directory / "bundles" / candidate.id / "config.json").write_bytes(b"{}")
    channels = registry.directory / "channels"
    shutil.copyfile(channels / "staging.json", channels / "candidate.json")
    until(lambda: client.get("/bundles/shadow").json()["problem"] is not None)
    assert len(ask(client, 1)[0]["recommendations"]) == 10


def test_its_failures_are_counted_and_unseen(client, candidate, monkeypatch):
    begin(client, candidate)
    shadow = client.app.state.shadow
    engine = shadow.engines.named(candidate.id)

    def fails(*arguments):
        raise RuntimeError("broken")

    monkeypatch.setattr(engine, "recommend", fails)
    assert all(answer["fallback"] is None for answer in ask(client, 4))
    until(lambda: client.get("/bundles/shadow").json()["comparison"]["failed"] > 0)
