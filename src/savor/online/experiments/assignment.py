"""Who takes part in which experiment, and sees which variant."""

import hashlib
import math
from collections.abc import Mapping
from typing import NamedTuple

from savor.online.experiments.options import CONTROL, ExperimentOptions

_UNIT = 2.0**-64


class Draw:
    """A number between 0 and 1 for each id, that looks random and is always the same.

    BLAKE2b (RFC 7693) keyed by `name`: two names give independent numbers.
    """

    def __init__(self, name: str) -> None:
        self._state = hashlib.blake2b(key=hashlib.sha256(name.encode("utf-8")).digest(), digest_size=8)

    def of(self, identifier: str) -> float:
        """Above 0 and at most 1, a multiple of 2^-64 as near as a float comes."""
        state = self._state.copy()
        state.update(identifier.encode("utf-8", "surrogatepass"))
        return (int.from_bytes(state.digest(), "little") + 1) * _UNIT


class Assignment(NamedTuple):
    """One user's place in one experiment."""

    experiment: str
    variant: str

    @property
    def label(self) -> str:
        """`experiment=variant`, as answers and events carry it."""
        return f"{self.experiment}={self.variant}"


class VariantDraw:
    """Weighted rendezvous hashing: each user takes the variant with the least -ln(u) / weight, u drawn for both.

    That is a race of exponential clocks, so a variant's share is its part of the weights. Where one weight changes,
    users move only to or from that variant; over all pairs of weights no rule moves fewer without moving more for
    another pair (Moulton and Jiang, "Maximally consistent sampling and the Jaccard index of probability
    distributions", ICDM 2018).

    Args:
        salt: another salt draws anew.
        weights: by variant, 0 or more; at least one above 0.
    """

    def __init__(self, salt: str, weights: Mapping[str, float]) -> None:
        self._draws = [
            (name, weight, Draw(f"variant\n{salt}\n{name}")) for name, weight in weights.items() if weight > 0
        ]
        if not self._draws:
            raise ValueError(f"one variant at least needs a weight above 0, got {dict(weights)}")

    def of(self, user_id: str) -> str:
        """The name of the user's variant."""
        return min((-math.log(draw.of(user_id)) / weight, name) for name, weight, draw in self._draws)[1]


class Assigner:
    """Assigns users to variants; sticky, without state, the same in every process.

    Args:
        experiments: by name, checked together.
        steps: share of users who get the variant that is rolled out, by experiment; see `rollout`. It takes the place
            of the weights; a roll-out that is not there has not begun, and nobody gets the variant.
    """

    def __init__(self, experiments: Mapping[str, ExperimentOptions], steps: Mapping[str, float] | None = None) -> None:
        self._experiments = dict(experiments)
        self._layers: dict[str, Draw] = {}
        self._variants: dict[str, VariantDraw] = {}
        for name, options in experiments.items():
            layer = self._layer(name, options)
            self._layers.setdefault(layer, Draw(f"layer\n{layer}"))
            weights = {variant: one.weight for variant, one in options.variants.items()}
            if options.rollout is not None:
                share = (steps or {}).get(name, 0.0)
                weights = {options.rollout.variant: share, CONTROL: 1 - share}
            self._variants[name] = VariantDraw(options.salt or name, weights)

    @staticmethod
    def _layer(name: str, options: ExperimentOptions) -> str:
        return f"of {options.salt or name}" if options.layer is None else f"layer {options.layer}"

    def assign(self, user_id: str, scenario: str | None = None) -> tuple[Assignment, ...]:
        """Where the user stands.

        Args:
            user_id: of the user, or of the visitor who is not known yet.
            scenario: experiments for other scenarios are left out; None takes all.
        """
        points: dict[str, float] = {}
        found = []
        for name, options in self._experiments.items():
            if scenario is not None and options.scenarios and scenario not in options.scenarios:
                continue
            layer = self._layer(name, options)
            if layer not in points:
                points[layer] = self._layers[layer].of(user_id)
            if options.offset < points[layer] <= options.offset + options.share:
                found.append(Assignment(name, self._variants[name].of(user_id)))
        return tuple(found)
