"""What people in experiments did, from the events."""

from collections.abc import Callable

import numpy as np

from savor.online.event_batch import EventBatch
from savor.online.experiments.plan import Planner
from savor.online.stores.event_store import EventStore
from savor.online.stores.experiment_store import ExperimentStore, OutcomeBatch

CLICK, PURCHASE = "click", "purchase"


class OutcomeRecorder:
    """Writes an outcome for each click and purchase of somebody in an experiment.

    How far events were read is kept with the outcomes, so that each is read once by one of the processes, those too
    that were in a journal meanwhile.

    Args:
        events: where they are read.
        store: where outcomes go.
        price: of an item, by id, for purchases without one; NaN where unknown.
    """

    def __init__(self, events: EventStore, store: ExperimentStore, price: Callable[[str], float]) -> None:
        self._events, self._store, self._price = events, store, price

    def step(self, planner: Planner, unit: Callable[[str], str], limit: int = 2000) -> int:
        """Read up to `limit` events; how many there were.

        Args:
            planner: who is in which experiment now.
            unit: the id under which experiments know a user.
            limit: how many events at most.

        Raises:
            StoreAwayError: a store cannot be reached; nothing is lost.
        """
        if not planner.running:
            self._store.pass_over_events()
            return 0
        cursor = self._store.events_read()
        page = self._events.read_after(cursor, limit)
        if len(page.rows):
            self._store.observe_events(self._outcomes(page.rows, planner, unit), cursor, page.cursor)
        return len(page.rows)

    def _outcomes(self, events: EventBatch, planner: Planner, unit: Callable[[str], str]) -> OutcomeBatch:
        rows: list[tuple[object, ...]] = []
        for place, kind in enumerate(events.kind):
            item = events.item_id[place]
            if item is None or kind not in (CLICK, PURCHASE):
                continue
            person = unit(events.user_id[place])
            value = self._money(events, place, item) if kind == PURCHASE else 1.0
            for experiment, variant in planner.assign(person):
                rows.append(
                    (
                        f"{events.event_id[place]}:{experiment}",
                        experiment,
                        variant,
                        person,
                        kind,
                        value,
                        item,
                        events.recommendation_id[place],
                        int(events.time[place]),
                        int(events.received[place]),
                    )
                )
        return OutcomeBatch.from_rows(rows)

    def _money(self, events: EventBatch, place: int, item: str) -> float:
        """What the line cost: as the event says, or the item's price for each piece; 0 where neither is known."""
        paid = float(events.price[place])
        if np.isfinite(paid):
            return paid
        pieces = float(events.value[place])
        price = self._price(item) * (pieces if np.isfinite(pieces) else 1.0)
        return price if np.isfinite(price) else 0.0
