"""How the lists of another bundle would have done, from the log of one that explored."""

from typing import Any

import numpy as np
from numpy.typing import NDArray

from savor.core.errors import DataError
from savor.evaluation.bootstrap import Interval
from savor.evaluation.off_policy import LoggedRounds, estimate_policy
from savor.online.experiments.experiment_log import Rounds

LEAST_ROUNDS = 100
_RESAMPLES = 500


def off_policy(rounds: Rounds) -> dict[str, Any]:
    """Outcomes for each item shown, had the other policy shown its lists; JSON values.

    A round is an item at a place, so the estimates hold where what comes of an item does not depend on its neighbours
    (Li, Abbasi-Yadkori, Kveton et al., "Offline evaluation of ranking policies with click models", KDD 2018, the
    item-position model). The doubly robust estimate takes for q̂ the mean reward of the place in other lists.
    """
    number = len(rounds.reward)
    found: dict[str, Any] = {
        "lists": len(np.unique(rounds.list)),
        "rounds": number,
        "logged": float(rounds.reward.mean()) if number else None,
        "mean_weight": float((rounds.target / rounds.propensity).mean()) if number else None,
        **dict.fromkeys(("ips", "snips", "dr", "effective_rounds", "largest_weight")),
    }
    if number < LEAST_ROUNDS:
        return {**found, "problem": f"{number} items were shown in lists that both made; {LEAST_ROUNDS} are needed"}
    guess = _mean_of_place(rounds)
    try:
        estimate = estimate_policy(
            LoggedRounds(rounds.reward, rounds.propensity),
            rounds.target,
            expected_of_chosen=guess,
            expected_of_policy=guess,
            resamples=_RESAMPLES,
        )
    except DataError as error:
        return {**found, "problem": str(error)}
    return {
        **found,
        "ips": _interval(estimate.ips),
        "snips": _interval(estimate.snips),
        "dr": _interval(estimate.dr),
        "effective_rounds": estimate.effective_rounds,
        "largest_weight": estimate.largest_weight,
        "problem": None,
    }


def _mean_of_place(rounds: Rounds) -> NDArray[np.float64]:
    """(N,) the mean reward of each round's position, over the lists of the other half."""
    half = rounds.list & 1
    places = int(rounds.position.max(initial=0)) + 1
    guess = np.zeros(len(rounds.reward))
    for own in (0, 1):
        other = half != own
        sums = np.bincount(rounds.position[other], rounds.reward[other], places)
        counts = np.bincount(rounds.position[other], minlength=places)
        guess[half == own] = (sums / np.maximum(counts, 1))[rounds.position[half == own]]
    return guess


def _interval(interval: Interval | None) -> dict[str, float] | None:
    return None if interval is None else {"value": interval.mean, "low": interval.low, "high": interval.high}
