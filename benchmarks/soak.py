"""Mixed load for minutes, with everything going wrong that can: bundles swapped, the store killed, a worker killed.

python benchmarks/soak.py -C demo --minutes 10

A copy of the project is served by two workers over a PostgreSQL server of its own (both are started and stopped
here). Clients ask for recommendations and similar items, send events and change prices; meanwhile a newly published
bundle takes over every 20 seconds, PostgreSQL is killed and started again twice, and one worker is killed. Counted are
recommendations that failed, events that were acknowledged and are not in the store at the end, and the memory of every
process. A request whose connection breaks under it, as that of a killed worker does, is sent once more over a new one,
as any balancer would; such requests are counted, too.
"""

import argparse
import http.client
import json
import os
import random
import shutil
import signal
import socket
import statistics
import subprocess
import sys
import threading
import time
from collections import Counter
from datetime import UTC, datetime
from pathlib import Path
from tempfile import TemporaryDirectory

import psycopg
from rich.console import Console
from rich.table import Table

from savor.bundle.registry import Registry
from savor.bundle.writer import write_bundle
from savor.features.catalogue import Catalogue

LOG = Path(__file__).parent / "LOG.md"
DOWN_SECONDS = 10


class Postgres:
    """A PostgreSQL server in a temporary folder."""

    def __init__(self, folder: Path, port: int) -> None:
        self.folder, self.port = folder, port
        self.programs = max(Path("/usr/lib/postgresql").glob("*/bin"))
        self.who = {"user": "postgres", "group": "postgres", "extra_groups": []} if os.geteuid() == 0 else {}
        if self.who:
            shutil.chown(folder, "postgres", "postgres")
        options = ["-A", "trust", "-U", "savor", "--no-locale", "-E", "UTF8"]
        self._call("initdb", "-D", "data", *options)
        self.start()

    @property
    def address(self) -> str:
        return f"postgresql://savor@127.0.0.1:{self.port}/postgres"

    def start(self) -> None:
        settings = (f"port={self.port}", "listen_addresses=127.0.0.1", "unix_socket_directories=", "jit=off")
        command = [str(self.programs / "postgres"), "-D", "data", *(word for one in settings for word in ("-c", one))]
        for _ in range(100):
            quiet = {"stdout": subprocess.DEVNULL, "stderr": subprocess.DEVNULL}
            self.process = subprocess.Popen(command, cwd=self.folder, **quiet, **self.who)
            while self.process.poll() is None:
                if not subprocess.call([self.programs / "pg_isready", "-h", "127.0.0.1", "-p", str(self.port), "-q"]):
                    return
                time.sleep(0.05)
            time.sleep(0.2)
        sys.exit("PostgreSQL does not start")

    def kill(self) -> None:
        self.process.send_signal(signal.SIGKILL)
        self.process.wait()

    def stop(self) -> None:
        self.process.send_signal(signal.SIGQUIT)
        self.process.wait()

    def _call(self, program: str, *arguments: str) -> None:
        command = [str(self.programs / program), *arguments]
        subprocess.run(command, cwd=self.folder, check=True, stdout=subprocess.DEVNULL, **self.who)


class Client(threading.Thread):
    """One person's device after another, on one connection.

    Attributes:
        acknowledged: ids of events that were taken.
        answers: by kind of request and status; status 0 is a connection that broke twice.
        milliseconds: of recommendations.
        repeated: requests sent once more over a new connection.
    """

    def __init__(self, port: int, number: int, users: list[str], items: list[str], pause: float) -> None:
        super().__init__(daemon=True)
        self.port, self.number, self.users, self.items, self.pause = port, number, users, items, pause
        self.acknowledged: set[str] = set()
        self.answers: Counter[tuple[str, int]] = Counter()
        self.milliseconds: list[float] = []
        self.repeated = 0
        self.stopped = threading.Event()
        self.bad: list[str] = []

    def run(self) -> None:
        draw = random.Random(self.number)
        self.connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=30)
        count = 0
        while not self.stopped.wait(self.pause * draw.random() * 2):
            user, item, chance = draw.choice(self.users), draw.choice(self.items), draw.random()
            count += 1
            if chance < 0.6:
                started = time.perf_counter()
                body = {"user_id": user, "num_recommendations": 10}
                status, answer = self.ask("recommendations", "POST", "/recommendations", body)
                self.milliseconds.append((time.perf_counter() - started) * 1e3)
                if status != 200 or not answer.get("recommendations"):
                    self.bad.append(f"{status} {json.dumps(answer)[:300]}")
            elif chance < 0.85:
                event = {"event_id": f"soak-{self.number}-{count}", "user_id": user, "item_id": item}
                status, _ = self.ask("events", "POST", "/events", {**event, "kind": "purchase"})
                if status in (200, 201, 202):
                    self.acknowledged.add(event["event_id"])
            elif chance < 0.95:
                self.ask("similar_items", "POST", "/similar_items", {"item_id": item})
            else:
                self.ask("items", "PUT", f"/items/{item}", {"price": round(draw.uniform(1, 9), 2)})

    def ask(self, kind: str, method: str, path: str, body: object) -> tuple[int, dict]:
        for attempt in range(2):
            try:
                self.connection.request(method, path, json.dumps(body), {"Content-Type": "application/json"})
                response = self.connection.getresponse()
                content = response.read()
                self.answers[kind, response.status] += 1
                return response.status, json.loads(content) if content else {}
            except (OSError, http.client.HTTPException):
                self.connection.close()
                if attempt == 0:
                    self.repeated += 1
        self.answers[kind, 0] += 1
        return 0, {}


