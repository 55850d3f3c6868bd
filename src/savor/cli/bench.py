"""`savor bench`."""

import shlex
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from savor.cli.options import AsJson
from savor.cli.output import print_json
from savor.core.progress import console

if TYPE_CHECKING:
    from savor.bench.entry import RunEntry
    from savor.bench.suite import Suite

Checkout = Annotated[Path, typer.Option("-C", "--directory", metavar="DIR", help="The checkout, where benchmarks/ is.")]
Data = Annotated[
    Path | None,
    typer.Option("--data", metavar="DIR", help="Folder with the data sets' files; otherwise SAVOR_BENCH_DATA."),
]
Name = Annotated[str, typer.Argument(help="Name of a file in benchmarks/quality, or its path.")]

bench = typer.Typer(no_args_is_help=True, help="Run published tasks and record what comes out.")


@bench.command("list")
def list_benchmarks(directory: Checkout = Path(), as_json: AsJson = False) -> None:
    """List the benchmarks with their models."""
    from savor.bench.config import read_benchmark
    from savor.bench.suite import Suite

    suite = Suite(directory)
    found = {name: read_benchmark(suite.find(name)) for name in suite.names()}
    if as_json:
        print_json(
            {
                name: {"title": one.title, "models": {model.name: model.kind for model in one.models}}
                for name, one in found.items()
            }
        )
        return
    for name, one in found.items():
        console.print(f"[bold]{name}[/bold]  {one.title}", highlight=False)
        console.print(f"  {', '.join(model.name for model in one.models)}", style="dim", highlight=False)


@bench.command()
def quality(
    name: Name,
    data: Data = None,
    seeds: Annotated[int | None, typer.Option(min=1, help="Only so many of each model's seeds.")] = None,
    only: Annotated[list[str] | None, typer.Option(metavar="MODEL", help="Only this model; may be repeated.")] = None,
    log: Annotated[bool, typer.Option("--log/--no-log", help="Record the run in benchmarks/LOG.md.")] = True,
    resume: Annotated[
        bool, typer.Option("--resume", help="Take the answers that an earlier run kept instead of training again.")
    ] = False,
    directory: Checkout = Path(),
    as_json: AsJson = False,
) -> None:
    """Train and measure the models of a benchmark, print them beside par and goal, and record the run."""
    from savor.bench.prepare import data_folder
    from savor.bench.run import run_benchmark
    from savor.bench.suite import Suite

    suite = Suite(directory)
    entry = run_benchmark(
        suite.find(name),
        suite,
        data_folder(data),
        command=_command(),
        only=tuple(only or ()),
        seeds=seeds,
        resume=resume,
    )
    _finish(suite, entry, log=log, as_json=as_json)


@bench.command("export-split")
def export(
    name: Name,
    out: Annotated[Path, typer.Argument(help="Folder to write.")],
    data: Data = None,
    directory: Checkout = Path(),
    as_json: AsJson = False,
) -> None:
    """Write what is known and what is asked as plain files, for models of other projects."""
    from savor.bench.config import read_benchmark
    from savor.bench.export import export_split
    from savor.bench.prepare import data_folder, prepare
    from savor.bench.protocol import protocol_of
    from savor.bench.questions import RankingOptions
    from savor.bench.suite import Suite

    suite = Suite(directory)
    benchmark = read_benchmark(suite.find(name))
    _, options = protocol_of(benchmark)
    if not isinstance(options, RankingOptions):
        raise typer.BadParameter(f"{name} is no ranking benchmark", param_hint="NAME")
    export_split(prepare(benchmark, suite, data_folder(data)), options, out)
    if as_json:
        print_json({"split": str(out)})
    else:
        console.print(f"wrote {out}", highlight=False)


