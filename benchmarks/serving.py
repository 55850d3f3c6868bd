"""Start the server on a project's live bundle and measure it from outside: start, memory, latency on one connection.

python benchmarks/serving.py -C demo            # prints a table
python benchmarks/serving.py -C demo --log      # also appends it to benchmarks/LOG.md
"""

import argparse
import http.client
import json
import os
import platform
import random
import socket
import statistics
import subprocess
import sys
import time
from datetime import UTC, datetime
from pathlib import Path

LOG = Path(__file__).parent / "LOG.md"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("-C", "--directory", default="demo", help="the project's folder")
    parser.add_argument("--requests", type=int, default=2000, help="how many recommendations to ask for")
    parser.add_argument("--log", action="store_true", help="append the table to benchmarks/LOG.md")
    arguments = parser.parse_args()
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    started = time.perf_counter()
    command = [sys.executable, "-m", "savor", "serve", "-C", arguments.directory, "--port", str(port)]
    server = subprocess.Popen(command, stderr=subprocess.DEVNULL)
    try:
        rows = measure(server, port, started, arguments.requests)
    finally:
        server.terminate()
        server.wait(30)
    lines = ["| what | measured |", "|---|---|", *(f"| {name} | {value} |" for name, value in rows)]
    print("\n".join(lines))
    if arguments.log:
        moment = datetime.now(UTC).strftime("%Y-%m-%d %H:%M")
        machine = f"{os.cpu_count()} processors, {platform.machine()}, Python {platform.python_version()}"
        with LOG.open("a", encoding="utf-8") as log:
            command_line = " ".join(["python", *sys.argv])
            log.write(f"\n## {moment} serving\n\n`{command_line}` · {machine}\n\n" + "\n".join(lines) + "\n")


def measure(server: subprocess.Popen, port: int, started: float, requests: int) -> list[tuple[str, str]]:
    while True:
        try:
            status, _, _ = ask(http.client.HTTPConnection("127.0.0.1", port, timeout=5), "GET", "/ready")
            if status == 200:
                break
        except OSError:
            time.sleep(0.01)
        if server.poll() is not None:
            sys.exit("the server ended before it was ready; is a bundle published?")
    start = time.perf_counter() - started
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=30)
    _, found, _ = ask(connection, "GET", "/users?limit=100")
    users = [user["user_id"] for user in found["users"]]
    draw = random.Random(0)
    rows = [("start to ready", f"{start:.2f} s")]
    for name, more in (("recommend", {}), ("recommend new items", {"exclude_seen": True})):
        seconds = []
        for number in range(requests + 100):
            body = {"user_id": draw.choice(users), "num_recommendations": 10, **more}
            status, _, taken = ask(connection, "POST", "/recommendations", body)
            if status != 200:
                sys.exit(f"the server answered {status}")
            if number >= 100:
                seconds.append(taken)
        quantiles = statistics.quantiles(seconds, n=100)
        figures = (
            f"p50 {quantiles[49] * 1e3:.2f} ms, p95 {quantiles[94] * 1e3:.2f} ms, p99 {quantiles[98] * 1e3:.2f} ms"
        )
        rows.append((f"{name}, one connection, {requests} requests", figures))
    status_file = Path(f"/proc/{server.pid}/status")
    if status_file.exists():
        fields = dict(line.split(":", 1) for line in status_file.read_text().splitlines())
        rows.append(("resident memory after that", f"{int(fields['VmRSS'].split()[0]) / 1024:.0f} MB"))
        rows.append(("its peak", f"{int(fields['VmHWM'].split()[0]) / 1024:.0f} MB"))
    return rows


def ask(connection, method, path, body=None):
    content = None if body is None else json.dumps(body)
    begun = time.perf_counter()
    connection.request(method, path, content, {"Content-Type": "application/json"} if content else {})
    response = connection.getresponse()
    answer = response.read()
    return response.status, json.loads(answer) if answer else None, time.perf_counter() - begun


if __name__ == "__main__":
    main()
