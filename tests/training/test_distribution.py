import json
import os
import socket
import subprocess
import sys
from pathlib import Path

import pytest

from savor.core.errors import ConfigError
from savor.training.distribution import is_chief

ROOT = Path(__file__).parents[2]


def config(workers, kind, index, **more):
    return json.dumps({"cluster": {"worker": workers, **more}, "task": {"type": kind, "index": index}})


def test_who_writes(monkeypatch):
    assert is_chief("none")
    assert is_chief("mirrored")
    two = ["a:1", "b:1"]
    for value, expected in [
        (config(two, "worker", 0), True),
        (config(two, "worker", 1), False),
        (config(two, "worker", 0, chief=["c:1"]), False),
        (config(two, "chief", 0, chief=["c:1"]), True),
    ]:
        monkeypatch.setenv("TF_CONFIG", value)
        assert is_chief("multiworker") is expected


@pytest.mark.parametrize("value", [None, "{}", "nonsense", config(["a:1"], "worker", 1), '{"cluster": 1, "task": 2}'])
def test_a_missing_or_wrong_tf_config_says_what_is_needed(monkeypatch, value):
    monkeypatch.delenv("TF_CONFIG", raising=False)
    if value is not None:
        monkeypatch.setenv("TF_CONFIG", value)
    with pytest.raises(ConfigError, match="TF_CONFIG"):
        is_chief("multiworker")


def start(directory, distribute, **environment):
    command = [sys.executable, "-W", "ignore", "-m", "tests.training.distributed_training", str(directory), distribute]
    return subprocess.Popen(
        command, cwd=ROOT, env={**os.environ, **environment}, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    )


def answer(process):
    out, err = process.communicate(timeout=300)
    assert process.returncode == 0, err[-3000:]
    return json.loads(out.splitlines()[-1])


@pytest.fixture(scope="module")
def alone(tmp_path_factory):
    return answer(start(tmp_path_factory.mktemp("alone"), "none"))


def agree(one, other):
    for mine, theirs in zip(one["metrics"], other["metrics"], strict=True):
        assert mine == pytest.approx(theirs, rel=2e-4)
    assert one["vectors"] == pytest.approx(other["vectors"], rel=2e-4)


@pytest.mark.slow
@pytest.mark.xdist_group("distributed")
def test_two_worker_processes_come_to_the_losses_of_one(alone, tmp_path):
    ports = []
    for _ in range(2):
        with socket.socket() as free:
            free.bind(("127.0.0.1", 0))
            ports.append(free.getsockname()[1])
    workers = [f"127.0.0.1:{port}" for port in ports]
    folders = [tmp_path / name for name in ("first", "second")]
    processes = [
        start(folder, "multiworker", TF_CONFIG=config(workers, "worker", index)) for index, folder in enumerate(folders)
    ]
    first, second = map(answer, processes)
    agree(first, alone)
    assert first["metrics"] == second["metrics"]
    assert first["files"] == ["retrieval_history.json"]
    assert second["files"] == []


@pytest.mark.slow
@pytest.mark.xdist_group("distributed")
def test_two_devices_come_to_the_losses_of_one(alone, tmp_path):
    agree(answer(start(tmp_path, "mirrored")), alone)
