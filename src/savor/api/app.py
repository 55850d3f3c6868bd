"""The HTTP application."""

from typing import Any

from fastapi import FastAPI

from savor import __version__
from savor.api.engine import Engine
from savor.api.limits import BodyLimit
from savor.api.metrics import Metrics
from savor.api.problems import add_problem_schema, install_problem_handlers
from savor.api.routes import page, recommendations, status
from savor.api.timing import Timing

MOST_BYTES = 1 << 20


def create_app(engine: Engine | None = None, *, most_bytes: int = MOST_BYTES) -> FastAPI:
    """Make the application.

    Args:
        engine: what answers; without one everything but `/health` and `/metrics` says that it is not ready, until
            `app.state.engine` is set.
        most_bytes: largest body that is accepted.
    """
    app = FastAPI(
        title="Savor",
        version=__version__,
        summary="Recommendations from a published bundle. Errors are RFC 9457 problem documents with a stable code.",
    )
    app.state.engine, app.state.metrics = engine, Metrics()
    if engine is not None:
        app.state.metrics.serving(engine.bundle_id)
    for routes in (recommendations, status, page):
        app.include_router(routes.router)
    install_problem_handlers(app)
    app.add_middleware(BodyLimit, limit=most_bytes)
    app.add_middleware(Timing, metrics=app.state.metrics)
    generate = app.openapi

    def openapi() -> dict[str, Any]:
        if app.openapi_schema is None:
            add_problem_schema(generate())
        document: dict[str, Any] = generate()
        return document

    app.openapi = openapi  # type: ignore[method-assign]
    return app
