"""Running the application."""

import sys
from collections.abc import Mapping
from contextlib import nullcontext
from pathlib import Path

import uvicorn
from starlette.types import ASGIApp

from savor.api.app import create_app
from savor.api.engine import Engine
from savor.api.live import Live
from savor.api.security import Access
from savor.bundle.registry import LIVE, Registry
from savor.core.clock import Clock
from savor.core.native_output import native_output_hidden
from savor.online.drift.options import DriftOptions
from savor.online.experiments.options import ExperimentOptions
from savor.pipeline.build import StatesOver, build_serving
from savor.pipeline.options import PipelineOptions
from savor.pipeline.scenario import Scenario
from savor.pipeline.stage import AdjusterOver

SWITCH_SECONDS = 0.0005
"""After so long a thread gives way to another that waits, a tenth of Python's own figure: where recommendations keep
the main thread busy, a thread that stores events asks for its turn dozens of times."""


def load_engine(
    registry_directory: Path,
    *,
    bundle: str | None = None,
    channel: str = LIVE,
    options: PipelineOptions | None = None,
    clock: Clock | None = None,
    scenarios: Mapping[str, Scenario] | None = None,
    over_states: StatesOver | None = None,
    language_model: AdjusterOver | None = None,
    quiet: bool = True,
) -> Engine:
    """Open a bundle of a registry, verify it, build what answers from it, and run it once so that it is warm.

    Args:
        registry_directory: the folder that `savor publish` writes to.
        bundle: id; absent, the one that `channel` points to.
        channel: name of the pointer.
        options: as for `build_serving`.
        clock: as for `build_serving`.
        scenarios: as for `build_serving`.
        over_states: as for `build_serving`; `Live.over` where there is live state.
        language_model: as for `build_serving`.
        quiet: hold back what native libraries write; not where others may write at the same time.

    Raises:
        BundleError: nothing is published, or the bundle is damaged.
        PipelineError: the stages do not fit together, or one that must work does not.
    """
    registry = Registry(registry_directory)
    opened = registry.open(bundle, channel=channel)
    with native_output_hidden() if quiet else nullcontext():
        serving = build_serving(
            opened, options, clock, scenarios=scenarios, over_states=over_states, language_model=language_model
        )
        serving.warm()
        serving.similar.find(0 if len(serving.catalogue) else None, 1, None)
    return Engine(serving, registry)


def serve(
    engine: Engine,
    *,
    host: str = "127.0.0.1",
    port: int = 8000,
    access_log: bool = False,
    live: Live | None = None,
    access: Access | None = None,
    experiments: Mapping[str, ExperimentOptions] | None = None,
    drift: DriftOptions | None = None,
) -> None:
    """Answer until the process is told to stop; `live` and what follows as for `create_app`."""
    run(create_app(engine, live=live, access=access, experiments=experiments, drift=drift), host, port, access_log)


def run(app: ASGIApp | str, host: str, port: int, access_log: bool = False, workers: int = 1) -> None:
    """Answer until the process is told to stop.

    Args:
        app: what answers; for more than one worker the name of a function that makes it, as `module:function`.
        host: address to listen on.
        port: likewise.
        access_log: whether each request is written down.
        workers: processes that share the port; one that dies is started anew.
    """
    sys.setswitchinterval(SWITCH_SECONDS)
    uvicorn.run(
        app,
        host=host,
        port=port,
        access_log=access_log,
        log_level="warning",
        workers=workers,
        factory=isinstance(app, str),
    )
