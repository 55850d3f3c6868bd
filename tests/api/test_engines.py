import shutil
import threading
import time

import pytest
from fastapi.testclient import TestClient

from savor.api.app import create_app
from savor.api.engines import Engines
from savor.api.options import ServingOptions
from savor.api.serve import load_engine
from savor.bundle.registry import Registry
from savor.core.errors import BundleError
from tests.api.served_bundles import another_bundle, loader

OPTIONS = ServingOptions(follow_seconds=0.02, keep_seconds=900)


@pytest.fixture(scope="module")
def second(tmp_path_factory):
    return another_bundle(tmp_path_factory.getbasetemp(), tmp_path_factory.mktemp("second"), 17)


@pytest.fixture
def registry(registry_directory, second, tmp_path):
    shutil.copytree(registry_directory, tmp_path / "registry")
    return Registry(tmp_path / "registry")


@pytest.fixture
def engines(registry):
    made = Engines(load_engine(registry.directory), loader(registry), OPTIONS)
    yield made
    made.close()


@pytest.fixture
def client(engines):
    with TestClient(create_app(engines=engines), raise_server_exceptions=False) as made:
        yield made


def until(condition, seconds=60):
    end = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < end
        time.sleep(0.01)


def asked(client, user="household-3"):
    answer = client.post("/recommendations", json={"user_id": user})
    assert answer.status_code == 200, answer.text
    return answer.json()


def test_a_published_bundle_is_switched_to_while_answers_go_on(client, registry, second, engines):
    first = asked(client)["bundle"]
    registry.publish(second.directory)
    seen = set()
    while second.id not in seen:
        answer = asked(client)
        assert len(answer["recommendations"]) == 10
        seen.add(answer["bundle"])
    assert seen <= {first, second.id}
    listed = client.get("/bundles").json()
    assert (listed["current"], listed["previous"], listed["problem"]) == (second.id, first, None)
    assert client.get("/ready").json()["bundle"] == second.id
    text = client.get("/metrics").text
    assert 'savor_bundle_swaps_total{outcome="switched"} 1.0' in text
    assert f'savor_bundle_info{{bundle="{second.id}"}} 1.0' in text
    assert f'bundle="{first}"' not in text


def test_rolling_back_takes_what_is_in_memory(client, registry, second, engines):
    first = engines.engine
    before = asked(client)["recommendations"]
    registry.publish(second.directory)
    until(lambda: engines.engine.bundle_id == second.id)
    answer = client.post("/bundles/rollback")
    assert answer.json() == {"bundle": first.bundle_id, "previous": second.id, "channel": "live"}
    assert engines.engine is first
    assert asked(client)["recommendations"] == before
    assert registry.current() == first.bundle_id
    assert client.post("/bundles/rollback").json()["code"] == "no_previous_bundle"
    assert client.post("/bundles/rollback").status_code == 409
    assert 'outcome="rolled_back"} 1.0' in client.get("/metrics").text


def test_going_back_to_what_is_damaged_on_disk_is_refused(client, registry, second, engines):
    first = engines.engine.bundle_id
    client.post(f"/bundles/{registry.publish(second.directory, channel='staging').bundle}/activate")
    file = registry.directory / "bundles" / first / "config.json"
    file.write_bytes(file.read_bytes() + b" ")
    answer = client.post("/bundles/rollback")
    assert (answer.status_code, answer.json()["code"]) == (422, "bundle_invalid")
    assert registry.current() == second.id == asked(client)["bundle"]


def test_activation_changes_pointer_and_engine(client, registry, second, engines):
    first = engines.engine.bundle_id
    registry.publish(second.directory, channel="staging")
    answer = client.post(f"/bundles/{second.id}/activate")
    assert answer.json() == {"bundle": second.id, "previous": first, "channel": "live"}
    assert asked(client)["bundle"] == second.id
    assert registry.current() == second.id
    again = client.post(f"/bundles/{second.id}/activate").json()
    assert again == {"bundle": second.id, "previous": None, "channel": "live"}
    assert [step.bundle for step in registry.history()] == [first, second.id]


