"""What routes find in the application."""

from typing import Any

import orjson
from fastapi import Request, Response

from savor.api.engine import Engine
from savor.api.engines import Engines
from savor.api.live import Live
from savor.api.metrics import Metrics
from savor.api.shadow import Shadow
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


def engines_of(request: Request) -> Engines:
    """What holds the engine, and changes it.

    Raises:
        SavorError: no bundle is loaded yet (code `not_ready`).
    """
    engine_of(request)
    engines: Engines = request.app.state.engines
    return engines


def shadow_of(request: Request) -> Shadow:
    """What asks another bundle too.

    Raises:
        SavorError: this server serves one bundle only (code `bundles_fixed`).
    """
    shadow = request.app.state.shadow
    if not isinstance(shadow, Shadow) or shadow.engines.channel is None:
        raise SavorError("this server was started for one bundle; start it without --bundle", code="bundles_fixed")
    return shadow


def metrics_of(request: Request) -> Metrics:
    """The figures of this application."""
    metrics: Metrics = request.app.state.metrics
    return metrics


def live_of(request: Request) -> Live:
    """Stores and live state of this application.

    Raises:
        SavorError: it was made without (code `live_state_off`).
    """
    live = request.app.state.live
    if not isinstance(live, Live):
        raise SavorError("this server keeps no live state; start it with savor serve", code="live_state_off")
    return live


def live_or_none(request: Request) -> Live | None:
    """The same; None where there is none."""
    live: Live | None = request.app.state.live
    return live


def limited(request: Request, more: int) -> None:
    """Count a request as so many `more` against what its key may ask for.

    Raises:
        SavorError: that is too much now (code `rate_limited`).
    """
    take = getattr(request.state, "take", None)
    if more and take is not None and not take(more).allowed:
        raise SavorError("this key sends more than it may; send smaller lists, or later", code="rate_limited")


def json_answer(value: Any, status: int = 200) -> Response:
    """Encode once."""
    return Response(orjson.dumps(value, option=orjson.OPT_NON_STR_KEYS), status, media_type="application/json")
