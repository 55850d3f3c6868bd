"""`savor ingest`."""

from pathlib import Path

from savor.cli.options import AsJson, Directory
from savor.cli.output import next_step, print_json
from savor.core.folders import ProjectFolder
from savor.core.progress import console, progress


def ingest(directory: Directory = Path(), as_json: AsJson = False) -> None:
    """Read the tables that savor.toml names, check and type every row, split them, and write the data set."""
    from savor.cli.erased_persons import erased_persons
    from savor.cli.project import read_project
    from savor.data.ingest import ingest as ingest_tables

    folder = ProjectFolder(directory)
    project = read_project(folder)
    with progress("Ingest"), erased_persons(project.stores, folder) as erased:
        report = ingest_tables(
            project.tables(), project.ingest, project.split, folder.root, folder.dataset, erased=erased
        )
    if as_json:
        print_json(report.model_dump(mode="json"))
        return
    console.print(report.render())
    next_step("savor train" if directory == Path() else f"savor train -C {directory}")
