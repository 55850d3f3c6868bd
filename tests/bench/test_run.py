import threading
import time
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import numpy as np
import pytest

import savor.bench.prepare as prepare_module
from savor.bench.child import run_in_child
from savor.bench.config import read_benchmark
from savor.bench.core_filter import k_core
from savor.bench.log import append_run, read_runs
from savor.bench.prepare import prepare
from savor.bench.results import results_text, write_results
from savor.bench.run import run_benchmark
from savor.bench.table import number
from savor.core.errors import DataError, TrainingError


@pytest.fixture(autouse=True)
def few_threads(monkeypatch):
    monkeypatch.setenv("OMP_NUM_THREADS", "1")


def test_from_a_file_to_the_results(suite, data):
    path = suite.find("made-up")
    entry = run_benchmark(path, suite, data, command="savor bench quality made-up")
    models = {model.name: model for model in entry.models}
    assert models["knn"].mean("new", "hr@5") == 1.0
    popularity: Any = models["popularity"].figures["new"]
    knn: Any = models["knn"]
    assert 0 < popularity["hr@5"]["low"] <= popularity["hr@5"]["mean"] < popularity["hr@5"]["high"] < 1
    assert popularity["pooled_recall@5"]["mean"] == pytest.approx(popularity["hr@5"]["mean"])
    assert knn.differences["new"]["hr@5"]["mean"] == pytest.approx(popularity["hr@5"]["mean"] - 1)
    assert entry.protocol["questions"]["new"] == {"users": 40, "relevant": 40}
    assert entry.protocol["exclude_seen"] == {"new": True}
    assert len(entry.dataset["split_hash"]) == 64
    assert knn.peak_mb > 20

    suite.log.write_text("# Log\n\nwritten by hand\n")
    append_run(suite.log, entry)
    (read,) = read_runs(suite.log)
    assert read.models[1].mean("new", "hr@5") == 1.0
    text = write_results(suite).read_text()
    assert text == results_text(read_runs(suite.log))
    assert "| knn | 1.0000 [1.0000, 1.0000]" in text
    assert "*par: somebody (published)* | .5000" in text
    assert f"*goal: 1.1 × popularity* | {number(1.1 * popularity['hr@5']['mean'])} |" in text


def test_a_model_that_fails_is_recorded_and_the_others_go_on(suite, data, monkeypatch):
    def fails_for_knn(path, suite, data, model, seed):
        if model == "knn":
            raise TrainingError("knn, seed 7: no memory")
        return run_in_child(path, suite, data, model, seed)

    monkeypatch.setattr("savor.bench.run.run_in_child", fails_for_knn)
    entry = run_benchmark(suite.find("made-up"), suite, data, command="x")
    models = {model.name: model for model in entry.models}
    assert models["knn"].failed == "knn, seed 7: no memory"
    assert models["popularity"].figures


def test_a_self_check_says_whether_it_agrees(suite, data):
    path = suite.find("made-up")
    path.write_text(path.read_text().replace('kind = "item_knn"', 'kind = "item_knn"\nexpected = { "hr@5" = 0.7 }'))
    (knn,) = run_benchmark(path, suite, data, command="x", only=("knn",)).models
    assert knn.check["hr@5"] == {"expected": 0.7, "got": 1.0, "agrees": False}


def test_each_training_has_a_process_of_its_own(suite, data):
    ballast = np.ones(60_000_000)
    outcome = run_in_child(suite.find("made-up"), suite, data, "popularity", 7)
    assert outcome.peak_mb < ballast.nbytes / (1 << 20), "the peak is that of the child, not of this process"
    assert outcome.arrays["items/new"].shape == (40, 5)
    with pytest.raises(TrainingError, match="no model is called"):
        run_in_child(suite.find("made-up"), suite, data, "nobody", 7)


def test_absent_data_are_an_error_that_says_what_to_do(suite, tmp_path, monkeypatch):
    monkeypatch.delenv("SAVOR_BENCH_DATA", raising=False)
    benchmark = read_benchmark(suite.find("made-up"))
    for folder in (None, tmp_path / "nowhere"):
        with pytest.raises(DataError, match="SAVOR_BENCH_DATA"):
            prepare(benchmark, suite, folder)


def test_data_are_ingested_once(suite, data):
    benchmark = read_benchmark(suite.find("made-up"))
    first = prepare(benchmark, suite, data)
    stamp = (first.folder / "dataset" / "events.parquet").stat().st_mtime_ns
    again = prepare(benchmark, suite, data)
    assert (again.folder / "dataset" / "events.parquet").stat().st_mtime_ns == stamp
    cored = benchmark.model_copy(update={"dataset": benchmark.dataset.model_copy(update={"core": 6})})
    assert prepare(cored, suite, data).folder != first.folder


def test_k_core_by_hand():
    user = np.array([0, 0, 1, 1, 2, 2, 3])
    item = np.array([0, 1, 0, 1, 1, 2, 1])
    assert k_core(user, item, 2).tolist() == [True, True, True, True, False, False, False]
    assert not k_core(user, item, 9).any()


def test_two_runs_that_begin_together_prepare_the_data_once(suite, data, monkeypatch):
    benchmark = read_benchmark(suite.find("made-up"))
    begun = threading.Barrier(2)
    ingested = []
    original = prepare_module._ingest

    def slow(*arguments):
        ingested.append(arguments)
        time.sleep(0.2)
        original(*arguments)

    monkeypatch.setattr(prepare_module, "_ingest", slow)

    def run():
        begun.wait()
        return prepare(benchmark, suite, data).dataset.fingerprint

    with ThreadPoolExecutor(2) as pool:
        first, second = pool.submit(run), pool.submit(run)
        assert first.result() == second.result()
    assert len(ingested) == 1
