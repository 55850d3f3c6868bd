"""What another bundle would have shown at the same moment, made after the answer and seen by nobody."""

import logging
import queue
import threading
from collections.abc import Callable
from typing import NamedTuple

from savor.api.engine import Engine
from savor.api.requests import RecommendationRequest
from savor.online.experiments.exposure_log import ShownList
from savor.online.experiments.options import ExplorationOptions
from savor.online.experiments.plan import Plan

logger = logging.getLogger("savor.experiments")
_WAITING = 64
_NO_CHANCE = ExplorationOptions(share=0)


class _Asked(NamedTuple):
    engine: Engine
    body: RecommendationRequest
    scenario: str
    experiment: str
    shown: ShownList


class Judge:
    """Asks other bundles in a thread; where it cannot keep up, lists are left out.

    Args:
        judged: takes the name of the experiment and the list.
    """

    def __init__(self, judged: Callable[[str, ShownList], None]) -> None:
        self._judged = judged
        self._asked: queue.Queue[_Asked | None] = queue.Queue(_WAITING)
        self._thread: threading.Thread | None = None
        self.left_out = 0

    def open(self) -> None:
        """Begin."""
        if self._thread is None:
            self._thread = threading.Thread(target=self._run, name="savor-judge", daemon=True)
            self._thread.start()

    def close(self) -> None:
        """Make what waits, and end."""
        if self._thread is not None:
            self._asked.put(None)
            self._thread.join()
            self._thread = None

    def ask(self, engine: Engine, body: RecommendationRequest, plan: Plan, experiment: str, shown: ShownList) -> None:
        """Have `engine` make the list too, without chance.

        Args:
            engine: of the other bundle.
            body: what was asked.
            plan: how it was answered.
            experiment: whose `judge` it is.
            shown: what was shown.
        """
        if self._thread is None:
            return
        try:
            self._asked.put_nowait(_Asked(engine, body, plan.scenario, experiment, shown))
        except queue.Full:
            self.left_out += 1

    def wait(self) -> None:
        """Until everything that was asked is made."""
        self._asked.join()

    def _run(self) -> None:
        while (asked := self._asked.get()) is not None:
            try:
                self._make(asked)
            except Exception:
                logger.exception("a list could not be made beside the one that was shown")
            finally:
                self._asked.task_done()
        self._asked.task_done()

    def _make(self, asked: _Asked) -> None:
        body = asked.body.model_copy(update={"explain": False})
        _, result = asked.engine.recommend(
            body, Plan(asked.shown.unit, asked.scenario, exploration=_NO_CHANCE), unseen=True
        )
        ids = asked.engine.serving.catalogue.ids
        items = [ids[row] for row in result.items.tolist()]
        self._judged(asked.experiment, asked.shown._replace(items=items, propensities=None))
