"""What another policy would have earned, from the log of the one that ran."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from savor.core.errors import DataError
from savor.evaluation.bootstrap import RESAMPLES, Bootstrap, Interval

Floats = NDArray[np.float64]


@dataclass(frozen=True)
class LoggedRounds:
    """N choices that were made at random with known probabilities, and what came of them.

    Attributes:
        reward: (N,) float64.
        propensity: (N,) float64, the probability with which the logging policy chose what it chose, above 0.
    """

    reward: Floats
    propensity: Floats

    def __post_init__(self) -> None:
        if len(self.reward) != len(self.propensity):
            raise DataError(f"{len(self.reward)} rewards, but {len(self.propensity)} propensities")
        if not len(self.reward) or not np.all((self.propensity > 0) & (self.propensity <= 1)):
            raise DataError("off-policy estimates need rounds whose propensities are above 0 and at most 1")

    def __len__(self) -> int:
        return len(self.reward)


@dataclass(frozen=True)
class OffPolicyEstimate:
    """The value of a policy, by three estimators, each with a 95% interval by bootstrap over rounds.

    Attributes:
        ips: inverse propensity scoring, mean of w r with w = π(a|x) / propensity (Horvitz and Thompson, 1952);
            unbiased.
        snips: self-normalised, Σ w r / Σ w (Swaminathan and Joachims, 2015); slightly biased, far less variable.
        dr: doubly robust, mean of q̂(x, π) + w (r - q̂(x, a)) (Dudík et al., 2011); unbiased if the propensities are
            right, and the less variable the better q̂ is. None without q̂.
        effective_rounds: (Σ w)² / Σ w², how many rounds of the policy itself the log is worth.
        largest_weight: of a round; a large one says that the log hardly covers the policy.
    """

    ips: Interval
    snips: Interval
    dr: Interval | None
    effective_rounds: float
    largest_weight: float


def estimate_policy(
    rounds: LoggedRounds,
    target: Floats,
    *,
    expected_of_chosen: Floats | None = None,
    expected_of_policy: Floats | None = None,
    maximum_weight: float | None = None,
    resamples: int = RESAMPLES,
    seed: int = 0,
) -> OffPolicyEstimate:
    """Estimate what a policy would have earned a round.

    Args:
        rounds: the log.
        target: (N,) the probability with which the policy would have chosen what was chosen in each round. It must not
            have been learnt from these rounds.
        expected_of_chosen: (N,) q̂(x, a), a model's guess of the reward of what was chosen; not learnt from the same
            round.
        expected_of_policy: (N,) q̂(x, π) = Σ_a π(a|x) q̂(x, a).
        maximum_weight: weights are cut off here, which brings bias and takes variance; None: never.
        resamples: of the bootstrap.
        seed: of the bootstrap.

    Raises:
        DataError: lengths differ, or the policy never chooses what was chosen.
    """
    if len(target) != len(rounds):
        raise DataError(f"{len(rounds)} rounds, but {len(target)} probabilities of the policy")
    weight = target / rounds.propensity
    if maximum_weight is not None:
        weight = np.minimum(weight, maximum_weight)
    if not weight.sum() > 0:
        raise DataError("the policy never chooses what the log shows, so the log says nothing of it")
    bootstrap = Bootstrap(len(rounds), resamples=resamples, seed=seed)
    terms = [weight * rounds.reward]
    if expected_of_chosen is not None and expected_of_policy is not None:
        terms.append(expected_of_policy + weight * (rounds.reward - expected_of_chosen))
    means = bootstrap.intervals(np.stack(terms, axis=1))
    return OffPolicyEstimate(
        ips=means[0],
        snips=bootstrap.ratio(terms[0], weight),
        dr=means[1] if len(means) > 1 else None,
        effective_rounds=float(weight.sum() ** 2 / (weight**2).sum()),
        largest_weight=float(weight.max()),
    )
