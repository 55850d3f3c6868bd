"""For users whose events come in no order that means anything."""

from dataclasses import fields, replace

import numpy as np

from savor.data.events import Events

_KEPT = ("user", "time", "split")


def exchange_order(events: Events, seed: int) -> Events:
    """The same events, with what each user chose dealt out anew among the user's moments.

    A model that predicts the next event from those before then learns to predict any event from any others: what is
    asked where events are held out at random, or where their times say only when they were written down.

    Args:
        events: in time order.
        seed: of the deal.

    Returns:
        Each user has the same items and the same moments as before, in other pairs; the order of rows is still that of
        time.
    """
    rng = np.random.default_rng(seed)
    places = np.argsort(events.user, kind="stable")
    dealt = np.lexsort((rng.random(len(events)), events.user))
    source = np.empty(len(events), np.int64)
    source[places] = dealt
    return replace(
        events,
        **{field.name: getattr(events, field.name)[source] for field in fields(events) if field.name not in _KEPT},
    )
