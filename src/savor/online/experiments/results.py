"""What an experiment shows so far, and what to do."""

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal, NamedTuple

from savor.online.experiments.estimate import Estimate
from savor.online.experiments.metrics import METRICS, Metric
from savor.online.experiments.moments import Moments
from savor.online.experiments.options import CONTROL, ExperimentOptions
from savor.online.experiments.sample_ratio import SampleRatio, sample_ratio
from savor.online.experiments.sequential import Interval, always_valid_interval, always_valid_p
from savor.online.experiments.user_totals import UserTotals

Verdict = Literal["invalid", "stop", "ship", "keep_control", "no_difference", "continue"]

MOST_MIXED = 0.001
"""Largest share of users who saw two variants before the results count for nothing."""


class Decision(NamedTuple):
    """What to do, and why: `verdict` for programs, `text` for people; `variant` where one is meant."""

    verdict: Verdict
    variant: str | None
    text: str


class MetricRow(NamedTuple):
    """One metric of one variant; every interval and p holds at every look.

    Attributes:
        metric, variant: names.
        mean: of the variant.
        difference: to control, in the units of the metric; None for control, as the next two.
        lift: the same as a share of control.
        p: of no difference.
    """

    metric: str
    variant: str
    mean: Interval
    difference: Interval | None
    lift: Interval | None
    p: float | None

    def as_json(self) -> dict[str, Any]:
        """JSON values."""
        intervals = {"mean": self.mean, "difference": self.difference, "lift": self.lift}
        shown = {name: None if interval is None else interval.as_json() for name, interval in intervals.items()}
        return {"metric": self.metric, "variant": self.variant, **shown, "p": self.p}


class GuardrailRow(NamedTuple):
    """One guardrail of one variant.

    Attributes:
        metric, variant: names.
        tolerance: how much worse it may be, as a share of control.
        harm: how much worse it is beyond the tolerance, in the units of the metric; below 0 is well.
        crossed: whether the whole interval of `harm` is above 0.
    """

    metric: str
    variant: str
    tolerance: float
    harm: Interval
    crossed: bool

    def as_json(self) -> dict[str, Any]:
        """JSON values."""
        return {**self._asdict(), "harm": self.harm.as_json()}


@dataclass(frozen=True)
class ExperimentResults:
    """One experiment at one look.

    Attributes:
        experiment: its name.
        users: by variant.
        mixed: users who saw more than one variant.
        ratio: whether users came to the variants as meant.
        rows: by metric, then by variant.
        guardrails: by guardrail, then by variant.
        decision: what to do.
    """

    experiment: str
    users: dict[str, int]
    mixed: int
    ratio: SampleRatio
    rows: tuple[MetricRow, ...]
    guardrails: tuple[GuardrailRow, ...]
    decision: Decision

    def as_json(self) -> dict[str, Any]:
        """The table as JSON values."""
        return {
            "experiment": self.experiment,
            "users": self.users,
            "mixed_users": self.mixed,
            "sample_ratio": {**self.ratio._asdict(), "mismatch": self.ratio.mismatch},
            "metrics": [row.as_json() for row in self.rows],
            "guardrails": [row.as_json() for row in self.guardrails],
            "decision": self.decision._asdict(),
        }


def moments_by_variant(totals: UserTotals, number_of_variants: int) -> dict[str, list[Moments]]:
    """By metric, the sums of each variant, for `results`."""
    columns = totals.columns
    members = [totals.variant == number for number in range(number_of_variants)]
    return {
        name: [
            Moments.of(
                columns[metric.numerator][rows], columns[metric.denominator][rows] if metric.denominator else None
            )
            for rows in members
        ]
        for name, metric in METRICS.items()
    }


def results(
    name: str,
    options: ExperimentOptions,
    users: Mapping[str, int],
    moments: Mapping[str, list[Moments]],
    *,
    mixed: int = 0,
    shares: Mapping[str, float] | None = None,
) -> ExperimentResults:
    """Compare the variants with control.

    The chance `alpha` of a false alarm is shared among the variants, so that it holds for all of them together, for
    each metric by itself; the guardrails share another `alpha`. The steps of a roll-out, whose results are made one by
    one, share both.

    Args:
        name: of the experiment.
        options: of the experiment.
        users: distinct users by variant.
        moments: by metric, in the order of `options.variants`; see `moments_by_variant`.
        mixed: users who saw more than one variant.
        shares: by variant, what was meant; absent, the weights.
    """
    variants = list(options.variants)
    others = [variant for variant in variants if variant != CONTROL]
    meant = shares or {variant: one.weight for variant, one in options.variants.items()}
    counts = [int(users.get(variant, 0)) for variant in variants]
    ratio = sample_ratio(counts, [meant.get(variant, 0.0) for variant in variants])
    enough = {variant: count >= options.least_users for variant, count in zip(variants, counts, strict=True)}
    looks = _Looks(options, moments, variants, enough)
    spent = options.alpha / (len(options.rollout.steps) if options.rollout is not None else 1)
    alpha = spent / len(others)
    rows = [row for metric in dict.fromkeys((options.metric, *options.metrics)) for row in looks.rows(metric, alpha)]
    rail_alpha = spent / max(1, len(options.guardrails) * len(others))
    rails = [
        looks.guardrail(one.metric, variant, one.tolerance, rail_alpha)
        for one in options.guardrails
        for variant in others
    ]
    decision = _decide(options, ratio, mixed, sum(counts), rows, rails)
    return ExperimentResults(
        name, dict(zip(variants, counts, strict=True)), mixed, ratio, tuple(rows), tuple(rails), decision
    )


