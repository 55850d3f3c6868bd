"""What each input of the towers is worth on the made-up likes: ids, history, pictures, and all of them."""

import argparse
import csv
import json
import sys
from dataclasses import replace
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np
from numpy.typing import NDArray

from savor.cli.project import read_project
from savor.cli.stages import two_stage
from savor.core.folders import ProjectFolder
from savor.data.histories import Histories
from savor.data.splits import TEST
from savor.evaluation.bootstrap import Bootstrap
from savor.training.retriever import train_retriever
from savor.training.two_stage import TwoStage

OFF = {"user_id": False, "item_id": False, "history": False, "images": False, "visual_preference": False}
ROWS: dict[str, dict[str, bool]] = {
    "ids": {"user_id": True, "item_id": True},
    "ids + history": {"user_id": True, "item_id": True, "history": True},
    "pictures": {"images": True, "visual_preference": True},
    "ids + history + pictures": dict.fromkeys(OFF, True),
}
K = 10


def main() -> None:
    """Train each row on all but the last tenth of time, and print the figures as JSON."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--project", type=Path, default=Path("grocery-project"))
    arguments = parser.parse_args()
    folder = ProjectFolder(arguments.project)
    stages = two_stage(folder, read_project(folder))
    with (arguments.project / "tastes.csv").open() as file:
        tastes = {row["person"]: (row["first"], row["second"]) for row in csv.DictReader(file)}
    with (arguments.project / "pictures.csv").open() as file:
        kinds = {row["picture"]: row["kind"] for row in csv.DictReader(file)}
    found = {name: measure(stages, switches, tastes, kinds) for name, switches in ROWS.items()}
    sys.stdout.write(json.dumps(found, indent=2) + "\n")


def measure(
    stages: TwoStage, switches: dict[str, bool], tastes: dict[str, tuple[str, str]], kinds: dict[str, str]
) -> dict[str, list[float]]:
    """recall_min@10 with its 95% interval: of pictures people liked later, and of never liked ones to their taste."""
    features = stages.features.model_copy(update={**OFF, **switches})
    stages = replace(stages, features=features)
    events = stages.dataset.events
    known, later = events.select(events.split != TEST), events.select(events.split == TEST)
    now = int(known.time[-1]) + 1
    space = stages.feature_space(known, now)
    with TemporaryDirectory() as work:
        trained = train_retriever(known, space, stages.retriever_options(), Path(work), seed=stages.seed)
    people, pictures = list(stages.dataset.user_ids), list(stages.dataset.item_ids)
    users = np.arange(len(people), dtype=np.int32)
    histories = Histories.from_events(known, len(people))
    vectors = trained.user_vectors(space.user_inputs(users, histories, np.full(len(people), now)))
    scores = vectors @ trained.item_vectors().T
    seen = np.zeros(scores.shape, np.bool_)
    seen[known.user, known.item] = True
    liked = np.zeros(scores.shape, np.bool_)
    liked[later.user, later.item] = True
    never = ~np.isin(np.arange(len(pictures)), events.item)
    kind = np.asarray([kinds[picture] for picture in pictures])
    taste = np.stack([np.isin(kind, tastes[person]) for person in people])
    return {
        "liked_later": recall(scores, liked & ~seen, ~seen & ~never),
        "never_liked_by_anybody": recall(scores, taste & never, np.broadcast_to(never, scores.shape)),
    }


def recall(scores: NDArray[np.float32], relevant: NDArray[np.bool_], offered: NDArray[np.bool_]) -> list[float]:
    """Mean and interval over people of the share of min(10, relevant) found among the first 10 of those offered."""
    asked = np.flatnonzero(relevant.any(axis=1))
    masked = np.where(offered[asked], scores[asked], -np.inf)
    top = np.argsort(-masked, axis=1, kind="stable")[:, :K]
    hits = np.take_along_axis(relevant[asked], top, axis=1).sum(axis=1)
    shares = hits / np.minimum(relevant[asked].sum(axis=1), K)
    interval = Bootstrap(len(asked), resamples=1000).intervals(shares[:, None])[0]
    return [round(float(value), 4) for value in (interval.mean, interval.low, interval.high)]


if __name__ == "__main__":
    main()
