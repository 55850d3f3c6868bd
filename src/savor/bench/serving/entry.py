"""A run of `savor bench serve` as it stands in the log."""

from typing import Any

from pydantic import Field

from savor.core.config import Section


class LoadEntry(Section):
    """What so many connections saw; times in milliseconds, `cpu` of the server's processor for each answer."""

    connections: int
    answers: int
    failed: int
    first_failure: str = ""
    per_second: float
    p50: float | None
    p95: float | None
    p99: float | None
    cpu: float | None = None


class SizeEntry(Section):
    """One size of catalogue; times of stages in microseconds, see `measure_stages`."""

    items: int
    start_seconds: float
    megabytes: float
    loads: tuple[LoadEntry, ...]
    mixed: dict[str, LoadEntry] = Field(default_factory=dict)
    ranked: float
    stages: dict[str, float]
    pipeline_p50: float
    pipeline_cpu: float
    engine_cpu: float
    retrieval: dict[str, Any] | None = None

    def load(self, connections: int) -> LoadEntry | None:
        """What so many connections saw, if it was measured."""
        return next((one for one in self.loads if one.connections == connections), None)


class ServingEntry(Section):
    """A run: `source` is the bundle that catalogues were made from, `seconds` those of each load."""

    at: str
    command: str
    source: str
    candidates: int
    seconds: float
    machine: dict[str, Any]
    versions: dict[str, str]
    sizes: tuple[SizeEntry, ...]
