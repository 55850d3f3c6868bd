"""Next items by the likelihood of their names."""

from collections import OrderedDict
from collections.abc import Sequence
from threading import Lock
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from savor.assistant.providers.provider import Provider
from savor.assistant.ranking.wording import Wording

Measure = Literal["total", "per_token", "lift", "lift_per_token"]
MEASURES: tuple[Measure, ...] = ("total", "per_token", "lift", "lift_per_token")
_REMEMBERED = 50_000


class LikelihoodRanker:
    """Scores items that others retrieved by how likely their names are after the names of a history.

    - `total`: log p(name | history). Favours short and common names.
    - `per_token`: the same over the number of tokens.
    - `lift`: log p(name | history) - log p(name | no history), the pointwise mutual information of both, after Holtzman
      et al., "Surface form competition: why the highest probability answer isn't always right" (2021). What is likely
      anyway counts nothing.
    - `lift_per_token`: the same over the number of tokens.

    What a name is likely without a history is asked once. Safe to use from several threads.

    Args:
        measure: see above.
        wording: of the prompts.
        most_history: only so many of the latest names are told.
    """

    def __init__(
        self,
        measure: Measure = "lift_per_token",
        wording: Wording | None = None,
        most_history: int = 10,
    ) -> None:
        self.measure = measure
        self._wording, self._most = wording or Wording(), most_history
        self._alone: OrderedDict[str, float] = OrderedDict()
        self._lock = Lock()

    def scores(
        self, provider: Provider, history: Sequence[str], names: Sequence[str], *, deadline: float
    ) -> NDArray[np.float64]:
        """(N,) float64 of N names, larger is likelier.

        Args:
            provider: one with likelihoods; always of the same model.
            history: names, oldest first.
            names: of the candidates.
            deadline: moment of `time.monotonic()`.

        Raises:
            ProviderError: as `Provider.likelihoods`.
        """
        return self.all_scores(provider, history, names, deadline=deadline, measures=(self.measure,))[self.measure]

    def all_scores(
        self,
        provider: Provider,
        history: Sequence[str],
        names: Sequence[str],
        *,
        deadline: float,
        measures: Sequence[Measure] = MEASURES,
    ) -> dict[Measure, NDArray[np.float64]]:
        """`scores` by several measures, for the price of one; arguments and errors as there."""
        if not names:
            return {measure: np.zeros(0) for measure in measures}
        answers = [self._wording.answer(name) for name in names]
        prompt = self._wording.history(history[-self._most :])
        found = provider.likelihoods(prompt, answers, deadline=deadline)
        made: dict[Measure, NDArray[np.float64]] = {"total": found.log_probability, "per_token": found.per_token}
        if any(measure.startswith("lift") for measure in measures):
            lift = found.log_probability - self._without_history(provider, answers, deadline)
            made |= {"lift": lift, "lift_per_token": lift / found.tokens}
        return {measure: made[measure] for measure in measures}

    def _without_history(self, provider: Provider, answers: Sequence[str], deadline: float) -> NDArray[np.float64]:
        with self._lock:
            values = {answer: self._alone[answer] for answer in answers if answer in self._alone}
        missing = [answer for answer in dict.fromkeys(answers) if answer not in values]
        if missing:
            found = provider.likelihoods(self._wording.history(()), missing, deadline=deadline)
            fresh = dict(zip(missing, found.log_probability.tolist(), strict=True))
            values |= fresh
            with self._lock:
                self._alone.update(fresh)
                while len(self._alone) > _REMEMBERED:
                    self._alone.popitem(last=False)
        return np.asarray([values[answer] for answer in answers])
