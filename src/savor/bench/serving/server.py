"""A server in a process of its own, watched from outside."""

import http.client
import json
import os
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from savor.core.errors import SavorError
from savor.core.folders import ProjectFolder

PATIENCE = 180.0
"""Seconds that a server may take to be ready."""


@dataclass(frozen=True)
class Server:
    """A running server.

    Attributes:
        pid: of its process.
        port: where it listens, on this machine only.
        start_seconds: from the start of the process until it was ready.
    """

    pid: int
    port: int
    start_seconds: float

    def cpu_seconds(self) -> float:
        """Processor time it has taken so far; 0 where the system does not say."""
        file = Path(f"/proc/{self.pid}/stat")
        if not file.exists():
            return 0.0
        fields = file.read_text(encoding="ascii", errors="replace").rpartition(")")[2].split()
        return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")

    def megabytes(self) -> float:
        """Resident memory, in MiB; 0 where the system does not say."""
        file = Path(f"/proc/{self.pid}/status")
        if not file.exists():
            return 0.0
        fields = dict(line.split(":", 1) for line in file.read_text(encoding="utf-8").splitlines())
        return int(fields["VmRSS"].split()[0]) / 1024

    def ask(self, method: str, path: str, body: Any = None) -> tuple[int, Any]:
        """Status and JSON answer of one request."""
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=60)
        try:
            content = None if body is None else json.dumps(body)
            connection.request(method, path, content, {"content-type": "application/json"} if content else {})
            response = connection.getresponse()
            answer = response.read()
        finally:
            connection.close()
        try:
            return response.status, json.loads(answer) if answer else None
        except ValueError:
            return response.status, None


@contextmanager
def running_server(folder: ProjectFolder, processor: int | None = None) -> Iterator[Server]:
    """`savor serve` on a free port until the block ends.

    Args:
        folder: the project.
        processor: the only one that it may use; None: any.

    Raises:
        SavorError: it ended, or was not ready in time; what it said is in the message.
    """
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    command = [sys.executable, "-m", "savor", "serve", "-C", str(folder.root), "--port", str(port)]
    environment = {**os.environ, "OMP_NUM_THREADS": "1"}
    said = folder.root / "server.log"
    started = time.perf_counter()
    with said.open("wb") as log:
        process = subprocess.Popen(command, stdout=log, stderr=log, env=environment)  # noqa: S603
    try:
        if processor is not None and hasattr(os, "sched_setaffinity"):
            os.sched_setaffinity(process.pid, {processor})
        _wait(process, port, said)
        yield Server(process.pid, port, time.perf_counter() - started)
    finally:
        process.terminate()
        try:
            process.wait(30)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()


def _wait(process: "subprocess.Popen[bytes]", port: int, said: Path) -> None:
    until = time.monotonic() + PATIENCE
    while time.monotonic() < until:
        if process.poll() is not None:
            break
        try:
            status, _ = Server(process.pid, port, 0).ask("GET", "/ready")
        except OSError:
            status = 0
        if status == 200:
            return
        time.sleep(0.01)
    tail = said.read_text(encoding="utf-8", errors="replace")[-1000:]
    raise SavorError(f"the server was not ready; it said: {tail or 'nothing'}")
