"""Seconds of a pass of SASRec over MovieLens-1M: Savor's beside RecTools', one after the other in one run.

python benchmarks/sequence_speed.py --data DIR --peer PATH/bin/python [--threads 1] [--rounds 1]

Both learn from the same split (5-core, leave-one-out, train and validation together) with the same network: width 64,
two blocks, two heads, histories of 200, dropout .2, softmax over all items. PATH is an environment with
benchmarks/peers/requirements-rectools.txt. Seconds of the processor are the ones to compare on a machine that does
other things, too.
"""

import argparse
import json
import os
import statistics
import subprocess
import sys
from pathlib import Path
from tempfile import TemporaryDirectory

from rich.console import Console
from rich.table import Table

HERE = Path(__file__).parent
NAME = "ml-1m-leave-one-out"
OURS = """
[[models]]
name = "transformer"
kind = "transformer"
passes = {passes}
[models.features]
history_length = 200
minimum_count = 1
user_id = false
session = false
moment = false
[models.sequence]
batch_tokens = {tokens}
precision = "{precision}"
"""


def ours(data: str, precision: str, tokens: int, environment: dict[str, str]) -> list[float]:
    """Seconds of the processor for a pass: what three passes take more than one, by two."""
    text = (HERE / "quality" / f"{NAME}.toml").read_text(encoding="utf-8")
    spent = []
    for passes in (1, 3):
        with TemporaryDirectory() as folder:
            path = Path(folder) / "speed.toml"
            model = OURS.format(precision=precision, tokens=tokens, passes=passes)
            path.write_text(text[: text.index("[[models]]")] + model, encoding="utf-8")
            command = [
                sys.executable,
                "-m",
                "savor",
                "bench",
                "quality",
                str(path),
                "--no-log",
                "--json",
                "--data",
                data,
            ]
            done = subprocess.run(command, cwd=HERE.parent, env=environment, check=True, capture_output=True)
        spent.append(json.loads(done.stdout)["models"][0]["details"]["cpu_seconds"])
    return [(spent[1] - spent[0]) / 2]


def theirs(python: str, data: str, threads: int, environment: dict[str, str]) -> list[float]:
    """The same of RecTools' second pass."""
    with TemporaryDirectory() as folder:
        split, lists = Path(folder) / "split", Path(folder) / "lists.npz"
        command = [sys.executable, "-m", "savor", "bench", "export-split", NAME, str(split), "--data", data]
        subprocess.run(command, cwd=HERE.parent, env=environment, check=True, capture_output=True)
        script = str(HERE / "peers" / "rectools_sasrec.py")
        command = [python, script, str(split), str(lists), "--epochs", "2", "--threads", str(threads)]
        done = subprocess.run(command, env=environment, check=True, capture_output=True, text=True)
    passes = [json.loads(line.replace("'", '"')) for line in done.stdout.splitlines() if line.startswith("{'seconds'")]
    return [entry["cpu_seconds"] for entry in passes[1:]]


def main() -> None:
    """Run both and print a table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", required=True, help="the folder above ml-1m")
    parser.add_argument("--peer", required=True, help="the Python with RecTools")
    parser.add_argument("--threads", type=int, default=1)
    parser.add_argument("--rounds", type=int, default=1)
    parser.add_argument("--tokens", type=int, default=4096, help="events in a step of Savor's")
    arguments = parser.parse_args()
    count = str(arguments.threads)
    threads = {"OMP_NUM_THREADS": count, "TF_NUM_INTRAOP_THREADS": count, "OMP_WAIT_POLICY": "PASSIVE"}
    environment = {**os.environ, **threads, "TF_CPP_MIN_LOG_LEVEL": "3"}
    spent: dict[str, list[float]] = {"Savor, float32": [], "Savor, bfloat16": [], "RecTools": []}
    for _ in range(arguments.rounds):
        for precision in ("float32", "bfloat16"):
            spent[f"Savor, {precision}"] += ours(arguments.data, precision, arguments.tokens, environment)
        spent["RecTools"] += theirs(arguments.peer, arguments.data, arguments.threads, environment)
    table = Table("", "CPU seconds a pass", "passes", title=f"SASRec on MovieLens-1M, {count} thread(s)")
    for name, values in spent.items():
        table.add_row(name, f"{statistics.median(values):.1f}", str(len(values)))
    Console().print(table)


if __name__ == "__main__":
    main()
