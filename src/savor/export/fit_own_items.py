"""Fits the bonus of own items, and leaves it out where it does not make lists better."""

from collections.abc import Iterator, Sequence

import numpy as np
from numpy.typing import NDArray

from savor.bundle.bundle import Bundle
from savor.evaluation.bootstrap import Bootstrap
from savor.export.own_items import OwnItemsBonus
from savor.export.questions import CUTOFF, Questions
from savor.pipeline.options import PipelineOptions

STEPS = (0.0, 0.3, 1.0, 2.0, 5.0, 10.0, 20.0, 50.0)
"""Weights that are tried, in standard deviations of the model's scores."""

LEAST_QUESTIONS = 40
MOST_QUESTIONS = 600
_BATCH = 50


def fit_own_items(
    bundle: Bundle, questions: Questions, users: NDArray[np.float32], vectors: NDArray[np.float32]
) -> OwnItemsBonus | None:
    """The bonus that makes lists best; None where none makes them better.

    Every second question chooses the weight, the others must confirm it: the interval of the gain in NDCG@10 must lie
    above 0.

    Args:
        bundle: says the half-life, and which kinds of events are repeated.
        questions: with known answers.
        users: (Q, D) float32 vectors of the users that are asked about.
        vectors: (I, D) float32 of the items of the export.
    """
    if questions.excludes_seen or len(questions) < LEAST_QUESTIONS:
        return None
    config = bundle.read_json("config.json") if bundle.has("config.json") else {}
    options = PipelineOptions.model_validate(config.get("pipeline", {}))
    kinds = list(config.get("kinds", ()))
    one = OwnItemsBonus(1.0, options.half_life_days, tuple(options.repeat_kinds or kinds))
    place = np.full(int(max(questions.histories.item.max(initial=0), questions.rows.max(initial=0))) + 1, -1, np.int32)
    place[questions.rows] = np.arange(len(questions.rows), dtype=np.int32)
    asked = np.unique(np.linspace(0, len(questions) - 1, min(len(questions), MOST_QUESTIONS)).astype(np.intp))
    lists = np.full((len(STEPS), len(questions), CUTOFF), -1, np.int32)
    weights: list[float] = []
    for first in range(0, len(asked), _BATCH):
        batch = asked[first : first + _BATCH]
        products = users[batch] @ vectors.T
        weights = weights or [float(f"{step * float(products.std()):.4g}") for step in STEPS]
        for number, scores in zip(batch.tolist(), products, strict=True):
            scores[questions.closed(number)] = -np.inf
            history = questions.histories.of(int(questions.users[number]))
            items, worth = one.of(history, kinds, int(questions.now[number]))
            known = place[items] >= 0
            for trial, best in enumerate(_best(scores, place[items[known]], worth[known], weights)):
                lists[trial, number, : len(best)] = best
    figures = np.stack([questions.ndcg(made)[asked] for made in lists])
    chosen = int(figures[:, 0::2].mean(axis=1).argmax())
    gain = figures[chosen, 1::2] - figures[0, 1::2]
    interval = Bootstrap(len(gain)).intervals(gain[:, None])[0]
    if not chosen or not interval.low > 0:
        return None
    return OwnItemsBonus(weights[chosen], one.half_life_days, one.kinds, interval)


def _best(
    scores: NDArray[np.float32], own: NDArray[np.int32], worth: NDArray[np.float32], weights: Sequence[float]
) -> Iterator[NDArray[np.int32]]:
    """For each weight the best items of one person, at most `CUTOFF`.

    Args:
        scores: (I,) float32, minus infinity for what may not be shown.
        own: (M,) items of the person.
        worth: (M,) float32, their bonus with a weight of 1.
        weights: not negative.
    """
    # Own items alone get a bonus, so the best of all are among the best without it and the own ones.
    head = np.argpartition(-scores, min(CUTOFF, len(scores)) - 1)[:CUTOFF]
    candidates = np.union1d(head, own).astype(np.int32)
    bonus = np.zeros(len(candidates), np.float32)
    bonus[np.searchsorted(candidates, own)] = worth
    for weight in weights:
        found = scores[candidates] + np.float32(weight) * bonus
        best = np.argsort(-found, kind="stable")[:CUTOFF]
        yield candidates[best[np.isfinite(found[best])]]
