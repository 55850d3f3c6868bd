from pathlib import Path

import pytest

from savor.bundle.bundle import Bundle
from savor.bundle.manifest import Metadata
from savor.bundle.writer import write_bundle
from savor.core.clock import frozen_clock


class Bundles:
    """Makes small bundles with given figures."""

    def __init__(self, directory: Path) -> None:
        self.directory = directory

    def make(
        self, content: str = "a", *, ndcg: float | None = 0.40, split: str = "s", moment: int = 1000, size: int = 1000
    ) -> Bundle:
        parts = self.directory / f"parts-{content}-{ndcg}-{split}"
        (parts / "vectors").mkdir(parents=True, exist_ok=True)
        (parts / "vectors" / "items.npy").write_bytes(content.encode() * size)
        (parts / "config.json").write_text("{}")
        figure = None if ndcg is None else {"mean": ndcg, "low": ndcg - 0.01, "high": ndcg + 0.01}
        metadata = Metadata(
            schema_hash="h",
            data_fingerprint="f",
            split_hash=split,
            seeds={"training": 1},
            metrics={"tasks": {"all": {"pipeline": {"ndcg@10": figure}}}} if figure else {},
        )
        return write_bundle(parts, metadata, self.directory / "made", clock=frozen_clock(moment))


@pytest.fixture
def bundles(tmp_path: Path) -> Bundles:
    return Bundles(tmp_path)
