"""The server of a project, put together."""

import os
from pathlib import Path
from typing import TYPE_CHECKING

from pydantic import Field

from savor.core.config import Section

if TYPE_CHECKING:
    from fastapi import FastAPI

_VARIABLE = "SAVOR_SERVER"


class ServerSettings(Section):
    """What `savor serve` was asked for."""

    directory: Path = Field(description="Folder of the project.")
    host: str = Field(description="Address it listens on.")
    channel: str = Field(description="The pointer that is followed.")
    bundle: str | None = Field(None, description="The one bundle to serve; none: that of the channel.")


def open_application(settings: ServerSettings) -> "FastAPI":
    """Open stores and bundle, and make the application; it follows the channel and closes what it opened.

    Raises:
        SavorError: the configuration, the bundle or a store cannot be used.
    """
    from savor.api.app import create_app
    from savor.api.device_releases import DeviceReleases
    from savor.api.engines import Engines
    from savor.api.live import Live
    from savor.api.security import Access
    from savor.api.serve import load_engine
    from savor.api.shadow import Shadow
    from savor.assistant.language_model import LanguageModel
    from savor.cli.serving_section import (
        read_assistant,
        read_device,
        read_drift,
        read_experiments,
        read_pipeline,
        read_scenarios,
        read_security,
        read_serving,
        read_stores,
    )
    from savor.core.folders import ProjectFolder

    folder = ProjectFolder(settings.directory)
    options, scenarios, pipeline = read_serving(folder), read_scenarios(folder), read_pipeline(folder)
    device = read_device(folder)
    access = Access.of(read_security(folder), settings.host, device)
    live = Live.open(read_stores(folder), folder.root)
    try:
        model = LanguageModel(read_assistant(folder), live.stores.assistant_accounts, folder.root)
        stage = None if model.provider is None else model.stage
        engine = load_engine(
            folder.registry,
            bundle=settings.bundle,
            channel=settings.channel,
            options=pipeline,
            scenarios=scenarios,
            over_states=live.over,
            language_model=stage,
        )
    except BaseException:
        live.close()
        raise
    engines = Engines(
        engine,
        lambda bundle: load_engine(
            folder.registry,
            bundle=bundle,
            options=pipeline,
            scenarios=scenarios,
            over_states=live.over,
            language_model=stage,
            quiet=False,
        ),
        options,
        channel=settings.channel if settings.bundle is None else None,
        entities=live.stores.entities,
    )
    return create_app(
        live=live,
        access=access,
        experiments=read_experiments(folder),
        drift=read_drift(folder),
        engines=engines,
        device=DeviceReleases.open(folder.device, device, live.stores),
        assistant=read_assistant(folder),
        project=folder.root,
        language_model=model,
        shadow=Shadow(engines, options.shadow_channel, options.shadow_share),
    )


def application() -> "FastAPI":
    """The application of one of several workers, by the settings that `hand_over` left."""
    return open_application(ServerSettings.model_validate_json(os.environ[_VARIABLE]))


def hand_over(settings: ServerSettings) -> str:
    """Leave the settings for workers that are started from now on; gives the name of what they call."""
    os.environ[_VARIABLE] = settings.model_dump_json()
    return f"{__name__}:application"
