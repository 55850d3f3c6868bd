from pathlib import Path

import numpy as np
import pytest

from savor.bench.suite import Suite

RANKING = """
title = "made-up purchases"

[dataset]
name = "amazon-beauty"
path = "beauty"
attributes = false

[split]
method = "leave_one_out"

[protocol]
kind = "ranking"
tasks = ["new"]
cold_items = "count"
metrics = ["hr@5", "ndcg@5", "coverage@5", "novelty@5", "pooled_recall@5"]
length = 5
reference = "popularity"
resamples = 100

[[par]]
name = "somebody"
source = "published"
figures = { "hr@5" = 0.5 }

[[goal]]
figures = { "hr@5" = 1.1 }
above = "popularity"

[[models]]
name = "popularity"
kind = "popularity"

[[models]]
name = "knn"
kind = "item_knn"
params = { minimum_users = 1 }
"""


def write_lines(folder: Path, users: int = 40, items: int = 20) -> None:
    """Even people buy even things, odd ones odd things, in an order of their own."""
    rng = np.random.default_rng(0)
    lines = []
    for user in range(users):
        own = rng.permutation(np.arange(user % 2, items, 2))[:6]
        lines.append(" ".join(map(str, (user + 1, *(own + 1)))))
    folder.mkdir(parents=True)
    (folder / "Beauty.txt").write_text("\n".join(lines) + "\n")


@pytest.fixture
def data(tmp_path: Path) -> Path:
    write_lines(tmp_path / "data" / "beauty")
    return tmp_path / "data"


@pytest.fixture
def suite(tmp_path: Path) -> Suite:
    made = Suite(tmp_path / "checkout")
    made.quality.mkdir(parents=True)
    (made.quality / "made-up.toml").write_text(RANKING)
    return made
