"""What declared groups of items got of the exposure, for Prometheus."""

from collections.abc import Callable, Iterator

from savor.api.engine import Engine
from savor.online.metric_names import BY_NAME, MetricName
from savor.online.monitor import Sample


class ExposureFigures:
    """Figures of the engine that answers now.

    Args:
        engine: gives it; None while there is none.
    """

    def __init__(self, engine: Callable[[], Engine | None]) -> None:
        self._engine = engine

    def collect(self) -> Iterator[tuple[MetricName, list[Sample]]]:
        """See `Monitored`; nothing where no group has a least share, and no share before the first list."""
        engine = self._engine()
        if engine is None or not (targets := engine.serving.opened.exposure.targets):
            return
        reached = engine.serving.opened.exposure.reached()
        shares = [Sample((name,), share) for name, share in reached.items() if share == share]
        yield BY_NAME["savor_exposure_share"], shares
        yield BY_NAME["savor_exposure_target"], [Sample((name,), share) for name, share in targets.items()]
