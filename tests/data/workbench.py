"""A project folder to write tables into and ingest from."""

from pathlib import Path
from typing import Any

import pyarrow.parquet as pq

from savor.core.clock import frozen_clock
from savor.data.dataset import Dataset
from savor.data.ingest import ingest
from savor.data.options import IngestOptions
from savor.data.report import IngestReport
from savor.data.schema import EventTable, Schema
from savor.data.splits import SplitOptions

NOW = 1_750_000_000  # 2025-06-15


class Workbench:
    """A project folder to write tables into and ingest from."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.out = folder / ".savor" / "dataset"
        self.report: IngestReport | None = None

    def write(self, name: str, content: str | bytes) -> str:
        (self.folder / name).write_bytes(content if isinstance(content, bytes) else content.encode())
        return name

    def ingest(
        self,
        schema: Schema | None = None,
        split: SplitOptions | None = None,
        events: dict[str, Any] | None = None,
        **options: Any,
    ) -> Dataset:
        options = {"memory": "500MB", "threads": 2, **options}
        if schema is None:
            schema = Schema(events=EventTable(**{**DEFAULT_EVENTS, **(events or {})}))
        self.report = ingest(
            schema, IngestOptions(**options), split or SplitOptions(), self.folder, self.out, clock=frozen_clock(NOW)
        )
        return Dataset.open(self.out)

    def last_report(self) -> IngestReport:
        assert self.report is not None
        return self.report

    def quarantine(self) -> list[dict[str, Any]]:
        rows: list[dict[str, Any]] = pq.read_table(self.out / "quarantine.parquet").to_pylist()
        return rows


DEFAULT_EVENTS = {"source": "events.csv", "user": "user", "item": "item", "time": "time"}
