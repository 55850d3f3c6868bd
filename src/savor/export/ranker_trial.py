"""A ranker tried on a device: whether it ranks as the server's does, and whether lists get better by it."""

from dataclasses import dataclass, replace
from pathlib import Path
from time import perf_counter_ns, thread_time_ns
from typing import Any

import numpy as np
from numpy.typing import NDArray

from savor.bundle.edge_manifest import EdgeRanker
from savor.core.errors import ExportError
from savor.core.native_output import native_output_hidden
from savor.evaluation.bootstrap import Bootstrap, Interval
from savor.export.device_check import people
from savor.export.edge_run import Latency
from savor.export.parity import Bounds, Parity
from savor.export.questions import CUTOFF, Questions
from savor.export.server_lists import Lists
from savor.export.server_ranking import FoundItems, ServerRanking
from savor.features.catalogue import Catalogue
from savor.features.item_statistics import ItemStatistics
from savor.features.table_encoder import Inputs
from savor.pipeline.query import Query
from savor.pipeline.scenario import HOME
from savor_edge.catalogue import EdgeCatalogue
from savor_edge.eligibility import own_bonus
from savor_edge.features import EdgeFeatures
from savor_edge.ranker import Ranker
from savor_edge.source_columns import Asked

MOST_QUESTIONS = 1000
FEATURE_TOLERANCE = 1e-4
"""Of a feature of the device from the server's, as a share of it, at least of 1."""

_CHECKED = 50


@dataclass(frozen=True)
class RankerTrial:
    """What came of it.

    Attributes:
        parity: of the device's order with the order of the server's ranker, over the same found items.
        model: NDCG@10 of what the model found, in its order.
        ranked: in the ranker's.
        gain: the difference.
        latency: of features and network, after the model.
        lists: the ranker's, of all questions; those that were not asked are the model's.
    """

    parity: Parity
    model: Interval
    ranked: Interval
    gain: Interval
    latency: Latency
    lists: Lists

    @property
    def helps(self) -> bool:
        """Whether lists are better with it, beyond doubt."""
        return self.gain.low > 0

    def problem(self, bounds: Bounds) -> str | None:
        """In what way the device's order is not the server's; None where it is.

        A loss of NDCG@10 counts where it is beyond doubt: two orders that are as good as equal differ by chance.
        """
        loss, alike = self.parity.loss, self.parity.agreement
        if loss.low > bounds.loss:
            return (
                f"it loses {100 * loss.mean:.2f}% [{100 * loss.low:.2f}, {100 * loss.high:.2f}] of the NDCG@10 of the "
                f"server's order, and {100 * bounds.loss:.2f}% are allowed"
            )
        if alike.mean < bounds.agreement:
            return (
                f"{100 * alike.mean:.1f}% of its first ten items are those of the server's order, and "
                f"{100 * bounds.agreement:.1f}% are needed"
            )
        return None

    def to_json(self) -> dict[str, Any]:
        """Figures as a JSON value."""
        figures = {name: getattr(self, name).as_json() for name in ("model", "ranked", "gain")}
        return {**figures, "latency_ms": self.latency.to_json(), "parity": self.parity.to_json()}


def try_ranker(
    folder: Path,
    said: EdgeRanker,
    server: ServerRanking,
    statistics: ItemStatistics | None,
    catalogue: Catalogue,
    questions: Questions,
    inputs: Inputs,
    found: Lists,
    *,
    seed: int = 0,
) -> RankerTrial:
    """Bring what a device found into order, with its code and with the server's.

    Args:
        folder: with catalogue, features and all files of the ranker.
        said: of the ranker in the manifest.
        server: over the same rows.
        statistics: of the server's items, as exact as the device has them; None where the ranker crosses no features.
        catalogue: of the server.
        questions: with the bonus of own items.
        inputs: of the device, Q rows by name.
        found: what the device's model answers them, with the bonus.
        seed: of the intervals.

    Raises:
        ExportError: the device makes other features (code `features_wrong`).
        EdgeError: the files of the ranker cannot be read.
    """
    with native_output_hidden():
        edge = EdgeCatalogue.open(folder)
        features = EdgeFeatures.open(folder, edge)
        ranker = Ranker.open(folder, said.model_dump(mode="json"), edge)
    if ranker is None:
        raise ExportError("the device's runtime does not know the features of this ranker; update Savor")
    asked = np.unique(np.linspace(0, len(questions) - 1, min(len(questions), MOST_QUESTIONS)).astype(np.intp))
    some = questions.only(asked)
    mine, theirs = (Lists(found.items[asked], found.scores[asked]) for _ in range(2))
    took = np.zeros((2, len(asked)))
    for number, (_, _, events, now) in enumerate(people(some, catalogue.ids)):
        here = mine.items[number] >= 0
        items, scores = mine.items[number, here], mine.scores[number, here]
        known = features.history(events).at(now)
        allowed = np.ones(len(edge), np.bool_)
        allowed[some.closed(number)] = False
        bonus = own_bonus(features, known, now, len(edge))
        device = Asked(known, now, allowed, bonus, CUTOFF, some.excludes_seen)
        codes = {name: values[asked[number] : asked[number] + 1] for name, values in inputs.items()}
        clock, processor = perf_counter_ns(), thread_time_ns()
        ranked = ranker.rank(device, HOME, codes, items, scores)
        took[:, number] = perf_counter_ns() - clock, thread_time_ns() - processor
        mine.items[number, here], mine.scores[number, here] = ranked

        user = int(some.users[number])
        history, profile = some.histories.of(user), some.profiles.of(user)
        if "user_id" not in said.inputs:
            profile = replace(profile, id="")
        own, worth = some.own_bonus(number)
        bonus = np.zeros(len(edge), np.float32)
        bonus[own] = worth
        query = Query(profile.id, now, CUTOFF, exclude_seen=some.excludes_seen, unseen=True)
        candidates = server.candidates(query, history, FoundItems(items, scores - bonus[items], scores, allowed))
        if statistics is not None and number < _CHECKED:
            wanted = server.matrix(query, history, candidates, statistics)
            _compare(ranker.matrix(device, items, scores), wanted, said.features, some.profiles.ids[user])
        values = server.scores(query, history, profile, candidates)
        order = np.lexsort((items, -values))
        theirs.items[number, here], theirs.scores[number, here] = items[order], values[order]
    columns = np.stack([some.ndcg(found.items[asked]), some.ndcg(mine.items)], axis=1)
    model, better, gain = Bootstrap(len(asked), seed=seed).intervals(
        np.column_stack([columns, columns[:, 1] - columns[:, 0]])
    )
    whole = Lists(found.items.copy(), found.scores.copy())
    whole.items[asked], whole.scores[asked] = mine.items, mine.scores
    return RankerTrial(Parity.of(some, theirs, mine, seed=seed), model, better, gain, Latency.of(took), whole)


def _compare(made: NDArray[np.float32], wanted: NDArray[np.float32], names: tuple[str, ...], user: str) -> None:
    """Raise where the device's features are not the server's."""
    same = np.isclose(made, wanted, rtol=FEATURE_TOLERANCE, atol=FEATURE_TOLERANCE, equal_nan=True)
    if same.all():
        return
    row, column = np.argwhere(~same)[0].tolist()
    raise ExportError(
        f"the device makes other features for the ranker: {names[column]} of candidate {row + 1} of user {user!r} is "
        f"{made[row, column]} on the device and {wanted[row, column]} on the server. Export again from the published "
        "bundle",
        code="features_wrong",
    )
