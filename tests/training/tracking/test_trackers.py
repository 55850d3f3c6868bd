"""One suite for every tracker: what was said can be read back from the files it leaves."""

import json
import socket
import struct
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

from savor.core.errors import MissingDependencyError
from savor.training.tracking.composed_tracker import ComposedTracker
from savor.training.tracking.flat_parameters import flat_parameters
from savor.training.tracking.mlflow_tracker import MlflowTracker
from savor.training.tracking.open_tracker import open_tracker
from savor.training.tracking.options import TrackingOptions
from savor.training.tracking.tensorboard_tracker import TensorBoardTracker
from savor.training.tracking.tracker import Tracker
from savor.training.tracking.wandb_tracker import WandbTracker


@dataclass
class Kept:
    """What was found in the files."""

    parameters: dict[str, str] = field(default_factory=dict)
    scalars: dict[str, list[tuple[int, float]]] = field(default_factory=dict)
    summary: dict[str, float] = field(default_factory=dict)
    artifacts: dict[str, str] = field(default_factory=dict)


def read_tensorboard(directory: Path) -> Kept:
    from tensorboard.backend.event_processing.event_accumulator import EventAccumulator  # type: ignore[import-untyped]
    from tensorboard.plugins.hparams.metadata import parse_session_start_info_plugin_data  # type: ignore[import-untyped]
    from tensorboard.util import tensor_util  # type: ignore[import-untyped]

    events = EventAccumulator(str(directory), size_guidance={"tensors": 0})
    events.Reload()
    kept = Kept()
    for tag in events.Tags()["tensors"]:
        metadata = events.SummaryMetadata(tag).plugin_data
        if metadata.plugin_name == "hparams":
            found = parse_session_start_info_plugin_data(metadata.content).hparams
            kept.parameters = {name: str(getattr(value, value.WhichOneof("kind"))) for name, value in found.items()}
        elif metadata.plugin_name == "scalars":
            points = [
                (event.step, float(tensor_util.make_ndarray(event.tensor_proto))) for event in events.Tensors(tag)
            ]
            if tag.startswith("final/"):
                kept.summary[tag.removeprefix("final/")] = points[-1][1]
            else:
                kept.scalars[tag] = points
    return kept


def records(path: Path) -> Iterator[bytes]:
    """The records of a .wandb file: LevelDB's log format behind a header of 7 bytes."""
    content, position, joined = path.read_bytes(), 7, b""
    while position + 7 <= len(content):
        if 32768 - position % 32768 < 7:
            position += 32768 - position % 32768
            continue
        length, kind = struct.unpack("<HB", content[position + 4 : position + 7])
        joined += content[position + 7 : position + 7 + length]
        position += 7 + length
        if kind in (1, 4):
            yield joined
            joined = b""


def read_wandb(directory: Path) -> Kept:
    from wandb.proto import wandb_internal_pb2

    def read(path: Path) -> list[Any]:
        return [wandb_internal_pb2.Record.FromString(content) for content in records(path)]

    kept = Kept()
    for path in sorted(directory.glob("wandb/offline-run-*/*.wandb")):
        # A process of wandb's own writes the file, and may end after the run has.
        until = time.monotonic() + 20
        while not any(record.HasField("exit") for record in read(path)) and time.monotonic() < until:
            time.sleep(0.05)
        for record in read(path):
            for part in (*record.run.config.update, *record.config.update):
                value = json.loads(part.value_json)
                kept.parameters["/".join(part.nested_key) or part.key] = str(value)
            row = {(part.nested_key[0] if part.nested_key else part.key): part for part in record.history.item}
            step = record.history.step.num
            for name, part in row.items():
                if not name.startswith("_"):
                    kept.scalars.setdefault(name, []).append((step, json.loads(part.value_json)))
            for part in record.summary.update:
                kept.summary[(part.nested_key[0] if part.nested_key else part.key)] = json.loads(part.value_json)
        for name in path.parent.glob("files/*.json"):
            kept.artifacts[name.name] = name.read_text()
    return kept


def read_mlflow(directory: Path) -> Kept:
    from mlflow.tracking import MlflowClient

    client = MlflowClient(tracking_uri=f"sqlite:///{directory / 'mlflow.db'}")
    (run,) = client.search_runs([client.get_experiment_by_name("shop").experiment_id])
    kept = Kept(dict(run.data.params))
    for name in run.data.metrics:
        points = [(metric.step, metric.value) for metric in client.get_metric_history(run.info.run_id, name)]
        name = name.replace("_at_", "@")
        if name.startswith("final/"):
            kept.summary[name.removeprefix("final/")] = points[-1][1]
        else:
            kept.scalars[name] = sorted(points)
    for path in directory.glob("artifacts/*/artifacts/*.json"):
        kept.artifacts[path.name] = path.read_text()
    return kept


