"""Real servers, started for tests on free ports with nothing of the machine's own."""

import os
import shutil
import signal
import socket
import subprocess
import tempfile
import time
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import NullPool, create_engine


def free_port() -> int:
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        return int(listener.getsockname()[1])


class PostgresServer:
    """A PostgreSQL server in a temporary folder; not started by making one.

    Args:
        durable: whether it waits for the disk, as it does for people.
    """

    def __init__(self, durable=True):
        found = shutil.which("initdb") or next(
            (str(path) for path in _newest("/usr/lib/postgresql/*/bin/initdb")), None
        )
        if found is None:
            pytest.skip("PostgreSQL is not installed (apt-get install postgresql)")
        self.programs = Path(found).resolve().parent
        self.folder = Path(tempfile.mkdtemp(prefix="savor-postgresql-"))
        self.who: dict[str, Any] = (
            {"user": "postgres", "group": "postgres", "extra_groups": []} if os.geteuid() == 0 else {}
        )
        if self.who:
            shutil.chown(self.folder, "postgres", "postgres")
        self.port = free_port()
        self.process: Any = None
        self.settings = [f"port={self.port}", "listen_addresses=127.0.0.1", "unix_socket_directories=", "jit=off"]
        self.settings += [] if durable else ["fsync=off"]
        options = ["-A", "trust", "-U", "savor", "--no-sync", "--no-locale", "-E", "UTF8"]
        self._run("initdb", "-D", "data", *options)

    def url(self):
        return f"postgresql://savor@127.0.0.1:{self.port}/postgres"

    @contextmanager
    def connected(self):
        engine = create_engine(self.url().replace("://", "+psycopg://"), poolclass=NullPool)
        with engine.begin() as connection:
            yield connection

    def start(self):
        for _ in range(50):
            settings = [part for setting in self.settings for part in ("-c", setting)]
            command = [str(self.programs / "postgres"), "-D", "data", *settings]
            self.process = subprocess.Popen(
                command, cwd=self.folder, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, **self.who
            )
            while self.process.poll() is None:
                if self._answers():
                    return
                time.sleep(0.02)
            time.sleep(0.1)  # the processes of a server that was killed are still going
        pytest.fail("PostgreSQL does not start")

    def kill(self):
        self.process.send_signal(signal.SIGKILL)
        self.process.wait()

    def freeze(self):
        self._signal_all(signal.SIGSTOP)

    def thaw(self):
        self._signal_all(signal.SIGCONT)

    def close(self):
        if self.process is not None and self.process.poll() is None:
            self.process.send_signal(signal.SIGQUIT)
            self.process.wait()
        shutil.rmtree(self.folder, ignore_errors=True)

    def _signal_all(self, number):
        children = subprocess.run(["ps", "-o", "pid=", "--ppid", str(self.process.pid)], capture_output=True, text=True)
        for process in [self.process.pid, *map(int, children.stdout.split())]:
            os.kill(process, number)

    def _answers(self):
        return (
            subprocess.run([self.programs / "pg_isready", "-h", "127.0.0.1", "-p", str(self.port), "-q"]).returncode
            == 0
        )

    def _run(self, program, *arguments):
        command = [str(self.programs / program), *arguments]
        subprocess.run(command, cwd=self.folder, check=True, stdout=subprocess.DEVNULL, **self.who)


class RedisServer:
    """A Redis server that keeps nothing on disk; not started by making one."""

    def __init__(self):
        program = shutil.which("redis-server")
        if program is None:
            pytest.skip("Redis is not installed (apt-get install redis-server)")
        self.program, self.port = program, free_port()
        self.process: Any = None

    @property
    def url(self):
        return f"redis://127.0.0.1:{self.port}/0"

    def start(self):
        command = [self.program, "--port", str(self.port), "--bind", "127.0.0.1", "--save", "", "--appendonly", "no"]
        self.process = subprocess.Popen(command, stdout=subprocess.DEVNULL, cwd=tempfile.gettempdir())
        for _ in range(500):
            try:
                with socket.create_connection(("127.0.0.1", self.port), 1) as connection:
                    connection.sendall(b"PING\r\n")
                    if connection.recv(7) == b"+PONG\r\n":
                        return
            except OSError:
                time.sleep(0.01)
        pytest.fail("Redis does not start")

    def kill(self):
        self.process.kill()
        self.process.wait()

    def close(self):
        if self.process is not None and self.process.poll() is None:
            self.kill()


def _newest(pattern):
    return sorted(Path("/").glob(pattern.lstrip("/")), key=lambda path: int(path.parts[4]), reverse=True)
