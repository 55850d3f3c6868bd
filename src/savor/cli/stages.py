"""From a project's configuration to the stages that train it."""

from savor.cli.project import Project
from savor.core.folders import ProjectFolder
from savor.data.dataset import Dataset
from savor.training.two_stage import TwoStage


def two_stage(folder: ProjectFolder, project: Project) -> TwoStage:
    """The trainer of the project, on the data set that ingest wrote.

    Raises:
        DataError: nothing was ingested yet.
    """
    return TwoStage(
        dataset=Dataset.open(folder.dataset),
        directory=folder.training,
        cache=folder.cache,
        features=project.features,
        images=project.images,
        base=folder.root,
        summaries=folder.summaries,
        retrieval=project.retrieval,
        ranking=project.ranking,
        ncf=project.ncf,
        dcn=project.dcn,
        scenarios=project.scenarios,
        state=project.state,
        sequence=project.sequence,
        negatives=project.negatives,
        training=project.training,
        tracking=project.tracking.placed(folder.root, folder.training / "mlflow", project.project.name),
        pipeline=project.pipeline,
        now="data_end" if project.serving.clock == "data" else "wall",
        seed=project.project.seed,
        kinds=project.evaluation.kinds,
        minimum_value=project.evaluation.minimum_value,
    )
