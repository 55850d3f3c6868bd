import pytest
from fastapi.testclient import TestClient

from savor.api.security import Access, is_loopback, keys_needed, needed_scope
from savor.api.security_options import SecurityOptions
from savor.core.errors import ConfigError
from tests.api.live_shop import made_database, prepared, server


@pytest.fixture(scope="module")
def made(tmp_path_factory):
    return made_database(tmp_path_factory.mktemp("made"))


@pytest.fixture
def project(made, tmp_path):
    return prepared(made, tmp_path)


@pytest.fixture
def guarded(registry_directory, project):
    with server(registry_directory, project, access=Access(SecurityOptions(), keys=True)) as client:
        yield client


def key(client, *scopes, name="k"):
    _, text = client.app.state.live.stores.api_keys.create(name, scopes)
    client.app.state.live.stores.key_ring._read = float("-inf")
    return {"authorization": f"Bearer {text}"}


BODY = {"user_id": "household-3"}


def test_without_a_key(guarded):
    for call in (guarded.post("/recommendations", json=BODY), guarded.get("/metrics"), guarded.get("/bundles")):
        assert (call.status_code, call.json()["code"]) == (401, "key_missing")
        assert call.headers["www-authenticate"] == "Bearer"
        assert call.headers["content-type"] == "application/problem+json"
    for path in ("/health", "/ready", "/", "/docs", "/openapi.json"):
        assert guarded.get(path).status_code == 200
    assert guarded.get("/no/such/thing").status_code == 401


def test_scopes(guarded):
    event = {"user_id": "ann", "kind": "view", "item_id": "1001"}
    for scopes, may in (
        (["read"], {"read"}),
        (["write"], {"write"}),
        (["read", "write"], {"read", "write"}),
        (["admin"], {"read", "write", "admin"}),
    ):
        headers = key(guarded, *scopes)
        answers = {
            "read": guarded.post("/recommendations", json=BODY, headers=headers),
            "write": guarded.post("/events", json=event, headers=headers),
            "admin": guarded.post("/bundles/rollback", headers=headers),
        }
        for scope, answer in answers.items():
            refused = answer.status_code == 403 and answer.json()["code"] == "scope_missing"
            assert refused == (scope not in may), (scopes, scope, answer.text)


def test_either_header(guarded):
    text = key(guarded, "read")["authorization"].removeprefix("Bearer ")
    for headers in ({"x-api-key": text}, {"authorization": f"bearer {text}"}):
        assert guarded.post("/recommendations", json=BODY, headers=headers).status_code == 200


@pytest.mark.parametrize(
    "shown", ["", "x", "savor_", "savor_000000000000_" + "a" * 43, "savor_" + "é" * 50, "a" * 5000]
)
def test_wrong_keys(guarded, shown):
    answer = guarded.post("/recommendations", json=BODY, headers={"x-api-key": shown.encode("utf-8")})
    assert answer.status_code == 401
    assert shown not in answer.text or not shown


def test_a_revoked_key_opens_nothing(guarded):
    headers = key(guarded, "read")
    assert guarded.get("/users", headers=headers).status_code == 200
    stores = guarded.app.state.live.stores
    assert stores.api_keys.revoke(headers["authorization"].split("_")[1])
    stores.key_ring._read = float("-inf")
    answer = guarded.get("/users", headers=headers)
    assert (answer.status_code, answer.json()["code"]) == (401, "key_invalid")


def test_limits(registry_directory, project):
    options = SecurityOptions(requests_per_second=0.001, burst=3)
    with server(registry_directory, project, access=Access(options, keys=True)) as client:
        first, second = key(client, "read", "write"), key(client, "read", "write")
        statuses = [client.get("/users", headers=first).status_code for _ in range(5)]
        assert statuses == [200, 200, 200, 429, 429]
        refused = client.get("/users", headers=first)
        assert refused.json()["code"] == "rate_limited"
        assert int(refused.headers["retry-after"]) >= 1
        assert client.get("/users", headers=second).status_code == 200
        events = [{"user_id": "ann", "kind": "view", "item_id": "1001"}] * 400
        many = client.post("/events", json=events, headers=second)
        assert (many.status_code, many.json()["code"]) == (429, "rate_limited")


def test_open_to_this_machine_alone(registry_directory, project):
    with server(registry_directory, project) as client:
        app = client.app
        assert client.post("/recommendations", json=BODY).status_code == 200
        outside = TestClient(app, base_url="http://localhost", client=("10.0.0.7", 1))
        assert outside.post("/recommendations", json=BODY).status_code == 401
        page_of_another = TestClient(app, base_url="http://evil.example", client=("127.0.0.1", 1))
        answer = page_of_another.post("/recommendations", json=BODY)
        assert (answer.status_code, answer.json()["code"]) == (403, "host_unknown")
        for base in ("http://127.0.0.1:8000", "http://[::1]:8000", "http://localhost:1"):
            assert TestClient(app, base_url=base, client=("::1", 1)).get("/users").status_code == 200


def test_metrics_may_be_open(registry_directory, project):
    access = Access(SecurityOptions(open_metrics=True), keys=True)
    with server(registry_directory, project, access=access) as client:
        assert client.get("/metrics").status_code == 200
        assert client.get("/users").status_code == 401


def test_when_keys_are_needed():
    assert not keys_needed(SecurityOptions(), "127.0.0.1")
    assert keys_needed(SecurityOptions(), "0.0.0.0")
    assert keys_needed(SecurityOptions(keys="required"), "127.0.0.1")
    assert not keys_needed(SecurityOptions(keys="off"), "localhost")
    with pytest.raises(ConfigError, match="off"):
        keys_needed(SecurityOptions(keys="off"), "192.168.1.5")
    assert [is_loopback(host) for host in ("::1", "127.3.2.1", "localhost", "example.com", "::", "testclient", "")] == [
        True, True, True, False, False, False, False
    ]  # fmt: skip


def test_every_call_has_a_scope_and_says_how_it_is_refused(guarded):
    document = guarded.get("/openapi.json").json()
    for path, calls in document["paths"].items():
        for method, call in calls.items():
            if path in ("/health", "/ready"):
                assert "security" not in call
                continue
            assert call["security"] == [{"key": []}, {"header": []}]
            assert {"401", "403", "429", "503"} <= set(call["responses"])
            assert call["x-scope"] == needed_scope(method.upper(), path)
    scopes = {
        (method, path): needed_scope(method, path)
        for method, path in [
            ("POST", "/recommendations"), ("POST", "/rank"), ("GET", "/users/x"), ("PUT", "/items/1"),
            ("POST", "/events"), ("DELETE", "/customers/1/recommendations"), ("POST", "/bundles/rollback"),
            ("POST", "/experiments/x/start"), ("POST", "/eventsandmore"),
        ]
    }  # fmt: skip
    assert list(scopes.values()) == ["read", "read", "read", "write", "write", "write", "admin", "admin", "admin"]