MAKERS: dict[str, tuple[Callable[[Path], Tracker], Callable[[Path], Kept], bool]] = {
    "tensorboard": (TensorBoardTracker, read_tensorboard, False),
    "wandb": (lambda directory: WandbTracker(directory, project="shop", name="towers"), read_wandb, True),
    "mlflow": (lambda directory: MlflowTracker(directory, experiment="shop", name="towers"), read_mlflow, True),
}
PARAMETERS = {"retrieval": {"hidden": [64, 32], "temperature": 0.05, "model": "two_tower"}, "seed": 7}


def tell(tracker: Tracker, file: Path) -> None:
    tracker.parameters(PARAMETERS)
    tracker.scalars({"loss": 2.5}, 1)
    tracker.scalars({"loss": 2.25}, 2)
    tracker.scalars({"validation/ndcg@10": 0.125, "examples_per_second": 1000.0}, 2)
    tracker.scalars({"loss": 2.0, "validation/ndcg@10": 0.25}, 4)
    tracker.artifact(file)
    tracker.finish({"ndcg@10": 0.25})


@pytest.fixture(scope="module", params=MAKERS)
def kept(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> tuple[Kept, bool]:
    make, read, keeps_files = MAKERS[request.param]
    directory = tmp_path_factory.mktemp(request.param)
    file = directory / "history.json"
    file.write_text('{"epochs": []}')
    (directory / "store").mkdir()
    tell(make(directory / "store"), file)
    return read(directory / "store"), keeps_files


def test_scalars_are_read_back_with_their_steps(kept: tuple[Kept, bool]) -> None:
    scalars = kept[0].scalars
    assert scalars["loss"] == [(1, 2.5), (2, 2.25), (4, 2.0)]
    assert scalars["validation/ndcg@10"] == [(2, 0.125), (4, 0.25)]
    assert scalars["examples_per_second"] == [(2, 1000.0)]


def test_parameters_are_read_back(kept: tuple[Kept, bool]) -> None:
    parameters = kept[0].parameters
    assert float(parameters["seed"]) == 7
    assert parameters["retrieval.hidden"] == "[64, 32]"
    assert float(parameters["retrieval.temperature"]) == 0.05
    assert parameters["retrieval.model"] == "two_tower"


def test_the_summary_is_read_back(kept: tuple[Kept, bool]) -> None:
    assert kept[0].summary["ndcg@10"] == 0.25


def test_files_are_kept_where_the_tracker_keeps_files(kept: tuple[Kept, bool]) -> None:
    found, keeps_files = kept
    assert found.artifacts == ({"history.json": '{"epochs": []}'} if keeps_files else {})


def test_parameters_are_flat() -> None:
    flat = flat_parameters({"a": {"b": {"c": 1}, "d": [1, None]}, "e": True, "f": None})
    assert flat == {"a.b.c": 1, "a.d": "[1, null]", "e": True, "f": "null"}


class Broken:
    """A tracker whose service has gone."""

    def __init__(self) -> None:
        self.calls = 0

    def parameters(self, values: object) -> None:
        """Still well."""

    def scalars(self, values: object, step: int) -> None:
        self.calls += 1
        raise ConnectionError("the service has gone")

    def artifact(self, path: Path) -> None:
        raise AssertionError("told after it failed")

    def finish(self, summary: object, *, completed: bool = True) -> None:
        raise AssertionError("told after it failed")


class Listening:
    def __init__(self) -> None:
        self.heard: list[Any] = []

    def parameters(self, values: Any) -> None:
        self.heard.append(values)

    def scalars(self, values: Any, step: int) -> None:
        self.heard.append((values, step))

    def artifact(self, path: Path) -> None:
        self.heard.append(path)

    def finish(self, summary: Any, *, completed: bool = True) -> None:
        self.heard.append((summary, completed))


def test_a_tracker_that_fails_is_named_once_and_left_out(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    broken, listening = Broken(), Listening()
    tracker = ComposedTracker({"Broken service": broken, "listening": listening})
    tracker.scalars({"loss": 1.0, "bad": float("nan")}, 1)
    tracker.scalars({"loss": 0.5}, 2)
    tracker.artifact(tmp_path)
    tracker.finish({"best": float("inf")}, completed=False)
    assert broken.calls == 1
    assert listening.heard == [({"loss": 1.0}, 1), ({"loss": 0.5}, 2), tmp_path, ({}, False)]
    assert capsys.readouterr().err.count("Broken service") == 1


@pytest.mark.parametrize("package", ["wandb", "mlflow", "sqlalchemy"])
def test_a_missing_package_names_its_extra(package: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in [name for name in sys.modules if name.split(".")[0] == package]:
        monkeypatch.setitem(sys.modules, name, None)
    monkeypatch.setitem(sys.modules, package, None)
    with pytest.raises(MissingDependencyError, match=r"savor\[track\]"):
        open_tracker(TrackingOptions(wandb=package == "wandb", mlflow=package != "wandb"), tmp_path, "towers")


def test_a_store_that_cannot_be_used_does_not_keep_a_training_from_starting(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "file").write_text("not a folder")
    options = TrackingOptions(mlflow=True, mlflow_store=str(tmp_path / "file" / "store"))
    open_tracker(options, tmp_path / "work", "towers").scalars({"loss": 1.0}, 1)
    assert "MLflow cannot be used" in capsys.readouterr().err
    assert list((tmp_path / "work" / "tensorboard").glob("events.out.tfevents.*"))


def test_a_resumed_training_goes_on_with_its_run(tmp_path: Path) -> None:
    options = TrackingOptions(mlflow=True, mlflow_store=str(tmp_path / "store"), project="shop")
    first = open_tracker(options, tmp_path, "towers")
    first.scalars({"loss": 2.0}, 1)
    first.finish({}, completed=False)
    second = open_tracker(options, tmp_path, "towers", resume=True)
    second.scalars({"loss": 1.0}, 2)
    second.finish({"ndcg@10": 0.5})
    assert read_mlflow(tmp_path / "store").scalars["loss"] == [(1, 2.0), (2, 1.0)]


def test_where_things_are_kept(tmp_path: Path) -> None:
    def placed(**given: Any) -> TrackingOptions:
        return TrackingOptions(**given).placed(tmp_path, tmp_path / "default", "shop")

    assert placed().mlflow_store == str(tmp_path / "default")
    assert placed(mlflow_store="runs").mlflow_store == str(tmp_path / "runs")
    assert placed(mlflow_store="http://tracker:5000").mlflow_store == "http://tracker:5000"
    assert (placed().project, placed(project="mine").project) == ("shop", "mine")


OFFLINE = """
import socket, sys
from pathlib import Path

def connect(self, address, original=socket.socket.connect):
    if self.family != socket.AF_UNIX:
        raise AssertionError(f"opened a connection to {address}")
    return original(self, address)

socket.socket.connect = connect
socket.socket.connect_ex = connect

from savor.training.tracking.open_tracker import open_tracker
from savor.training.tracking.options import TrackingOptions

folder = Path(sys.argv[1])
tracker = open_tracker(TrackingOptions(wandb=True, mlflow=True), folder, "towers")
tracker.parameters({"seed": 1})
tracker.scalars({"loss": 1.0}, 1)
tracker.finish({"best": 1.0})
"""


def test_nothing_leaves_the_machine_and_nothing_is_printed(tmp_path: Path) -> None:
    """Python may open no connection, and native processes would go through a proxy that hears all of them."""
    heard: list[bytes] = []
    with socket.socket() as proxy:
        proxy.bind(("127.0.0.1", 0))
        proxy.listen()

        def listen() -> None:
            while True:
                try:
                    connection, _ = proxy.accept()
                except OSError:
                    return
                with connection:
                    heard.append(connection.recv(200))

        threading.Thread(target=listen, daemon=True).start()
        address = f"http://127.0.0.1:{proxy.getsockname()[1]}"
        environment = dict.fromkeys(("http_proxy", "https_proxy", "HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY"), address)
        done = subprocess.run(
            [sys.executable, "-c", OFFLINE, str(tmp_path)],
            capture_output=True,
            text=True,
            env={"PATH": "/usr/bin:/bin", "HOME": str(tmp_path), "TF_CPP_MIN_LOG_LEVEL": "3", **environment},
            check=False,
        )
        proxy.shutdown(socket.SHUT_RDWR)
    assert done.returncode == 0, done.stderr
    assert heard == []
    assert done.stdout == ""
    assert "wandb" not in done.stderr
    assert "mlflow" not in done.stderr.lower()
    assert read_wandb(tmp_path).scalars["loss"] == [(1, 1.0)]
