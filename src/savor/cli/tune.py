"""`savor tune`."""

import shutil
import tomllib
from collections.abc import Callable
from pathlib import Path
from time import time
from typing import TYPE_CHECKING, Annotated, Any

import typer

from savor.cli.options import AsJson, Directory
from savor.cli.output import next_step, print_json
from savor.core.errors import ConfigError, SavorError
from savor.core.folders import ProjectFolder
from savor.core.progress import console

if TYPE_CHECKING:
    from savor.training.tuning.default_space import Stage
    from savor.training.tuning.search import Search


def tune(
    directory: Directory = Path(),
    stage: Annotated[
        str, typer.Option(help="What to tune: retrieval, or ranking (with retrieval trained).")
    ] = "retrieval",
    trials: Annotated[int, typer.Option(min=0, help="How many settings to try; 0 only shows what was found.")] = 20,
    timeout: Annotated[
        float | None, typer.Option(metavar="SECONDS", min=0, help="Begin no trial after so long.")
    ] = None,
    jobs: Annotated[int, typer.Option(min=1, help="How many trials at once, in processes of their own.")] = 1,
    resume: Annotated[
        bool, typer.Option("--resume", help="Add to the trials there are; another savor tune may be at them as well.")
    ] = False,
    restart: Annotated[bool, typer.Option("--restart", help="Forget the trials there are.")] = False,
    write: Annotated[
        bool, typer.Option("--write", help="Put the best settings into savor.toml; the old file is kept beside it.")
    ] = False,
    as_json: AsJson = False,
) -> None:
    """Search for better settings of a stage on validation data, and write the best as savor.tuned.toml."""
    if stage not in ("retrieval", "ranking"):
        raise typer.BadParameter(f"{stage!r} is none of retrieval, ranking", param_hint="--stage")
    if resume and restart:
        raise typer.BadParameter("give --resume or --restart, not both", param_hint="--resume")
    from savor.training.tuning.study import has_study

    chosen: Stage = "retrieval" if stage == "retrieval" else "ranking"
    folder = ProjectFolder(directory)
    search = _search(folder, chosen)
    if restart:
        shutil.rmtree(search.directory, ignore_errors=True)
    if trials == 0 and not has_study(search.directory):
        raise ConfigError(["try some first: savor tune"], source=f"there are no trials of the {stage} yet")
    try:
        if trials:
            _run(search, folder, chosen, trials, jobs, None if timeout is None else time() + timeout, resume=resume)
    except KeyboardInterrupt:
        console.print("  stopped; what was tried is kept, go on with: savor tune --resume", style="yellow")
    _tell(search, folder, write=write, as_json=as_json)


def _search(folder: ProjectFolder, stage: "Stage") -> "Search":
    """The search of a project, as each process makes it anew."""
    from savor.cli.project import Project, read_project
    from savor.cli.stages import two_stage
    from savor.data.dataset import Dataset
    from savor.training.tuning.objective import Objective
    from savor.training.tuning.ranking_objective import RankingObjective
    from savor.training.tuning.retrieval_objective import RetrievalObjective
    from savor.training.tuning.search import Search

    project = read_project(folder)
    dataset = Dataset.open(folder.dataset)
    directory = folder.tuning / stage

    def stages(changed: Project) -> Any:
        return two_stage(folder, changed)

    objective: Objective = (
        RetrievalObjective(stages, project, project.tuning)
        if stage == "retrieval"
        else RankingObjective(stages, project, project.tuning, folder.tuning / "candidates")
    )
    return Search(
        stage=stage,
        directory=directory,
        values=tomllib.loads(folder.configuration.read_text(encoding="utf-8")),
        configuration=project,
        options=project.tuning,
        objective=objective,
        data={"the data": dataset.fingerprint, "the split": str(dataset.split["hash"])},
        seed=project.project.seed,
    )


