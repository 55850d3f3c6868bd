"""The experiments of a running server: who gets what, what is logged, what it shows, and what follows from it."""

import logging
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import suppress
from threading import Event, Lock, Thread
from time import monotonic
from typing import Any

from pydantic import ValidationError

from savor.api.engines import Engines
from savor.core.clock import Clock, wall_clock
from savor.core.errors import SavorError
from savor.online.experiments.assignment import Assignment
from savor.online.experiments.experiment import Experiment
from savor.online.experiments.experiment_log import ExperimentLog, Rounds
from savor.online.experiments.exposure_log import ExposureLog, ShownList
from savor.online.experiments.options import ExperimentOptions, check_together
from savor.online.experiments.outcome_recorder import OutcomeRecorder
from savor.online.experiments.plan import Plan, Planner
from savor.online.experiments.results import ExperimentResults
from savor.online.experiments.units import Units
from savor.online.metric_names import BY_NAME, MetricName
from savor.online.monitor import Monitor, Sample
from savor.online.stores.errors import StoreAwayError, StoreError
from savor.online.stores.stores import Stores

logger = logging.getLogger("savor.experiments")
JUDGED = "~"
"""Before the name of an experiment: the log of what its `judge` would have shown."""

_TICK = 0.5
_MOST_STEPS = 20
Change = Callable[[Experiment], Experiment]


