"""Experiments, who saw which variant, and what came of it."""

from collections.abc import Collection, Mapping
from concurrent.futures import Future
from dataclasses import dataclass
from typing import Any

import numpy as np
import orjson
from numpy.typing import NDArray
from sqlalchemy import Connection, select, update
from sqlalchemy.dialects import postgresql, sqlite

from savor.core.clock import Clock, wall_clock
from savor.online.column_batch import ColumnBatch
from savor.online.stores.counters import advance
from savor.online.stores.database import Database
from savor.online.stores.errors import StoreError
from savor.online.stores.event_log import EventLog
from savor.online.stores.event_store import Appended, Page
from savor.online.stores.group_commit import GroupCommit
from savor.online.stores.tables import counters, events, experiments, exposures, outcomes
from savor.online.stores.tombstones import Tombstones
from savor.online.stores.upsert import upsert

_EVENTS_READ = "events read for outcomes"
_AT_ONCE = 500


@dataclass(frozen=True, eq=False)
class ExposureBatch(ColumnBatch):
    """N items (or whole lists, without items) that were shown in experiments.

    Attributes:
        exposure_id: N names; a repeated one changes nothing.
        experiment, variant, user_id: N names and ids.
        recommendation_id, item_id: N ids; None where there is none.
        position: (N,) int64 place in the list, from 0; -1 where there is none.
        propensity: (N,) float64 probability with which the item was shown there; NaN where unknown.
        fallback: (N,) int64, 1 where the list was less than usual, otherwise 0; -1 where unknown.
        seconds: (N,) float64 time to answer; NaN where unknown.
        time, received: (N,) int64 UTC microseconds.
    """

    exposure_id: list[str]
    experiment: list[str]
    variant: list[str]
    user_id: list[str]
    recommendation_id: list[str | None]
    item_id: list[str | None]
    position: NDArray[np.int64]
    propensity: NDArray[np.float64]
    fallback: NDArray[np.int64]
    seconds: NDArray[np.float64]
    time: NDArray[np.int64]
    received: NDArray[np.int64]


@dataclass(frozen=True, eq=False)
class OutcomeBatch(ColumnBatch):
    """N things that people did while they were in an experiment.

    Attributes:
        outcome_id: N names; a repeated one changes nothing.
        experiment, variant, user_id: N names and ids.
        metric: N names: click, purchase, order_value, ….
        value: (N,) float64.
        item_id, recommendation_id: N ids; None where there is none.
        time, received: (N,) int64 UTC microseconds.
    """

    outcome_id: list[str]
    experiment: list[str]
    variant: list[str]
    user_id: list[str]
    metric: list[str]
    value: NDArray[np.float64]
    item_id: list[str | None]
    recommendation_id: list[str | None]
    time: NDArray[np.int64]
    received: NDArray[np.int64]


@dataclass(frozen=True)
class StoredExperiment:
    """An experiment as it was last defined; `definition` is a JSON document, moments are UTC seconds."""

    name: str
    definition: Mapping[str, Any]
    version: int
    created: int
    changed: int


