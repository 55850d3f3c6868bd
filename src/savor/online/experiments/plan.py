"""What a request gets, by the experiments its user takes part in."""

from collections.abc import Mapping
from dataclasses import dataclass, field

from savor.online.experiments.assignment import Assigner, Assignment
from savor.online.experiments.experiment import Experiment
from savor.online.experiments.options import CONTROL, ExplorationOptions


@dataclass(frozen=True)
class Plan:
    """How one request is to be answered.

    Attributes:
        unit: the id under which experiments know the user.
        scenario: the one that answers.
        assignments: where the user stands.
        channel: of the bundle that answers; None is that which is served.
        weights: numbers of the pipeline to set, by name.
        exploration: how the order is drawn; None is not at all.
        judges: experiment and channel, where the list of another bundle is to be made beside this one.
    """

    unit: str
    scenario: str
    assignments: tuple[Assignment, ...] = ()
    channel: str | None = None
    weights: Mapping[str, float] = field(default_factory=dict)
    exploration: ExplorationOptions | None = None
    judges: tuple[tuple[str, str], ...] = ()

    @property
    def variant(self) -> str:
        """What answers and events carry: `experiment=variant`, several joined by `,`; `control` outside of all."""
        return ",".join(one.label for one in self.assignments) or CONTROL


class Planner:
    """Plans requests by the running ones of some experiments; a value, safe from several threads.

    Args:
        experiments: of any status, by name.
    """

    def __init__(self, experiments: Mapping[str, Experiment]) -> None:
        self.running = {name: one for name, one in experiments.items() if one.running}
        steps = {
            name: one.shares[one.options.rollout.variant]
            for name, one in self.running.items()
            if one.options.rollout is not None
        }
        self._assigner = Assigner({name: one.options for name, one in self.running.items()}, steps)

    def assign(self, unit: str, scenario: str | None = None) -> tuple[Assignment, ...]:
        """Where `unit` stands; see `Assigner.assign`."""
        return self._assigner.assign(unit, scenario) if self.running else ()

    def plan(self, unit: str, scenario: str) -> Plan:
        """What somebody gets who asks for `scenario`."""
        assignments = self.assign(unit, scenario)
        if not assignments:
            return Plan(unit, scenario)
        channel: str | None = None
        exploration: ExplorationOptions | None = None
        weights: dict[str, float] = {}
        judges: list[tuple[str, str]] = []
        answering = scenario
        for experiment, variant in assignments:
            options = self.running[experiment].options
            change = options.variants[variant]
            channel = change.channel or channel
            answering = change.scenario or answering
            exploration = change.exploration or options.exploration or exploration
            weights.update(change.weights)
            if options.judge is not None and (change.exploration or options.exploration):
                judges.append((experiment, options.judge))
        return Plan(unit, answering, assignments, channel, weights, exploration, tuple(judges))