class _Looks:
    """Reads the moments of one look."""

    def __init__(
        self,
        options: ExperimentOptions,
        moments: Mapping[str, list[Moments]],
        variants: list[str],
        enough: Mapping[str, bool],
    ) -> None:
        self._options, self._moments, self._variants, self._enough = options, moments, variants, enough

    def _estimate(self, metric: str, variant: str) -> Estimate:
        if not self._enough[variant]:
            return Estimate(math.nan, math.inf)
        return self._moments[metric][self._variants.index(variant)].ratio()

    def _scale(self, control: Estimate) -> float:
        return self._options.smallest_effect * abs(control.value)

    def rows(self, metric: str, alpha: float) -> list[MetricRow]:
        """One for each variant."""
        control = self._estimate(metric, CONTROL)
        scale, relative = self._scale(control), self._options.smallest_effect
        found = []
        for variant in self._variants:
            own = self._estimate(metric, variant)
            mean = always_valid_interval(own, scale, alpha)
            if variant == CONTROL:
                found.append(MetricRow(metric, variant, mean, None, None, None))
                continue
            difference = own.minus(control)
            found.append(
                MetricRow(
                    metric,
                    variant,
                    mean,
                    always_valid_interval(difference, scale, alpha),
                    always_valid_interval(own.over(control), relative, alpha),
                    always_valid_p(difference, scale),
                )
            )
        return found

    def guardrail(self, metric: str, variant: str, tolerance: float, alpha: float) -> GuardrailRow:
        """How much worse than what is tolerated."""
        control, own = self._estimate(metric, CONTROL), self._estimate(metric, variant)
        if METRICS[metric].better == "higher":
            harm = _negated(own.minus(control, 1 - tolerance))
        else:
            harm = own.minus(control, 1 + tolerance)
        interval = always_valid_interval(harm, self._scale(control), alpha)
        return GuardrailRow(metric, variant, tolerance, interval, interval.low > 0)


def _negated(estimate: Estimate) -> Estimate:
    return Estimate(-estimate.value, estimate.variance)


def _decide(
    options: ExperimentOptions,
    ratio: SampleRatio,
    mixed: int,
    total: int,
    rows: list[MetricRow],
    rails: list[GuardrailRow],
) -> Decision:
    if ratio.mismatch:
        return Decision(
            "invalid",
            None,
            f"users did not come to the variants as meant (p {ratio.p:.1g}); find out why, believe nothing",
        )
    if mixed > MOST_MIXED * max(total, 1):
        return Decision("invalid", None, f"{mixed} users saw more than one variant; find out why, believe nothing")
    for rail in rails:
        if rail.crossed:
            return Decision("stop", rail.variant, f"{rail.variant} makes {rail.metric} worse than is tolerated")
    metric = METRICS[options.metric]
    deciding = [row for row in rows if row.metric == options.metric and row.lift is not None]
    better = [row for row in deciding if _gain(row, metric)[0] > 0]
    if better:
        best = max(better, key=lambda row: _gain(row, metric)[1])
        return Decision("ship", best.variant, f"{best.variant} is better in {options.metric}")
    if all(_gain(row, metric)[2] < 0 for row in deciding):
        return Decision("keep_control", CONTROL, f"no variant is as good as {CONTROL} in {options.metric}")
    small = options.smallest_effect
    lifts = [row.lift for row in deciding if row.lift is not None]
    if lifts and all(-small < lift.low and lift.high < small for lift in lifts):
        return Decision("no_difference", None, f"no difference in {options.metric} as large as {small:.1%}")
    return Decision("continue", None, "nothing is decided yet")


def _gain(row: MetricRow, metric: Metric) -> tuple[float, float, float]:
    """Low, value and high of the difference, turned so that larger is better."""
    difference = row.difference or Interval(math.nan, -math.inf, math.inf)
    if metric.better == "higher":
        return difference.low, difference.value, difference.high
    return -difference.high, -difference.value, -difference.low
