"""Why an item is in the list, in the words of the server."""

from itertools import pairwise
from statistics import median

import numpy as np

from savor_edge.features import DAY, EventRules
from savor_edge.history import History
from savor_edge.selection import Choice

LEAST_FOR_RHYTHM = 3

Reason = dict[str, str]
_TASTE = {"code": "similar_taste", "text": "like what you choose"}
_PROFILE = {"code": "profile", "text": "chosen by people with a profile like yours"}
_NEWCOMER = {"code": "newcomer", "text": "chosen by people we know little of"}
_POPULAR = {"code": "popular", "text": "popular with everybody"}
_FILLER = {"code": "filler", "text": "to fill the list"}


def reason_for(choice: Choice, history: History, now: int, rules: EventRules, *, profile: bool) -> Reason:
    """The strongest true reason: the person's own rhythm, what they had, their taste, their profile, or popularity.

    Args:
        choice: the item.
        history: of the person.
        now: UTC seconds.
        rules: words for what people do.
        profile: whether the person said anything of themselves.
    """
    own = history.time[(history.item == choice.row) & history.seen]
    if len(own):
        days = np.unique(own // DAY).tolist()
        if len(days) >= LEAST_FOR_RHYTHM:
            gap = max(round(median(after - before for before, after in pairwise(days))), 1)
            every = "every day" if gap == 1 else f"every {gap} days"
            return {"code": "repeat_rhythm", "text": f"you {rules.present} this about {every}"}
        count = "once" if len(days) == 1 else "twice"
        text = f"you {rules.past} this {count}, last {_ago(now // DAY - days[-1])}"
        return {"code": "bought_before", "text": text}
    if choice.score is None:
        return _POPULAR if choice.popular else _FILLER
    if history:
        return _TASTE
    return _PROFILE if profile else _NEWCOMER


def _ago(days: int) -> str:
    if days <= 0:
        return "today"
    return "yesterday" if days == 1 else f"{days} days ago"