class Memory(threading.Thread):
    """Resident set of every process of the server, again and again."""

    def __init__(self, server: int) -> None:
        super().__init__(daemon=True)
        self.server, self.stopped = server, threading.Event()
        self.seen: dict[int, list[tuple[float, float]]] = {}

    def run(self) -> None:
        while not self.stopped.wait(2):
            for process in (self.server, *children(self.server)):
                try:
                    pages = int(Path(f"/proc/{process}/statm").read_text().split()[1])
                except OSError:
                    continue
                megabytes = pages * os.sysconf("SC_PAGE_SIZE") / (1 << 20)
                self.seen.setdefault(process, []).append((time.monotonic(), megabytes))


def children(process: int) -> list[int]:
    """Ids of a process's own processes that are Python's."""
    done = subprocess.run(["ps", "-o", "pid=,args=", "--ppid", str(process)], capture_output=True, text=True)
    lines = [line.split(maxsplit=1) for line in done.stdout.splitlines()]
    return [int(number) for number, what in lines if "resource_tracker" not in what]


def twin(registry: Registry) -> list[str]:
    """Ids of two bundles to swap between: the live one, and the same with one candidate fewer from what is trending."""
    live = registry.open()
    with TemporaryDirectory() as folder:
        parts = Path(folder) / "parts"
        shutil.copytree(live.directory, parts, ignore=shutil.ignore_patterns("manifest.json"))
        config = json.loads((parts / "config.json").read_text())
        config.setdefault("pipeline", {})["trending"] = 79
        (parts / "config.json").write_text(json.dumps(config))
        other = write_bundle(parts, live.manifest, Path(folder) / "made")
        registry.publish(other.directory, channel="other")
    return [live.id, other.id]


def free_port() -> int:
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        return int(listener.getsockname()[1])


