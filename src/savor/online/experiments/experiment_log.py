"""What was shown in an experiment and what came of it, read from the store bit by bit."""

from threading import Lock
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from savor.online.experiments.experiment import Experiment
from savor.online.experiments.outcome_recorder import PURCHASE
from savor.online.experiments.outcomes import UNNAMED, Exposures, Lists, Outcomes, attribute
from savor.online.experiments.results import ExperimentResults, moments_by_variant, results
from savor.online.experiments.user_totals import UserTotals
from savor.online.moment import MICROSECONDS
from savor.online.stores.experiment_store import ExperimentStore, ExposureBatch, OutcomeBatch

_HOUR = 3600
_AT_ONCE = 20_000
_NOTHING = 0
_ODD = 0x9E3779B97F4A7C15 - (1 << 64)

Ints = NDArray[np.int64]
Floats = NDArray[np.float64]


class Rounds(NamedTuple):
    """N items at places, each a round of which chance decided what was shown.

    Attributes:
        list: (N,) int64, equal for places of one list.
        position: (N,) int64.
        reward: (N,) float64, 1 where something came of it.
        propensity: (N,) float64, how probable it was that the item stood there.
        target: (N,) float64, 1 where the other policy would have shown the item there.
    """

    list: Ints
    position: Ints
    reward: Floats
    propensity: Floats
    target: Floats


class ExperimentLog:
    """The log of one experiment, in memory as numbers: about 50 bytes a list and 32 an item; read on, never again.

    Ids are 64-bit hashes, which differ from process to process and never leave it. Safe from several threads.

    Args:
        store: where it is read.
        name: of the experiment.
    """

    def __init__(self, store: ExperimentStore, name: str) -> None:
        self._store, self._name = store, name
        self._lock = Lock()
        self._exposures_read = self._outcomes_read = 0
        self._variants: dict[str, int] = {}
        self._lists = _Table(("key", "user", "variant", "time", "fallback"), ("seconds",))
        self._items = _Table(("list", "item", "position"), ("propensity",))
        self._outcomes = _Table(("list", "user", "item", "time", "bought"), ("money",))

    def read(self) -> None:
        """Read what came since the last time.

        Raises:
            StoreAwayError: the database cannot be reached.
        """
        with self._lock:
            while True:
                shown = self._store.exposures_after(self._name, self._exposures_read, _AT_ONCE)
                self._take_exposures(shown.rows)
                self._exposures_read = shown.cursor
                if len(shown.rows) < _AT_ONCE:
                    break
            while True:
                came = self._store.outcomes_after(self._name, self._outcomes_read, _AT_ONCE)
                self._take_outcomes(came.rows)
                self._outcomes_read = came.cursor
                if len(came.rows) < _AT_ONCE:
                    break

    def tables(self, experiment: Experiment) -> tuple[Lists, Exposures, Outcomes]:
        """Lists of the present period, their items, and outcomes; variants are numbered as in the options.

        Lists of variants that are no longer there are left out.
        """
        with self._lock:
            lists, items, outcomes = (table.columns() for table in (self._lists, self._items, self._outcomes))
            variants = list(self._variants)
        return _tables(experiment, lists, items, outcomes, variants)[0]

    def rounds(self, experiment: Experiment, judged: "ExperimentLog", *, bought: bool) -> "Rounds":
        """Items at places in lists that another policy made too, with what came of them.

        Args:
            experiment: in its present period.
            judged: the log of what the other policy would have shown in the same lists.
            bought: whether purchases count as reward, or else clicks.
        """
        with self._lock:
            lists, items, outcomes = (table.columns() for table in (self._lists, self._items, self._outcomes))
            variants = list(self._variants)
        (kept, exposures, came), of_kept, keys = _tables(experiment, lists, items, outcomes, variants)
        exposure = attribute(kept, exposures, came, experiment.options.window_hours * _HOUR)
        rewarded = exposure[(exposure >= 0) & (came.bought == bought)]
        reward = (np.bincount(rewarded, minlength=len(exposures)) > 0).astype(np.float64)
        key, item = keys[exposures.list], items["item"][of_kept]
        position, propensity = items["position"][of_kept], items["propensity"][of_kept]
        with judged._lock:
            others, theirs = judged._lists.columns(), judged._items.columns()
        shown = np.isin(
            _mixed(key, position, item), _mixed(others["key"][theirs["list"]], theirs["position"], theirs["item"])
        )
        used = np.isin(key, others["key"]) & (propensity > 0)
        return Rounds(key[used], position[used], reward[used], propensity[used], shown[used].astype(np.float64))

    def look(self, experiment: Experiment) -> ExperimentResults:
        """What the experiment shows by what was read."""
        lists, exposures, outcomes = self.tables(experiment)
        names = list(experiment.options.variants)
        totals = UserTotals.of(lists, exposures, outcomes, experiment.options.window_hours * _HOUR)
        users = np.bincount(totals.variant, minlength=len(names)).tolist()
        return results(
            experiment.name,
            experiment.options,
            dict(zip(names, users, strict=True)),
            moments_by_variant(totals, len(names)),
            mixed=totals.mixed,
            shares=experiment.shares_of_period,
        )

    def _take_exposures(self, rows: ExposureBatch) -> None:
        if not len(rows):
            return
        key = _hashes([one or "" for one in rows.recommendation_id])
        first = np.flatnonzero(np.r_[key[0] != self._lists.last("key"), key[1:] != key[:-1]])
        owner = len(self._lists) - 1 + np.cumsum(np.isin(np.arange(len(key)), first))
        variant = [self._variants.setdefault(name, len(self._variants)) for name in rows.variant]
        self._lists.add(
            key=key[first],
            user=_hashes(rows.user_id)[first],
            variant=np.array(variant, np.int64)[first],
            time=rows.time[first] // MICROSECONDS,
            fallback=(rows.fallback[first] == 1).astype(np.int64),
            seconds=np.nan_to_num(rows.seconds[first]),
        )
        self._items.add(list=owner, item=_hashes(rows.item_id), position=rows.position, propensity=rows.propensity)

    def _take_outcomes(self, rows: OutcomeBatch) -> None:
        bought = np.array([metric == PURCHASE for metric in rows.metric], np.bool_)
        self._outcomes.add(
            list=_hashes(rows.recommendation_id),
            user=_hashes(rows.user_id),
            item=_hashes(rows.item_id),
            time=rows.time // MICROSECONDS,
            bought=bought.astype(np.int64),
            money=np.where(bought, rows.value, 0.0),
        )


