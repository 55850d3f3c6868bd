import json
import time
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread
from typing import Any

import numpy as np
import pytest

from savor.core.errors import SavorError
from savor.features.text import endpoint_encoder
from savor.features.text.endpoint_encoder import EndpointEncoder
from savor.features.text.options import TextEncoderOptions

pytest.importorskip("openai", reason="the extra llm is not installed")


class Service(ThreadingHTTPServer):
    """Answers `/embeddings`: (length, first letter, 1) for each text, the last text first."""

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), _Handler)
        self.asked: list[dict[str, Any]] = []
        self.keys: list[str] = []
        self.status, self.seconds, self.cut = 200, 0.0, 0

    @property
    def address(self) -> str:
        return f"http://127.0.0.1:{self.server_port}/v1"


class _Handler(BaseHTTPRequestHandler):
    server: Service

    def do_POST(self) -> None:
        service = self.server
        body = json.loads(self.rfile.read(int(self.headers["content-length"])))
        service.asked.append(body)
        service.keys.append(self.headers.get("authorization", ""))
        time.sleep(service.seconds)
        rows = [
            {"object": "embedding", "index": number, "embedding": [len(text), ord(text[0]), 1.0]}
            for number, text in enumerate(body["input"])
        ]
        answer = {"object": "list", "model": "m", "data": rows[::-1][service.cut :], "usage": {}}
        sent = json.dumps(answer if service.status == 200 else {"error": {"message": "no"}}).encode()
        self.send_response(service.status)
        self.send_header("content-type", "application/json")
        self.send_header("content-length", str(len(sent)))
        self.end_headers()
        self.wfile.write(sent)

    def log_message(self, *_: object) -> None:
        """Stay quiet."""


@pytest.fixture
def service() -> Iterator[Service]:
    made = Service()
    thread = Thread(target=made.serve_forever, daemon=True)
    thread.start()
    yield made
    made.shutdown()
    made.server_close()
    thread.join()


def encoder(service: Service, *, queries: bool = False, **more: Any) -> EndpointEncoder:
    return EndpointEncoder(TextEncoderOptions(endpoint=service.address, model="m", **more), queries=queries)


def test_vectors_come_in_order_in_batches_and_have_length_one(service, monkeypatch):
    monkeypatch.setenv("MY_KEY", "secret-of-mine")
    made = encoder(service, batch=2, key_variable="MY_KEY", document_prefix="doc ")
    vectors = made.encode(["a", "bb", "ccc"])
    expected = np.asarray([[5, ord("d"), 1], [6, ord("d"), 1], [7, ord("d"), 1]], np.float32)
    assert vectors == pytest.approx(expected / np.linalg.norm(expected, axis=1, keepdims=True))
    assert [body["input"] for body in service.asked[1:]] == [["doc a", "doc bb"], ["doc ccc"]]
    assert set(service.keys) == {"Bearer secret-of-mine"}
    assert "secret-of-mine" not in made.name


def test_names_tell_models_widths_and_prefixes_apart(service):
    names = {
        encoder(service).name,
        encoder(service, dimensions=3).name,
        encoder(service, document_prefix="x").name,
        EndpointEncoder(TextEncoderOptions(endpoint=service.address, model="other")).name,
    }
    assert len(names) == 4
    assert encoder(service).name == encoder(service, queries=True).name


def test_a_search_is_asked_for_once(service):
    made = encoder(service, queries=True, dimensions=3)
    first = made.encode(["milk"])
    assert np.array_equal(made.encode(["milk"]), first)
    assert len(service.asked) == 1
    assert service.asked[0]["dimensions"] == 3


def test_a_service_that_fails_is_left_alone_for_a_while(service, monkeypatch):
    made = encoder(service, queries=True, dimensions=3)
    service.status = 500
    with pytest.raises(SavorError, match="cannot be used") as caught:
        made.encode(["milk"])
    assert caught.value.code == "encoder_away"
    with pytest.raises(SavorError, match="a moment ago"):
        made.encode(["bread"])
    assert len(service.asked) == 1
    monkeypatch.setattr(endpoint_encoder, "PAUSE_SECONDS", 0.0)
    made._away_until = 0.0
    service.status = 200
    assert made.encode(["bread"]).shape == (1, 3)


def test_a_slow_service_is_not_waited_for(service):
    service.seconds = 5.0
    made = encoder(service, queries=True, dimensions=3, query_timeout_seconds=0.1)
    with pytest.raises(SavorError, match="APITimeoutError"):
        made.encode(["milk"])


def test_batches_are_sent_again_and_short_answers_are_refused(service):
    service.cut = 1
    with pytest.raises(SavorError, match="one vector for each text"):
        encoder(service, dimensions=3).encode(["a", "b"])
    service.cut = 0
    with pytest.raises(SavorError, match="3 wide"):
        encoder(service, dimensions=4).encode(["a", "b"])


def test_what_people_search_for_stays_on_this_machine():
    options = TextEncoderOptions(endpoint="https://embeddings.example.org/v1", model="m")
    with pytest.raises(SavorError) as caught:
        EndpointEncoder(options, queries=True)
    assert caught.value.code == "personal_data"
    assert EndpointEncoder(options).name.startswith("endpoint-m-")
    EndpointEncoder(options.model_copy(update={"send_personal": True}), queries=True)
