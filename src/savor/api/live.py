"""What happens while the server runs: its stores, and what this process holds of them."""

import asyncio
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TypeVar

import numpy as np
from numpy.typing import NDArray

from savor.api.kept_in_memory import KeptInMemory
from savor.core.errors import BundleError
from savor.features.text.open_encoder import EncoderChoice
from savor.online.change_signal import ChangeSignal
from savor.online.live_feed import LiveFeed
from savor.online.live_states import Encode, LiveStates
from savor.online.metric_names import BY_NAME, MetricName
from savor.online.monitor import Sample
from savor.online.stores.errors import StoreAwayError
from savor.online.stores.options import StoreOptions
from savor.online.stores.stores import Stores, open_stores
from savor.online.user_states import UserStates
from savor.pipeline.item_tables import ItemTables
from savor.pipeline.opened_bundle import OpenedBundle

Found = TypeVar("Found")
MOST_EVENTS_AT_START = 50_000


class Live:
    """Stores, what is followed of them, and lists that wait for them. `close` it in the end.

    Args:
        stores: of the project.
        feed: follows them.
        patience: seconds after which a store that does not answer counts as away.
    """

    def __init__(self, stores: Stores, feed: LiveFeed, patience: float = 2.0) -> None:
        self.stores, self.feed, self._patience = stores, feed, patience
        self.kept = KeptInMemory()
        feed.erasures.append(self.kept.clear)
        self._closed = False

    @classmethod
    def open(cls, options: StoreOptions, project: Path) -> "Live":
        """Open the stores of the project in the folder `project` and follow them; none of them need be reachable.

        Raises:
            ConfigError, DataError, MissingDependencyError, StoreAwayError: as `open_stores`.
        """
        stores = open_stores(options, project)
        feed = LiveFeed(
            stores,
            ChangeSignal(project / ".savor" / "live.signal"),
            most_events=MOST_EVENTS_AT_START,
            most_users=options.recent_users,
            most_of_user=options.recent_events,
        )
        feed.start()
        return cls(stores, feed, options.patience)

    def over(self, opened: OpenedBundle, tables: ItemTables) -> UserStates:
        """What the bundle knows of users with what happened since laid over it (a `StatesOver`)."""
        space = tables.space
        return LiveStates(
            opened.states,
            self.feed,
            tables.catalogue.index,
            tuple(opened.config.get("kinds", ("purchase",))),
            data_end=int(opened.config.get("data_end", 0)),
            made=opened.bundle.manifest.created,
            encode=None
            if space is None or space.search is None
            else _encoder(opened, space.search[0], space.options.text_encoder),
        )

    async def call(self, work: Callable[[], Found]) -> Found:
        """Do `work`, which speaks to a store, in a thread.

        Raises:
            StoreAwayError: it took too long, or the store is away.
        """
        try:
            return await asyncio.wait_for(asyncio.to_thread(work), 2 * self._patience)
        except TimeoutError:
            raise StoreAwayError(f"the store has not answered for {2 * self._patience:g} s") from None

    @property
    def shared(self) -> bool:
        """Whether recent events are on another server, so that telling it takes a while."""
        return self.stores.redis is not None

    def problem(self) -> str:
        """What of the live state is out of reach, and how much waits for it; empty where all is well."""
        events, problem = self.stores.events.status(), self.feed.problem()
        if not events.reachable:
            problem = f"{events.problem or problem}; {events.waiting} acknowledged events wait in the journal"
        return f"live state: {problem}" if problem else ""

    def collect(self) -> Iterator[tuple[MetricName, list[Sample]]]:
        """See `Monitored`: whether stores answer, and what waits for them."""
        events = self.stores.events.status()
        up = [Sample(("database",), float(events.reachable and not self.feed.database_problem))]
        if self.stores.redis is not None:
            up.append(Sample(("redis",), float(not self.stores.hot_states.problem())))
        yield BY_NAME["savor_store_up"], up
        yield BY_NAME["savor_store_backlog"], [Sample(("database",), float(events.waiting))]

    def close(self) -> None:
        """Stop following, write what is waiting and give everything back."""
        if not self._closed:
            self._closed = True
            self.feed.close()
            self.stores.close()


def _encoder(opened: OpenedBundle, name: str, choice: EncoderChoice) -> Encode:
    """Encodes texts as the bundle's searches were."""

    def encode(texts: list[str]) -> NDArray[np.float32]:
        encoder = opened.text_encoder(choice, queries=True)
        if encoder.name != name:
            raise BundleError(f"searches were encoded with {name}, and installed is {encoder.name}")
        return encoder.encode(texts)

    return encode
