"""`[experiments.NAME]` in savor.toml."""

from typing import Annotated, Literal, Self

from pydantic import AfterValidator, Field, StringConstraints, model_validator

from savor.core.config import Section
from savor.online.experiments.metrics import METRICS
from savor.online.experiments.rollout_options import RolloutOptions

CONTROL = "control"
"""The variant that others are compared with, and what users outside of every experiment get."""

Name = Annotated[str, StringConstraints(pattern=r"^[a-z][a-z0-9_]{0,39}$")]
_ROUNDING = 1e-9


class ExplorationOptions(Section):
    """Requests whose order is partly drawn by chance, with known probabilities."""

    share: float = Field(0.0, ge=0, le=1, description="Share of requests in which positions are drawn.")
    method: Literal["swap", "plackett_luce"] = Field(
        "swap", description="`swap`: one place gets an item from beyond the list; `plackett_luce`: the list is drawn."
    )
    pool: int = Field(30, ge=2, le=500, description="From how many of the best candidates the list is drawn.")
    temperature: float = Field(
        0.1,
        gt=0,
        description="Of `plackett_luce`: how far a score may fall, in spans of the pool, to be e times rarer.",
    )
    keep: int = Field(0, ge=0, le=100, description="How many first places are never drawn.")


class VariantOptions(Section):
    """What one variant changes; whatever it does not name stays as it is."""

    weight: float = Field(1.0, ge=0, description="Share of the experiment's users, relative to the other variants.")
    channel: str | None = Field(None, description="Bundle channel that answers.")
    scenario: str | None = Field(None, description="Scenario that answers in the place of the one asked for.")
    weights: dict[str, float] = Field(default_factory=dict, description="Numbers of the pipeline to set, by name.")
    exploration: ExplorationOptions | None = Field(None, description="Exploration of this variant.")

    @property
    def changes(self) -> frozenset[str]:
        """What it sets: `channel`, `scenario`, `exploration`, `weights.NAME`."""
        named = {name for name in ("channel", "scenario", "exploration") if getattr(self, name) is not None}
        return frozenset(named | {f"weights.{name}" for name in self.weights})


class GuardrailOptions(Section):
    """A metric that must not get worse."""

    metric: str = Field(description="Name of the metric.")
    tolerance: float = Field(
        0.0, ge=0, lt=1, description="How much worse than control it may be, as a share of control, before it stops."
    )


class ExperimentOptions(Section):
    """One experiment: who takes part, what they see, and what decides."""

    variants: dict[Name, VariantOptions] = Field(description="By name; one is called `control`.")
    share: float = Field(1.0, gt=0, le=1, description="Share of all users who take part.")
    layer: Name | None = Field(
        None, description="Experiments of one layer have no users in common; none: independent of all others."
    )
    offset: float = Field(0.0, ge=0, lt=1, description="Where in its layer the share begins.")
    salt: str = Field("", max_length=100, description="Makes the assignment anew when changed; empty: the name.")
    scenarios: tuple[str, ...] = Field((), description="Scenarios that take part; none: all.")
    exploration: ExplorationOptions | None = Field(None, description="Exploration in every variant alike.")
    judge: str | None = Field(
        None,
        description="Channel of a bundle whose lists are made beside those of exploration, unseen, so that off-policy "
        "estimates say how it would do.",
    )
    metric: str = Field("conversion", description="The metric that decides.")
    metrics: tuple[str, ...] = Field(
        ("ctr", "conversion", "order_value"), description="Metrics of the results, beside the one that decides."
    )
    guardrails: tuple[GuardrailOptions, ...] = Field((), description="Metrics that stop the experiment when worse.")
    window_hours: float = Field(72.0, gt=0, description="How long after an exposure an outcome counts.")
    alpha: float = Field(0.05, gt=0, lt=0.5, description="Most false alarms, over all looks together.")
    smallest_effect: float = Field(
        0.05,
        gt=0,
        lt=10,
        description="Smallest change worth finding, as a share of control; intervals are sharpest there.",
    )
    least_users: int = Field(100, ge=2, description="Users each variant needs before anything is concluded.")
    rollout: RolloutOptions | None = Field(None, description="Roll one variant out step by step.")

    @model_validator(mode="after")
    def _makes_sense(self) -> Self:
        problems = []
        if CONTROL not in self.variants or len(self.variants) < 2:
            problems.append(
                f"an experiment needs {CONTROL!r} and at least one other variant, got {list(self.variants)}"
            )
        if not any(variant.weight > 0 for variant in self.variants.values()):
            problems.append("one variant at least needs a weight above 0")
        if self.offset + self.share > 1 + _ROUNDING:
            problems.append(f"offset + share is {self.offset + self.share:g}, and a layer ends at 1")
        if self.layer is None and self.offset:
            problems.append("offset has a meaning only in a layer")
        asked = {self.metric, *self.metrics, *(one.metric for one in self.guardrails)}
        if unknown := sorted(asked - METRICS.keys()):
            problems.append(f"there are no metrics {unknown}; there are {list(METRICS)}")
        if self.judge is not None and "exploration" not in self.changes:
            problems.append("judge needs exploration: without chance, a log says nothing of other lists")
        if self.rollout is not None:
            if set(self.variants) != {CONTROL, self.rollout.variant}:
                problems.append(f"a roll-out has the variants {CONTROL!r} and {self.rollout.variant!r}, and no others")
            if not self.guardrails:
                problems.append("a roll-out needs a guardrail")
        if problems:
            raise ValueError("; ".join(problems))
        return self

    @property
    def changes(self) -> frozenset[str]:
        """What its variants set; see `VariantOptions.changes`."""
        own = {"exploration"} if self.exploration is not None else set()
        return frozenset(own).union(*(variant.changes for variant in self.variants.values()))


def check_together(experiments: dict[str, ExperimentOptions]) -> dict[str, ExperimentOptions]:
    """Experiments that can run at one time.

    Raises:
        ValueError: shares of one layer overlap, or independent experiments set the same thing for the same requests;
            lists every problem.
    """
    problems = []
    named = list(experiments.items())
    for place, (name, one) in enumerate(named):
        for other_name, other in named[:place]:
            if (one.salt or name) == (other.salt or other_name):
                problems.append(f"{other_name!r} and {name!r} have one salt, so they would not be independent")
            if one.layer is not None and one.layer == other.layer:
                if one.offset < other.offset + other.share - _ROUNDING and (
                    other.offset < one.offset + one.share - _ROUNDING
                ):
                    problems.append(
                        f"{other_name!r} and {name!r} overlap in layer {one.layer!r}: [{other.offset:g}, "
                        f"{other.offset + other.share:g}) and [{one.offset:g}, {one.offset + one.share:g})"
                    )
                continue
            meet = not one.scenarios or not other.scenarios or set(one.scenarios) & set(other.scenarios)
            if meet and (both := sorted(one.changes & other.changes)):
                problems.append(f"{other_name!r} and {name!r} both set {both}; put them into one layer")
    if problems:
        raise ValueError("; ".join(problems))
    return experiments


Experiments = Annotated[dict[Name, ExperimentOptions], AfterValidator(check_together)]
"""The type of `[experiments]`: by name, checked together."""
