"""One project from raw tables to answers, as a person would do it: every step a process of its own."""

import json
import os
import shutil
import signal
import socket
import subprocess
import sys
import time
from pathlib import Path
from typing import Any
from urllib.request import Request, urlopen

import pyarrow.parquet as pq
import pytest

from savor.online.drift.reference import DriftReference
from tests.cli.shop import SMALL, write_tables

pytestmark = [pytest.mark.slow, pytest.mark.xdist_group("project")]
ENVIRONMENT = {**os.environ, "OMP_NUM_THREADS": "1", "TF_NUM_INTEROP_THREADS": "1", "TF_NUM_INTRAOP_THREADS": "1"}


def savor(*arguments: str, folder: Path, code: int = 0) -> subprocess.CompletedProcess[str]:
    done = subprocess.run(
        [sys.executable, "-m", "savor", *arguments, "-C", str(folder)],
        capture_output=True,
        text=True,
        env=ENVIRONMENT,
        check=False,
    )
    assert done.returncode == code, done.stderr
    return done


def answer(*arguments: str, folder: Path) -> Any:
    return json.loads(savor(*arguments, "--json", folder=folder).stdout)


@pytest.fixture(scope="module")
def project(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("shop")
    write_tables(folder)
    tables = {"--events": "sales.csv", "--items": "products.csv", "--users": "households.csv"}
    savor("init", *(part for name, file in tables.items() for part in (name, str(folder / file))), folder=folder)
    configuration = folder / "savor.toml"
    configuration.write_text(configuration.read_text().split("\n[retrieval]")[0] + SMALL)
    savor("run", folder=folder)
    return folder


def test_the_report_has_the_promised_shape(project: Path) -> None:
    report = json.loads((project / "reports" / "evaluation.json").read_text())
    assert {"protocol", "tasks"} <= set(report)
    for task in ("all", "new"):
        models = report["tasks"][task]
        assert {"pipeline", "popularity", "recent_popularity", "item_knn", "ease", "ials"} <= set(models)
        assert {"source: ann", "source: buy_again", "source: co_purchase", "source: trending"} <= set(models)
        for metrics in models.values():
            interval = metrics["ndcg@10"]
            assert 0 <= interval["low"] <= interval["mean"] <= interval["high"] <= 1
    assert "own_frequency" in report["tasks"]["all"]
    assert len(report["protocol"]["split_hash"]) == 64
    page = (project / "reports" / "evaluation.html").read_text()
    assert "<svg" in page or "data:image" in page
    assert "http://" not in page.replace("http://www.w3.org", "")


def test_repeat_buyers_are_understood(project: Path) -> None:
    tasks = json.loads((project / "reports" / "evaluation.json").read_text())["tasks"]["all"]
    assert tasks["pipeline"]["ndcg@10"]["mean"] > tasks["popularity"]["ndcg@10"]["high"]


def test_the_bundle_is_listed_with_its_figures(project: Path) -> None:
    (only,) = answer("bundles", folder=project)
    assert only["channels"] == ["live"]
    assert 0 < only["metrics"]["tasks"]["all"]["pipeline"]["ndcg@10"]["mean"] < 1


def test_the_bundle_knows_the_distributions_it_goes_out_with(project: Path) -> None:
    (file,) = (project / ".savor" / "registry" / "bundles").glob("*/drift.json")
    reference = DriftReference.load(file)
    assert {"score", "user.trips", "item.log_price"} <= reference.numbers.keys()
    assert all(0 < one.n <= 400 and one.counts.sum() > one.n for one in reference.numbers.values())


def test_recommendations_have_reasons_and_a_trace(project: Path) -> None:
    found = answer("recommend", "h1", "-n", "5", folder=project)
    assert len(found["recommendations"]) == 5
    assert found["fallback"] is None
    assert all(item["reason"]["text"] for item in found["recommendations"])
    assert found["trace"]["scorer"] == "ranker"
    similar = answer("similar", "p1", "-n", "4", folder=project)
    assert len({item["item_id"] for item in similar["similar_items"]} - {"p1"}) == 4


def test_batch_writes_a_list_for_everybody(project: Path, tmp_path: Path) -> None:
    out = tmp_path / "lists.parquet"
    savor("batch", "--out", str(out), "-n", "3", folder=project)
    table = pq.read_table(out)
    assert table.num_rows == 3 * len(set(table.column("user_id").to_pylist()))
    assert table.column("rank").to_pylist()[:3] == [1, 2, 3]


def test_the_server_answers_over_http_without_tensorflow(project: Path) -> None:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    process = subprocess.Popen(
        [sys.executable, "-m", "savor", "serve", "-C", str(project), "--port", str(port)],
        stderr=subprocess.DEVNULL,
        env=ENVIRONMENT,
    )
    try:
        body = json.dumps({"user_id": "h1", "num_recommendations": 4, "explain": True}).encode()
        request = Request(f"http://127.0.0.1:{port}/recommendations", body, {"Content-Type": "application/json"})
        found: Any = None
        for _ in range(600):
            assert process.poll() is None, "the server ended"
            try:
                with urlopen(request, timeout=10) as response:
                    found = json.load(response)
                break
            except OSError:
                time.sleep(0.05)
        assert len(found["recommendations"]) == 4
        maps = Path(f"/proc/{process.pid}/maps")
        if maps.exists():
            assert "tensorflow/libtensorflow" not in maps.read_text()
            assert "_pywrap_tensorflow" not in maps.read_text()
    finally:
        process.terminate()
        process.wait(30)


def test_a_training_killed_and_resumed_gives_the_same_models(project: Path, tmp_path: Path) -> None:
    whole, broken = tmp_path / "whole", tmp_path / "broken"
    for folder in (whole, broken):
        (folder / ".savor").mkdir(parents=True)
        (folder / ".savor" / "dataset").symlink_to(project / ".savor" / "dataset")
        text = (project / "savor.toml").read_text().replace("epochs = 2", "epochs = 6\ncheckpoint_seconds = 0.0")
        (folder / "savor.toml").write_text(text)
    expected = answer("train", "--stage", "retrieval", folder=whole)["models"]
    process = subprocess.Popen(
        [sys.executable, "-m", "savor", "train", "--stage", "retrieval", "-C", str(broken)],
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        env=ENVIRONMENT,
    )
    checkpoints = broken / ".savor" / "training" / "retrieval-work" / "checkpoints"
    deadline = time.monotonic() + 120
    while not (checkpoints.is_dir() and any(checkpoints.iterdir())):
        assert process.poll() is None, "the training ended before it could be killed"
        assert time.monotonic() < deadline
        time.sleep(0.01)
    process.send_signal(signal.SIGKILL)
    process.wait()
    assert not (broken / ".savor" / "training" / "retrieval").exists()
    resumed = answer("train", "--stage", "retrieval", "--resume", folder=broken)["models"]
    assert resumed == expected


def test_a_damaged_bundle_is_refused_by_name(project: Path, tmp_path: Path) -> None:
    copy = tmp_path / "copy"
    shutil.copytree(project / ".savor" / "registry", copy / ".savor" / "registry")
    vectors = next(copy.rglob("vectors/items.npy"))
    vectors.write_bytes(vectors.read_bytes()[:-10])
    refused = savor("recommend", "h1", folder=copy, code=1)
    assert "vectors/items.npy" in refused.stderr
    assert "Traceback" not in refused.stderr
