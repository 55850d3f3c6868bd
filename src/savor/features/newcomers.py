"""Making newcomers of users one knows, so that towers learn to serve them."""

import numpy as np

from savor.features.behaviour import BEHAVIOUR
from savor.features.table_encoder import Inputs


def hide_behaviour(inputs: Inputs, rng: np.random.Generator, share: float, buckets: int) -> None:
    """Make newcomers of a `share` of B users, in place.

    All that they did is gone: history, session, visual preference, searches; and their id is one as if never seen or
    not given. What is left are the profile and the moment, as `FeatureSpace.user_input` gives for a true newcomer.

    Args:
        inputs: of the user tower.
        rng: draws who is hidden, and their ids.
        share: how many.
        buckets: how many codes ids never seen share.
    """
    hidden = rng.random(len(next(iter(inputs.values())))) < share
    for name in BEHAVIOUR:
        if name in inputs:
            inputs[name][hidden] = 0
    if "user_id" in inputs:
        inputs["user_id"][hidden] = rng.integers(0, buckets + 1, int(hidden.sum()))
