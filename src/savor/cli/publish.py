"""`savor publish`."""

from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, Annotated, Any

import orjson
import typer

from savor.cli.options import AsJson, Directory
from savor.cli.output import next_step, print_json
from savor.core.progress import console, progress

if TYPE_CHECKING:
    from savor.bundle.bundle import Bundle

Channel = Annotated[str, typer.Option(help="The pointer to move.")]


def publish(
    directory: Directory = Path(),
    channel: Channel = "live",
    force: Annotated[
        bool, typer.Option("--force", help="Publish although the evaluation is worse than that of the live bundle.")
    ] = False,
    as_json: AsJson = False,
) -> None:
    """Put the trained models and all the data there is into a bundle, and let a channel point to it."""
    from savor.bundle.registry import Registry
    from savor.bundle.writer import write_bundle
    from savor.cli.project import read_project
    from savor.cli.stages import two_stage
    from savor.core.folders import ProjectFolder

    folder = ProjectFolder(directory)
    stages = two_stage(folder, read_project(folder))
    metrics = _measured(folder.reports / "evaluation.json", stages.identity())
    if not metrics:
        console.print("  these models were not evaluated: the bundle carries no figures", style="yellow")
    folder.training.mkdir(parents=True, exist_ok=True)
    with TemporaryDirectory(prefix=".bundle-", dir=folder.training) as temporary:
        parts = Path(temporary) / "parts"
        with progress("assemble the bundle"):
            stages.publish_parts(parts)
            bundle = write_bundle(parts, stages.metadata(metrics), Path(temporary))
            _try(bundle)
        activation = Registry(folder.registry).publish(bundle.directory, channel=channel, force=force)
    if as_json:
        print_json({"bundle": activation.bundle, "channel": channel, "note": activation.note, "bytes": bundle.size})
    else:
        megabytes = bundle.size / 1e6
        console.print(
            f"✓ published [bold]{activation.bundle}[/bold] ({megabytes:.0f} MB) to {channel}", highlight=False
        )
        if activation.note:
            console.print(f"  {activation.note}", highlight=False)
        next_step("savor serve (where it runs already, it changes to this bundle within seconds)")


def _try(bundle: "Bundle") -> None:
    """Let the bundle answer once before anybody can meet it.

    Raises:
        BundleError: it cannot, or a stage fails.
    """
    from savor.core.errors import BundleError
    from savor.core.native_output import native_output_hidden
    from savor.pipeline.build import build_serving
    from savor.pipeline.query import Query

    with native_output_hidden():
        serving = build_serving(bundle)
        user = next(iter(serving.states.sample(1)), ("", 0))[0]
        result = serving.pipeline.run(Query(user, serving.clock()))
    if result.failures:
        raise BundleError(f"the new bundle does not answer as it should ({result.fallback}); nothing was published")


def _measured(report: Path, identity: str) -> dict[str, Any]:
    """The figures of the evaluation of the models called `identity`; nothing where there are none."""
    if not report.exists():
        return {}
    document: dict[str, Any] = orjson.loads(report.read_bytes())
    if document["protocol"].get("models") != identity:
        return {}
    protocol = {key: value for key, value in document["protocol"].items() if key != "tuning"}
    tasks = {
        task: {model: found for model, found in models.items() if model == "pipeline"}
        for task, models in document["tasks"].items()
    }
    return {"protocol": protocol, "tasks": tasks}