class _Table:
    """Columns that grow: int64 and float64."""

    def __init__(self, whole: tuple[str, ...], real: tuple[str, ...]) -> None:
        self._pieces: dict[str, list[NDArray[Any]]] = {
            **{name: [np.empty(0, np.int64)] for name in whole},
            **{name: [np.empty(0, np.float64)] for name in real},
        }
        self._length = 0

    def __len__(self) -> int:
        return self._length

    def add(self, **columns: NDArray[Any]) -> None:
        for name, column in columns.items():
            self._pieces[name].append(column)
        self._length += len(next(iter(columns.values())))

    def last(self, name: str) -> int | None:
        return int(self.columns()[name][-1]) if self._length else None

    def columns(self) -> dict[str, NDArray[Any]]:
        for pieces in self._pieces.values():
            if len(pieces) > 1:
                pieces[:] = [np.concatenate(pieces)]
        return {name: pieces[0] for name, pieces in self._pieces.items()}


def _hashes(texts: list[str] | list[str | None]) -> Ints:
    """(N,) int64; `_NOTHING` for None."""
    return np.fromiter((_NOTHING if text is None else hash(text) or 1 for text in texts), np.int64, len(texts))


def _numbered(first: Ints, second: Ints) -> tuple[NDArray[np.intp], NDArray[np.intp]]:
    """Numbers for the values of both, from 0, equal for equal values."""
    _, number = np.unique(np.concatenate([first, second]), return_inverse=True)
    return number[: len(first)], number[len(first) :]


def _places(keys: Ints, wanted: Ints) -> Ints:
    """Where each of `wanted` stands among the distinct `keys`; `UNNAMED` for nothing.

    What names a list that is not there gets a place beyond the end of them all, so that it belongs to no list.
    """
    found = np.full(len(wanted), UNNAMED, np.int64)
    named = wanted != _NOTHING
    order = np.argsort(keys, kind="stable")
    place = np.searchsorted(keys, wanted[named], sorter=order)
    inside = np.minimum(place, max(len(keys) - 1, 0))
    there = (keys[order[inside]] == wanted[named]) if len(keys) else np.zeros(int(named.sum()), np.bool_)
    found[named] = np.where(there, order[inside] if len(keys) else 0, len(keys))
    return found


def _tables(
    experiment: Experiment,
    lists: dict[str, NDArray[Any]],
    items: dict[str, NDArray[Any]],
    outcomes: dict[str, NDArray[Any]],
    variants: list[str],
) -> tuple[tuple[Lists, Exposures, Outcomes], NDArray[np.bool_], Ints]:
    """The tables of the present period, which items are in them, and the keys of their lists."""
    places = {name: place for place, name in enumerate(experiment.options.variants)}
    number = np.array([places.get(name, -1) for name in variants] or [-1], np.int16)[lists["variant"]]
    _, first, of_page = np.unique(lists["key"], return_index=True, return_inverse=True)
    owner = first[of_page][items["list"]]  # pages of one list are one list, that of its first page
    kept = (lists["time"] >= experiment.since) & (number >= 0)
    kept &= np.isin(np.arange(len(kept)), first)
    row = np.cumsum(kept) - 1
    keys = lists["key"][kept]
    of_kept = kept[owner] & (items["item"] != _NOTHING)
    user, users = _numbered(lists["user"][kept], outcomes["user"])
    item, sold = _numbered(items["item"][of_kept], outcomes["item"])
    came = outcomes["time"] >= experiment.since
    tables = (
        Lists(
            user.astype(np.int32),
            number[kept],
            lists["time"][kept],
            lists["fallback"][kept].astype(np.bool_),
            lists["seconds"][kept],
        ),
        Exposures(row[owner[of_kept]].astype(np.int64), item.astype(np.int32)),
        Outcomes(
            _places(keys, outcomes["list"][came]),
            users[came].astype(np.int32),
            sold[came].astype(np.int32),
            outcomes["time"][came],
            outcomes["bought"][came].astype(np.bool_),
            outcomes["money"][came],
        ),
    )
    return tables, of_kept, keys


def _mixed(key: Ints, position: Ints, item: Ints) -> Ints:
    """(N,) int64, one number for each triple; equal for different ones by a chance of 2^-64."""
    found: Ints = (key * _ODD + position) * _ODD ^ item
    return found
