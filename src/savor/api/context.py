"""What routes find in the application."""

from typing import Any

import orjson
from fastapi import Request, Response

from savor.api.engine import Engine
from savor.api.metrics import Metrics
from savor.core.errors import SavorError


def engine_of(request: Request) -> Engine:
    """The engine that answers now.

    Raises:
        SavorError: no bundle is loaded yet (code `not_ready`).
    """
    engine = request.app.state.engine
    if not isinstance(engine, Engine):
        raise SavorError("no bundle is loaded; publish one and try again", code="not_ready")
    return engine


def metrics_of(request: Request) -> Metrics:
    """The figures of this application."""
    metrics: Metrics = request.app.state.metrics
    return metrics


def json_answer(value: Any, status: int = 200) -> Response:
    """Encode once."""
    return Response(orjson.dumps(value, option=orjson.OPT_NON_STR_KEYS), status, media_type="application/json")