@bench.command()
def peer(
    name: Name,
    lists: Annotated[Path, typer.Option(metavar="FILE", help="The .npz file with the peer's lists.")],
    model: Annotated[str, typer.Option(metavar="NAME", help="What to call it.")],
    data: Data = None,
    log: Annotated[bool, typer.Option("--log/--no-log", help="Record the run in benchmarks/LOG.md.")] = True,
    directory: Checkout = Path(),
    as_json: AsJson = False,
) -> None:
    """Measure lists that a model of another project made for an exported split."""
    from savor.bench.peer import run_peer
    from savor.bench.prepare import data_folder
    from savor.bench.suite import Suite

    suite = Suite(directory)
    entry = run_peer(suite.find(name), suite, data_folder(data), lists=lists, model=model, command=_command())
    _finish(suite, entry, log=log, as_json=as_json)


@bench.command()
def serve(
    project: Annotated[
        Path, typer.Option("--project", metavar="DIR", help="The project whose live bundle catalogues are made from.")
    ] = Path("demo"),
    items: Annotated[list[int] | None, typer.Option(min=1000, help="Items of a catalogue; may be repeated.")] = None,
    connections: Annotated[
        list[int] | None, typer.Option(min=1, max=256, help="Connections at once; may be repeated.")
    ] = None,
    seconds: Annotated[float, typer.Option(min=0.5, max=3600, help="How long each load lasts.")] = 10,
    candidates: Annotated[int, typer.Option(min=20, max=2000, help="About how many candidates are ranked.")] = 200,
    events: Annotated[bool, typer.Option("--events", help="Then once more with events posted meanwhile.")] = False,
    swap_every: Annotated[
        float | None, typer.Option(min=0.5, metavar="SECONDS", help="Then once more with bundles swapped meanwhile.")
    ] = None,
    log: Annotated[bool, typer.Option("--log/--no-log", help="Record the run in benchmarks/LOG.md.")] = True,
    directory: Checkout = Path(),
    as_json: AsJson = False,
) -> None:
    """Measure how fast recommendations are served, by stage and over HTTP, and print it beside par and goal."""
    from rich.markdown import Markdown

    from savor.bench.serving.measure import ServingPlan, measure_serving
    from savor.bench.serving.table import append_serving, serving_table
    from savor.bench.suite import Suite
    from savor.core.folders import ProjectFolder

    suite = Suite(directory)
    plan = ServingPlan(
        items=tuple(items or (10_000, 100_000, 1_000_000)),
        connections=tuple(connections or (1, 16)),
        seconds=seconds,
        candidates=candidates,
        events=events,
        swap_every=swap_every,
    )
    entry = measure_serving(ProjectFolder(project), suite.work / "serving", plan, _command())
    if log:
        append_serving(suite.log, entry)
    if as_json:
        print_json(entry.model_dump(mode="json"))
    else:
        console.print(Markdown("\n".join(serving_table(entry))))


@bench.command()
def results(directory: Checkout = Path(), as_json: AsJson = False) -> None:
    """Write benchmarks/RESULTS.md anew from benchmarks/LOG.md."""
    from savor.bench.results import write_results
    from savor.bench.suite import Suite

    path = write_results(Suite(directory))
    if as_json:
        print_json({"results": str(path)})
    else:
        console.print(f"wrote {path}", highlight=False)


def _finish(suite: "Suite", entry: "RunEntry", *, log: bool, as_json: bool) -> None:
    from rich.markdown import Markdown

    from savor.bench.log import append_run
    from savor.bench.results import write_results
    from savor.bench.table import run_table
    from savor.core.errors import TrainingError

    if log:
        append_run(suite.log, entry)
        write_results(suite)
    if as_json:
        print_json(entry.model_dump(mode="json"))
    else:
        console.print(Markdown("\n".join(run_table(entry))))
    wrong = [
        model.name for model in entry.models if model.failed or any(not one["agrees"] for one in model.check.values())
    ]
    if wrong:
        raise TrainingError(f"failed, or not what a self-check expects: {', '.join(wrong)}")


def _command() -> str:
    """The command as it was given, without where data are."""
    words = sys.argv[1:]
    kept, skip = [], False
    for word in words:
        if not skip and word != "--data" and not word.startswith("--data="):
            kept.append(word)
        skip = word == "--data"
    return shlex.join(["savor", *kept])
