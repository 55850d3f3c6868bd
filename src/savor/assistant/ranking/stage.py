"""Adjuster: a language model reorders the best candidates."""

from collections.abc import Callable, Sequence
from time import monotonic, perf_counter_ns

import numpy as np
from numpy.typing import NDArray

from savor.assistant.providers.provider import Provider
from savor.assistant.ranking.likelihood_ranker import LikelihoodRanker
from savor.assistant.ranking.options import LanguageRankingOptions
from savor.pipeline.candidates import Candidates
from savor.pipeline.query import Query
from savor.pipeline.stage import Hydrated

_NANOSECONDS = 1e9
_STEP = 1e-4


class LanguageModelStage:
    """(1 - w) merit + w likelihood, both standardised over the best candidates, which stay ahead of all others.

    The best candidates keep the merits that they have among them (but for a trifle that divides equal ones), in another
    order. Nothing is asked about persons
    without a history, nor for lists that nobody is shown.

    Args:
        names: (I,) of the items.
        provider_of: the model as a person may use it; None where it may not be asked about that person.
        weight: w, 0 to 1.
        options: what is asked, and how long.
        ranker: what scores the names; absent, one by the options.
    """

    name = "language_model"
    reads = frozenset({"history", "item", "score"})
    writes = frozenset[str]()
    required = False

    def __init__(
        self,
        names: Sequence[str],
        provider_of: Callable[[str], Provider | None],
        weight: float,
        options: LanguageRankingOptions,
        ranker: LikelihoodRanker | None = None,
    ) -> None:
        self._names, self._provider_of, self._weight, self._options = names, provider_of, weight, options
        self._ranker = ranker or LikelihoodRanker(options.measure, most_history=options.history)

    def adjust(
        self, query: Query, hydrated: Hydrated, candidates: Candidates, merit: NDArray[np.float64]
    ) -> NDArray[np.float64]:
        """(N,) float64; raises ProviderError where the model does not answer in time, or may not."""
        told = hydrated["history"].item[-self._options.history :]
        best = np.lexsort((candidates.item, -merit))[: self._options.candidates]
        if query.unseen or not len(told) or len(best) < 2:
            return merit
        provider = self._provider_of(query.user_id)
        if provider is None:
            return merit
        until = monotonic() + self._options.seconds
        if query.deadline is not None:
            until = min(until, monotonic() + (query.deadline - perf_counter_ns()) / _NANOSECONDS)
        likely = self._ranker.scores(
            provider,
            [self._names[row] for row in told],
            [self._names[row] for row in candidates.item[best]],
            deadline=until,
        )
        mixed = (1 - self._weight) * _standard(merit[best]) + self._weight * _standard(likely)
        adjusted = merit.copy()
        apart = _STEP * np.arange(len(best), 0, -1)  # so that equal merits do not hide the order
        adjusted[best[np.argsort(-mixed, kind="stable")]] = merit[best] + apart
        return adjusted


def _standard(values: NDArray[np.float64]) -> NDArray[np.float64]:
    """(N,) of mean 0 and deviation 1; all 0 where they are alike."""
    deviation = float(values.std())
    return (values - values.mean()) / deviation if deviation > 0 else np.zeros(len(values))
