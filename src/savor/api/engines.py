"""The engine that answers, the one before it, and those beside it."""

import asyncio
import logging
import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager, suppress
from time import monotonic, perf_counter
from typing import NamedTuple

from savor.api.bundle_engine import BundleEngine
from savor.api.engine import Engine
from savor.api.options import ServingOptions
from savor.bundle.registry import LIVE, Registry
from savor.core.errors import BundleError, SavorError
from savor.core.file_lock import locked
from savor.online.stores.entities import Entity, EntityStore
from savor.online.stores.errors import StoreAwayError

logger = logging.getLogger("savor.api")
_LOADING = ".loading"
_TRY_AGAIN = 30.0
_SETTLED = 2.0
_SOONEST = 0.25
"""Seconds between two looks at what other servers said of items."""

_SWITCH_SECONDS = 0.0005
"""How long a thread may keep the interpreter while a bundle is loaded: requests come in between."""


class Outcome(NamedTuple):
    """A change of what is served: `switched`, `rolled_back` or `refused`, which bundle, and why not."""

    kind: str
    bundle: str
    problem: str = ""


class Engines:
    """Follows a channel of the registry and what is said of items; changes of engine are one assignment.

    A new bundle is opened, verified, built and run once beside the old one, in a thread; requests that are under way
    end with what they began with. The old one stays for a while, so that going back takes no time. Where a bundle
    cannot be used the old one stays, and `problem` says why.

    Args:
        engine: what answers at first.
        load: opens, verifies and warms the bundle of an id.
        options: how often to look, and how long to keep what was before.
        channel: the pointer to follow; None: only the one engine answers, whatever is published.
        entities: where items are that came or changed; None: nowhere.
    """

    def __init__(
        self,
        engine: Engine,
        load: Callable[[str], Engine] | None = None,
        options: ServingOptions | None = None,
        *,
        channel: str | None = LIVE,
        entities: EntityStore | None = None,
    ) -> None:
        self._options = options or ServingOptions()
        self.channel = channel if load is not None and engine.registry is not None else None
        self._load_engine, self._entities = load, entities
        self._current = BundleEngine(engine)
        self._previous: BundleEngine | None = None
        self._left = monotonic()
        self._beside: dict[str, BundleEngine] = {}
        self._wanted: Callable[[], set[str]] = set
        self._refused: dict[str, float] = {}
        self._loading = threading.RLock()
        self._folding, self._changing = threading.Lock(), threading.Lock()
        self._wake, self._closed = threading.Event(), threading.Event()
        self._threads: list[threading.Thread] = []
        self.problem = ""
        """Why the bundle that the channel points to does not answer; empty where it does."""
        self.items_problem = ""
        """Why changes of items may not be known yet; empty where they are."""
        self.listeners: list[Callable[[Engine], None]] = []
        """Called with each new engine, in the thread that made it."""
        self.outcomes: list[Callable[[Outcome], None]] = []
        """Called when a bundle was switched to, or refused."""
        if entities is not None:
            self._lay(self._current)

    @property
    def engine(self) -> Engine:
        """What answers now."""
        return self._current.engine

    @property
    def registry(self) -> Registry | None:
        """Where bundles come from."""
        return self.engine.registry

    @property
    def previous_id(self) -> str | None:
        """The bundle before, where it is in memory still."""
        previous = self._previous
        return None if previous is None else previous.bundle_id

    def start(self) -> None:
        """Begin to follow; `close` ends it."""
        for name, work in (("savor-items", self._follow_items), ("savor-bundles", self._follow_bundles)):
            thread = threading.Thread(target=work, name=name, daemon=True)
            thread.start()
            self._threads.append(thread)

    def close(self) -> None:
        """Stop following."""
        self._closed.set()
        self._wake.set()
        for thread in self._threads:
            thread.join(5)

    def beside(self, wanted: Callable[[], set[str]]) -> None:
        """Have the bundles whose ids `wanted` names loaded too; it is asked again and again, and adds to others."""
        before = self._wanted
        self._wanted = lambda: before() | wanted()

    def named(self, bundle: str) -> Engine | None:
        """The engine of a bundle that is in memory; None where it is not, or not yet."""
        for held in (self._current, self._previous, self._beside.get(bundle)):
            if held is not None and held.bundle_id == bundle:
                return held.engine
        return None

    def why_not(self, bundle: str) -> str:
        """Why a bundle that should be in memory is not, for people."""
        return "it could not be loaded; the log says why" if bundle in self._refused else "it is not loaded yet"

    def activate(self, bundle: str) -> str | None:
        """Serve the bundle `bundle`, and point the channel to it.

        Returns:
            The id of the bundle before; None where it is served already.

        Raises:
            SavorError: the server serves one bundle only (code `bundles_fixed`).
            BundleError: there is no such bundle, or it cannot be used; nothing was changed.
        """
        registry, channel = self._followed()
        registry.open(bundle, verify=False)
        with self._loading:
            before = self.engine.bundle_id
            held = self._held(bundle)
            if registry.current(channel) != bundle:
                registry.activate(bundle, channel=channel)
            self._switch(held, "switched")
        return None if before == bundle else before

    def rollback(self) -> tuple[str, str]:
        """Serve the bundle that the channel pointed to before, and point it there again.

        Returns:
            Its id, and that of the one served until now.

        Raises:
            SavorError: the server serves one bundle only (code `bundles_fixed`).
            BundleError: there is none before, or it cannot be used; nothing was changed.
        """
        registry, channel = self._followed()
        with self._loading:
            before = self.engine.bundle_id
            history = registry.history(channel)
            target = history[-1].previous if history else None
            if target is None:
                raise BundleError(
                    "there is no earlier bundle to go back to. See: savor bundles", code="no_previous_bundle"
                )
            held, answered = self._held(target), self._current
            # What is in memory answers at once; the registry reads its files before it moves the pointer.
            self._use(held)
            try:
                registry.rollback(channel)
            except BaseException:
                self._use(answered)
                raise
            self._tell(Outcome("rolled_back", held.bundle_id))
        return held.bundle_id, before

    def said(self, entity: Entity) -> None:
        """An item changed: stock, price and removal count from now on, everything else in a moment."""
        for held in self._all():
            held.said(entity)
        self._wake.set()

    async def settled(self, version: int, seconds: float = _SETTLED) -> bool:
        """Wait until what was said up to `version` counts in every answer, but not longer than `seconds`."""
        until = monotonic() + seconds
        if not self._threads:
            await asyncio.to_thread(self._lay, self._current)
        while self._current.version < version:
            if monotonic() > until or not self._threads:
                return False
            await asyncio.sleep(0.01)
        return True

    def _followed(self) -> tuple[Registry, str]:
        if self.registry is None or self.channel is None:
            raise SavorError(
                "this server was started for one bundle; start it without --bundle to change it", code="bundles_fixed"
            )
        return self.registry, self.channel

    def _all(self) -> list[BundleEngine]:
        held = [self._current, *([self._previous] if self._previous else []), *self._beside.values()]
        return list({id(one): one for one in held}.values())

    def _held(self, bundle: str) -> BundleEngine:
        """A bundle in memory, loaded where it was not, with what was said of items."""
        held = next((one for one in self._all() if one.bundle_id == bundle), None) or self._loaded(bundle)
        self._lay(held)
        return held

    def _loaded(self, bundle: str) -> BundleEngine:
        assert self._load_engine is not None
        started = perf_counter()
        with self._turn(), _giving_way():
            try:
                held = BundleEngine(self._load_engine(bundle))
                self._lay(held)
            except Exception as error:
                self._refused[bundle] = monotonic()
                self._tell(Outcome("refused", bundle, str(error)))
                logger.error("bundle %s cannot be used: %s", bundle, error)
                if isinstance(error, SavorError):
                    raise
                raise BundleError(
                    f"bundle {bundle} cannot be used ({error!r}); what was served is served on"
                ) from error
        self._refused.pop(bundle, None)
        logger.info("bundle %s was loaded in %.1f s", bundle, perf_counter() - started)
        return held

    @contextmanager
    def _turn(self) -> Iterator[None]:
        """Wait until no other server of the registry on this machine loads: one at a time, the others answer freely."""
        with ExitStack() as stack:
            if self.registry is not None:
                with suppress(OSError):
                    stack.enter_context(locked(self.registry.directory / _LOADING))
            yield

    def _switch(self, held: BundleEngine, outcome: str) -> None:
        """From now on `held` answers."""
        if held is not self._current:
            self._use(held)
            self._tell(Outcome(outcome, held.bundle_id))

    def _use(self, held: BundleEngine) -> None:
        with self._changing:
            self.problem = ""
            self._previous, self._current, self._left = self._current, held, monotonic()
            self._announce()

    def _made(self, held: BundleEngine) -> None:
        """A bundle has a new engine."""
        with self._changing:
            if held is self._current:
                self._announce()

    def _announce(self) -> None:
        for listener in self.listeners:
            listener(self._current.engine)

    def _tell(self, outcome: Outcome) -> None:
        for told in self.outcomes:
            told(outcome)

    def _lay(self, held: BundleEngine) -> None:
        """Lay what was said of items over a bundle; where the store is away, `items_problem` says so."""
        if self._entities is None:
            return
        try:
            held.follow(self._entities, self._made)
            self.items_problem = ""
        except StoreAwayError as error:
            self.items_problem = str(error)

    def _follow_items(self) -> None:
        while not self._closed.is_set():
            self._wake.wait(min(self._options.follow_seconds, _SOONEST))
            self._wake.clear()
            if self._closed.is_set():
                return
            try:
                for held in self._all():
                    self._lay(held)
                self._fold_if_due()
            except Exception as error:
                self.items_problem = f"changed items could not be taken in ({error!r})"
                logger.exception("changed items could not be taken in")

    def _fold_if_due(self) -> None:
        held = self._current
        if held.items.unfolded < self._options.fold_items or not self._folding.acquire(blocking=False):
            return

        def fold() -> None:
            try:
                held.fold(self._made)
            except Exception:
                logger.exception("the index could not be built anew; new items are looked at one by one")
                self._closed.wait(_TRY_AGAIN)
            finally:
                self._folding.release()

        threading.Thread(target=fold, name="savor-fold", daemon=True).start()

    def _follow_bundles(self) -> None:
        while not self._closed.wait(self._options.follow_seconds):
            try:
                self._follow_channel()
                self._follow_beside()
                if self._previous is not None and monotonic() - self._left > self._options.keep_seconds:
                    self._previous = None
            except Exception as error:
                self.problem = f"the registry cannot be followed ({error})"
                logger.exception("the registry cannot be followed")

    def _follow_channel(self) -> None:
        if self.registry is None or self.channel is None:
            return
        bundle = self.registry.current(self.channel)
        if bundle is None or bundle == self.engine.bundle_id:
            self.problem = ""
            return
        if self._is_refused(bundle):
            return
        with self._loading:
            if self.registry.current(self.channel) != bundle:
                return
            try:
                self._switch(self._held(bundle), "switched")
            except SavorError as error:
                self.problem = f"bundle {bundle} is published and cannot be used: {error}"

    def _follow_beside(self) -> None:
        wanted = self._wanted()
        for bundle in self._beside.keys() - wanted:
            self._beside.pop(bundle)
        for bundle in sorted(wanted - self._beside.keys()):
            if self._is_refused(bundle) or self._load_engine is None:
                continue
            with self._loading, suppress(SavorError):
                self._beside[bundle] = self._held(bundle)

    def _is_refused(self, bundle: str) -> bool:
        since = self._refused.get(bundle)
        return since is not None and monotonic() - since < _TRY_AGAIN


@contextmanager
def _giving_way() -> Iterator[None]:
    """Let other threads have the interpreter often."""
    before = sys.getswitchinterval()
    sys.setswitchinterval(min(before, _SWITCH_SECONDS))
    try:
        yield
    finally:
        sys.setswitchinterval(before)
