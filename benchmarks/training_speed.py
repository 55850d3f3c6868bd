"""Examples per second of Savor's two-tower training beside the same model written plainly in Keras, in one run.

python benchmarks/training_speed.py --data ../shared/data         # MovieLens-1M
python benchmarks/training_speed.py --dataset demo/.savor/dataset  # what `savor ingest` wrote
python benchmarks/training_speed.py --tables                      # row-wise updates of large embedding tables
"""

import argparse
import os
import platform
import statistics
import sys
import time
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")

import keras
import numpy as np
import pyarrow.parquet as pq
import tensorflow as tf
from keras import ops

from savor.data.dataset import Dataset
from savor.data.events import Events
from savor.data.histories import Histories
from savor.features.catalogue import Catalogue
from savor.features.columns import CategoryColumn, Columns, TagColumn
from savor.features.feature_space import FeatureSpace
from savor.features.options import FeatureOptions
from savor.features.profiles import Profiles
from savor.training.example_source import ExamplesInMemory
from savor.training.negatives.build import build_negatives
from savor.training.retrieval_examples import RetrievalExamples
from savor.training.retrieval_options import RetrievalOptions
from savor.training.retrieval_run import RetrievalRun
from savor.training.row_embedding import RowEmbedding
from savor.training.tower_optimizer import TowerOptimizer
from savor.training.towers import build_tower
from savor.training.training_options import TrainingOptions
from savor.training.two_tower_options import TwoTowerOptions

LOG = Path(__file__).parent / "LOG.md"
TEMPERATURE = 0.05

Pace = dict[str, list[tuple[float, float]]]
"""Examples a second by the clock, and a second of processor time, of each turn."""


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", type=Path, default=os.environ.get("SAVOR_BENCH_DATA"), help="folder with ml-1m")
    parser.add_argument("--dataset", type=Path, help="folder that savor ingest wrote")
    parser.add_argument("--tables", action="store_true", help="measure optimizers on large tables instead")
    parser.add_argument("--batch", type=int, default=4096)
    parser.add_argument("--hidden", type=int, nargs="+", default=[1024, 512])
    parser.add_argument("--dimension", type=int, default=128)
    parser.add_argument("--history", type=int, default=50)
    parser.add_argument("--precision", default="none", choices=["none", "bfloat16", "auto"], help="Savor's")
    parser.add_argument("--steps", type=int, default=12, help="steps in a turn")
    parser.add_argument("--turns", type=int, default=5, help="turns of each, alternating")
    parser.add_argument("--log", action="store_true", help="append the table to benchmarks/LOG.md")
    arguments = parser.parse_args()
    if arguments.tables:
        title, lines = "training speed, large tables", tables(arguments)
    elif arguments.dataset is not None:
        dataset = Dataset.open(arguments.dataset)
        parts = dataset.events, Catalogue.from_dataset(dataset), Profiles.from_dataset(dataset)
        title, lines = "training speed", towers(*parts, arguments)
    elif arguments.data is not None:
        title, lines = "training speed, MovieLens-1M", towers(*movielens(Path(arguments.data) / "ml-1m"), arguments)
    else:
        parser.error("one of --data, --dataset and --tables is needed")
    print("\n".join(lines))
    if arguments.log:
        moment = datetime.now(UTC).strftime("%Y-%m-%d %H:%M")
        machine = f"{os.cpu_count()} processors, {platform.machine()}, TensorFlow {tf.__version__}"
        with LOG.open("a", encoding="utf-8") as log:
            heading = f"\n## {moment} {title}\n\n`python {' '.join(sys.argv)}` · {machine}\n\n"
            log.write(heading + "\n".join(lines) + "\n")


def movielens(folder: Path) -> tuple[Events, Catalogue, Profiles]:
    """MovieLens-1M as columns: films with genres and year, users with gender, age and occupation."""
    films = [line.split("::") for line in (folder / "movies.dat").read_text("latin-1").splitlines()]
    people = [line.split("::") for line in (folder / "users.dat").read_text("latin-1").splitlines()]
    number = {int(film[0]): row for row, film in enumerate(films)}
    table = pq.read_table(folder / "ratings.parquet")
    column = {name: table.column(name).to_numpy() for name in ("user", "movie", "rating", "ts_est", "pos")}
    order = np.lexsort((column["pos"], column["ts_est"]))
    count = len(order)
    events = Events(
        (column["user"][order] - 1).astype(np.int32),
        np.asarray([number[int(movie)] for movie in column["movie"][order]], np.int32),
        column["ts_est"][order].astype(np.int64),
        np.zeros(count, np.uint8),
        column["rating"][order].astype(np.float32),
        np.full(count, np.nan, np.float32),
        np.full(count, -1, np.int64),
        np.zeros(count, np.uint8),
    )
    genres = [film[2].split("|") for film in films]
    catalogue = Catalogue(
        [film[0] for film in films],
        [film[1] for film in films],
        {"genre": CategoryColumn.from_strings([names[0] for names in genres])},
        {"genres": TagColumn.from_lists(genres)},
        {"year": np.asarray([float(film[1][-5:-1]) for film in films], np.float32)},
        np.full(len(films), np.nan, np.float32),
        np.ones(len(films), np.bool_),
        None,
    )
    categories = {
        name: CategoryColumn.from_strings([person[position] for person in people])
        for position, name in enumerate(("gender", "age", "occupation"), start=1)
    }
    return events, catalogue, Profiles([person[0] for person in people], Columns(categories, {}, {}))