def _run(
    search: "Search",
    folder: ProjectFolder,
    stage: "Stage",
    trials: int,
    jobs: int,
    until: float | None,
    *,
    resume: bool,
) -> None:
    from savor.training.tuning.workers import run_workers

    abandoned = search.begin(resume=resume)
    if abandoned:
        console.print(f"  {abandoned} trials were left by processes that are gone; they count as failed", style="dim")
    watch = _announcer(search)
    if jobs > 1:
        run_workers(_work, (folder.root.absolute(), stage, until), trials, jobs, watch)
        return
    left = iter(range(trials))
    quiet, console.quiet = console.quiet, True
    try:
        search.work(lambda: next(left, None) is not None, lambda _: watch(), until=until)
    finally:
        console.quiet = quiet


def _work(task: tuple[Path, "Stage", float | None], number: int, take: Callable[[], bool]) -> None:
    """What a process of its own does."""
    root, stage, until = task
    console.quiet = True
    try:
        _search(ProjectFolder(root), stage).work(take, worker=number + 1, until=until)
    except KeyboardInterrupt:
        raise SystemExit(1) from None
    except SavorError as error:
        console.quiet = False
        console.print(f"  worker {number + 1}: {error}", style="red", highlight=False, markup=False)
        raise SystemExit(1) from None


def _announcer(search: "Search") -> Callable[[], None]:
    """Says what became of every trial that ended since it was last called."""
    from savor.training.tuning.report import trial_line
    from savor.training.tuning.results import best_of, trial_results
    from savor.training.tuning.study import fail_abandoned, open_study

    study = open_study(search.directory, search.options, search.seed)
    known = {one.number for one in trial_results(study) if one.state not in ("running", "waiting")}

    def watch() -> None:
        fail_abandoned(study, search.directory)
        results = trial_results(study)
        for one in results:
            if one.state not in ("running", "waiting") and one.number not in known:
                known.add(one.number)
                quiet, console.quiet = console.quiet, False
                line = trial_line(one, best_of(results), search.objective.metric)
                console.print(line, highlight=False, markup=False, soft_wrap=True)
                console.quiet = quiet

    return watch


def _tell(search: "Search", folder: ProjectFolder, *, write: bool, as_json: bool) -> None:
    """Report what was found, and write the winner."""
    from savor.core.files import write_text_atomic
    from savor.training.tuning.report import importance_table, render_page, trial_table
    from savor.training.tuning.results import best_of, importances, trial_results
    from savor.training.tuning.study import check_comparable_trials, open_study
    from savor.training.tuning.winner import Winner

    study = open_study(search.directory, search.options, search.seed)
    check_comparable_trials(study)
    results, shares, metric = trial_results(study), importances(study), search.objective.metric
    best = best_of(results)
    assert best is not None
    winner = Winner.of(folder.configuration, best.changes, type(search.configuration))
    beside = winner.write_beside()
    page = folder.reports / f"tuning-{search.stage}.html"
    title = f"Tuning: {search.stage}"
    write_text_atomic(
        page,
        render_page(results, shares, search.space(), title=title, metric=metric, difference=winner.difference()),
    )
    kept = winner.take_over() if write and winner.changed else None
    if as_json:
        print_json(
            {
                "metric": metric,
                "best": best.as_json(),
                "trials": [one.as_json() for one in results],
                "importance": shares,
                "difference": winner.difference(),
                "written": str(folder.configuration if kept else beside),
                "report": str(page),
            }
        )
        return
    console.print(trial_table(results, metric))
    if shares:
        console.print(importance_table(shares))
    console.print(f"  plots: {page}", highlight=False)
    if not winner.changed:
        console.print("The settings in savor.toml are the best of those tried.")
        return
    console.print(winner.difference(), markup=False, highlight=False, end="")
    train = "savor train" if search.stage == "retrieval" else "savor train --stage ranking"
    if kept:
        console.print(f"wrote {folder.configuration}; the old one is {kept.name}", highlight=False)
        next_step(train)
    else:
        console.print(f"wrote {beside}", highlight=False)
        next_step(f"mv {beside} {folder.configuration}, then {train}; or savor tune with --resume --trials 0 --write")
