import json

import pytest
from fastapi.testclient import TestClient

from savor.api.app import create_app
from savor.api.serve import load_engine
from savor.core.errors import PipelineError

GOOD = {"user_id": "household-3"}


def check(response, status, code):
    assert response.status_code == status, response.text
    assert response.headers["content-type"] == "application/problem+json"
    document = response.json()
    assert document["status"] == status
    assert document["code"] == code
    assert document["type"] == f"urn:savor:problem:{code}"
    assert document["title"]
    assert document["detail"]
    return document


@pytest.mark.parametrize(
    ("path", "body", "field"),
    [
        ("/recommendations", {}, "user_id"),
        ("/recommendations", [], "body"),
        ("/recommendations", None, "body"),
        ("/recommendations", {**GOOD, "unknown": 1}, "unknown"),
        ("/recommendations", {"user_id": ""}, "user_id"),
        ("/recommendations", {"user_id": "x" * 257}, "user_id"),
        ("/recommendations", {"user_id": "a\x00b"}, "user_id"),
        ("/recommendations", {"user_id": True}, "user_id"),
        ("/recommendations", {"user_id": 1.5}, "user_id"),
        ("/recommendations", {"user_id": 2**64}, "user_id"),
        ("/recommendations", {"user_id": ["a"]}, "user_id"),
        ("/recommendations", {**GOOD, "num_recommendations": 0}, "num_recommendations"),
        ("/recommendations", {**GOOD, "num_recommendations": 1001}, "num_recommendations"),
        ("/recommendations", {**GOOD, "num_recommendations": "10"}, "num_recommendations"),
        ("/recommendations", {**GOOD, "num_recommendations": 2.5}, "num_recommendations"),
        ("/recommendations", {**GOOD, "exclude_items": ["a"] * 1001}, "exclude_items"),
        ("/recommendations", {**GOOD, "exclude_items": "a"}, "exclude_items"),
        ("/recommendations", {**GOOD, "exclude_seen": "yes"}, "exclude_seen"),
        ("/recommendations", {**GOOD, "context": {"a": {}}}, "context"),
        ("/recommendations", {**GOOD, "filter": []}, "filter"),
        ("/recommendations", {**GOOD, "filter": {str(n): {"eq": 1} for n in range(33)}}, "filter"),
        ("/similar_items", {"item_id": None}, "item_id"),
        ("/similar_items", {"item_id": "a", "num_similar": -1}, "num_similar"),
        ("/rank", {"user_id": "a", "item_ids": []}, "item_ids"),
        ("/rank", {"user_id": "a", "item_ids": ["a"] * 1001}, "item_ids"),
    ],
)
def test_validation(client, path, body, field):
    document = check(client.post(path, json=body), 422, "validation_failed")
    assert any(error["field"].split(".")[0] == field and error["reason"] for error in document["errors"])


def test_every_error_at_once(client):
    body = {"num_recommendations": 0, "explain": 1, "more": 2}
    document = check(client.post("/recommendations", json=body), 422, "validation_failed")
    assert {error["field"] for error in document["errors"]} == {"user_id", "num_recommendations", "explain", "more"}


@pytest.mark.parametrize("content", [b"{", b"\xff\xfe", b"[" * 100_000, b"", b'{"user_id": ' + b"9" * 5000 + b"}"])
def test_not_json(client, content):
    response = client.post("/recommendations", content=content, headers={"content-type": "application/json"})
    assert response.status_code in (400, 422)
    assert response.headers["content-type"] == "application/problem+json"


@pytest.mark.parametrize("text", ["\\ud800", "a\\u0000"])
def test_hostile_text(client, text):
    content = b'{"user_id": "' + text.encode() + b'"}'
    response = client.post("/recommendations", content=content, headers={"content-type": "application/json"})
    check(response, 422, "validation_failed")
    condition = b'{"user_id": "a", "filter": {"' + text.encode() + b'": {"eq": 1}}}'
    response = client.post("/recommendations", content=condition, headers={"content-type": "application/json"})
    assert response.status_code == 422
    scenario = b'{"user_id": "a", "scenario": "' + text.encode() + b'"}'
    response = client.post("/recommendations", content=scenario, headers={"content-type": "application/json"})
    assert response.status_code == 422


def test_filter_and_scenario(client):
    document = check(
        client.post("/recommendations", json={**GOOD, "filter": {"colour": {"eq": "red"}, "price": {"lt": "1"}}}),
        422,
        "filter_invalid",
    )
    assert len(document["errors"]) == 2
    check(client.post("/recommendations", json={**GOOD, "scenario": "nowhere"}), 422, "scenario_unknown")
    check(client.post("/similar_items", json={"item_id": 1, "filter": {"x": 1}}), 422, "filter_invalid")


def test_routes(client):
    check(client.get("/nowhere"), 404, "not_found")
    assert check(client.get("/recommendations"), 405, "method_not_allowed")
    assert "POST" in client.get("/recommendations").headers["allow"]
    check(client.get("/users", params={"limit": 0}), 422, "validation_failed")


def test_large_bodies(client):
    body = json.dumps({**GOOD, "context": {"a": "x" * (1 << 20)}}).encode()
    check(client.post("/recommendations", content=body), 413, "payload_too_large")
    pieces = (body[start : start + 65_536] for start in range(0, len(body), 65_536))
    check(client.post("/recommendations", content=pieces), 413, "payload_too_large")


def test_not_ready():
    client = TestClient(create_app(), raise_server_exceptions=False)
    assert client.get("/health").status_code == 200
    assert client.get("/metrics").status_code == 200
    check(client.get("/ready"), 503, "not_ready")
    check(client.post("/recommendations", json=GOOD), 503, "not_ready")


@pytest.mark.parametrize(
    ("error", "status", "code"),
    [
        (PipelineError("a filter failed", code="stage_failed"), 503, "stage_failed"),
        (ValueError("secret"), 500, "internal_error"),
    ],
)
def test_failures_inside(registry_directory, monkeypatch, error, status, code):
    engine = load_engine(registry_directory)

    def fail(query):
        raise error

    monkeypatch.setattr(engine.serving.pipeline, "run", fail)
    client = TestClient(create_app(engine), raise_server_exceptions=False)
    document = check(client.post("/recommendations", json=GOOD), status, code)
    assert "secret" not in json.dumps(document)