class Plain(keras.Model):  # type: ignore[misc]
    """The two towers as a tutorial would train them: in-batch softmax, Adam, nothing else."""

    def __init__(self, space: FeatureSpace, options: RetrievalOptions) -> None:
        super().__init__()
        self.user = build_tower("user", space.user_signature, options, 0)
        self.item = build_tower("item", space.item_signature, options, 1)

    def call(self, inputs: Any) -> Any:
        users, items = inputs
        return ops.matmul(self.user(users), ops.transpose(self.item(items))) / TEMPERATURE


def plain_data(examples: RetrievalExamples, histories: Histories, space: FeatureSpace, batch: int) -> Any:
    """A tf.data pipeline over inputs that were made once and are held whole: shuffled, batched, prefetched."""
    users = space.user_inputs(examples.user, histories, examples.now, examples.end)
    items = space.item_inputs(examples.item)
    columns = tf.nest.map_structure(tf.constant, (users, items))

    def inputs(rows: Any) -> Any:
        return tf.nest.map_structure(lambda column: tf.gather(column, rows), columns), tf.range(batch)

    rows = tf.data.Dataset.range(len(examples)).shuffle(len(examples), seed=0).repeat()
    return rows.batch(batch, drop_remainder=True).map(inputs, num_parallel_calls=1).prefetch(2)


def towers(events: Events, catalogue: Catalogue, profiles: Profiles, arguments: argparse.Namespace) -> list[str]:
    space = FeatureSpace.fit(events, catalogue, profiles, FeatureOptions(history_length=arguments.history))
    histories = Histories.from_events(events, len(profiles))
    examples = RetrievalExamples.from_events(events, histories, len(catalogue))
    options = RetrievalOptions(
        embedding_dimension=arguments.dimension,
        hidden=tuple(arguments.hidden),
        batch_size=arguments.batch,
        temperature=TEMPERATURE,
    )
    every = TwoTowerOptions(options, training=TrainingOptions(mixed_precision=arguments.precision))
    plan = build_negatives(events, histories, space, every)
    run = RetrievalRun(ExamplesInMemory(examples, histories, 0), space, every, plan, 0)
    plain = Plain(space, options)
    plain.compile(
        keras.optimizers.Adam(), keras.losses.SparseCategoricalCrossentropy(from_logits=True), jit_compile=False
    )
    pace = alternate(run, plain, plain_data(examples, histories, space, arguments.batch), arguments)
    size = f"{len(examples):,} examples, {len(catalogue):,} items, {len(profiles):,} users, batch {arguments.batch}"
    widths = f"towers {'-'.join(map(str, [*arguments.hidden, arguments.dimension]))}, history {arguments.history}"
    turns = f"median of {arguments.turns} alternating turns of {arguments.steps} steps"
    return [
        f"{size}, {widths}, precision {arguments.precision}; {turns}",
        "",
        "| | examples/s | lowest–highest | a pass | examples per second of processor time |",
        "|---|---|---|---|---|",
        *(row(name, values, len(examples)) for name, values in pace.items()),
        "",
        f"Ratio {ratio(pace, 0)} by the clock, {ratio(pace, 1)} in processor time.",
    ]


def row(name: str, pace: list[tuple[float, float]], examples: int) -> str:
    clock, processor = (statistics.median(values) for values in zip(*pace, strict=True))
    lowest, highest = min(pace)[0], max(pace)[0]
    return f"| {name} | {clock:,.0f} | {lowest:,.0f}–{highest:,.0f} | {examples / clock:.0f} s | {processor:,.0f} |"


