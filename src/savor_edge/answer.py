"""What is said beside a list: how long it took, in what way it is less than usual, and how it came about."""

from time import perf_counter_ns
from typing import Any

from savor_edge.history import History

SCORER = "edge_model"

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


def explained(answer: Answer, ranked: int, barred: int, clock: Stopwatch) -> Answer:
    """The answer with how it came about."""
    for place, item in enumerate(answer["recommendations"]):
        found = {SCORER: {"score": item["score"], "rank": place + 1}} if item["score"] is not None else {}
        item["explanation"] = {"sources": found, "scorer": SCORER, "score": item["score"]}
    answer["trace"] = {
        "stages": clock.laps,
        "retrieved": {SCORER: ranked},
        "ranked": ranked,
        "scorer": SCORER,
        "dropped": {"eligibility": barred},
        "failures": [],
    }
    return answer
