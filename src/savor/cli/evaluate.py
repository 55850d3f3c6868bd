"""`savor evaluate`."""

from pathlib import Path

from savor.cli.options import AsJson, Directory
from savor.cli.output import next_step, print_json
from savor.core.progress import console


def evaluate(directory: Directory = Path(), as_json: AsJson = False) -> None:
    """Measure the whole pipeline, each source and tuned baselines on the test period, and write the report."""
    from savor.cli.project import read_project
    from savor.cli.stages import two_stage
    from savor.core.folders import ProjectFolder
    from savor.evaluation.report_html import write_report_html
    from savor.evaluation.report_json import report_document, write_report_json
    from savor.evaluation.report_table import report_tables
    from savor.training.judge import judge

    folder = ProjectFolder(directory)
    project = read_project(folder)
    stages = two_stage(folder, project)
    judgement = judge(stages, project.evaluation)
    training = {"two-tower": stages.retrieval_history()}
    document = report_document(judgement.protocol, judgement.results.values(), training=training)
    write_report_json(document, folder.reports / "evaluation.json")
    write_report_html(document, folder.reports / "evaluation.html", title=project.project.name)
    if as_json:
        print_json(document)
        return
    for table in report_tables(document):
        console.print(table)
    console.print(f"  the whole report: {folder.reports / 'evaluation.html'}", highlight=False)
    next_step("savor publish")
