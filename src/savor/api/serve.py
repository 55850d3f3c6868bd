"""Running the application."""

from collections.abc import Mapping
from pathlib import Path

import uvicorn

from savor.api.app import create_app
from savor.api.engine import Engine
from savor.bundle.registry import LIVE, Registry
from savor.core.clock import Clock
from savor.core.native_output import native_output_hidden
from savor.pipeline.build import build_serving
from savor.pipeline.options import PipelineOptions
from savor.pipeline.query import Query
from savor.pipeline.scenario import Scenario


def load_engine(
    registry_directory: Path,
    *,
    bundle: str | None = None,
    channel: str = LIVE,
    options: PipelineOptions | None = None,
    clock: Clock | None = None,
    scenarios: Mapping[str, Scenario] | None = None,
) -> Engine:
    """Open a bundle of a registry, verify it, build what answers from it, and run it once so that it is warm.

    Args:
        registry_directory: the folder that `savor publish` writes to.
        bundle: id; absent, the one that `channel` points to.
        channel: name of the pointer.
        options: as for `build_serving`.
        clock: as for `build_serving`.
        scenarios: as for `build_serving`.

    Raises:
        BundleError: nothing is published, or the bundle is damaged.
        PipelineError: the stages do not fit together, or one that must work does not.
    """
    registry = Registry(registry_directory)
    opened = registry.open(bundle, channel=channel)
    with native_output_hidden():
        serving = build_serving(opened, options, clock, scenarios=scenarios)
        user = next(iter(serving.states.sample(1)), ("", 0))[0]
        serving.pipeline.run(Query(user_id=user, now=serving.clock()))
    return Engine(serving, registry)


def serve(engine: Engine, *, host: str = "127.0.0.1", port: int = 8000, access_log: bool = False) -> None:
    """Answer until the process is told to stop."""
    uvicorn.run(create_app(engine), host=host, port=port, access_log=access_log, log_level="warning")