def main() -> None:
    """Run it, print what came out, and end with 1 where anything was lost."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("-C", "--directory", default="demo", help="the project; it is copied")
    parser.add_argument("--minutes", type=float, default=10)
    parser.add_argument("--clients", type=int, default=8)
    parser.add_argument("--pause", type=float, default=0.04, help="mean seconds between a client's requests")
    parser.add_argument("--workers", type=int, default=2)
    parser.add_argument("--swap", type=float, default=20, help="seconds between bundles")
    parser.add_argument("--log", action="store_true", help="append the table to benchmarks/LOG.md")
    arguments = parser.parse_args()
    console = Console()
    with TemporaryDirectory(prefix="savor-soak-") as name:
        folder = Path(name)
        folder.chmod(0o755)
        project = folder / "project"
        shutil.copytree(
            arguments.directory, project, ignore=shutil.ignore_patterns("raw", "cache", "training", "live.db*")
        )
        (folder / "postgres").mkdir()
        postgres = Postgres(folder / "postgres", free_port())
        registry = Registry(project / ".savor" / "registry")
        bundles = twin(registry)
        port = free_port()
        command = [sys.executable, "-m", "savor", "serve", "-C", str(project), "--port", str(port)]
        command += ["--workers", str(arguments.workers)]
        environment = {**os.environ, "SAVOR_DATABASE_URL": postgres.address}
        with (folder / "server.log").open("w") as log:
            server = subprocess.Popen(command, stdout=log, stderr=log, env=environment)
        try:
            rows, lost = soak(arguments, console, server, port, postgres, registry, bundles)
        except BaseException:
            console.print((folder / "server.log").read_text()[-3000:], markup=False)
            raise
        finally:
            server.terminate()
            server.wait(30)
            postgres.stop()
    table = Table("what", "measured", title="Soak")
    for row in rows:
        table.add_row(*row)
    console.print(table)
    if arguments.log:
        moment = datetime.now(UTC).strftime("%Y-%m-%d %H:%M")
        lines = ["| what | measured |", "|---|---|", *(f"| {what} | {value} |" for what, value in rows)]
        with LOG.open("a", encoding="utf-8") as written:
            written.write(f"\n## {moment} soak\n\n`python {' '.join(sys.argv)}`\n\n" + "\n".join(lines) + "\n")
    sys.exit(1 if lost else 0)


def soak(arguments, console, server, port, postgres, registry, bundles) -> tuple[list[tuple[str, str]], bool]:
    """The rows of the table, and whether anything was lost."""
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=30)
    for _ in range(600):
        try:
            connection.request("GET", "/ready")
            response = connection.getresponse()
            response.read()
            if response.status == 200:
                break
        except OSError:
            connection.close()
        if server.poll() is not None:
            sys.exit("the server ended before it was ready")
        time.sleep(0.1)
    connection.request("GET", "/users?limit=100")
    users = [user["user_id"] for user in json.loads(connection.getresponse().read())["users"]]
    items = Catalogue.load(registry.open().path("catalogue")).ids[:2000]
    clients = [Client(port, number, users, items, arguments.pause) for number in range(arguments.clients)]
    memory = Memory(server.pid)
    for thread in (*clients, memory):
        thread.start()
    started, length = time.monotonic(), arguments.minutes * 60
    plan = [(share * length, what) for share, what in ((0.25, "store"), (0.5, "store"), (0.75, "worker"))]
    restart, swaps, swap_at, told = None, 0, arguments.swap, 15.0
    killed: list[str] = []
    while (passed := time.monotonic() - started) < length:
        if passed >= swap_at:
            swaps += 1
            registry.activate(bundles[swaps % 2])
            swap_at += arguments.swap
        if plan and passed >= plan[0][0]:
            what = plan.pop(0)[1]
            killed.append(what)
            if what == "store":
                postgres.kill()
                restart = passed + DOWN_SECONDS
            elif workers := children(server.pid):
                os.kill(workers[0], signal.SIGKILL)
        if restart is not None and passed >= restart:
            postgres.start()
            restart = None
        if passed >= told:
            asked = sum(sum(client.answers.values()) for client in clients)
            console.print(f"{passed:5.0f} s  {asked:,} requests, {swaps} swaps, killed {killed}", highlight=False)
            told += 15
        time.sleep(0.2)
    for thread in (*clients, memory):
        thread.stopped.set()
    for thread in (*clients, memory):
        thread.join()
    return counted(clients, memory, postgres, swaps, killed)


def counted(clients, memory, postgres, swaps, killed) -> tuple[list[tuple[str, str]], bool]:
    """What all clients saw, beside what the store holds."""
    acknowledged = set().union(*(client.acknowledged for client in clients))
    missing = acknowledged
    for _ in range(60):
        with psycopg.connect(postgres.address) as database:
            held = {row[0] for row in database.execute("SELECT event_id FROM events WHERE event_id LIKE 'soak-%'")}
        missing = acknowledged - held
        if not missing:
            break
        time.sleep(1)
    answers: Counter[tuple[str, int]] = sum((client.answers for client in clients), Counter())
    bad = [text for client in clients for text in client.bad]
    taken = sorted(value for client in clients for value in client.milliseconds)
    quantiles = statistics.quantiles(taken, n=1000)
    rows = [
        ("recommendations", f"{len(taken):,}"),
        ("of these failed or empty", f"{len(bad)}" + (f": {bad[0]}" if bad else "")),
        ("latency at the client", f"p50 {quantiles[499]:.1f} ms, p99 {quantiles[989]:.1f} ms, most {taken[-1]:.0f} ms"),
        ("answers by status", ", ".join(f"{kind} {status}: {n:,}" for (kind, status), n in sorted(answers.items()))),
        ("sent once more over a new connection", f"{sum(client.repeated for client in clients)}"),
        ("events acknowledged", f"{len(acknowledged):,}"),
        ("of these not in the store", f"{len(missing)}"),
        ("bundles swapped", f"{swaps}"),
        ("killed", ", ".join(killed)),
    ]
    for process, seen in memory.seen.items():
        size = max(1, len(seen) // 5)
        early, late = seen[size : 2 * size] or seen, seen[-size:]
        means = [statistics.mean(value for _, value in part) for part in (early, late)]
        alive = seen[-1][0] - seen[0][0]
        rows.append((f"memory of process {process}", f"{means[0]:.0f} → {means[1]:.0f} MB in {alive:.0f} s"))
    return rows, bool(bad or missing)


if __name__ == "__main__":
    main()
