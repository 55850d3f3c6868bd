"""From a benchmark's file to an ingested data set, once."""

import os
import tomllib
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from savor.bench.config import Benchmark, merged
from savor.bench.core_filter import filter_to_core
from savor.bench.suite import Suite
from savor.core.errors import DataError
from savor.core.file_lock import locked
from savor.core.files import write_json_atomic, write_text_atomic
from savor.core.hashing import sha256_json
from savor.core.progress import progress
from savor.data.dataset import Dataset
from savor.data.ingest import ingest
from savor.data.known.registry import known_dataset
from savor.data.options import IngestOptions
from savor.data.schema import Schema

DATA_VARIABLE = "SAVOR_BENCH_DATA"
"""The environment variable that names the data folder."""


@dataclass(frozen=True)
class Prepared:
    """A benchmark's data, ready to be learnt from.

    Attributes:
        benchmark: what is measured.
        folder: where the data set and what belongs to it is; empty for protocols that read the files themselves.
        files: the folder of the publisher's files; None where a package has them.
        sections: what `savor init` writes for this data set below the tables, parsed.
    """

    benchmark: Benchmark
    folder: Path
    files: Path | None
    sections: dict[str, Any]

    @property
    def dataset(self) -> Dataset:
        """The ingested data set."""
        return Dataset.open(self.folder / "dataset")

    @property
    def cache(self) -> Path:
        """What can be computed again, shared by all benchmarks."""
        return self.folder.parent / "cache"


def data_folder(given: Path | None) -> Path | None:
    """The folder with the data sets: as given, or as the environment says."""
    named = os.environ.get(DATA_VARIABLE)
    return given if given is not None else Path(named) if named else None


def prepare(benchmark: Benchmark, suite: Suite, data: Path | None) -> Prepared:
    """Ingest the benchmark's data, or find it ingested before.

    Args:
        benchmark: what to prepare for.
        suite: where to.
        data: the folder with the data sets' files.

    Raises:
        DataError: the data are not there.
    """
    options = benchmark.dataset
    files = None
    if options.path is not None:
        files = None if data is None else data / options.path
        if files is None or not files.exists():
            where = f"{files} is not there" if files is not None else "no data folder is given"
            raise DataError(
                f"the data of {options.name} are needed and {where}: get them from their publisher, and name the "
                f"folder above them with --data DIR or {DATA_VARIABLE}"
            )
    if benchmark.kind == "off_policy":
        return Prepared(benchmark, suite.work / "off-policy", files, {})
    split = None if benchmark.split is None else benchmark.split.model_dump(mode="json")
    key = sha256_json({"dataset": options.model_dump(mode="json"), "split": split})[:12]
    folder = suite.work / f"{options.name}-{key}"
    sections_file = folder / "sections.toml"
    suite.work.mkdir(parents=True, exist_ok=True)
    with locked(suite.work / f".{folder.name}.lock"):
        if not sections_file.exists():
            _ingest(benchmark, files, folder, sections_file)
    return Prepared(benchmark, folder, files, tomllib.loads(sections_file.read_text(encoding="utf-8")))


def _ingest(benchmark: Benchmark, files: Path | None, folder: Path, sections_file: Path) -> None:
    options = benchmark.dataset
    with progress(f"Prepare {options.name}"):
        proposal = known_dataset(options.name).prepare(folder, files)
        schema = proposal.schema
        if options.core > 1:
            filter_to_core(folder / schema.events.source, schema.events.user, schema.events.item, options.core)
        if not options.attributes:
            schema = Schema(events=schema.events)
        split = benchmark.split or proposal.split
        how = IngestOptions.model_validate(merged(proposal.ingest.model_dump(), options.ingest))
        report = ingest(schema, how, split, folder, folder / "dataset")
    write_json_atomic(folder / "report.json", report.model_dump(mode="json"))
    write_text_atomic(sections_file, proposal.sections)