@pytest.mark.parametrize(
    ("bundle", "status", "code"),
    [("0123456789abcdef", 404, "bundle_unknown"), ("../../etc", 404, "not_found"), ("xyz", 422, "validation_failed")],
)
def test_what_cannot_be_activated_changes_nothing(client, engines, registry, bundle, status, code):
    answer = client.post(f"/bundles/{bundle}/activate")
    assert (answer.status_code, answer.json()["code"]) == (status, code)
    assert registry.current() == engines.engine.bundle_id == asked(client)["bundle"]


def test_a_damaged_bundle_is_refused_and_the_old_one_answers_on(client, registry, second, engines):
    first = engines.engine.bundle_id
    registry.publish(second.directory, channel="staging")
    file = registry.directory / "bundles" / second.id / "ranker" / "all.ubj"
    file.write_bytes(file.read_bytes()[:-1] + b"?")
    answer = client.post(f"/bundles/{second.id}/activate")
    assert (answer.status_code, answer.json()["code"]) == (422, "bundle_invalid")
    assert "all.ubj" in answer.json()["detail"]
    assert registry.current() == first
    shutil.copyfile(registry.directory / "channels" / "staging.json", registry.directory / "channels" / "live.json")
    until(lambda: engines.problem)
    assert asked(client)["bundle"] == first
    ready = client.get("/ready")
    assert ready.status_code == 200
    assert second.id in ready.json()["problem"]
    assert client.get("/bundles").json()["problem"]
    assert 'savor_bundle_swaps_total{outcome="refused"}' in client.get("/metrics").text


def test_a_bundle_that_cannot_be_built_is_refused(registry, tmp_path, tmp_path_factory, engines):
    def spoil(parts):
        (parts / "ranker" / "features.json").write_text('{"source_columns": [], "names": ["x"]}')

    broken = another_bundle(tmp_path_factory.getbasetemp(), tmp_path, 18, spoil)
    registry.publish(broken.directory, channel="staging")
    with pytest.raises(BundleError, match="other features"):
        engines.activate(broken.id)
    assert registry.current() == engines.engine.bundle_id != broken.id


def test_the_bundle_before_is_let_go_after_a_while(registry, second):
    engines = Engines(load_engine(registry.directory), loader(registry), OPTIONS.model_copy(update={"keep_seconds": 0}))
    engines.start()
    try:
        first = engines.engine.bundle_id
        registry.publish(second.directory)
        until(lambda: engines.engine.bundle_id == second.id)
        until(lambda: engines.previous_id is None)
        assert engines.named(first) is None
        assert engines.rollback() == (first, second.id)
    finally:
        engines.close()


def test_requests_under_way_keep_their_bundle(registry, second, engines):
    engine = engines.engine
    engines.activate(registry.publish(second.directory, channel="staging").bundle)
    assert engines.engine is not engine
    assert engine.serving.bundle.id != second.id
    serving = engine.serving
    assert len(serving.catalogue) == 60


def test_a_server_for_one_bundle_changes_nothing(registry):
    engines = Engines(load_engine(registry.directory), loader(registry), OPTIONS, channel=None)
    with TestClient(create_app(engines=engines)) as client:
        for call in ("/bundles/rollback", f"/bundles/{engines.engine.bundle_id}/activate"):
            answer = client.post(call)
            assert (answer.status_code, answer.json()["code"]) == (409, "bundles_fixed")
        assert client.get("/bundles/shadow").status_code == 409
        assert client.get("/bundles").json()["channel"] is None


def test_bundles_beside_are_loaded_while_they_are_wanted(registry, second, engines):
    wanted = {second.id}
    registry.publish(second.directory, channel="staging")
    engines.beside(lambda: wanted)
    engines.start()
    until(lambda: engines.named(second.id) is not None)
    assert engines.engine.bundle_id != second.id
    wanted.clear()
    until(lambda: engines.named(second.id) is None)


def test_many_changes_at_once_leave_one_bundle(registry, second, engines):
    first = engines.engine.bundle_id
    registry.publish(second.directory, channel="staging")
    threads = [
        threading.Thread(target=engines.activate, args=(bundle,)) for bundle in (second.id, first, second.id, first)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert registry.current() == engines.engine.bundle_id
