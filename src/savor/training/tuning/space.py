"""What may be changed, and how a trial chooses."""

import json
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from savor.core.config import Section
from savor.core.errors import ConfigError
from savor.training.tuning.configuration_key import find_field, get_value, is_integral
from savor.training.tuning.dimension import Dimension

if TYPE_CHECKING:
    import optuna

DIGITS = 3
"""Numbers are rounded to so many digits, that a person can read them; with those the trial is run."""


class Space:
    """The dimensions of a search.

    Args:
        dimensions: by dotted key.
        kind: the whole configuration, which the keys are looked up in.
        present: the configuration as it is, as nested JSON values.

    Raises:
        ConfigError: keys that there are not, naming all of them.
    """

    def __init__(self, dimensions: Mapping[str, Dimension], kind: type[Section], present: Mapping[str, Any]) -> None:
        problems, self._integral = [], set()
        for key, dimension in dimensions.items():
            for name in (key, *dimension.when):
                try:
                    field = find_field(kind, name)
                except KeyError as error:
                    problems.append(f"tuning.space: {error.args[0]}")
                    continue
                if name == key and is_integral(field) and not dimension.choices:
                    self._integral.add(key)
                    if any(
                        value is not None and value % 1 for value in (dimension.low, dimension.high, dimension.step)
                    ):
                        problems.append(f"tuning.space: {key} takes whole numbers only")
        if problems:
            raise ConfigError(list(dict.fromkeys(problems)))
        # Conditions are looked at after what they depend on was chosen.
        ordered = sorted(dimensions, key=lambda key: len(_depends(key, dimensions)))
        self.dimensions = {key: dimensions[key] for key in ordered}
        self._present = present

    def suggest(self, trial: "optuna.Trial") -> dict[str, Any]:
        """What `trial` chooses, by dotted key."""
        changes: dict[str, Any] = {}
        for key, dimension in self.dimensions.items():
            if self._holds(dimension, changes):
                changes[key] = self._suggest(trial, key, dimension)
        return changes

    def suggest_present(self, trial: "optuna.Trial") -> None:
        """Tell `trial`, which runs the present configuration, what its place in the space is.

        It must have been made with `present_parameters`.
        """
        for key in self.present_parameters():
            self._suggest(trial, key, self.dimensions[key])

    def present_parameters(self) -> dict[str, Any]:
        """The present configuration as parameters of a trial; without keys of which the value is outside the space."""
        found = {}
        for key, dimension in self.dimensions.items():
            value = get_value(self._present, key)
            if not self._holds(dimension, {}):
                continue
            if dimension.choices:
                encoded = [_encode(choice) for choice in dimension.choices]
                if _encode(value) in encoded:
                    found[key] = _encode(value)
            elif isinstance(value, int | float) and self._contains(dimension, value):
                found[key] = value
        return found

    def _suggest(self, trial: "optuna.Trial", key: str, dimension: Dimension) -> Any:
        if dimension.choices:
            encoded = [_encode(choice) for choice in dimension.choices]
            return dimension.choices[encoded.index(trial.suggest_categorical(key, encoded))]
        low, high, step = dimension.low, dimension.high, dimension.step
        assert low is not None
        assert high is not None
        if key in self._integral:
            return trial.suggest_int(key, int(low), int(high), step=int(step or 1), log=dimension.log)
        value = trial.suggest_float(key, low, high, step=step, log=dimension.log)
        return min(max(float(f"{value:.{DIGITS}g}"), low), high)

    def _holds(self, dimension: Dimension, changes: Mapping[str, Any]) -> bool:
        for key, wanted in dimension.when.items():
            value = changes[key] if key in changes else get_value(self._present, key)
            if value not in (wanted if isinstance(wanted, list | tuple) else [wanted]):
                return False
        return True

    @staticmethod
    def _contains(dimension: Dimension, value: float) -> bool:
        assert dimension.low is not None
        assert dimension.high is not None
        if not dimension.low <= value <= dimension.high:
            return False
        steps = (value - dimension.low) / dimension.step if dimension.step else 0.0
        return abs(steps - round(steps)) < 1e-9


def _encode(value: Any) -> str | int | float | bool:
    """A choice in the form that a study can keep."""
    return value if isinstance(value, str | int | float | bool) else json.dumps(value)


def _depends(key: str, dimensions: Mapping[str, Dimension], seen: frozenset[str] = frozenset()) -> set[str]:
    if key not in dimensions or key in seen:
        return set()
    direct = set(dimensions[key].when)
    return direct.union(*(_depends(one, dimensions, seen | {key}) for one in direct))
