"""The engine of one bundle, with what is said of items laid over it."""

import copy
import logging
from collections.abc import Callable
from threading import RLock

from savor.api.engine import Engine
from savor.core.errors import SavorError
from savor.index.rebuild import rebuild_index
from savor.online.stores.entities import Entity, EntityStore
from savor.pipeline.item_tables import ItemTables
from savor.pipeline.live_items import LiveItems, Said
from savor.pipeline.query import Query

logger = logging.getLogger("savor.api")
_AT_ONCE = 5000


class BundleEngine:
    """Makes a new `engine` whenever items come, change or go; those given out before go on answering.

    Args:
        engine: of the bundle as it is.
    """

    def __init__(self, engine: Engine) -> None:
        self.engine = engine
        self.version = 0
        """Everything that was said of items up to this version of the entity store is in `engine`."""
        self.items = LiveItems(engine.serving.opened, engine.serving.tables)
        self._lock = RLock()

    @property
    def bundle_id(self) -> str:
        """The id of the bundle."""
        return self.engine.bundle_id

    def follow(self, entities: EntityStore, made: Callable[["BundleEngine"], None] | None = None) -> bool:
        """Take in what the store says of items since the last time.

        Args:
            entities: the store.
            made: called after a new engine was made.

        Returns:
            Whether there was anything.

        Raises:
            StoreAwayError: the store cannot be reached.
        """
        found = False
        while True:
            # The store is asked outside the lock, so that nobody waits for it.
            since = self.version
            said = entities.read_after(since, _AT_ONCE, kind="item")
            if not said:
                return found
            with self._lock:
                if self.version == since:
                    self._take(said)
                    found = True
                    if made is not None:
                        made(self)

    def said(self, entity: Entity) -> bool:
        """Bring price, stock or removal of an item into force at once; True where that is all there is to it."""
        return self.items.at_once(Said(entity.id, entity.document, entity.changed))

    def fold(self, made: Callable[["BundleEngine"], None] | None = None) -> None:
        """Build an index with all items, while answers go on, and change to it.

        Raises:
            SavorError: it cannot be built.
        """
        with self._lock:
            index = self.items.tables.index
            if index is None:
                raise SavorError("the bundle has no index", code="index_failed")
            vectors = self.items.begin_fold()
        built = rebuild_index(vectors, index.kind)
        with self._lock:
            self._use(self.items.fold(built))
            if made is not None:
                made(self)

    def _take(self, said: list[Entity]) -> None:
        pending = [Said(entity.id, entity.document, entity.changed) for entity in said]
        known = [self.items.at_once(one) for one in pending]
        if not all(known):
            try:
                self._use(self.items.lay(pending))
            except Exception:
                logger.exception("changed items could not be taken in together; now one by one")
                self._take_singly(pending)
        self.version = said[-1].version

    def _take_singly(self, pending: list[Said]) -> None:
        for one in pending:
            try:
                self._use(self.items.lay([one]))
            except Exception:
                logger.exception("a changed item cannot be taken in and is left as it was")

    def _use(self, tables: ItemTables) -> None:
        serving = self.engine.serving.over(tables)
        # The first answer makes what later ones need.
        serving.pipeline.run(Query(user_id="", now=serving.clock()))
        engine = copy.copy(self.engine)
        engine.serving = serving
        self.engine = engine
