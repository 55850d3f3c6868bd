"""The part of `savor.toml` that a server reads, without the parts that only training understands."""

from pydantic import ConfigDict, Field

from savor.api.device_options import DeviceOptions
from savor.api.options import ServingOptions
from savor.api.security_options import SecurityOptions
from savor.assistant.options import AssistantOptions
from savor.core.config import Section, read_config
from savor.core.folders import ProjectFolder
from savor.online.drift.options import DriftOptions
from savor.online.experiments.options import ExperimentOptions, Experiments
from savor.online.stores.options import StoreOptions
from savor.pipeline.options import PipelineOptions
from savor.pipeline.scenario import Scenario


class _OnlyServing(Section):
    model_config = ConfigDict(extra="ignore")

    serving: ServingOptions = Field(default_factory=ServingOptions)
    scenarios: dict[str, Scenario] | None = None
    pipeline: PipelineOptions | None = None
    stores: StoreOptions = Field(default_factory=StoreOptions)
    security: SecurityOptions = Field(default_factory=SecurityOptions)
    experiments: Experiments = Field(default_factory=dict)
    drift: DriftOptions = Field(default_factory=DriftOptions)
    device: DeviceOptions = Field(default_factory=DeviceOptions)
    assistant: AssistantOptions = Field(default_factory=AssistantOptions)


def read_serving(folder: ProjectFolder) -> ServingOptions:
    """`[serving]` of the project, or its defaults where the folder holds bundles only.

    The server must not import what training imports, so the other sections are not looked at.

    Raises:
        ConfigError: the section is wrong.
    """
    if not folder.configuration.exists():
        return ServingOptions()
    return read_config(folder.configuration, _OnlyServing).serving


def read_scenarios(folder: ProjectFolder) -> dict[str, Scenario] | None:
    """`[scenarios]` of the project; None where it says nothing of them, so that those of the bundle hold.

    Raises:
        ConfigError: the section is wrong.
    """
    return read_config(folder.configuration, _OnlyServing).scenarios if folder.configuration.exists() else None


def read_pipeline(folder: ProjectFolder) -> PipelineOptions | None:
    """`[pipeline]` of the project; None where it says nothing of it, so that that of the bundle holds.

    Raises:
        ConfigError: the section is wrong.
    """
    return read_config(folder.configuration, _OnlyServing).pipeline if folder.configuration.exists() else None


def read_stores(folder: ProjectFolder) -> StoreOptions:
    """`[stores]` of the project, or its defaults.

    Raises:
        ConfigError: the section is wrong.
    """
    return read_config(folder.configuration, _OnlyServing).stores if folder.configuration.exists() else StoreOptions()


def read_security(folder: ProjectFolder) -> SecurityOptions:
    """`[security]` of the project, or its defaults.

    Raises:
        ConfigError: the section is wrong.
    """
    if not folder.configuration.exists():
        return SecurityOptions()
    return read_config(folder.configuration, _OnlyServing).security


def read_experiments(folder: ProjectFolder) -> dict[str, ExperimentOptions]:
    """`[experiments]` of the project; none where there is no file.

    Raises:
        ConfigError: the section is wrong.
    """
    return read_config(folder.configuration, _OnlyServing).experiments if folder.configuration.exists() else {}


def read_drift(folder: ProjectFolder) -> DriftOptions:
    """`[drift]` of the project, or its defaults.

    Raises:
        ConfigError: the section is wrong.
    """
    return read_config(folder.configuration, _OnlyServing).drift if folder.configuration.exists() else DriftOptions()


def read_device(folder: ProjectFolder) -> DeviceOptions:
    """`[device]` of the project, or its defaults.

    Raises:
        ConfigError: the section is wrong.
    """
    return read_config(folder.configuration, _OnlyServing).device if folder.configuration.exists() else DeviceOptions()


def read_assistant(folder: ProjectFolder) -> AssistantOptions:
    """`[assistant]` of the project, or its defaults.

    Raises:
        ConfigError: the section is wrong.
    """
    if not folder.configuration.exists():
        return AssistantOptions()
    return read_config(folder.configuration, _OnlyServing).assistant
