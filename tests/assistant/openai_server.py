"""An OpenAI-compatible endpoint on this machine, which can be slow, broken or gone."""

import json
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Event, Thread
from typing import Any

KEY = "test-key"
WORDS = ("One", " two", " three")


@dataclass
class Behaviour:
    """How the endpoint answers; tests change it between calls.

    Attributes:
        mode: fine, error, slow_start, slow_end, drip, cut_off, garbage, refuse, error_in_stream, no_usage, redirect.
        failures: how many calls fail with 500 before the mode counts.
        likelihoods: whether `completions` gives probabilities.
        requests: bodies that came, oldest first.
        headers: of the last request.
    """

    mode: str = "fine"
    failures: int = 0
    likelihoods: bool = True
    requests: list[dict[str, Any]] = field(default_factory=list)
    headers: dict[str, str] = field(default_factory=dict)
    over: Event = field(default_factory=Event)


@contextmanager
def openai_server() -> Iterator[tuple[str, Behaviour]]:
    """Its base URL and behaviour."""
    behaviour = Behaviour()

    class Handler(_Handler):
        how = behaviour

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.daemon_threads = True
    thread = Thread(target=server.serve_forever, args=(0.02,), daemon=True)
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_address[1]}/v1", behaviour
    finally:
        behaviour.over.set()
        server.shutdown()
        server.server_close()
        thread.join()


class _Handler(BaseHTTPRequestHandler):
    how: Behaviour
    protocol_version = "HTTP/1.1"

    def log_message(self, *_: object) -> None:
        pass

    def do_POST(self) -> None:
        body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        self.how.requests.append(body)
        self.how.headers = dict(self.headers)
        if self.headers["Authorization"] != f"Bearer {KEY}":
            return self._json(401, {"error": {"message": "wrong key"}})
        if self.how.failures > 0:
            self.how.failures -= 1
            return self._json(500, {"error": {"message": "broken"}})
        if self.how.mode == "error":
            return self._json(503, {"error": {"message": "overloaded"}})
        if self.how.mode == "refuse":
            return self._json(400, {"error": {"message": "too long"}})
        if self.how.mode == "redirect":
            self.send_response(307)
            self.send_header("Location", "http://127.0.0.1:1/v1/chat/completions")
            self.send_header("Content-Length", "0")
            self.end_headers()
            return None
        try:
            if self.path.endswith("/chat/completions"):
                self._chat(body)
            else:
                self._completions(body)
        except OSError:
            self.close_connection = True
        return None

    def _json(self, status: int, body: dict[str, Any]) -> None:
        data = json.dumps(body).encode()
        self.send_response(status)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(data)))
        self.end_headers()
        self.wfile.write(data)

    def _chat(self, body: dict[str, Any]) -> None:
        mode = self.how.mode
        self.close_connection = True
        if mode == "slow_start":
            self.how.over.wait(30)
            return
        self.send_response(200)
        self.send_header("Content-Type", "text/event-stream")
        self.send_header("Connection", "close")
        self.end_headers()
        if mode == "drip":
            self.wfile.write(b"data: {")
            while not self.how.over.wait(0.02):
                self.wfile.write(b" ")
            return
        if mode == "garbage":
            self.wfile.write(b"data: <html>this is no answer</html>\n\n")
            return
        text = self._answer(body)
        for number, word in enumerate(text):
            self._chunk({"delta": {"content": word}, "finish_reason": None, "index": 0})
            if mode == "cut_off" and number == 1:
                return
            if mode == "error_in_stream" and number == 1:
                self.wfile.write(b'data: {"error": {"message": "out of memory", "code": 500}}\n\n')
                return
            if mode == "slow_end":
                self.how.over.wait(30)
                return
        self._chunk({"delta": {}, "finish_reason": "stop", "index": 0})
        if mode != "no_usage":
            usage = {"prompt_tokens": 12, "completion_tokens": len(text), "total_tokens": 12 + len(text)}
            self._event({"choices": [], "usage": usage})
        self.wfile.write(b"data: [DONE]\n\n")

    def _answer(self, body: dict[str, Any]) -> list[str]:
        schema = body.get("response_format", {}).get("json_schema", {}).get("schema")
        words = ['{"', "fruit", '": "apple"}'] if schema else list(WORDS) * 40
        return words[: body["max_tokens"]] if not schema else words

    def _chunk(self, choice: dict[str, Any]) -> None:
        self._event({"choices": [choice]})

    def _event(self, content: dict[str, Any]) -> None:
        event = {"id": "1", "object": "chat.completion.chunk", "created": int(time.time()), "model": "m", **content}
        self.wfile.write(f"data: {json.dumps(event)}\n\n".encode())
        self.wfile.flush()

    def _completions(self, body: dict[str, Any]) -> None:
        """Each word is a token; the longer, the less likely."""
        choices = []
        for index, text in enumerate(body["prompt"]):
            words = [word for word in text.replace(" ", "\0 ").split("\0") if word]
            offsets = [sum(map(len, words[:place])) for place in range(len(words))]
            values = [None, *(-0.1 * len(word) for word in words[1:])]
            marks = {"tokens": words, "text_offset": offsets, "token_logprobs": values, "top_logprobs": []}
            choices.append(
                {
                    "index": index,
                    "text": text,
                    "finish_reason": "length",
                    "logprobs": marks if self.how.likelihoods else None,
                }
            )
        usage = {"prompt_tokens": 20, "completion_tokens": len(choices), "total_tokens": 20 + len(choices)}
        answer = {"id": "1", "object": "text_completion", "created": 1, "model": "m", "choices": choices}
        self._json(200, {**answer, "usage": usage})
