"""The HTTP application."""

from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import asynccontextmanager, suppress
from pathlib import Path
from threading import Thread
from typing import Any

from fastapi import FastAPI

from savor import __version__
from savor.api.chatting import Chat
from savor.api.device_releases import DeviceReleases
from savor.api.drift_monitor import DriftMonitor
from savor.api.engine import Engine
from savor.api.engines import Engines, Outcome
from savor.api.exposure_figures import ExposureFigures
from savor.api.judge import Judge
from savor.api.limits import BodyLimit
from savor.api.live import Live
from savor.api.live_experiments import LiveExperiments
from savor.api.metrics import Metrics
from savor.api.problems import add_problem_schema, install_problem_handlers
from savor.api.routes import (
    bundles,
    chat,
    customers,
    device_page,
    events,
    items,
    page,
    recommendations,
    status,
    users,
    visitors,
)
from savor.api.routes import device as device_routes
from savor.api.routes import experiments as experiments_routes
from savor.api.security import Access, Security, document_security
from savor.api.shadow import Shadow
from savor.api.short_way import ShortWay
from savor.api.timing import Timing
from savor.assistant.language_model import LanguageModel
from savor.assistant.options import AssistantOptions
from savor.core.errors import SavorError
from savor.online.drift.options import DriftOptions
from savor.online.experiments.options import ExperimentOptions
from savor.pipeline.build import Serving

MOST_BYTES = 1 << 20


def create_app(
    engine: Engine | None = None,
    *,
    most_bytes: int = MOST_BYTES,
    live: Live | None = None,
    access: Access | None = None,
    experiments: Mapping[str, ExperimentOptions] | None = None,
    drift: DriftOptions | None = None,
    engines: Engines | None = None,
    shadow: Shadow | None = None,
    device: DeviceReleases | None = None,
    assistant: AssistantOptions | None = None,
    project: Path | None = None,
    language_model: LanguageModel | None = None,
) -> FastAPI:
    """Make the application.

    Args:
        engine: what answers; without one everything but `/health` and `/metrics` says that it is not ready, until
            `app.state.engine` is set.
        most_bytes: largest body that is accepted.
        live: stores and live state; closed when the application ends. None: calls that need them answer 503.
        access: who may call, by the keys in the stores of `live`; None: everybody.
        experiments: `[experiments]` of savor.toml; they run where there are stores.
        drift: how drift is watched.
        engines: hold what answers and follow bundles and items; absent, `engine` answers whatever is published.
        shadow: asks another bundle too; None: none.
        device: what devices may fetch; None: nothing.
        assistant: `[assistant]` of savor.toml; None: without a language model.
        project: folder that its files count from.
        language_model: that the assistant asks, and closes; None: the one that its options name.
    """
    app = FastAPI(
        title="Savor",
        version=__version__,
        lifespan=_lifespan,
        summary="Recommendations from a published bundle. Errors are RFC 9457 problem documents with a stable code.",
    )
    if engines is None and engine is not None:
        engines = Engines(engine, channel=None, entities=None if live is None else live.stores.entities)
    app.state.engines, app.state.shadow = engines, shadow
    app.state.engine = None if engines is None else engines.engine
    app.state.metrics, app.state.live, app.state.device = Metrics(), live, device
    if live is not None:
        app.state.metrics.watch(live)
    app.state.experiments = LiveExperiments(experiments, None if live is None else live.stores, _price_of(app))
    app.state.drift = DriftMonitor(drift)
    app.state.judge = Judge(app.state.experiments.judged)
    app.state.metrics.watch(app.state.experiments)
    app.state.metrics.watch(app.state.drift)
    app.state.metrics.watch(ExposureFigures(lambda: app.state.engine))
    if engines is not None:
        _follow(app, engines)
        app.state.experiments.load_with(engines)
    if shadow is not None:
        app.state.metrics.watch(shadow)
    served = (recommendations, status, bundles, page, events, customers, users, items, visitors, experiments_routes)
    app.state.chat = Chat(_serving_of(app), assistant, None if live is None else live.stores, project, language_model)
    for routes in (*served, chat, device_routes, device_page):
        app.include_router(routes.router)
    install_problem_handlers(app)
    app.add_middleware(ShortWay, state=app.state)
    app.add_middleware(BodyLimit, limit=most_bytes)
    if access is not None and live is not None:
        app.add_middleware(Security, stores=live.stores, access=access)
    app.add_middleware(Timing, metrics=app.state.metrics)
    generate = app.openapi

    def openapi() -> dict[str, Any]:
        if app.openapi_schema is None:
            add_problem_schema(generate())
            public = access is not None and access.device.public
            document_security(generate(), keys=access is not None and access.keys, public_device=public)
        document: dict[str, Any] = generate()
        return document

    app.openapi = openapi  # type: ignore[method-assign]
    return app


@asynccontextmanager
async def _lifespan(app: FastAPI) -> AsyncIterator[None]:
    """What follows the stores begins before the first answer; live state is closed after the last."""
    app.state.experiments.open()
    app.state.drift.open()
    app.state.judge.open()
    following = [one for one in (app.state.engines, app.state.shadow) if one is not None]
    for one in following:
        one.start()
    if app.state.chat.talks:
        _warm_in_background(app.state.chat)
    yield
    app.state.chat.close()
    for one in reversed(following):
        one.close()
    app.state.judge.close()
    app.state.drift.close()
    app.state.experiments.close()
    if app.state.live is not None:
        app.state.live.close()


def _follow(app: FastAPI, engines: Engines) -> None:
    """Let each new engine answer, and count it."""

    def answers(engine: Engine) -> None:
        app.state.engine = engine
        app.state.metrics.serving(engine.bundle_id)

    def told(outcome: Outcome) -> None:
        app.state.metrics.swapped(outcome.kind)

    answers(engines.engine)
    engines.listeners.append(answers)
    engines.outcomes.append(told)


def _serving_of(app: FastAPI) -> Callable[[], Serving]:
    """What answers now."""

    def serving() -> Serving:
        engine = app.state.engine
        if not isinstance(engine, Engine):
            raise SavorError("no bundle is loaded; publish one and try again", code="not_ready")
        return engine.serving

    return serving


def _warm_in_background(chat: Chat) -> None:
    def warm() -> None:
        with suppress(SavorError):
            chat.warm()

    Thread(target=warm, name="savor-chat-warm", daemon=True).start()


def _price_of(app: FastAPI) -> Callable[[str], float]:
    """The price of an item in the bundle that answers now; NaN where unknown."""

    def price(item_id: str) -> float:
        engine = app.state.engine
        row = engine.serving.catalogue.index.get(item_id) if isinstance(engine, Engine) else None
        return float("nan") if row is None else float(engine.serving.catalogue.price[row])

    return price
