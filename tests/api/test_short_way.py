import asyncio
from threading import Event

import httpx
import orjson
import pytest
from fastapi.testclient import TestClient

from savor.api.app import create_app
from savor.api.engine import Engine
from savor.api.serve import load_engine
from savor.api.short_way import ShortWay
from savor.pipeline.build import build_serving
from savor.pipeline.options import PipelineOptions
from savor.pipeline.scenario import Scenario

JSON = "application/json"
PATH = "/recommendations"
PLAIN = [
    b'{"user_id": "u1"}',
    b'{"user_id": 7, "context": {"query": "tea", "hour": 3, "rain": true, "none": null}}',
    '{"user_id": "ü", "num_recommendations": 3}'.encode(),
    b'{"user_id": "u1", "explain": true, "scenario": "discover"}',
]
OTHER = [
    b'{"user_id": "1", "num_recommendations": 0}',
    b'{"user_id": "1", "num_recommendations": "10"}',
    b'{"user_id": "1", "unheard_of": 1}',
    b'{"user_id": ""}',
    b'{"user_id": "a\\u0000b"}',
    b'{"user_id": "\\ud800"}',
    b'{"user_id": 1e400}',
    b'{"user_id": NaN}',
    b'{"user_id": 99999999999999999999999}',
    b'{"user_id": "1", "scenario": "nowhere"}',
    b'{"user_id": "1", "filter": {"nothing": {"in": ["a"]}}}',
    b'{"user_id": "1", "cursor": "broken"}',
    b"[]",
    b"null",
    b"{",
    b"\xff",
    b"[" * 100_000,
    b"",
]


@pytest.fixture(scope="module")
def both(registry_directory):
    """The application, and the same without the short way."""
    engine = load_engine(registry_directory)
    app, other = create_app(engine), create_app(engine)
    other.user_middleware = [one for one in other.user_middleware if str(one.cls) != str(ShortWay)]
    assert len(other.user_middleware) == len(app.user_middleware) - 1
    return tuple(TestClient(one, raise_server_exceptions=False) for one in (app, other))


def shown(answer):
    """What does not change from call to call."""
    content = orjson.loads(answer.content)
    for name in ("recommendation_id", "next_cursor", "trace"):
        content.pop(name, None)
    return answer.status_code, answer.headers["content-type"], content


@pytest.mark.parametrize("content", PLAIN + OTHER)
@pytest.mark.parametrize("media_type", [JSON, f"{JSON}; charset=utf-8", "APPLICATION/JSON", "text/plain"])
def test_answers_are_those_of_the_usual_way(both, content: bytes, media_type: str) -> None:
    short, usual = (client.post(PATH, content=content, headers={"content-type": media_type}) for client in both)
    assert shown(short) == shown(usual)
    assert short.is_success == (content in PLAIN and media_type != "text/plain")


def test_a_body_may_come_in_pieces(both) -> None:
    pieces = iter([b'{"user_', b'id": "u1", "num_', b'recommendations": 2}'])
    answer = both[0].post(PATH, content=pieces, headers={"content-type": JSON})
    assert answer.status_code == 200
    assert answer.json()["num_recommendations"] == 2


def test_the_body_is_limited_all_the_same(registry_directory) -> None:
    client = TestClient(create_app(load_engine(registry_directory), most_bytes=20))
    answer = client.post(PATH, content=b'{"user_id": "somebody with a name"}', headers={"content-type": JSON})
    assert (answer.status_code, answer.json()["code"]) == (413, "payload_too_large")


def test_it_is_counted_under_its_route(both) -> None:
    client = both[0]
    client.post(PATH, json={"user_id": "u1"})
    assert 'savor_requests_total{route="/recommendations",status="200"}' in client.get("/metrics").text


def test_other_calls_are_served_as_ever(both) -> None:
    assert both[0].get("/scenarios").status_code == 200
    assert both[0].get(PATH).status_code == 405


class Waiting:
    """A stage in the place of a language model's, which ends when it is told to."""

    name = "language_model"
    reads, writes, required = frozenset({"item", "score"}), frozenset[str](), False

    def __init__(self) -> None:
        self.began, self.go_on = Event(), Event()

    def adjust(self, query, hydrated, candidates, merit):
        self.began.set()
        assert self.go_on.wait(30)
        return merit


@pytest.mark.parametrize("short", [True, False], ids=["short", "usual"])
def test_others_are_answered_while_a_list_waits_for_a_language_model(registry_directory, short) -> None:
    stage = Waiting()
    serving = build_serving(
        load_engine(registry_directory).serving.bundle,
        options=PipelineOptions(deadline_ms=None),
        scenarios={"slow": Scenario(language_model=0.5)},
        language_model=lambda _, __: stage,
    )
    app = create_app(Engine(serving))
    if not short:
        app.user_middleware = [one for one in app.user_middleware if str(one.cls) != str(ShortWay)]

    async def ask() -> tuple[httpx.Response, httpx.Response]:
        transport = httpx.ASGITransport(app)
        async with httpx.AsyncClient(transport=transport, base_url="http://127.0.0.1") as client:
            body = {"user_id": "household-1", "scenario": "slow"}
            waiting = asyncio.create_task(client.post(PATH, json=body))
            while not stage.began.is_set():
                await asyncio.sleep(0.001)
            other = await client.post(PATH, json={"user_id": "household-2"})
            assert not waiting.done()
            stage.go_on.set()
            return await waiting, other

    slow, other = asyncio.run(ask())
    assert other.status_code == slow.status_code == 200
    assert slow.json()["fallback"] is None
    assert slow.json()["recommendations"]