def ratio(pace: Pace, which: int) -> str:
    """Savor's pace over the other's, turn by turn: median, lowest and highest."""
    pairs = zip(pace["Savor"], pace["plain Keras"], strict=True)
    ratios = [ours[which] / theirs[which] for ours, theirs in pairs]
    return f"{statistics.median(ratios):.2f} ({min(ratios):.2f}–{max(ratios):.2f})"


class Turns(keras.callbacks.Callback):  # type: ignore[misc]
    """Before each turn of `fit`, one of Savor's; keeps the seconds of both, by the clock and of processor time."""

    def __init__(self, ours: Callable[[], None]) -> None:
        super().__init__()
        self.ours = ours
        self.seconds: dict[str, list[tuple[float, float]]] = {"Savor": [], "plain Keras": []}
        self.started = (0.0, 0.0)

    def on_epoch_begin(self, epoch: int, logs: Any = None) -> None:  # noqa: ARG002
        self.started = time.perf_counter(), time.process_time()
        self.ours()
        self._ended("Savor")

    def on_epoch_end(self, epoch: int, logs: Any = None) -> None:  # noqa: ARG002
        self._ended("plain Keras")

    def _ended(self, name: str) -> None:
        now = time.perf_counter(), time.process_time()
        self.seconds[name].append((now[0] - self.started[0], now[1] - self.started[1]))
        self.started = now


def alternate(run: RetrievalRun, plain: Plain, data: Any, arguments: argparse.Namespace) -> Pace:
    """The pace of each, turn by turn, after one turn to warm up."""

    def ours() -> None:
        for _ in range(arguments.steps):
            run.step()

    turns = Turns(ours)
    plain.fit(data, steps_per_epoch=arguments.steps, epochs=arguments.turns + 1, verbose=0, callbacks=[turns])
    examples = arguments.steps * arguments.batch
    return {name: [(examples / a, examples / b) for a, b in values[1:]] for name, values in turns.seconds.items()}


def tables(arguments: argparse.Namespace) -> list[str]:
    """Updates of one embedding table by a batch of users with their histories, row by row and by dense Adam."""
    batch = f"a batch of {arguments.batch} × {arguments.history} rows by a Zipf law"
    lines = [
        f"Width 32, {batch}; processor time, median of {arguments.turns} alternating turns of {arguments.steps} steps",
        "",
        "| rows | row-wise Adagrad, ms a step | dense Adam, ms a step | ratio | state, row-wise | state, Adam |",
        "|---|---|---|---|---|---|",
    ]
    for rows in (200_000, 1_000_000):
        updates = {
            "row-wise": table_update(rows, arguments, large=True),
            "Adam": table_update(rows, arguments, large=False),
        }
        seconds: dict[str, list[float]] = {name: [] for name in updates}
        for turn in range(arguments.turns + 1):
            for name, (update, _) in updates.items():
                started = time.process_time()
                for step in range(arguments.steps):
                    update(turn * arguments.steps + step)
                if turn:
                    seconds[name].append((time.process_time() - started) / arguments.steps * 1000)
        median = {name: statistics.median(values) for name, values in seconds.items()}
        state = {name: f"{size / 1e6:.0f} MB" for name, (_, size) in updates.items()}
        lines.append(
            f"| {rows:,} | {median['row-wise']:.1f} | {median['Adam']:.1f} | {median['Adam'] / median['row-wise']:.1f} "
            f"| {state['row-wise']} | {state['Adam']} |"
        )
    return lines


def table_update(rows: int, arguments: argparse.Namespace, *, large: bool) -> tuple[Callable[[int], None], int]:
    """What updates a table of `rows` in step number n, and the bytes of the optimizer's state."""
    layer = (RowEmbedding if large else keras.layers.Embedding)(rows, 32, name="item_embedding")
    layer.build()
    weights = layer.trainable_variables
    optimizer: Any = TowerOptimizer(weights, rate=0.001, table_rate=0.02, steps=100_000)
    if not large:
        optimizer = keras.optimizers.Adam(0.001)
        optimizer.build(weights)

    @tf.function
    def step(used: Any) -> None:
        with tf.GradientTape() as tape:
            loss = tf.reduce_sum(layer(used) ** 2)
        gradients = tape.gradient(loss, weights)
        optimizer.apply(gradients if large else [tf.convert_to_tensor(gradient) for gradient in gradients], weights)

    draws = [np.random.default_rng(n).zipf(1.1, (arguments.batch, arguments.history)) % rows for n in range(4)]
    batches = [tf.constant(ids, tf.int32) for ids in draws]

    def update(number: int) -> None:
        step(batches[number % len(batches)])

    return update, sum(int(np.prod(value.shape)) * 4 for value in optimizer.variables if len(value.shape))


if __name__ == "__main__":
    main()
