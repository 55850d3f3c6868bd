"""What fairness and diversity cost: NDCG against exposure share and against unlikeness within lists.

python benchmarks/fairness_price.py -C demo          # needs an ingested project; about a minute

Lists are a fusion of the users' own frequency and matrix factorisation, 200 candidates, asked on the validation
period; the group is the items of businesses with few items.
"""

import argparse
from collections.abc import Callable
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from savor.core.folders import ProjectFolder
from savor.data.dataset import Dataset
from savor.data.splits import TRAIN, VALIDATION
from savor.evaluation.bootstrap import Bootstrap
from savor.evaluation.holdout import Holdout
from savor.features.catalogue import Catalogue
from savor.models.baselines.ials import Ials, IalsParams
from savor.models.baselines.own_frequency import OwnFrequency
from savor.pipeline.fairness.capped_mmr import capped_mmr
from savor.pipeline.fairness.controller import ExposureController
from savor.pipeline.fairness.dpp import greedy_dpp
from savor.pipeline.fairness.exposure import exposure_shares, place_weights
from savor.pipeline.fairness.quota import falling, quota_order
from savor.pipeline.fairness.scores import boosted, in_spans

LENGTH, CANDIDATES, WINDOW, OFFSET = 10, 200, 50, 20
Choose = Callable[[NDArray[np.float64], NDArray[np.int32]], NDArray[np.intp]]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("-C", "--directory", type=Path, default=Path("demo"), help="the project's folder")
    parser.add_argument("--users", type=int, default=1000, help="how many users are asked")
    parser.add_argument("--column", default="manufacturer_id", help="category column that names the business")
    parser.add_argument("--owner-items", type=int, default=30, help="items of a small business, at most")
    arguments = parser.parse_args()
    price = Price(arguments.directory, arguments.users, arguments.column, arguments.owner_items)
    rows = [price.row("as ranked", lambda scores, _: np.arange(len(scores)))]
    for share in (0.1, 0.15, 0.2, 0.3):
        target = np.array([share])
        rows.append(price.row(f"quota in each list {share:.0%}", price.quota(target)))
        rows.append(price.row(f"over time {share:.0%}", price.controlled(share)))
    for diversity in (0.1, 0.2, 0.3, 0.5):
        rows.append(price.row(f"MMR {diversity}", price.mmr(diversity)))
        rows.append(price.row(f"DPP {diversity}", price.dpp(diversity)))
    print("| | NDCG@10 | less than as ranked | exposure of the group | unlikeness |", "|---|---|---|---|---|", sep="\n")
    for row in rows:
        print(row)


class Price:
    """Lists of one dataset, and what becomes of them."""

    def __init__(self, directory: Path, users: int, column: str, owner_items: int) -> None:
        dataset = Dataset.open(ProjectFolder(directory).dataset)
        events, cut = dataset.events, int(dataset.split["validation_start"])
        sizes = {"number_of_users": len(dataset.users), "number_of_items": len(dataset.items)}
        known = events.select(events.split == TRAIN)
        self.holdout = Holdout.from_events(events, VALIDATION, cut=cut, **sizes).sample(users, 0)
        own, factors = OwnFrequency(), Ials(IalsParams(alpha=10), threads=1)
        ranked = []
        for model in (own, factors):
            model.fit(known, *sizes.values(), cut)
            ranked.append(model.recommend(self.holdout.users, CANDIDATES, exclude_seen=False).items)
        self.lists = [fused(*rows) for rows in zip(*ranked, strict=True)]
        vectors = np.zeros((sizes["number_of_items"], factors.params.factors), np.float32)
        vectors[factors._columns] = factors._item_vectors
        self.vectors = vectors / np.maximum(np.linalg.norm(vectors, axis=1, keepdims=True), 1e-9)
        codes = Catalogue.from_dataset(dataset, cut).categories[column].codes
        self.member = (codes > 0) & (np.bincount(codes)[codes] <= owner_items)
        self.plain: NDArray[np.float64] | None = None

    def quota(self, target: NDArray[np.float64]) -> Choose:
        return lambda scores, items: quota_order(scores, self.member[items][None], target, LENGTH)

    def controlled(self, share: float) -> Choose:
        controller = ExposureController({"group": share})

        def choose(scores: NDArray[np.float64], items: NDArray[np.int32]) -> NDArray[np.intp]:
            members = self.member[items][None]
            order = falling(boosted(scores, members, controller.boosts))
            controller.observe(exposure_shares(members, order, LENGTH))
            return order

        self._measure(choose)  # the boost settles
        return choose

    def mmr(self, diversity: float) -> Choose:
        return lambda scores, items: capped_mmr(scores[:WINDOW], self.vectors[items[:WINDOW]], LENGTH, diversity)

    def dpp(self, diversity: float) -> Choose:
        return lambda scores, items: greedy_dpp(scores[:WINDOW], self.vectors[items[:WINDOW]], LENGTH, diversity)

    def row(self, name: str, choose: Choose) -> str:
        measured = self._measure(choose)
        if self.plain is None:
            self.plain = measured
        bootstrap = Bootstrap(len(measured))
        ndcg, exposure, unlike = bootstrap.intervals(measured)
        loss = bootstrap.differences(measured[:, :1], self.plain[:, :1])[0]
        return (
            f"| {name} | {ndcg.mean:.4f} | {loss.mean:+.4f} [{loss.low:+.4f}, {loss.high:+.4f}] "
            f"| {exposure.mean:.3f} | {unlike.mean:.3f} |"
        )

    def _measure(self, choose: Choose) -> NDArray[np.float64]:
        """(Q, 3): NDCG, exposure share of the group, mean of 1 - cosine over pairs."""
        weights = 1 / np.log2(np.arange(2, LENGTH + 2))
        rows = []
        for question, (items, scores) in enumerate(self.lists):
            shown = items[choose(in_spans(scores, WINDOW), items)[:LENGTH]]
            start, end = self.holdout.indptr[question : question + 2]
            hits = np.isin(shown, self.holdout.items[start:end])
            similar = self.vectors[shown] @ self.vectors[shown].T
            pairs = len(shown) * (len(shown) - 1)
            rows.append(
                (
                    (hits * weights).sum() / weights[: min(LENGTH, end - start)].sum(),
                    self.member[shown] @ place_weights(len(shown)),
                    1 - (similar.sum() - np.trace(similar)) / pairs,
                )
            )
        return np.array(rows)


def fused(own: NDArray[np.int32], factors: NDArray[np.int32]) -> tuple[NDArray[np.int32], NDArray[np.float32]]:
    """Reciprocal rank fusion; own items count double."""
    scores: dict[int, float] = {}
    for items, weight in ((own, 2.0), (factors, 1.0)):
        for rank, item in enumerate(items[items >= 0].tolist()):
            scores[item] = scores.get(item, 0.0) + weight / (rank + OFFSET)
    item = np.fromiter(scores, np.int32, len(scores))
    score = np.fromiter(scores.values(), np.float32, len(scores))
    order = np.lexsort((item, -score))[:CANDIDATES]
    return item[order], score[order]


if __name__ == "__main__":
    main()
