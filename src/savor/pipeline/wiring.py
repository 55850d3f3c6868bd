"""Whether the stages of a pipeline fit together."""

from collections.abc import Sequence

from savor.core.errors import PipelineError
from savor.pipeline.stage import Stage

CANDIDATE_COLUMNS = frozenset({"item", "source"})
MOST_SOURCES = 16


def check_wiring(phases: Sequence[tuple[str, Sequence[Stage]]], brought: Sequence[str] = ()) -> None:
    """Walk the stages in the order they run.

    Args:
        phases: name of the phase and its stages: hydrators, sources, filters, enrichers, ranker, adjusters,
            selectors, reasons, effects.
        brought: sources whose columns are there without them.

    Raises:
        PipelineError: naming every column that is read before it is written or written twice, every name used twice,
            and too many sources.
    """
    problems: list[str] = []
    available: dict[str, str] = {}
    names: set[str] = set()
    for phase, stages in phases:
        if phase == "filters":
            available |= dict.fromkeys(CANDIDATE_COLUMNS, "the merge of the sources")
        if phase in ("adjusters", "selectors"):
            available.setdefault("score", "the blend of the sources")
        if phase == "sources" and len(stages) > MOST_SOURCES:
            problems.append(f"{len(stages)} sources, and at most {MOST_SOURCES} fit")
        for stage in stages:
            if stage.name in names:
                problems.append(f"two stages are called {stage.name!r}")
            names.add(stage.name)
            problems += [
                f"{stage.name!r} in {phase} reads {column!r}, which nothing before it writes"
                for column in sorted(stage.reads - available.keys())
            ]
            for column in sorted(stage.writes):
                if column in available:
                    problems.append(f"{stage.name!r} in {phase} writes {column!r}, as {available[column]} does")
                available[column] = repr(stage.name)
        if phase == "sources":
            for name in (*(stage.name for stage in stages), *brought):
                available |= {f"{name}_{kind}": repr(name) for kind in ("score", "rank")}
    if problems:
        listed = "\n".join(f"  - {problem}" for problem in problems)
        raise PipelineError(f"the pipeline does not fit together:\n{listed}")
