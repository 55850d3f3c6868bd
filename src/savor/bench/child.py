"""One training of one model in a process of its own, so that memory and the state of TensorFlow are its own."""

import json
import os
import subprocess
import sys
from dataclasses import asdict
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np

from savor.bench.config import read_benchmark
from savor.bench.memory import peak_megabytes
from savor.bench.outcome import Outcome
from savor.bench.prepare import prepare
from savor.bench.protocol import protocol_of
from savor.bench.suite import Suite
from savor.core.errors import SavorError, TrainingError
from savor.core.files import write_json_atomic
from savor.core.progress import console


def run_in_child(path: Path, suite: Suite, data: Path | None, model: str, seed: int) -> Outcome:
    """Train `model` of the benchmark in `path` with `seed` and let it answer, in a new process.

    Raises:
        TrainingError: the process failed; what it said is in the message.
    """
    with TemporaryDirectory(prefix="savor-bench-") as folder:
        request = {
            "path": str(path.absolute()),
            "root": str(suite.root.absolute()),
            "data": None if data is None else str(data.absolute()),
            "model": model,
            "seed": seed,
        }
        out = Path(folder)
        write_json_atomic(out / "request.json", request)
        done = subprocess.run([sys.executable, "-m", "savor.bench.child", folder], check=False, env=dict(os.environ))  # noqa: S603
        failure = out / "failure.txt"
        if done.returncode:
            reason = failure.read_text(encoding="utf-8") if failure.exists() else f"exit code {done.returncode}"
            raise TrainingError(f"{model}, seed {seed}: {reason}")
        report = json.loads((out / "report.json").read_text(encoding="utf-8"))
        with np.load(out / "answer.npz", allow_pickle=False) as stored:
            arrays = {name: stored[name] for name in stored.files}
    return Outcome(arrays, **report)


def _work(folder: Path) -> None:
    request = json.loads((folder / "request.json").read_text(encoding="utf-8"))
    benchmark = read_benchmark(Path(request["path"]))
    suite = Suite(Path(request["root"]))
    prepared = prepare(benchmark, suite, None if request["data"] is None else Path(request["data"]))
    kind, options = protocol_of(benchmark)
    (spec,) = benchmark.chosen((request["model"],), None)
    answer = kind.answer(prepared, options, spec, request["seed"], folder / "training")
    np.savez(folder / "answer.npz", **answer.arrays)  # type: ignore[arg-type]
    used = os.times()
    details = {**answer.details, "cpu_seconds": round(used.user + used.system, 1)}
    report = asdict(Outcome({}, answer.fit_seconds, answer.answer_seconds, peak_megabytes(), details))
    del report["arrays"]
    write_json_atomic(folder / "report.json", report)


def main() -> None:
    """Do what the request in the folder named on the command line says."""
    folder = Path(sys.argv[1])
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
    try:
        _work(folder)
    except SavorError as error:
        (folder / "failure.txt").write_text(str(error), encoding="utf-8")
        sys.exit(1)
    except Exception as error:  # noqa: BLE001
        console.print_exception()
        (folder / "failure.txt").write_text(f"{type(error).__name__}: {error}", encoding="utf-8")
        sys.exit(1)


if __name__ == "__main__":
    main()
