"""One search in one process: everything that `savor tune` puts together."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from savor.core.config import Section
from savor.core.errors import ConfigError
from savor.training.tuning.default_space import SECTIONS, Stage, default_space
from savor.training.tuning.objective import Objective
from savor.training.tuning.options import TuningOptions
from savor.training.tuning.space import Space
from savor.training.tuning.study import check_study, create_study, fail_abandoned, has_study, open_study
from savor.training.tuning.tuner import Tuner

ALWAYS = {"training"}
"""Tables of the configuration that matter to every stage, beside its own."""
MOMENTS = {
    "project.seed",
    "ranking.windows",
    "ranking.window_days",
    "ranking.step_days",
    "evaluation.kinds",
    "evaluation.minimum_value",
}
"""Keys that say what is asked and when, whatever the stage."""
PACE = {"retrieval.checkpoint_seconds"}
"""Keys of a stage that do not change what a trial gives."""


@dataclass(frozen=True)
class Search:
    """A stage, its space and its study.

    Attributes:
        stage: what is tuned.
        directory: of the study.
        values: the configuration as it was written, nested.
        configuration: the same, checked.
        options: `[tuning]`.
        objective: judges settings.
        data: names the data and its split.
        seed: of the project.
    """

    stage: Stage
    directory: Path
    values: Mapping[str, Any]
    configuration: Section
    options: TuningOptions
    objective: Objective
    data: Mapping[str, str]
    seed: int

    def space(self) -> Space:
        """What may be changed: `[tuning.space]` where it has a key of the stage, else the stage's own.

        Raises:
            ConfigError: keys that there are not.
        """
        kind = type(self.configuration)
        given = {key: one for key, one in self.options.space.items() if key.split(".")[0] in SECTIONS[self.stage]}
        every = {name for sections in SECTIONS.values() for name in sections}
        if foreign := [key for key in self.options.space if key.split(".")[0] not in every]:
            raise ConfigError([f"tuning.space: {key} is no setting of a model" for key in foreign])
        present = self.configuration.model_dump(mode="json")
        return Space(given or default_space(self.stage, kind), kind, present)

    def begin(self, *, resume: bool) -> int:
        """Prepare the objective and open the study, a new one unless there is one to go on with.

        Args:
            resume: whether to go on with the trials that are there.

        Returns:
            How many trials were abandoned by workers that are gone.

        Raises:
            ConfigError: there are trials and `resume` was not asked for, or they cannot be compared with new ones.
        """
        space = self.space()
        if has_study(self.directory):
            if not resume:
                raise ConfigError(
                    ["go on with --resume, or begin again with --restart"],
                    source=f"there are trials of the {self.stage} already",
                )
            study = open_study(self.directory, self.options, self.seed)
            check_study(study, space, self._compared(space))
            abandoned = len(fail_abandoned(study, self.directory))
            self.objective.prepare()
            return abandoned
        self.objective.prepare()
        create_study(self.directory, space, self._compared(space))
        return 0

    def work(
        self,
        take: Callable[[], bool],
        done: Callable[[int], None] = lambda _: None,
        *,
        worker: int = 0,
        until: float | None = None,
    ) -> None:
        """Run trials; see `Tuner.run`. Draws follow from the seed, the worker's number and the trials there are."""
        study = open_study(self.directory, self.options, self.seed)
        drawn = len(study.get_trials(deepcopy=False))
        study = open_study(self.directory, self.options, self.seed + 1000 * drawn + worker)
        tuner = Tuner(study, self.space(), self.values, type(self.configuration), self.objective, self.directory)
        tuner.run(take, done, until)

    def _compared(self, space: Space) -> dict[str, Any]:
        """Everything that must be alike for two trials to be comparable, by dotted key."""
        flat = {
            key: value
            for section, values in self.configuration.model_dump(mode="json").items()
            for key, value in _flat(section, values).items()
            if section in ALWAYS | set(SECTIONS[self.stage]) or key in MOMENTS
        }
        kept = {key: value for key, value in flat.items() if key not in space.dimensions and key not in PACE}
        return {**kept, "the metric": self.objective.metric, **self.objective.terms, **self.data}


def _flat(prefix: str, value: Any) -> dict[str, Any]:
    if not isinstance(value, Mapping):
        return {prefix: value}
    return {key: inner for name, part in value.items() for key, inner in _flat(f"{prefix}.{name}", part).items()}
