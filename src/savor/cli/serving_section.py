"""The part of `savor.toml` that a server reads, without the parts that only training understands."""

from pydantic import ConfigDict, Field

from savor.api.options import ServingOptions
from savor.core.config import Section, read_config
from savor.core.folders import ProjectFolder
from savor.pipeline.scenario import Scenario


class _OnlyServing(Section):
    model_config = ConfigDict(extra="ignore")

    serving: ServingOptions = Field(default_factory=ServingOptions)
    scenarios: dict[str, Scenario] | None = None


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
