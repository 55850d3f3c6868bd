"""A server of edge bundles and events for tests, which can be told to misbehave."""

import gzip
import json
import re
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread
from urllib.parse import parse_qs, urlsplit


class DeviceServer:
    """What is given out, what was asked, and what goes wrong.

    Attributes:
        release: folder of the edge bundle on the channel; None: nothing is released.
        asked: path and headers of every question, in lower case.
        queries: of the questions for the manifest.
        damaged: hashes of files that come with a changed byte.
        cut: hashes of files of which only half comes, as often as the number says.
        events: what was posted.
        status: answers to events with this status; 200 takes them.
        bad: ids of events that are not taken.
    """

    def __init__(self) -> None:
        self.release: Path | None = None
        self.asked: list[tuple[str, dict[str, str]]] = []
        self.queries: list[dict[str, str]] = []
        self.damaged: set[str] = set()
        self.cut: dict[str, int] = {}
        self.events: list[dict] = []
        self.batches: list[int] = []
        self.status = 200
        self.bad: set[str] = set()
        self.url = ""

    @property
    def fetched(self) -> list[str]:
        """Hashes of the files that were asked for."""
        return [path.rpartition("/")[2] for path, _ in self.asked if path.startswith("/device/files/")]

    def answer(self, path: str, headers: dict[str, str]) -> tuple[int, dict[str, str], bytes, int]:
        """Status, headers, body, and how much of it comes."""
        self.asked.append((urlsplit(path).path, headers))
        if path.startswith("/device/channels/live/manifest"):
            self.queries.append({name: one for name, (one,) in parse_qs(urlsplit(path).query).items()})
            if self.release is None:
                return self.problem(404, "nothing_released")
            content = (self.release / "edge.json").read_bytes()
            if headers.get("if-none-match") == f'"{json.loads(content)["id"]}"':
                return 304, {}, b"", 0
            return 200, {}, content, len(content)
        if path.startswith("/device/files/"):
            return self.file(path.rpartition("/")[2], headers)
        return self.problem(404, "channel_unknown")

    def file(self, sha256: str, headers: dict[str, str]) -> tuple[int, dict[str, str], bytes, int]:
        assert self.release is not None
        files = json.loads((self.release / "edge.json").read_bytes())["files"]
        name = next((name for name, entry in files.items() if entry["sha256"] == sha256), None)
        if name is None:
            return self.problem(404, "file_unknown")
        content = (self.release / name).read_bytes()
        if sha256 in self.damaged:
            content = bytes([content[0] ^ 1]) + content[1:]
        status, said = 200, {}
        if asked := re.fullmatch(r"bytes=(\d+)-", headers.get("range", "")):
            assert headers["if-range"] == f'"{sha256}"'
            status, content = 206, content[int(asked[1]) :]
        elif "gzip" in headers.get("accept-encoding", ""):
            said, content = {"Content-Encoding": "gzip"}, gzip.compress(content)
        comes = len(content)
        if self.cut.get(sha256, 0):
            self.cut[sha256] -= 1
            comes //= 2
        return status, said, content, comes

    def take(self, body: bytes) -> tuple[int, dict[str, str], bytes, int]:
        events = json.loads(body)
        self.batches.append(len(events))
        if self.status != 200:
            return self.problem(self.status, "not_now")
        if any(event["event_id"] in self.bad for event in events):
            return self.problem(422, "validation_failed")
        self.events += events
        return 200, {}, b"{}", 2

    @staticmethod
    def problem(status: int, code: str) -> tuple[int, dict[str, str], bytes, int]:
        content = json.dumps({"status": status, "code": code, "detail": "because"}).encode()
        return status, {"Content-Type": "application/problem+json"}, content, len(content)


@contextmanager
def running() -> Iterator[DeviceServer]:
    """A server on this machine while the block runs."""
    state = DeviceServer()

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self.say(*state.answer(self.path, {name.lower(): value for name, value in self.headers.items()}))

        def do_POST(self) -> None:
            self.say(*state.take(self.rfile.read(int(self.headers["Content-Length"]))))

        def say(self, status: int, headers: dict[str, str], body: bytes, comes: int) -> None:
            self.send_response(status)
            for name, value in headers.items():
                self.send_header(name, value)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body[:comes])

        def log_message(self, *arguments: object) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True)
    thread.start()
    state.url = f"http://127.0.0.1:{server.server_address[1]}"
    try:
        yield state
    finally:
        server.shutdown()
        server.server_close()
        thread.join()
