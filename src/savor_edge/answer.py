"""What is said beside a list: how long it took, in what way it is less than usual, and how it came about."""

from collections.abc import Sequence
from time import perf_counter_ns
from typing import Any

from savor_edge.history import History
from savor_edge.search import MODEL, Search

Answer = dict[str, Any]


class Stopwatch:
    """Milliseconds by stage."""

    def __init__(self) -> None:
        self.laps: list[dict[str, Any]] = []
        self._since = perf_counter_ns()

    def lap(self, name: str) -> None:
        """The stage `name` ends here."""
        now = perf_counter_ns()
        self.laps.append({"name": name, "milliseconds": round((now - self._since) * 1e-6, 4)})
        self._since = now


def circumstances(history: History, *, known: bool) -> list[str]:
    """In what way little is known of the person."""
    if history:
        return []
    if known:
        return ["no_history: the user has no history yet; the profile and what is popular decide"]
    return ["unknown_user: nothing is known of this user; what newcomers choose and what is popular decides"]


def explained(answer: Answer, rows: Sequence[int], search: Search, barred: int, clock: Stopwatch) -> Answer:
    """The answer with how it came about.

    Args:
        answer: with its items.
        rows: of these items.
        search: that found them.
        barred: how many items may not be shown.
        clock: of the stages.
    """
    items, scores = search.found
    places = {row: place for place, row in enumerate(items.tolist())}
    for row, item in zip(rows, answer["recommendations"], strict=True):
        place = places.get(row)
        found = {} if place is None else {MODEL: {"score": float(scores[place]), "rank": place + 1}}
        item["explanation"] = {"sources": found, "scorer": search.scorer, "score": item["score"]}
    answer["trace"] = {
        "stages": clock.laps,
        "retrieved": {MODEL: len(items)},
        "ranked": len(search.items),
        "scorer": search.scorer,
        "dropped": {"eligibility": barred},
        "failures": [],
    }
    return answer