class LiveExperiments:
    """Plans requests from memory; a thread follows the store, writes exposures and outcomes, and looks at the results.

    Every process of a service has one. Definitions are in the store, so all come to the same assignment within a
    second; while the store is away, the last ones hold. Safe from several threads.

    Args:
        declared: `[experiments]` of savor.toml.
        stores: where everything is; None: experiments are shown as declared, and none can be started.
        price: of an item, by id; NaN where unknown.
        clock: UTC seconds.
        look_every: seconds between looks at the results of what runs.
    """

    def __init__(
        self,
        declared: Mapping[str, ExperimentOptions] | None = None,
        stores: Stores | None = None,
        price: Callable[[str], float] = lambda _: float("nan"),
        clock: Clock = wall_clock,
        look_every: float = 60.0,
    ) -> None:
        self._declared, self._stores, self._clock, self._look_every = dict(declared or {}), stores, clock, look_every
        self._experiments = {name: Experiment(name, options) for name, options in self._declared.items()}
        self._planner = Planner(self._experiments)
        self._logs: dict[str, ExperimentLog] = {}
        self._results: dict[str, ExperimentResults] = {}
        self._counts = Monitor()
        self._version = 0
        self._lock = Lock()
        self._ending = Event()
        self._thread: Thread | None = None
        self._engines: Engines | None = None
        self._bundles: dict[str, str] = {}
        self._units: Units | None = None
        self._exposures: ExposureLog | None = None
        self._outcomes: OutcomeRecorder | None = None
        if stores is not None:
            self._units = Units(stores.visitors, stores.experiments)
            self._exposures = ExposureLog(stores.experiments)
            self._outcomes = OutcomeRecorder(stores.events, stores.experiments, price)

    def open(self) -> None:
        """Begin to follow the store; what it says now is known when this returns, unless it is away."""
        if self._stores is not None and self._thread is None:
            with suppress(StoreError):
                self.follow()
            self._ending.clear()
            self._thread = Thread(target=self._run, name="savor-experiments", daemon=True)
            self._thread.start()

    def close(self) -> None:
        """Write what waits, and end."""
        self._ending.set()
        if self._thread is not None:
            self._thread.join()
            self._thread = None
        if self._exposures is not None:
            with suppress(StoreError):
                self._exposures.flush()

    def plan(self, user_id: str, scenario: str) -> Plan:
        """How to answer this user; costs nothing where no experiment runs."""
        planner = self._planner
        if not planner.running:
            return Plan(user_id, scenario)
        return planner.plan(user_id if self._units is None else self._units.of(user_id), scenario)

    def load_with(self, engines: Engines) -> None:
        """Have the bundles that variants answer from loaded beside the one that is served."""
        self._engines = engines
        engines.beside(self._wanted)

    def bundle_of(self, channel: str) -> str | None:
        """The bundle that the channel of a running variant pointed to a moment ago; None where there is none."""
        return self._bundles.get(channel)

    def _wanted(self) -> set[str]:
        """Asked by the thread that follows the registry."""
        registry = None if self._engines is None else self._engines.registry
        if registry is None:
            return set()
        variants = (one for running in self._planner.running.values() for one in running.options.variants.values())
        channels = {one.channel for one in variants if one.channel is not None}
        channels |= {one.options.judge for one in self._planner.running.values() if one.options.judge is not None}
        self._bundles = {channel: found for channel in channels if (found := registry.current(channel)) is not None}
        return set(self._bundles.values())

    def judged(self, name: str, shown: ShownList) -> None:
        """Log what another bundle would have shown in a list of an experiment."""
        if self._exposures is not None:
            self._exposures.add(shown._replace(assignments=(Assignment(JUDGED + name, "judged"),)))

    def shown(self, plan: Plan, shown: ShownList) -> None:
        """Log a list that was shown to somebody in an experiment, or that chance may have had a part in."""
        if self._exposures is not None:
            self._exposures.add(shown)
            for experiment, variant in plan.assignments:
                self._counts.count("savor_experiment_exposures_total", (experiment, variant), 1, self._clock())

    def all(self) -> list[Experiment]:
        """Every experiment that is declared or stored, by name."""
        return [self._experiments[name] for name in sorted(self._experiments)]

    def get(self, name: str) -> Experiment:
        """One of them.

        Raises:
            SavorError: there is none (code `experiment_unknown`).
        """
        found = self._experiments.get(name)
        if found is None:
            raise SavorError(
                f"there is no experiment {name!r}; there are {sorted(self._experiments)}", code="experiment_unknown"
            )
        return found

    def differs(self, name: str) -> bool:
        """Whether savor.toml says something else of an experiment that runs; it is taken when that is started anew."""
        declared = self._declared.get(name)
        if declared is None:
            return False
        return self.get(name).options.model_copy(update={"share": declared.share}) != declared

    def start(self, name: str, actor: str) -> Experiment:
        """Let users take part from now on.

        Raises:
            SavorError: it runs already, or does not go together with one that runs.
            StoreAwayError: the database cannot be reached; nothing was done.
        """

        def begin(experiment: Experiment) -> Experiment:
            fresh = experiment.redeclared(self._declared.get(name, experiment.options))
            started = fresh.started(self._clock())
            running = {other.name: other.options for other in self.all() if other.running}
            try:
                check_together({**running, name: started.options})
            except ValueError as error:
                raise SavorError(str(error), code="experiments_conflict") from None
            return started

        return self._change(name, actor, "experiment.start", begin)

    def stop(self, name: str, actor: str, text: str = "stopped by hand") -> Experiment:
        """Let nobody take part from now on.

        Raises:
            SavorError: it does not run.
            StoreAwayError: the database cannot be reached; nothing was done.
        """
        return self._change(name, actor, "experiment.stop", lambda one: one.stopped(self._clock(), text))

    def ramp(self, name: str, share: float, actor: str) -> Experiment:
        """Let more users take part, or roll out further.

        Raises:
            SavorError: it does not run, or the share cannot be had.
            StoreAwayError: the database cannot be reached; nothing was done.
        """
        return self._change(name, actor, "experiment.ramp", lambda one: one.ramped(share, self._clock()))

    def results(self, name: str) -> ExperimentResults:
        """What it shows by everything that was logged up to now; may take seconds.

        Raises:
            SavorError: there is no such experiment.
            StoreAwayError: the database cannot be reached.
        """
        experiment = self.get(name)
        self._write()
        return self._look(experiment)

    def rounds(self, name: str, *, bought: bool) -> Rounds:
        """What chance showed in lists that `judge` made too, and what came of it; may take seconds.

        Raises:
            SavorError: there is no such experiment.
            StoreAwayError: the database cannot be reached.
        """
        experiment = self.get(name)
        self._write()
        log, judged = self._log(name), self._log(JUDGED + name)
        log.read()
        judged.read()
        return log.rounds(experiment, judged, bought=bought)

    def assignments(self, user_id: str) -> dict[str, str]:
        """The user's variant in each experiment that runs and that the user is in."""
        unit = user_id if self._units is None else self._units.of(user_id)
        return dict(self._planner.assign(unit))

    @property
    def waiting(self) -> int:
        """Lists that wait to be written."""
        return 0 if self._exposures is None else len(self._exposures)

    def collect(self) -> Iterator[tuple[MetricName, list[Sample]]]:
        """See `Monitored`."""
        yield from self._counts.collect()
        running = list(self._planner.running.values())
        looked = [(one.name, self._results[one.name]) for one in running if one.name in self._results]
        yield (
            BY_NAME["savor_experiment_ratio_p"],
            [Sample((name,), found.ratio.p) for name, found in looked],
        )
        crossed: dict[tuple[str, str], float] = {}
        for name, found in looked:
            for rail in found.guardrails:
                crossed[name, rail.metric] = max(crossed.get((name, rail.metric), 0.0), float(rail.crossed))
        yield (
            BY_NAME["savor_experiment_guardrail_crossed"],
            [Sample(labels, value) for labels, value in sorted(crossed.items())],
        )
        rolled = [
            one for one in self._experiments.values() if one.options.rollout is not None and one.status != "draft"
        ]
        shares = [(one.name, one.shares[one.options.rollout.variant]) for one in rolled if one.options.rollout]
        yield BY_NAME["savor_rollout_share"], [Sample((name,), share) for name, share in shares]
        if self._exposures is not None:
            yield BY_NAME["savor_store_backlog"], [Sample(("exposures",), float(len(self._exposures)))]

    def follow(self) -> None:
        """Take over what changed in the store; the first time, make known to it what savor.toml declares.

        Raises:
            StoreAwayError: the database cannot be reached.
        """
        if self._stores is None:
            return
        with self._lock:
            changed = self._stores.experiments.definitions(self._version)
            for stored in changed:
                self._version = max(self._version, stored.version)
                try:
                    found = Experiment.from_json(stored.name, stored.definition, stored.version)
                except (KeyError, TypeError, ValueError, ValidationError) as error:
                    logger.error("experiment %s in the store cannot be read: %s", stored.name, error)
                    continue
                declared = self._declared.get(stored.name)
                self._experiments[stored.name] = found if declared is None else found.redeclared(declared)
            if changed:
                self._planner = Planner(self._experiments)

    def _change(self, name: str, actor: str, action: str, change: Change) -> Experiment:
        stores = self._must_have_stores()
        self.follow()
        before = self.get(name)
        after = self._store(stores, change(before))
        detail = {"change": dict(after.changes[-1])} if after.changes else {}
        stores.audit.record(actor, action, name, detail)
        return after

    def _store(self, stores: Stores, experiment: Experiment) -> Experiment:
        stores.experiments.define(experiment.name, experiment.as_json(), experiment.version)
        self.follow()
        return self._experiments[experiment.name]

    def _must_have_stores(self) -> Stores:
        if self._stores is None:
            raise StoreAwayError("this server has no database, and experiments need one")
        return self._stores

    def _log(self, name: str) -> ExperimentLog:
        with self._lock:
            return self._logs.setdefault(name, ExperimentLog(self._must_have_stores().experiments, name))

    def _look(self, experiment: Experiment) -> ExperimentResults:
        log = self._log(experiment.name)
        log.read()
        found = self._results[experiment.name] = log.look(experiment)
        return found

    def _write(self) -> None:
        """Bring exposures and outcomes up to date."""
        if self._units is None or self._exposures is None or self._outcomes is None:
            return
        self._exposures.flush()
        self._units.follow()
        for _ in range(_MOST_STEPS):
            if not self._outcomes.step(self._planner, self._units.of):
                break

    def _look_at_all(self) -> None:
        """Look at everything that runs; what follows from it for roll-outs is done by whichever process is first."""
        stores = self._must_have_stores()
        for experiment in list(self._planner.running.values()):
            after = experiment.looked(self._look(experiment), self._clock())
            if after is experiment:
                continue
            change = dict(after.changes[-1])
            logger.warning("experiment %s: %s", experiment.name, change["text"])
            with suppress(StoreError):
                self._store(stores, after)
                stores.audit.record("server", f"experiment.{change['code']}", experiment.name, {"change": change})

    def _run(self) -> None:
        looked = -self._look_every
        while not self._ending.wait(_TICK):
            try:
                self.follow()
                self._write()
                if monotonic() - looked >= self._look_every:
                    looked = monotonic()
                    self._look_at_all()
            except StoreError as error:
                logger.debug("experiments wait for the store: %s", error)
            except Exception:
                logger.exception("experiments go on without this round")


