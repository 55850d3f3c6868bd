"""What fairness and diversity cost, on the pipeline that is served: NDCG against exposure and against unlikeness.

python benchmarks/fairness_price.py -C demo          # needs a trained project; some minutes

The pipeline is put together as of the beginning of the test period, and asked with each setting of
`[pipeline.fairness]` and `[pipeline.diversity]`; the group is the items of businesses with few items. This looks at the
test period: it is for knowing a price, not for choosing a setting by it.
"""

import argparse
import time
from dataclasses import replace
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from savor.cli.project import read_project
from savor.cli.stages import two_stage
from savor.core.folders import ProjectFolder
from savor.data.splits import TEST
from savor.evaluation.bootstrap import Bootstrap
from savor.evaluation.holdout import Holdout
from savor.pipeline.build import Serving, assemble
from savor.pipeline.fairness.dpp import greedy_dpp
from savor.pipeline.fairness.exposure import place_weights
from savor.pipeline.fairness.exposure_account import ExposureAccount
from savor.pipeline.fairness.options import FairnessOptions, GroupOptions
from savor.pipeline.fairness.scores import in_spans
from savor.pipeline.options import Diversity
from savor.pipeline.query import Query

LENGTH, WINDOW = 10, 50


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("-C", "--directory", type=Path, default=Path("demo"), help="the project's folder")
    parser.add_argument("--users", type=int, default=1000, help="how many users are asked")
    parser.add_argument("--column", default="manufacturer_id", help="category column that names the business")
    parser.add_argument("--plot", type=Path, help="a picture of the two curves is written here")
    parser.add_argument("--owner-items", type=int, default=30, help="items of a small business, at most")
    arguments = parser.parse_args()
    folder = ProjectFolder(arguments.directory)
    stages = two_stage(folder, read_project(folder))
    events, start = stages.dataset.events, int(stages.dataset.split["test_start"])
    sizes = {"number_of_users": len(stages.dataset.user_ids), "number_of_items": len(stages.dataset.item_ids)}
    asked = Holdout.from_events(events, TEST, cut=start, kinds=stages.wanted_kinds(), **sizes)
    with stages.serving(events.split < TEST, start) as serving:
        price = Price(serving, asked.sample(arguments.users, 0), arguments.column, arguments.owner_items)
        print("| | NDCG@10 | less than as ranked | exposure of the group | unlikeness | ms CPU |")
        print("|---|---|---|---|---|---|")
        price.row("as ranked")
        for share in (0.1, 0.15, 0.2, 0.3):
            price.row(f"least share in each list {share:.0%}", FairnessOptions(groups=price.group(list_share=share)))
            price.row(f"over time {share:.0%}", FairnessOptions(groups=price.group(share=share)))
        for strength in (0.1, 0.2, 0.4):
            price.row(f"popularity dampened {strength}", FairnessOptions(popularity=strength))
        for weight in (0.1, 0.2, 0.3, 0.5):
            price.row(f"MMR {weight}", diversity=Diversity(mmr=weight))
            price.dpp(f"DPP {weight}", weight)
    if arguments.plot is not None:
        plot(price.rows, arguments.plot)


def plot(rows: list[tuple[str, float, float, float]], path: Path) -> None:
    """Draw NDCG against exposure and unlikeness, a line for each rule, from (name, NDCG, exposure, unlikeness)."""
    from matplotlib.figure import Figure

    figure = Figure(figsize=(9, 3.6), dpi=110, layout="constrained")
    left, right = figure.subplots(1, 2, sharey=True)
    plain = rows[0]
    for panel, column, rules in (
        (left, 2, ("least share in each list", "over time", "popularity dampened")),
        (right, 3, ("MMR", "DPP", "popularity dampened")),
    ):
        for rule in rules:
            points = sorted(
                (row[column], row[1]) for row in (plain, *rows[1:]) if row is plain or row[0].startswith(rule)
            )
            panel.plot(*zip(*points, strict=True), marker="o", markersize=4, label=rule)
        panel.axhline(plain[1], color="grey", linewidth=0.7, linestyle=":")
        panel.legend(frameon=False, fontsize=8)
    left.set(xlabel="exposure share of the group", ylabel="NDCG@10")
    right.set(xlabel="unlikeness within a list (1 - cosine)")
    figure.savefig(path)


