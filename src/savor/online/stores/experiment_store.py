"""Experiments, who saw which variant, and what came of it."""

from collections.abc import Mapping
from concurrent.futures import Future
from dataclasses import dataclass
from typing import Any

import numpy as np
import orjson
from numpy.typing import NDArray
from sqlalchemy import select

from savor.core.clock import Clock, wall_clock
from savor.online.column_batch import ColumnBatch
from savor.online.stores.counters import advance
from savor.online.stores.database import Database
from savor.online.stores.event_log import EventLog
from savor.online.stores.event_store import Appended, Page
from savor.online.stores.group_commit import GroupCommit
from savor.online.stores.tables import experiments, exposures, outcomes
from savor.online.stores.tombstones import Tombstones
from savor.online.stores.upsert import upsert


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

    def define(self, name: str, definition: Mapping[str, Any]) -> StoredExperiment:
        """Make an experiment, or change what is said of it."""
        now = self._clock()
        document = orjson.dumps(dict(definition), option=orjson.OPT_SORT_KEYS).decode("utf-8")
        with self._database.writing() as connection:
            version = advance(connection, experiments.name)
            known = connection.execute(select(experiments.c.created).where(experiments.c.name == name)).scalar()
            created = now if known is None else known
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
