"""The whole of `savor.toml`."""

from pydantic import Field

from savor.api.device_options import DeviceOptions
from savor.api.options import ServingOptions
from savor.api.security_options import SecurityOptions
from savor.assistant.options import AssistantOptions
from savor.core.config import Section, read_config
from savor.core.folders import ProjectFolder
from savor.data.options import IngestOptions
from savor.data.schema import EventTable, ItemTable, Schema, UserTable
from savor.data.splits import SplitOptions
from savor.evaluation.options import EvaluationOptions
from savor.features.images.options import ImageOptions
from savor.features.options import FeatureOptions
from savor.online.drift.options import DriftOptions
from savor.online.experiments.options import Experiments
from savor.online.stores.options import StoreOptions
from savor.pipeline.options import PipelineOptions
from savor.pipeline.scenario import Scenario
from savor.training.cross_network.options import DcnOptions
from savor.training.ncf.options import NcfOptions
from savor.training.negatives.options import NegativeOptions
from savor.training.ranking_options import RankingOptions
from savor.training.retrieval_options import RetrievalOptions
from savor.training.sequence.options import SequenceOptions
from savor.training.state import StateOptions
from savor.training.tracking.options import TrackingOptions
from savor.training.training_options import TrainingOptions
from savor.training.tuning.options import TuningOptions


class ProjectOptions(Section):
    """Name and seed of the project."""

    name: str = Field("savor", description="What the project is called in reports and pages.")
    seed: int = Field(7, ge=0, description="Everything random follows from this number.")


class Project(Section):
    """`savor.toml` as one value; each section belongs to the layer that it configures."""

    project: ProjectOptions = Field(default_factory=ProjectOptions)
    events: EventTable
    items: ItemTable | None = None
    users: UserTable | None = None
    personal: tuple[str, ...] = Field((), description=Schema.model_fields["personal"].description)
    ingest: IngestOptions = Field(default_factory=IngestOptions)
    split: SplitOptions = Field(default_factory=SplitOptions)
    features: FeatureOptions = Field(default_factory=FeatureOptions)
    images: ImageOptions = Field(default_factory=ImageOptions)
    retrieval: RetrievalOptions = Field(default_factory=RetrievalOptions)
    negatives: NegativeOptions = Field(default_factory=NegativeOptions)
    training: TrainingOptions = Field(default_factory=TrainingOptions)
    sequence: SequenceOptions = Field(default_factory=SequenceOptions)
    ranking: RankingOptions = Field(default_factory=RankingOptions)
    ncf: NcfOptions = Field(default_factory=NcfOptions)
    dcn: DcnOptions = Field(default_factory=DcnOptions)
    state: StateOptions = Field(default_factory=StateOptions)
    tracking: TrackingOptions = Field(default_factory=TrackingOptions)
    tuning: TuningOptions = Field(default_factory=TuningOptions)
    evaluation: EvaluationOptions = Field(default_factory=EvaluationOptions)
    pipeline: PipelineOptions = Field(default_factory=PipelineOptions)
    serving: ServingOptions = Field(default_factory=ServingOptions)
    stores: StoreOptions = Field(default_factory=StoreOptions)
    security: SecurityOptions = Field(default_factory=SecurityOptions)
    scenarios: dict[str, Scenario] = Field(default_factory=dict)
    experiments: Experiments = Field(default_factory=dict)
    drift: DriftOptions = Field(default_factory=DriftOptions)
    device: DeviceOptions = Field(default_factory=DeviceOptions)
    assistant: AssistantOptions = Field(default_factory=AssistantOptions)

    def tables(self) -> Schema:
        """What the tables mean.

        Raises:
            ConfigError: the tables contradict each other.
        """
        return Schema(events=self.events, items=self.items, users=self.users, personal=self.personal)


def read_project(folder: ProjectFolder) -> Project:
    """Read and check the project's `savor.toml`.

    Raises:
        ConfigError: naming every problem.
    """
    return read_config(folder.configuration, Project)