class Price:
    """Lists for one holdout under each setting, and what becomes of them."""

    def __init__(self, serving: Serving, asked: Holdout, column: str, owner_items: int) -> None:
        catalogue = serving.catalogue
        owner = catalogue.categories[column]
        self.tables = replace(serving.tables, catalogue=replace(catalogue, owner=owner))
        self.opened, self.asked, self.owner_items = serving.opened, asked, owner_items
        self.member = (owner.codes > 0) & (np.bincount(owner.codes)[owner.codes] <= owner_items)
        vectors = np.asarray(serving.tables.vectors)
        self.vectors = vectors / np.maximum(np.linalg.norm(vectors, axis=1, keepdims=True), 1e-9)
        self.plain: NDArray[np.float64] | None = None
        self.rows: list[tuple[str, float, float, float]] = []

    def group(self, **rule: float) -> dict[str, GroupOptions]:
        """The group with one rule."""
        return {"small_businesses": GroupOptions(owner_items=self.owner_items, **rule)}

    def serving(self, fairness: FairnessOptions | None = None, diversity: Diversity | None = None) -> Serving:
        """The pipeline with these settings and no others."""
        change = {"fairness": fairness or FairnessOptions(), "diversity": diversity or Diversity()}
        options = self.opened.options.model_copy(update=change)
        return assemble(replace(self.opened, options=options, exposure=ExposureAccount(options.fairness)), self.tables)

    def row(self, name: str, fairness: FairnessOptions | None = None, diversity: Diversity | None = None) -> None:
        """Ask everybody and print what came of it; shares over time are given one round to settle."""
        serving = self.serving(fairness, diversity)
        if serving.opened.exposure.targets:
            self._lists(serving, LENGTH)
        started = time.process_time()
        shown = self._lists(serving, LENGTH)
        self._print(name, [items for items, _ in shown], time.process_time() - started)

    def dpp(self, name: str, diversity: float) -> None:
        """The same for a determinantal point process over the plain lists, which is not served."""
        longer = self._lists(self.serving(), WINDOW)
        started = time.process_time()
        lists = [
            items[greedy_dpp(in_spans(scores, WINDOW), self.vectors[items], LENGTH, diversity)]
            for items, scores in longer
        ]
        self._print(name, lists, time.process_time() - started)

    def _lists(self, serving: Serving, n: int) -> list[tuple[NDArray[np.int32], NDArray[np.float32]]]:
        found = []
        for user, now in zip(self.asked.users, self.asked.now, strict=True):
            result = serving.pipeline.run(Query(serving.states.ids[int(user)], int(now) - 1, n=n))
            if result.failures:
                raise SystemExit(f"a stage failed: {result.fallback}")
            found.append((result.items, result.scores))
        return found

    def _print(self, name: str, lists: list[NDArray[np.int32]], seconds: float) -> None:
        measured = self._measure(lists)
        if self.plain is None:
            self.plain = measured
        bootstrap = Bootstrap(len(measured))
        ndcg, exposure, unlike = bootstrap.intervals(measured)
        self.rows.append((name, ndcg.mean, exposure.mean, unlike.mean))
        loss = bootstrap.differences(measured[:, :1], self.plain[:, :1])[0]
        print(
            f"| {name} | {ndcg.mean:.4f} | {loss.mean:+.4f} [{loss.low:+.4f}, {loss.high:+.4f}] "
            f"| {exposure.mean:.3f} | {unlike.mean:.3f} | {seconds / len(lists) * 1e3:.2f} |",
            flush=True,
        )

    def _measure(self, lists: list[NDArray[np.int32]]) -> NDArray[np.float64]:
        """(Q, 3): NDCG, exposure share of the group, mean of 1 - cosine over pairs."""
        weights = 1 / np.log2(np.arange(2, LENGTH + 2))
        rows = []
        for question, shown in enumerate(lists):
            start, end = self.asked.indptr[question : question + 2]
            hits = np.isin(shown, self.asked.items[start:end])
            alike = self.vectors[shown] @ self.vectors[shown].T
            pairs = max(len(shown) * (len(shown) - 1), 1)
            rows.append(
                (
                    (hits * weights[: len(shown)]).sum() / weights[: min(LENGTH, end - start)].sum(),
                    self.member[shown] @ place_weights(len(shown)),
                    1 - (alike.sum() - np.trace(alike)) / pairs,
                )
            )
        return np.array(rows)


if __name__ == "__main__":
    main()
