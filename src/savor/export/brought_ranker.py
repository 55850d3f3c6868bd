"""Brings a ranker to a device: its files, and whether they are worth their place."""

from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from savor.bundle.edge_manifest import EdgeRanker
from savor.core.errors import ExportError
from savor.core.progress import progress
from savor.export.edge_ranker import RankerExport
from savor.export.golden_ranking import GoldenRanking
from savor.export.operators import operators_of
from savor.export.options import ExportOptions
from savor.export.questions import Questions
from savor.export.ranker_tables import RankerTables
from savor.export.ranker_trial import RankerTrial, try_ranker
from savor.export.server_lists import Lists
from savor.export.server_ranking import ServerRanking
from savor.features.catalogue import Catalogue
from savor.features.table_encoder import Inputs
from savor_edge.ranker import ARRAYS, DOCUMENT

STATISTICS_DTYPES = ("float16", "float32")
"""How statistics of items are stored; the first with which the order is the server's."""


@dataclass(frozen=True)
class BroughtRanker:
    """A ranker that was tried.

    Attributes:
        said: of the manifest.
        trial: what came of it.
        golden: ranks the examples.
        files: by name, in the folder of the edge bundle.
        size: bytes of them.
        operators: that its networks need.
        shipped: whether the device gets it.
    """

    said: EdgeRanker
    trial: RankerTrial
    golden: GoldenRanking
    files: tuple[str, ...]
    size: int
    operators: frozenset[str]
    shipped: bool

    def left_behind(self) -> "BroughtRanker":
        """The same, and its files are gone."""
        for name in self.files:
            (self.golden.folder / name).unlink()
        return replace(self, shipped=False)

    def to_json(self) -> dict[str, Any]:
        """Figures as a JSON value."""
        return {"shipped": self.shipped, "bytes": self.size, **self.trial.to_json()}


def bring_ranker(
    export: RankerExport,
    catalogue: Catalogue,
    options: ExportOptions,
    questions: Questions,
    inputs: Inputs,
    found: Lists,
    folder: Path,
) -> BroughtRanker | None:
    """Write the files of a ranker and try it; where it is not wanted they go again. None where there is nothing to try.

    With `options.ranker` `auto` it is wanted where lists are better with it.

    Args:
        export: makes the networks.
        catalogue: of the server.
        options: of the export.
        questions: with the bonus of own items.
        inputs: of the device, Q rows by name.
        found: what the device's model answers.
        folder: with all other files of the edge bundle.

    Raises:
        ExportError: the device's ranker does not rank as the server's does (code `parity_failed`).
    """
    made = export.make()
    if made is None:
        return None
    contents, said = made
    for name, content in contents.items():
        (folder / name).write_bytes(content)
    server = ServerRanking(export.bundle, export.rows)
    trial: RankerTrial | None = None
    problem: str | None = None
    for dtype in STATISTICS_DTYPES:
        tables = RankerTables(export.bundle, catalogue, export.space, export.rows, dtype)
        tables.write(said.kind, folder)
        statistics = tables.statistics if said.features else None
        with progress("try the ranker"):
            trial = try_ranker(folder, said, server, statistics, catalogue, questions, inputs, found, seed=options.seed)
        problem = trial.problem(options.bounds)
        if problem is None:
            break
    if trial is None or problem is not None:
        raise ExportError(f"the device's ranker does not rank as the server's does: {problem}", code="parity_failed")
    files = tuple(name for name in (*contents, DOCUMENT, ARRAYS) if (folder / name).is_file())
    size = sum((folder / name).stat().st_size for name in files)
    operators = frozenset(operator for content in contents.values() for operator in operators_of(content))
    brought = BroughtRanker(
        said, trial, GoldenRanking(folder, server, statistics), files, size, operators, shipped=True
    )
    return brought if trial.helps or options.ranker == "always" else brought.left_behind()
