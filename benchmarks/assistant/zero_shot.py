"""Items that nobody has had yet, found by their words alone, beside what popularity can say of them.

python benchmarks/assistant/zero_shot.py --data data        # some minutes; data: the folder with online-retail

Two tasks on each data set; only unseen items are ranked, all of them, for people with a history:

- arrivals: items of the catalogue without any event before the test period. Relevant: those a person then took.
- hidden: a fifth of all items, drawn by a seed, is taken out of everything that is known; relevant are those of them
  that a person took in the test period.

Nothing is trained. Settings are chosen on the validation period by NDCG@10, and the test period is looked at once.
Many items have the same words, and popularity knows the same of many: ties are broken by lot, the same lots for all.
"""

import argparse
import itertools
import json
import os
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import scipy.sparse as sp
from numpy.typing import NDArray

from savor.bench.config import read_benchmark
from savor.bench.prepare import prepare
from savor.bench.suite import Suite
from savor.data.dataset import Dataset
from savor.data.splits import TEST, VALIDATION
from savor.evaluation.bootstrap import Bootstrap
from savor.evaluation.hits import hits_of_ranks
from savor.evaluation.metrics import accuracy
from savor.features.text.cache import TextCache
from savor.features.text.open_encoder import open_text_encoder
from savor.features.text.options import TextEncoderOptions
from savor.models.text_affinity import text_affinity

DAY = 86_400
METRICS = ("recall_min@10", "ndcg@10", "hr@10")
SEED = 7
Scores = NDArray[np.float32]