class ExperimentStore:
    """Definitions, exposures and outcomes.

    Exposures and outcomes are appended like events: each once, those of one moment in one transaction, none of an
    erased person. Every method raises StoreAwayError where the database cannot be reached; futures fail with it.

    Args:
        database: where they are.
        tombstones: who is left out.
        clock: for the moment of each definition.
    """

    def __init__(self, database: Database, tombstones: Tombstones, clock: Clock = wall_clock) -> None:
        self._database, self._clock = database, clock
        self._exposures = EventLog(database, exposures, ExposureBatch, tombstones)
        self._outcomes = EventLog(database, outcomes, OutcomeBatch, tombstones)
        self._exposure_commits = GroupCommit(self._exposures.write, len)
        self._outcome_commits = GroupCommit(self._outcomes.write, len)

    def define(self, name: str, definition: Mapping[str, Any], expected: int | None = None) -> StoredExperiment:
        """Make an experiment, or change what is said of it.

        Args:
            name: of the experiment.
            definition: a JSON document.
            expected: the version that is changed, 0 where there is none; None changes whatever is there.

        Raises:
            StoreError: somebody else changed it meanwhile (code `experiment_changed`).
        """
        now = self._clock()
        document = orjson.dumps(dict(definition), option=orjson.OPT_SORT_KEYS).decode("utf-8")
        with self._database.writing() as connection:
            version = advance(connection, experiments.name)
            columns = (experiments.c.created, experiments.c.version)
            known = connection.execute(select(*columns).where(experiments.c.name == name)).first()
            if expected is not None and expected != (0 if known is None else known.version):
                raise StoreError(
                    f"the experiment {name!r} was changed meanwhile; look at it again", code="experiment_changed"
                )
            created = now if known is None else known.created
            row = {"name": name, "definition": document, "version": version, "created": created, "changed": now}
            upsert(connection, experiments, [row])
        return StoredExperiment(name, orjson.loads(document), version, created, now)

    def definition(self, name: str) -> StoredExperiment | None:
        """What is said of the experiment; None where there is none."""
        with self._database.reading() as connection:
            row = connection.execute(select(experiments).where(experiments.c.name == name)).first()
        return None if row is None else _stored(row)

    def definitions(self, after: int = 0) -> list[StoredExperiment]:
        """All experiments that changed after the version `after`, in the order of their versions."""
        asked = select(experiments).where(experiments.c.version > after).order_by(experiments.c.version)
        with self._database.reading() as connection:
            return [_stored(row) for row in connection.execute(asked)]

    def expose(self, batch: ExposureBatch) -> Future[Appended]:
        """Append exposures; the future is done when they are durable."""
        return self._exposure_commits.submit(batch)

    def observe(self, batch: OutcomeBatch) -> Future[Appended]:
        """Append outcomes; the future is done when they are durable."""
        return self._outcome_commits.submit(batch)

    def exposed(self, user_ids: Collection[str]) -> set[str]:
        """Those of `user_ids` to whom something was shown."""
        names, found = list(user_ids), set[str]()
        with self._database.reading() as connection:
            for start in range(0, len(names), _AT_ONCE):
                asked = select(exposures.c.user_id).where(exposures.c.user_id.in_(names[start : start + _AT_ONCE]))
                found.update(connection.execute(asked.distinct()).scalars())
        return found

    def events_read(self) -> int:
        """The number of the last event that was looked at for outcomes."""
        asked = select(counters.c.value).where(counters.c.name == _EVENTS_READ)
        with self._database.reading() as connection:
            return connection.execute(asked).scalar() or 0

    def observe_events(self, batch: OutcomeBatch, before: int, after: int) -> bool:
        """Append what the events after `before` up to `after` led to, and remember that they were looked at.

        Both in one step, unless another process has looked at events since: then nothing is done, and it is False.
        """
        with self._database.writing() as connection:
            if self._hold_events_read(connection) != before:
                return False
            self._outcomes.write_in(connection, [batch])
            self._set_events_read(connection, after)
        return True

    def pass_over_events(self) -> None:
        """Remember all events that are there as looked at; nobody was in an experiment."""
        newest = select(counters.c.value).where(counters.c.name == events.name)
        with self._database.reading() as connection:
            last = connection.execute(newest).scalar() or 0
        if last <= self.events_read():
            return
        with self._database.writing() as connection:
            if self._hold_events_read(connection) < last:
                self._set_events_read(connection, last)

    def _hold_events_read(self, connection: Connection) -> int:
        """As `events_read`; no other writer of outcomes goes on until the transaction ends."""
        make = (postgresql.insert if connection.dialect.name == "postgresql" else sqlite.insert)(counters)
        connection.execute(make.values(name=_EVENTS_READ, value=0).on_conflict_do_nothing())
        held = select(counters.c.value).where(counters.c.name == _EVENTS_READ).with_for_update()
        value: int = connection.execute(held).scalar_one()
        return value

    def _set_events_read(self, connection: Connection, value: int) -> None:
        connection.execute(update(counters).where(counters.c.name == _EVENTS_READ).values(value=value))

    def exposures_after(self, experiment: str, cursor: int, limit: int = 50_000) -> Page[ExposureBatch]:
        """Up to `limit` exposures of the experiment after `cursor` (0: from the start), in the order they were kept."""
        return self._exposures.read(cursor, limit, exposures.c.experiment == experiment)

    def outcomes_after(self, experiment: str, cursor: int, limit: int = 50_000) -> Page[OutcomeBatch]:
        """The same of outcomes."""
        return self._outcomes.read(cursor, limit, outcomes.c.experiment == experiment)

    def close(self) -> None:
        """Write what is waiting; the database stays open."""
        self._exposure_commits.close()
        self._outcome_commits.close()


def _stored(row: Any) -> StoredExperiment:
    return StoredExperiment(row.name, orjson.loads(row.definition), row.version, row.created, row.changed)