def described(experiment: Experiment, *, differs: bool = False) -> dict[str, Any]:
    """An experiment as JSON values, for people and programs."""
    options = experiment.options
    return {
        "name": experiment.name,
        "status": experiment.status,
        "since": experiment.since or None,
        "share": options.share,
        "variants": {
            name: {
                "share": round(experiment.shares[name], 9),
                **options.variants[name].model_dump(mode="json", exclude={"weight"}, exclude_defaults=True),
            }
            for name in options.variants
        },
        "scenarios": list(options.scenarios),
        "metric": options.metric,
        "metrics": list(dict.fromkeys((options.metric, *options.metrics))),
        "guardrails": [one.model_dump(mode="json") for one in options.guardrails],
        "rollout": None
        if options.rollout is None
        else {
            **options.rollout.model_dump(mode="json"),
            "status": None if experiment.rollout is None else experiment.rollout.status,
            "step": None if experiment.rollout is None else experiment.rollout.step,
        },
        "least_users": options.least_users,
        "judge": options.judge,
        "changes": _without_evidence(experiment.changes),
        "differs_from_file": differs,
    }


def _without_evidence(changes: Sequence[Mapping[str, Any]]) -> list[dict[str, Any]]:
    return [{key: value for key, value in change.items() if key != "evidence"} for change in changes]