@dataclass
class Question:
    """One task at one moment: Q people, C unseen items, and what is known."""

    users: NDArray[np.int64]
    candidates: NDArray[np.int64]
    indptr: NDArray[np.int64]
    relevant: NDArray[np.int32]
    now: int
    known_user: NDArray[np.int32]
    known_item: NDArray[np.int32]
    known_time: NDArray[np.int64]
    asked_item: NDArray[np.int32]

    @classmethod
    def of(cls, dataset: Dataset, target: int, task: str) -> "Question":
        events, size = dataset.events, len(dataset.item_ids)
        now = int(dataset.split["test_start" if target == TEST else "validation_start"])
        before, asked = events.split < target, events.split == target
        hidden = np.random.default_rng(SEED).random(size) < 0.2
        unseen = np.ones(size, bool)
        if task == "hidden":
            before &= ~hidden[events.item]
            unseen = hidden
        else:
            unseen[events.item[before]] = False
        asked &= unseen[events.item]
        known_people = np.zeros(len(dataset.user_ids), bool)
        known_people[events.user[before]] = True
        asked &= known_people[events.user]
        candidates = np.flatnonzero(unseen)
        place = np.full(size, -1, np.int64)
        place[candidates] = np.arange(len(candidates))
        pairs = np.unique(events.user[asked].astype(np.int64) * len(candidates) + place[events.item[asked]])
        users, first = np.unique(pairs // len(candidates), return_index=True)
        indptr = np.append(first, len(pairs)).astype(np.int64)
        relevant = (pairs % len(candidates)).astype(np.int32)
        kept = events.user[before], events.item[before], events.time[before]
        return cls(users, candidates, indptr, relevant, now, *kept, events.item[asked])

    def weights(self, columns: NDArray[np.int64], width: int, half_life: float | None) -> Any:
        """(Q, width) sparse: how much each person had of each column of items, later counting more; rows sum to 1."""
        row = np.full(int(max(self.users.max(), self.known_user.max())) + 1, -1)
        row[self.users] = np.arange(len(self.users))
        mine = row[self.known_user] >= 0
        age = (self.now - self.known_time[mine]) / DAY
        weight = np.ones(len(age)) if half_life is None else 2.0 ** (-age / half_life)
        cells = (weight, (row[self.known_user[mine]], columns[self.known_item[mine]]))
        made = sp.csr_matrix(cells, (len(self.users), width), dtype=np.float32)
        return sp.diags(1 / np.maximum(np.asarray(made.sum(axis=1)).ravel(), 1e-9)).astype(np.float32) @ made

    def sales(self, columns: NDArray[np.int64], width: int, days: float | None) -> NDArray[np.float32]:
        recent = slice(None) if days is None else self.known_time >= self.now - days * DAY
        return np.bincount(columns[self.known_item[recent]], minlength=width).astype(np.float32)

    def measured(self, scores: Scores) -> dict[str, NDArray[np.float64]]:
        """Per person, with ties broken by lot."""
        lot = np.random.default_rng(SEED).permutation(scores.shape[1])
        ranks = np.empty(len(self.relevant), np.int64)
        for row, (start, end) in enumerate(itertools.pairwise(self.indptr)):
            own, drawn = self.relevant[start:end], np.roll(lot, 997 * row)
            better = scores[row] > scores[row, own][:, None]
            better |= (scores[row] == scores[row, own][:, None]) & (drawn < drawn[own][:, None])
            ranks[start:end] = 1 + better.sum(axis=1)
        return accuracy(hits_of_ranks(ranks, self.indptr, 10), np.diff(self.indptr), [10])


@dataclass
class Shop:
    """A data set with what its items are called, encoded."""

    name: str
    dataset: Dataset
    categories: list[NDArray[np.int64]]
    texts: dict[str, tuple[NDArray[np.int64], NDArray[np.float32]]]

    @classmethod
    def open(cls, name: str, dataset: Dataset, encode: Callable[[list[str]], NDArray[np.float32]]) -> "Shop":
        table = {column: dataset.items.column(column).to_pylist() for column in dataset.items.column_names}
        schema = dataset.schema.items
        assert schema is not None
        named = [column for column in schema.categories if not column.endswith("_id")]
        written = {"declared words": list(schema.text)}
        if schema.name is not None and [schema.name] != list(schema.text):
            written["name and categories"] = [schema.name, *named]
        texts = {}
        for kind, columns in written.items():
            rows = [
                ", ".join(dict.fromkeys(str(cell) for cell in cells if cell))
                for cells in zip(*(table[one] for one in columns), strict=True)
            ]
            distinct, code = np.unique(np.asarray(rows, dtype=object), return_inverse=True)
            vectors = encode(list(distinct))
            vectors[distinct == ""] = 0
            texts[kind] = code.astype(np.int64), vectors
        codes = [
            np.unique(np.asarray([cell or "" for cell in table[column]], dtype=object), return_inverse=True)[1]
            for column in schema.categories
            if not column.endswith("_id") and column != "brand"
        ]
        return cls(name, dataset, codes, texts)


Model = tuple[str, dict[str, Any], Callable[[Question], Scores]]


def everybody(question: Question, scores: NDArray[np.float32]) -> Scores:
    return np.broadcast_to(scores.astype(np.float32), (len(question.users), len(question.candidates)))


def models(shop: Shop) -> Iterator[Model]:
    """(name, settings, scorer); those of one name are chosen among on validation."""
    yield (
        "by lot (all that popularity knows of an unseen item)",
        {},
        lambda q: everybody(q, np.zeros(len(q.candidates))),
    )
    for codes, days in itertools.product(shop.categories[-1:], (28, None)):
        yield (
            "popularity of the item's category",
            {"days": days},
            lambda q, c=codes, d=days: everybody(q, q.sales(c, int(c.max()) + 1, d)[c[q.candidates]]),
        )
    for codes, half_life in itertools.product(shop.categories[-1:], (28, 91, None)):
        yield (
            "the person's own categories, by frequency",
            {"half_life": half_life},
            lambda q, c=codes, h=half_life: np.asarray(
                q.weights(c, int(c.max()) + 1, h)[:, c[q.candidates]].todense(), np.float32
            ),
        )
    for kind, (codes, vectors) in shop.texts.items():
        for days, sharp in itertools.product((28, None), (16, 32)):
            yield (
                "popularity of items with near words",
                {"text": kind, "days": days, "sharpness": sharp},
                (lambda q, c=codes, v=vectors, d=days, s=sharp: everybody(q, near_sales(q, c, v, d, s))),
            )
        for half_life in (28, 91, None):
            yield (
                "words: mean vector",
                {"text": kind, "half_life": half_life},
                (lambda q, c=codes, v=vectors, h=half_life: mean_vector(q, c, v, h)),
            )
        for half_life, sharp in itertools.product((28, 91, None), (8, 16, 32, 64)):
            settings = {"text": kind, "half_life": half_life, "sharpness": sharp}
            yield (
                "words: nearest of what the person had",
                settings,
                (lambda q, c=codes, v=vectors, h=half_life, s=sharp: near(q, c, v, h, s)),
            )
            for power in (0.25, 0.5, 1.0):
                yield (
                    "words: nearest, times popularity of near words",
                    {**settings, "power": power},
                    (
                        lambda q, c=codes, v=vectors, h=half_life, s=sharp, p=power: (
                            near(q, c, v, h, s) * (1 + near_sales(q, c, v, 28, 32)) ** p
                        )
                    ),
                )


_kept: dict[Any, NDArray[np.float32]] = {}


def kept(key: Any, make: Callable[[], NDArray[np.float32]]) -> NDArray[np.float32]:
    """Several settings share what is costly."""
    if key not in _kept:
        if len(_kept) > 3:
            _kept.pop(next(iter(_kept)))
        _kept[key] = make()
    return _kept[key]


def distinct(question: Question, codes: NDArray[np.int64]) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """The distinct texts of the candidates, and which of them each has."""
    used, place = np.unique(codes[question.candidates], return_inverse=True)
    return used, place


def near(q: Question, codes: NDArray[np.int64], vectors: NDArray[np.float32], half_life: Any, sharp: float) -> Scores:
    def made() -> NDArray[np.float32]:
        used, place = distinct(q, codes)
        weights = q.weights(codes, len(vectors), half_life)
        had = np.flatnonzero(np.asarray(weights.sum(axis=0)).ravel())
        return text_affinity(weights[:, had], vectors[had], vectors[used], sharp)[:, place]

    return kept((id(q), id(vectors), half_life, sharp), made)


def near_sales(
    q: Question, codes: NDArray[np.int64], vectors: NDArray[np.float32], days: Any, sharp: float
) -> NDArray[np.float32]:
    def made() -> NDArray[np.float32]:
        used, place = distinct(q, codes)
        sales = q.sales(codes, len(vectors), days)
        sold = np.flatnonzero(sales)
        total = text_affinity(sales[None, sold], vectors[sold], vectors[used], sharp)
        # Per item with those words, not per text: a text that many items share is not therefore popular.
        items = np.bincount(codes[np.unique(q.known_item)], minlength=len(vectors)).astype(np.float32)
        number = text_affinity(items[None, sold], vectors[sold], vectors[used], sharp)
        return (total / np.maximum(number, 1e-9))[0, place]

    return kept((id(q), id(vectors), "sales", days, sharp), made)


def mean_vector(q: Question, codes: NDArray[np.int64], vectors: NDArray[np.float32], half_life: Any) -> Scores:
    used, place = distinct(q, codes)
    taste = q.weights(codes, len(vectors), half_life) @ vectors
    return np.asarray(taste @ vectors[used].T, np.float32)[:, place]


def run(shop: Shop, task: str) -> list[dict[str, Any]]:
    validation, test = (Question.of(shop.dataset, target, task) for target in (VALIDATION, TEST))
    best: dict[str, tuple[float, dict[str, Any], Callable[[Question], Scores]]] = {}
    for name, settings, scorer in models(shop):
        value = float(validation.measured(scorer(validation))["ndcg@10"].mean())
        if name not in best or value > best[name][0]:
            best[name] = value, settings, scorer
    _kept.clear()
    rows, values = [], {}
    bootstrap = Bootstrap(len(test.users), seed=SEED)
    for name, (chosen_by, settings, scorer) in best.items():
        measured = test.measured(scorer(test))
        values[name] = measured
        intervals = bootstrap.intervals(np.stack([measured[metric] for metric in METRICS], axis=1))
        rows.append({"model": name, "settings": settings, "validation_ndcg@10": chosen_by,
                     **{metric: one.as_json() for metric, one in zip(METRICS, intervals, strict=True)}})  # fmt: skip
    truth = np.bincount(test.asked_item, minlength=len(shop.dataset.item_ids))[test.candidates].astype(np.float32)
    measured = test.measured(everybody(test, truth))
    intervals = bootstrap.intervals(np.stack([measured[metric] for metric in METRICS], axis=1))
    rows.append({"model": "(what would sell best in the test period, which nobody knows)", "settings": {},
                 **{metric: one.as_json() for metric, one in zip(METRICS, intervals, strict=True)}})  # fmt: skip
    print(f"\n### {shop.name}, {task}: {len(test.users):,} people, {len(test.candidates):,} unseen items, "
          f"{len(test.relevant):,} taken; split {shop.dataset.split['hash'][:12]}\n")  # fmt: skip
    print("| ranked by | recall_min@10 | NDCG@10 | HR@10 | settings |\n|---|---|---|---|---|")
    for row in rows:
        shown = " | ".join(f"{row[m]['mean']:.4f} ({row[m]['low']:.4f} to {row[m]['high']:.4f})" for m in METRICS)
        settings = ", ".join(f"{key} {value}" for key, value in row["settings"].items())
        print(f"| {row['model']} | {shown} | {settings} |", flush=True)
    return rows


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument(
        "--data", type=Path, default=os.environ.get("SAVOR_BENCH_DATA"), help="folder with online-retail"
    )
    parser.add_argument("--only", help="one of the data sets")
    parser.add_argument("--folder", help="a sentence-transformers ONNX folder in place of MiniLM")
    parser.add_argument("--out", type=Path, help="a JSON file for the figures")
    arguments = parser.parse_args()
    suite = Suite(Path(__file__).resolve().parents[2])
    encoder = open_text_encoder(TextEncoderOptions(folder=arguments.folder) if arguments.folder else None, Path())
    figures: dict[str, Any] = {"encoder": encoder.name}
    for name in ("complete-journey", "online-retail"):
        if arguments.only not in {None, name}:
            continue
        prepared = prepare(
            read_benchmark(suite.find(name)), suite, None if arguments.data is None else Path(arguments.data)
        )
        cache = TextCache(prepared.cache / "text", encoder)
        shop = Shop.open(name, prepared.dataset, lambda texts, cache=cache: cache.encode(texts))
        figures[name] = {"split": prepared.dataset.split["hash"]}
        for task in ("arrivals", "hidden"):
            figures[name][task] = run(shop, task)
    if arguments.out is not None:
        arguments.out.write_text(json.dumps(figures, indent=1) + "\n")


if __name__ == "__main__":
    main()
