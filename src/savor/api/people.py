"""What the page shows of users."""

from datetime import UTC, datetime
from typing import Any

import numpy as np

from savor.api.engine import describe_item
from savor.pipeline.build import Serving


def users(serving: Serving, limit: int, containing: str) -> dict[str, Any]:
    """Some users to choose from, with how many events each has."""
    found = serving.states.sample(limit, containing=containing)
    return {
        "users": [{"user_id": identifier, "events": events} for identifier, events in found],
        "total": len(serving.states),
    }


def history(serving: Serving, user_id: str, most: int) -> dict[str, Any]:
    """A user's profile and `most` last visits (baskets, or days where there are none), newest first.

    Somebody unknown has none of it, and `known` says so.
    """
    events = serving.states.history(user_id, serving.clock())
    profile = serving.states.profile(user_id)
    visit = np.where(events.basket >= 0, events.basket, events.time // 86_400)
    starts = np.flatnonzero(np.concatenate([[True], visit[1:] != visit[:-1]])) if len(events) else np.empty(0, np.intp)
    stops = np.append(starts[1:], len(events))[: len(starts)]
    visits = [
        {
            "time": datetime.fromtimestamp(int(events.time[start]), UTC).isoformat().replace("+00:00", "Z"),
            "items": [
                {
                    "item_id": serving.catalogue.ids[row],
                    **describe_item(serving, row),
                    "value": round(float(events.value[position]), 4),
                }
                for position, row in enumerate(events.item[start:stop].tolist(), start=int(start))
            ],
        }
        for start, stop in list(zip(starts, stops, strict=True))[: -most - 1 : -1]
    ]
    known = {**profile.categories, **profile.numerics, **{name: ", ".join(tags) for name, tags in profile.tags.items()}}
    facts = {name: str(value) for name, value in known.items() if value not in (None, "") and value == value}
    return {
        "user_id": user_id,
        "known": user_id in serving.states,
        "events": len(events),
        "number_of_visits": len(starts),
        "visits": visits,
        "profile": facts,
    }
